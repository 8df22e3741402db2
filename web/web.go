// Package web holds what the browser is given: the HTML shell of every page and
// the assets that web/build made from css/, boot.js, the fonts, uPlot and the
// WebAssembly program.
//
// Nothing here needs the browser program's source, so the server that embeds it
// does not link go-app.
package web

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
)

//go:embed all:dist
var dist embed.FS

//go:embed shell.html.tmpl
var shellText string

// Dist returns what web/build wrote: manifest.json, and under assets/ each file
// under its hashed name, with .br and .gz beside what compresses. Of files that
// every browser takes compressed only the .br and .gz are there.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the directory is embedded: cannot happen
	}
	return sub
}

// ErrNotBuilt says that dist is empty: the binary was compiled without running
// web/build first.
var ErrNotBuilt = errors.New("the portal is not built in: run `go run ./web/build`, then build again")

// Manifest is dist/manifest.json.
type Manifest struct {
	Version string            `json:"version"` // 12 hex digits over all files; changes when any of them does
	Files   map[string]string `json:"files"`   // plain name to URL path: app.css → /assets/app.<hash>.css
	Sizes   map[string]int64  `json:"sizes"`   // plain name to bytes, uncompressed
}

// ReadManifest reads the manifest from a tree laid out like [Dist]. A tree that
// was never built gives [ErrNotBuilt].
func ReadManifest(tree fs.FS) (Manifest, error) {
	b, err := fs.ReadFile(tree, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, ErrNotBuilt
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	return m, nil
}

// Visit is what the server knows of a request for a page.
type Visit struct {
	Path     string // of the request, decides the skeleton and the title
	HasToken bool   // the request carried a session cookie, whether or not it is still good
	Outbox   bool   // mails stay in the local outbox, which the portal shows
}

// Shell is what shell.html.tmpl is executed with. [Manifest.Shell] fills it.
type Shell struct {
	Title    string // of the document
	Page     string // the kind of page, for its skeleton: card, overview, list, charts, detail, form
	Heading  string // and what it begins with
	Text     string
	Back     string
	BackHref string
	Form     *Form
	Outbox   bool   // the form says where the mails are
	Config   string // the JSON that boot.js reads, see [Manifest.Shell]
	CSS      string // URL paths of the assets
	Boot     string
	WasmExec string
	Wasm     string
	Favicon  string
	Inter    string
	Licenses string // of what others made
}

// Shell returns the shell for a visit. Its Config tells the program the
// assets it loads itself, the version, the size of the program in bytes, and
// whether to ask for the session at once.
func (m Manifest) Shell(v Visit) Shell {
	page, _ := PageAt(v.Path)
	config, err := json.Marshal(map[string]any{
		"wasm":       m.Files["app.wasm"],
		"wasm_bytes": m.Sizes["app.wasm"],
		"uplot_js":   m.Files["uplot.js"],
		"uplot_css":  m.Files["uplot.css"],
		"version":    m.Version,
		"session":    v.HasToken,
		"outbox":     v.Outbox,
	})
	if err != nil {
		panic(err) // strings, numbers and booleans: cannot happen
	}
	return Shell{
		Title: page.Title + " · Gatehouse", Page: page.Skeleton, Heading: page.Heading, Text: page.Text, Config: string(config),
		Back: page.Back, BackHref: path.Dir(v.Path), Form: page.Form, Outbox: v.Outbox && page.Form != nil && page.Form.Outbox,
		CSS: m.Files["app.css"], Boot: m.Files["boot.js"], WasmExec: m.Files["wasm_exec.js"],
		Wasm: m.Files["app.wasm"], Favicon: m.Files["favicon.svg"], Inter: m.Files["inter.woff2"],
		Licenses: m.Files["licenses.txt"],
	}
}

var shell = template.Must(template.New("shell").Parse(shellText))

// WriteShell writes the HTML of the shell, text/html in UTF-8. It may be called
// by many goroutines at once.
func WriteShell(w io.Writer, s Shell) error {
	if err := shell.Execute(w, s); err != nil {
		return fmt.Errorf("write the shell: %w", err)
	}
	return nil
}
