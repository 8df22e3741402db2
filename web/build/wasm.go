package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const goApp = "github.com/maxence-charriere/go-app/v9"

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

// server are the files of go-app that make up its HTTP handler. They alone pull
// net/http, crypto/tls and text/template into the browser.
var server = map[string]bool{
	"http.go": true, "resource.go": true, "cache.go": true, "static.go": true,
	"scripts.go": true, "scripts_wasm.go": true, "wasmexec.go": true,
}

// rest declares what the remaining files still use of the ones left out.
const rest = `package app

import "strings"

// Handler stands for the HTTP handler that this copy leaves out.
type Handler struct{}

// Environment is what the handler would have passed to the program.
type Environment map[string]string

func isRemoteLocation(path string) bool {
	return strings.HasPrefix(path, "https://") || strings.HasPrefix(path, "http://")
}

func isStaticResourcePath(path string) bool {
	return strings.HasPrefix(path, "/web/") || strings.HasPrefix(path, "web/")
}
`

// leanGoApp copies go-app from the module cache without its HTTP handler, and
// returns a go.mod that names the copy. The program behaves the same and is a
// quarter smaller. The copy is made once per version of go-app; its licence
// comes along.
func leanGoApp(goTool string) (modfile string, err error) {
	b, err := exec.Command(goTool, "list", "-m", "-f", "{{.Dir}}\n{{.Version}}", goApp).Output()
	if err != nil {
		return "", fmt.Errorf("find %s (is it downloaded?): %w", goApp, err)
	}
	source, version, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	if source == "" {
		return "", fmt.Errorf("%s is not downloaded: run `go mod download`", goApp)
	}
	copyTo := filepath.Join(workDir, "goapp")
	stamp := filepath.Join(copyTo, ".version")
	if have, err := os.ReadFile(stamp); err != nil || string(have) != version+"\n"+rest {
		if err := os.RemoveAll(copyTo); err != nil {
			return "", err
		}
		if err := copyGoApp(source, copyTo); err != nil {
			return "", err
		}
		if err := os.WriteFile(stamp, []byte(version+"\n"+rest), 0o644); err != nil {
			return "", err
		}
	}

	mod, err := os.ReadFile("go.mod")
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile("go.sum")
	if err != nil {
		return "", err
	}
	mod = fmt.Appendf(mod, "\nreplace %s => ./%s\n", goApp, filepath.ToSlash(copyTo))
	modfile = filepath.Join(workDir, "wasm.mod")
	if err := writeChanged(modfile, mod); err != nil {
		return "", err
	}
	return modfile, writeChanged(filepath.Join(workDir, "wasm.sum"), sum)
}

func copyGoApp(source, target string) error {
	for _, dir := range []string{"pkg/app", "pkg/errors"} {
		names, err := filepath.Glob(filepath.Join(source, dir, "*.go"))
		if err != nil {
			return err
		}
		for _, name := range names {
			base := filepath.Base(name)
			if strings.HasSuffix(base, "_test.go") || dir == "pkg/app" && server[base] {
				continue
			}
			if err := copyFile(name, filepath.Join(target, dir, base)); err != nil {
				return err
			}
		}
	}
	for _, base := range []string{"go.mod", "LICENSE"} {
		if err := copyFile(filepath.Join(source, base), filepath.Join(target, base)); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(target, "pkg/app/rest.go"), []byte(rest), 0o644)
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
