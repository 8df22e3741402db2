package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// buildWasm compiles frontend for the browser and returns the program's path.
// The compiler's own cache makes a second run quick.
func buildWasm(o options) (string, error) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return "", errors.New("go is not on PATH: install Go 1.26 or newer")
	}
	if err := os.MkdirAll(workDir, 0o755); err != nil {
		return "", err
	}
	out := filepath.Join(workDir, "app.wasm")
	args := []string{"build", "-trimpath", "-ldflags=-s -w", "-o", out}
	if !o.stock {
		modfile, err := leanGoApp(goTool)
		if err != nil {
			return "", fmt.Errorf("make the lean copy of go-app (or build with -stock): %w", err)
		}
		args = append(args, "-modfile="+modfile)
	}
	cmd := exec.Command(goTool, append(args, "./frontend")...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile ./frontend: %w\n%s", err, b)
	}
	return out, nil
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}

// writeChanged leaves a file alone that has its content already, so that tools
// which look at times see no change.
func writeChanged(path string, b []byte) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == string(b) {
		return nil
	}
	return os.WriteFile(path, b, 0o644)
}
