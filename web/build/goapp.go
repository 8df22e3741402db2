package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const goApp = "github.com/maxence-charriere/go-app/v9"

// leftOut are the files of go-app that the copy goes without. Those of its HTTP
// handler alone pull net/http, crypto/tls and text/template into the browser, the
// routes regexp and its tables of Unicode, which every start would fill, and the
// encryption of states that nothing encrypts AES.
var leftOut = map[string]bool{
	"http.go": true, "resource.go": true, "cache.go": true, "static.go": true,
	"scripts.go": true, "scripts_wasm.go": true, "wasmexec.go": true,
	"route.go": true, "crypto.go": true,
}

// changes are what the copy has otherwise than go-app, each to be found in at least
// one file.
var changes = []struct{ from, to string }{
	// A package that makes the names of states, with three kinds of hashes and half
	// of database/sql.
	{"\t\"github.com/google/uuid\"\n", ""},
	// Each object of JavaScript that Go is handed costs a finalizer, a microsecond
	// or several: two of three that an element took to draw were the document, and
	// what appendChild returns.
	{`w.Get("document").Call("create`, `document.Call("create`},
	{`v.Call("appendChild", c)`, `v.Call("append", c)`},
}

// elements is the file with a type for every element of HTML, 90 % of go-app.
const elements = "html_gen.go"

// rest declares what the remaining files still use of the ones left out.
const rest = `package app

import (
	"crypto/rand"
	"errors"
	"strings"
	"syscall/js"
)

var document = value{js.Global().Get("document")}

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

var routes router

// router leads everywhere to the same component, which is all that is asked of it.
type router struct{ newComponent func() Composer }

// RouteWithRegexpFunc sets what makes the component of every path.
func RouteWithRegexpFunc(pattern string, newComponent func() Composer) {
	if pattern != "^/" {
		panic("this copy of go-app routes by no pattern: " + pattern)
	}
	routes.newComponent = newComponent
}

func (r *router) createComponent(string) (Composer, bool) { return r.newComponent(), true }

func encrypt(string, []byte) ([]byte, error) { return nil, errors.ErrUnsupported }
func decrypt(string, []byte) ([]byte, error) { return nil, errors.ErrUnsupported }

var uuid names

type names struct{}

func (names) NewString() string { return rand.Text() }
`

// leanGoApp copies go-app from the module cache without its HTTP handler and
// without the elements and attributes that nothing names, and returns a go.mod
// that names the copy. The program behaves the same, is a quarter smaller, and
// compiles in half the time. The licence comes along.
func leanGoApp(goTool string) (modfile string, err error) {
	b, err := exec.Command(goTool, "list", "-m", "-f", "{{.Dir}}", goApp).Output()
	if err != nil {
		return "", fmt.Errorf("find %s (is it downloaded?): %w", goApp, err)
	}
	source := strings.TrimSpace(string(b))
	if source == "" {
		return "", fmt.Errorf("%s is not downloaded: run `go mod download`", goApp)
	}
	copyTo := filepath.Join(workDir, "goapp")
	if err := os.RemoveAll(copyTo); err != nil {
		return "", err
	}
	if err := copyGoApp(source, copyTo); err != nil {
		return "", err
	}
	if err := pruneElements(filepath.Join(copyTo, "pkg/app", elements), "frontend", copyTo); err != nil {
		return "", fmt.Errorf("leave out what is not used of %s: %w", elements, err)
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
	found := make([]bool, len(changes))
	for _, dir := range []string{"pkg/app", "pkg/errors"} {
		names, err := filepath.Glob(filepath.Join(source, dir, "*.go"))
		if err != nil {
			return err
		}
		for _, name := range names {
			base := filepath.Base(name)
			if strings.HasSuffix(base, "_test.go") || dir == "pkg/app" && leftOut[base] {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			for i, c := range changes {
				found[i] = found[i] || bytes.Contains(b, []byte(c.from))
				b = bytes.ReplaceAll(b, []byte(c.from), []byte(c.to))
			}
			copied := filepath.Join(target, dir, base)
			if err := os.MkdirAll(filepath.Dir(copied), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(copied, b, 0o644); err != nil {
				return err
			}
		}
	}
	if i := slices.Index(found, false); i >= 0 {
		return fmt.Errorf("go-app has changed: nothing says %q", changes[i].from)
	}
	for _, base := range []string{"go.mod", "LICENSE"} {
		if err := copyFile(filepath.Join(source, base), filepath.Join(target, base)); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(target, "pkg/app/rest.go"), []byte(rest), 0o644)
}

// pruneElements prunes a file of elements to what the Go files below the
// directories name, itself left out.
func pruneElements(path string, dirs ...string) error {
	named := map[string]bool{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(name) != ".go" || name == path {
				return err
			}
			b, err := os.ReadFile(name)
			for _, w := range word.FindAll(b, -1) {
				named[string(w)] = true
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	pruned, err := keepNamed(source, named)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pruned, 0o644)
}

var word = regexp.MustCompile(`[A-Za-z_]\w*`)

// keepNamed cuts the elements and the methods whose names are not among the named.
// An element X is the interface HTMLX, the type htmlX and the function X; one
// word of that kind keeps all three.
func keepNamed(source []byte, named map[string]bool) ([]byte, error) {
	const open, hidden = "HTML", "html"
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	isElement := map[string]bool{}
	for _, d := range file.Decls {
		if name, ok := strings.CutPrefix(typeName(d), open); ok {
			isElement[name] = true
		}
	}
	if len(isElement) == 0 {
		return nil, errors.New("it declares no elements: go-app has changed")
	}
	unused := func(element string) bool {
		return isElement[element] && !named[element] && !named[open+element] && !named[hidden+element]
	}
	// Text and Textf are made of Body, here alone.
	idle := func(method string) bool { return !named[method] && method != "Body" }

	var kept bytes.Buffer
	at := set.File(file.Pos()).Base()
	last := 0
	cut := func(n ast.Node, doc *ast.CommentGroup) {
		begin := n.Pos()
		if doc != nil {
			begin = doc.Pos()
		}
		kept.Write(source[last : int(begin)-at])
		last = int(n.End()) - at
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			name := typeName(d)
			if unused(strings.TrimPrefix(strings.TrimPrefix(name, open), hidden)) {
				cut(d, d.Doc)
				continue
			}
			for _, m := range methodsOf(d) {
				if len(m.Names) == 1 && idle(m.Names[0].Name) {
					cut(m, m.Doc)
				}
			}
		case *ast.FuncDecl:
			if d.Recv == nil {
				if unused(d.Name.Name) {
					cut(d, d.Doc)
				}
				continue
			}
			receiver := string(source[int(d.Recv.List[0].Type.Pos())-at : int(d.Recv.List[0].Type.End())-at])
			if unused(strings.TrimPrefix(receiver, "*"+hidden)) || idle(d.Name.Name) {
				cut(d, d.Doc)
			}
		}
	}
	kept.Write(source[last:])
	// The import may have lost its last use.
	kept.WriteString("\nvar _ strings.Builder\n")
	return kept.Bytes(), nil
}

// typeName returns the name of the one type that a declaration declares, or "".
func typeName(d ast.Decl) string {
	if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && len(g.Specs) == 1 {
		return g.Specs[0].(*ast.TypeSpec).Name.Name
	}
	return ""
}

// methodsOf returns the methods of the interface that a declaration declares, if
// it does.
func methodsOf(d *ast.GenDecl) []*ast.Field {
	if typeName(d) == "" {
		return nil
	}
	if i, ok := d.Specs[0].(*ast.TypeSpec).Type.(*ast.InterfaceType); ok {
		return i.Methods.List
	}
	return nil
}
