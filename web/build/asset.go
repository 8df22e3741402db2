package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/andybalholm/brotli"

	"github.com/gatehouse-portal/gatehouse/web"
)

// asset is one file that the browser fetches.
type asset struct {
	body         []byte
	brotli, gzip []byte // nil for what is compressed already
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// hashed returns a name with the hash of the body: app.css → app.3f…c1.css.
func (a *asset) hashed(name string) string {
	ext := filepath.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hash(a.body)[:16] + ext
}

// collect reads every asset under its plain name. The stylesheet comes last, as
// it names the fonts by their hash.
func collect(wasm string) (map[string]*asset, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("ask for GOROOT: %w", err)
	}
	modules := filepath.Join(webDir, "node_modules")
	fonts := filepath.Join(modules, "@fontsource-variable")
	files := map[string]*asset{}
	for name, path := range map[string]string{
		"app.wasm": wasm,
		// The start-up script must be that of the compiler, not of go-app.
		"wasm_exec.js":    filepath.Join(strings.TrimSpace(string(root)), "lib/wasm/wasm_exec.js"),
		"boot.js":         filepath.Join(webDir, "boot.js"),
		"favicon.svg":     filepath.Join(webDir, "favicon.svg"),
		"uplot.js":        filepath.Join(modules, "uplot/dist/uPlot.iife.min.js"),
		"uplot.css":       filepath.Join(modules, "uplot/dist/uPlot.min.css"),
		"inter.woff2":     filepath.Join(fonts, "inter/files/inter-latin-wght-normal.woff2"),
		"inter-ext.woff2": filepath.Join(fonts, "inter/files/inter-latin-ext-wght-normal.woff2"),
		"mono.woff2":      filepath.Join(fonts, "jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2"),
	} {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		files[name] = &asset{body: b}
	}
	// The glue comes along with the library: both are fetched when the first chart
	// is shown.
	glue, err := os.ReadFile(filepath.Join(webDir, "chart.js"))
	if err != nil {
		return nil, fmt.Errorf("read chart.js: %w", err)
	}
	files["uplot.js"].body = append(append(files["uplot.js"].body, '\n'), glue...)

	notices, err := licenses(strings.TrimSpace(string(root)))
	if err != nil {
		return nil, err
	}
	files["licenses.txt"] = &asset{body: notices}

	css, err := stylesheet(filepath.Join(webDir, "css"), func(name string) (string, bool) {
		a, ok := files[name]
		if !ok {
			return "", false
		}
		return "/assets/" + a.hashed(name), true
	})
	if err != nil {
		return nil, err
	}
	files["app.css"] = &asset{body: css}
	return files, nil
}

// write compresses the assets and puts them into dist, with the manifest last.
// Whatever else lay in dist is removed.
func write(files map[string]*asset, o options) (web.Manifest, error) {
	m := web.Manifest{Files: map[string]string{}, Sizes: map[string]int64{}}
	keep := map[string]bool{}
	all := sha256.New()
	dir := filepath.Join(distDir, "assets")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return m, err
	}

	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		a := files[name]
		hashed := a.hashed(name)
		m.Files[name] = "/assets/" + hashed
		m.Sizes[name] = int64(len(a.body))
		fmt.Fprintln(all, hashed)
		if filepath.Ext(name) == ".woff2" {
			keep[hashed] = true
		} else {
			keep[hashed+".br"], keep[hashed+".gz"] = true, true
		}
		wait.Go(func() {
			if err := a.write(filepath.Join(dir, hashed), o); err != nil {
				mu.Lock()
				errs = append(errs, fmt.Errorf("write %s: %w", name, err))
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if len(errs) > 0 {
		return m, errs[0]
	}
	m.Version = hex.EncodeToString(all.Sum(nil))[:12]

	old, err := os.ReadDir(dir)
	if err != nil {
		return m, err
	}
	for _, e := range old {
		if !keep[e.Name()] {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return m, err
			}
		}
	}
	b, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return m, err
	}
	return m, writeChanged(filepath.Join(distDir, "manifest.json"), append(b, '\n'))
}

func (a *asset) write(path string, o options) error {
	if strings.HasSuffix(path, ".woff2") {
		return writeChanged(path, a.body)
	}
	quality, level := 6, gzip.BestSpeed // a sixth of a second more than 4, and a tenth smaller
	if o.release {
		quality, level = brotli.BestCompression, gzip.BestCompression
	}
	var err error
	a.brotli, err = a.compressed(fmt.Sprintf("br%d", quality), func(out io.Writer) io.WriteCloser {
		return brotli.NewWriterOptions(out, brotli.WriterOptions{Quality: quality, LGWin: 24})
	})
	if err != nil {
		return err
	}
	a.gzip, err = a.compressed(fmt.Sprintf("gz%d", level), func(out io.Writer) io.WriteCloser {
		w, _ := gzip.NewWriterLevel(out, level) // the level is a legal one
		return w
	})
	if err != nil {
		return err
	}
	if err := writeChanged(path+".br", a.brotli); err != nil {
		return err
	}
	return writeChanged(path+".gz", a.gzip)
}

// compressed returns the body as it comes out of a compressing writer, from the
// cache if it was done before.
func (a *asset) compressed(how string, compress func(io.Writer) io.WriteCloser) ([]byte, error) {
	cache := filepath.Join(workDir, "cache")
	path := filepath.Join(cache, hash(a.body)+"."+how)
	if b, err := os.ReadFile(path); err == nil {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // only so that prune keeps it
		return b, nil
	}
	var out bytes.Buffer
	w := compress(&out)
	if _, err := w.Write(a.body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	prune(cache)
	return out.Bytes(), writeWhole(path, out.Bytes())
}

// writeWhole writes a file so that a reader, or a run that is cut off, never
// leaves half of it.
func writeWhole(path string, b []byte) error {
	temp := path + ".part"
	if err := os.WriteFile(temp, b, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// prune removes what no build of the last week asked for.
func prune(cache string) {
	entries, _ := os.ReadDir(cache)
	for _, e := range entries {
		if i, err := e.Info(); err == nil && time.Since(i.ModTime()) > 7*24*time.Hour {
			_ = os.Remove(filepath.Join(cache, e.Name())) // another build may have been first
		}
	}
}

// report prints what a browser will fetch.
func report(m web.Manifest, files map[string]*asset, took time.Duration) {
	fmt.Printf("%-16s %10s %10s %10s\n", "", "bytes", "gzip", "brotli")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		a := files[name]
		if a.brotli == nil {
			fmt.Printf("%-16s %10d %10s %10s\n", name, len(a.body), "-", "-")
			continue
		}
		fmt.Printf("%-16s %10d %10d %10d\n", name, len(a.body), len(a.gzip), len(a.brotli))
	}
	fmt.Printf("version %s, %.1f s\n", m.Version, took.Seconds())
}
