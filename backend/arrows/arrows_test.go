package arrows

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gatehouse-portal/gatehouse/"

// may lists what each package may import of this module, beside its own
// subpackages. A name that ends in /... stands for everything below it. A package
// that is not here may import nothing.
var may = map[string][]string{
	"shared/ability":        {},
	"shared/audit":          {},
	"shared/api":            {"shared/ability", "shared/audit"},
	"shared/password":       {},
	"shared/tokentext":      {},
	"shared/validate":       {"shared/ability", "shared/api", "shared/tokentext"},
	"shared/client":         {"shared/ability", "shared/api", "shared/audit", "shared/validate"},
	"shared/client/nethttp": {"shared/client"},

	"backend/secret":  {"shared/password", "shared/tokentext"},
	"backend/portal":  {"backend/secret", "shared/..."},
	"backend/block":   {"backend/portal"},
	"backend/sqlite":  {"backend/block", "backend/portal", "shared/..."},
	"backend/mongo":   {"backend/block", "backend/portal", "shared/..."},
	"backend/mail":    {"backend/portal", "backend/secret"},
	"backend/config":  {"backend/portal", "backend/mail", "deploy", "shared/..."},
	"backend/httpapi": {"backend/portal", "backend/secret", "shared/...", "web"},
	"backend/cmd":     {"backend/...", "shared/...", "web"},
	"backend":         {"backend/cmd"},

	"backend/testskip":  {},
	"backend/mongotest": {"backend/testskip"},
	"backend/storetest": {"backend/portal", "backend/secret", "shared/..."},
	"backend/e2e":       {},
	"backend/arrows":    {},
	"backend/bench":     {"backend/...", "shared/...", "web"},

	"frontend": {"frontend/...", "shared/..."},
	"web":      {},
	"deploy":   {},
}

// owners says who may import an outside library; its tests and those of others
// may too. What is not here belongs to nobody yet: add it with its owner.
var owners = map[string][]string{
	"github.com/gofiber/fiber":               {"backend/httpapi", "backend/bench"},
	"github.com/valyala/fasthttp":            {"backend/httpapi", "backend/bench"},
	"github.com/go-playground/validator":     {"backend/httpapi"},
	"github.com/ulule/limiter":               {"backend/httpapi"},
	"github.com/prometheus/client_golang":    {"backend/httpapi"},
	"go.mongodb.org/mongo-driver":            {"backend/mongo", "backend/mongotest"},
	"modernc.org/sqlite":                     {"backend/sqlite"},
	"golang.org/x/sync":                      {"backend/..."},
	"golang.org/x/crypto":                    {"backend/secret"},
	"golang.org/x/text":                      {"backend/secret"},
	"github.com/oklog/ulid":                  {"backend/secret"},
	"github.com/wneessen/go-mail":            {"backend/mail"},
	"github.com/caarlos0/env":                {"backend/config"},
	"github.com/goccy/go-yaml":               {"backend/config"},
	"github.com/alecthomas/kong":             {"backend/cmd"},
	"github.com/mattn/go-isatty":             {"backend/cmd"},
	"golang.org/x/term":                      {"backend/cmd"},
	"github.com/klauspost/compress":          {"backend/httpapi", "web/build"},
	"github.com/andybalholm/brotli":          {"backend/httpapi", "web/build"},
	"github.com/maxence-charriere/go-app/v9": {"frontend", "frontend/..."},
}

// heavy are packages that the browser program must not import itself: each
// would cost hundreds of kilobytes, or cannot work there.
var heavy = []string{"net/http", "text/template", "html/template", "database/sql", "golang.org/x/text", "github.com/go-playground/validator", "github.com/gofiber/fiber"}

// pkg is what go list says about one package.
type pkg struct {
	ImportPath string
	Imports    []string // of the package itself, not of its tests
	Standard   bool
}

// list asks the go command about packages, as another system would see them.
func list(t *testing.T, system []string, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Standard"}, args...)...)
	cmd.Dir = path.Join("..", "..")
	cmd.Env = append(os.Environ(), system...)
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("go list: %v: %s", err, failed.Stderr)
		}
		t.Fatal(err)
	}
	var packages []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

var browser = []string{"GOOS=js", "GOARCH=wasm"}

// everything returns our packages on this system and those of the browser.
func everything(t *testing.T) []pkg {
	t.Helper()
	return append(list(t, nil, "./..."), list(t, browser, "./frontend/...", "./shared/...")...)
}

// within reports whether name is one of the patterns or below one that ends in
// /... .
func within(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		tree, all := strings.CutSuffix(p, "/...")
		return name == p || all && strings.HasPrefix(name, tree+"/")
	})
}

// below reports whether name is tree or a package in it.
func below(name, tree string) bool { return name == tree || strings.HasPrefix(name, tree+"/") }

// ruleFor returns what a package may import: its own rule, or that of the
// nearest package above it. That of backend is for the command alone, so that
// a new package there has to be given its place.
func ruleFor(name string) (rule []string, owner string, ok bool) {
	for owner = name; owner != "." && (owner != "backend" || name == owner); owner = path.Dir(owner) {
		if rule, ok := may[owner]; ok {
			return rule, owner, true
		}
	}
	return nil, "", false
}

func TestArrowsPointInwards(t *testing.T) {
	for _, p := range everything(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		rule, owner, ok := ruleFor(name)
		if !ok {
			t.Errorf("%s has no rule in this test", name)
			continue
		}
		for _, imported := range p.Imports {
			inner, ours := strings.CutPrefix(imported, module)
			if ours && !below(inner, owner) && !within(inner, rule) {
				t.Errorf("%s must not import %s: it may import %v", name, inner, rule)
			}
		}
	}
}

func TestEachLibraryHasAnOwner(t *testing.T) {
	for _, p := range everything(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") || strings.HasPrefix(imported, module) {
				continue // standard library, or ours
			}
			if strings.HasPrefix(name, "shared/") || name == "backend/portal" {
				t.Errorf("%s must not import %s: it has the standard library only", name, imported)
				continue
			}
			found := false
			for library, who := range owners {
				if below(imported, library) || strings.HasPrefix(imported, library+"/v") {
					found = true
					if !within(name, who) {
						t.Errorf("%s must not import %s: only %v may", name, imported, who)
					}
				}
			}
			if !found {
				t.Errorf("%s imports %s, which nobody owns", name, imported)
			}
		}
	}
}

func TestBrowserProgramStaysLight(t *testing.T) {
	ours := 0
	for _, p := range list(t, browser, "-deps", "./frontend") {
		name, own := strings.CutPrefix(p.ImportPath, module)
		if !own {
			continue
		}
		ours++
		if !strings.HasPrefix(name, "frontend") && !strings.HasPrefix(name, "shared/") {
			t.Errorf("the browser program links %s", name)
		}
		for _, imported := range p.Imports {
			for _, h := range heavy {
				if below(imported, h) || strings.HasPrefix(imported, h+"/v") {
					t.Errorf("%s imports %s, which the browser program cannot afford", name, imported)
				}
			}
		}
	}
	if ours < 2 {
		t.Errorf("the browser program has %d packages of ours, so this test sees nothing", ours)
	}
}

func TestRules(t *testing.T) {
	if !within("shared/api", []string{"shared/..."}) || within("sharedapi", []string{"shared/..."}) || within("shared", []string{"shared/..."}) {
		t.Error("within is wrong")
	}
	if _, owner, ok := ruleFor("frontend/ui/kit"); !ok || owner != "frontend" {
		t.Errorf("got %q", owner)
	}
	if _, owner, ok := ruleFor("backend/new"); ok {
		t.Errorf("a new package has the rule of %q", owner)
	}
	if rule, owner, _ := ruleFor("shared/client/nethttp"); owner != "shared/client/nethttp" || !slices.Equal(rule, []string{"shared/client"}) {
		t.Errorf("got %v of %q", rule, owner)
	}
}
