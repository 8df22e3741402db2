// Command build makes web/dist: the WebAssembly program, one stylesheet, the
// fonts and uPlot, each under a name with its hash and compressed as far as a
// release wants it, and the manifest that says which is which.
//
//	go run ./web/build            quick compression, for development
//	go run ./web/build -release   the smallest files, and the size budget is held
//
// What did not change since the last run is not made again: compressed files
// are kept by content under build/web. Run it from the root of the module.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Where things are, relative to the root of the module.
const (
	webDir  = "web"
	distDir = "web/dist"
	workDir = "build/web" // ignored by git; safe to delete
)

// maxWasmBrotli is the most that the program may weigh on the wire.
const maxWasmBrotli = 1792 << 10 // 1.75 MiB

type options struct {
	release bool // compress as far as it goes, and hold the budget
	stock   bool // go-app as it is, instead of the copy without its server
	quiet   bool
}

func main() {
	var o options
	flag.BoolVar(&o.release, "release", false, "compress as far as it goes, and fail above the size budget")
	flag.BoolVar(&o.stock, "stock", false, "link go-app as it is, with its HTTP handler (370 KiB more)")
	flag.BoolVar(&o.quiet, "q", false, "print only mistakes")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "web/build:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	begin := time.Now()
	if _, err := os.Stat("go.mod"); err != nil {
		return errors.New("run it from the root of the module: go run ./web/build")
	}
	if err := nodeModules(); err != nil {
		return err
	}
	wasm, err := buildWasm(o)
	if err != nil {
		return err
	}
	files, err := collect(wasm)
	if err != nil {
		return err
	}
	m, err := write(files, o)
	if err != nil {
		return err
	}
	if !o.quiet {
		report(m, files, time.Since(begin))
	}
	if br := files["app.wasm"].brotli; o.release && len(br) > maxWasmBrotli {
		return fmt.Errorf("app.wasm is %d bytes in brotli, the budget is %d: see which import brought the weight", len(br), maxWasmBrotli)
	}
	return nil
}

// nodeModules installs what package-lock.json names, unless that very lock file
// was installed before.
func nodeModules() error {
	lock, err := os.ReadFile(filepath.Join(webDir, "package-lock.json"))
	if err != nil {
		return fmt.Errorf("read the lock file: %w", err)
	}
	stamp := filepath.Join(webDir, "node_modules", ".installed")
	if old, err := os.ReadFile(stamp); err == nil && string(old) == hash(lock) {
		return nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("npm is not on PATH; fonts and charts are npm packages: install Node.js 20 or newer (Debian: apt-get install npm)")
	}
	if err := command(npm, "ci", "--prefix", webDir, "--no-audit", "--no-fund", "--loglevel=error"); err != nil {
		return fmt.Errorf("install web/package-lock.json: %w", err)
	}
	return os.WriteFile(stamp, []byte(hash(lock)), 0o644)
}

// command runs a program and shows what it printed only if it failed.
func command(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %v: %w\n%s", filepath.Base(name), args, err, out)
	}
	return nil
}
