package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// licenses joins the licences of what others made and the browser is given;
// most of them ask to be passed on with it.
func licenses(goRoot string) ([]byte, error) {
	modules := filepath.Join(webDir, "node_modules")
	parts := []struct{ name, path string }{
		{"Inter", filepath.Join(modules, "@fontsource-variable/inter/LICENSE")},
		{"JetBrains Mono", filepath.Join(modules, "@fontsource-variable/jetbrains-mono/LICENSE")},
		{"uPlot", filepath.Join(modules, "uplot/LICENSE")},
		{"Lucide", "frontend/ui/kit/icons.LICENSE"},
		{"Go", filepath.Join(goRoot, "LICENSE")},
	}
	for _, module := range []string{goApp, "github.com/google/uuid"} {
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
		if err != nil {
			return nil, fmt.Errorf("find %s (is it downloaded?): %w", module, err)
		}
		parts = append(parts, struct{ name, path string }{module, filepath.Join(strings.TrimSpace(string(dir)), "LICENSE")})
	}
	var all bytes.Buffer
	for _, p := range parts {
		text, err := os.ReadFile(p.path)
		if os.IsNotExist(err) && p.name == "Go" {
			continue // some distributions put it elsewhere
		}
		if err != nil {
			return nil, fmt.Errorf("read the licence of %s: %w", p.name, err)
		}
		fmt.Fprintf(&all, "%s\n%s\n\n%s\n\n", p.name, strings.Repeat("=", len(p.name)), bytes.TrimSpace(text))
	}
	return all.Bytes(), nil
}
