package ui

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// module is the root of the module, seen from this package.
const module = "../.."

// heavy are the imports that would each add hundreds of kilobytes to what the
// browser fetches, and ours that lead to them.
var heavy = []string{
	"net/http", "net/mail", "text/template", "html/template", "database/sql", "golang.org/x/text",
	"github.com/go-playground/validator", "github.com/gatehouse-portal/gatehouse/backend",
	"github.com/gatehouse-portal/gatehouse/shared/client/nethttp", "github.com/gatehouse-portal/gatehouse/web",
}

// sources calls f for every Go file of the browser's program but its tests.
func sources(t *testing.T, f func(path string, src []byte)) {
	t.Helper()
	n := 0
	for _, dir := range []string{"frontend", "shared"} {
		err := filepath.WalkDir(filepath.Join(module, dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "nethttp":
				return fs.SkipDir // of the integrations and tests: nobody here may import it
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			b, err := os.ReadFile(path)
			n++
			f(path, b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 30 {
		t.Fatalf("only %d files were found: the test looks in the wrong place", n)
	}
}

func TestTheProgramImportsNothingHeavy(t *testing.T) {
	sources(t, func(path string, src []byte) {
		file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			for _, h := range heavy {
				if name == h || strings.HasPrefix(name, h+"/") {
					t.Errorf("%s imports %s", path, name)
				}
			}
		}
	})
}

// traps are what go-app takes without a word and then does wrong.
var traps = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"an inline style is refused by the content security policy", regexp.MustCompile(`\.Styles?\(`)},
	{"a handler without a key may run for another row: use kit.On", regexp.MustCompile(`\.On(Click|Input|Change|Submit|KeyDown|KeyUp|Blur|Focus|Scroll|Paste)\((func|[a-z]\w*\.[a-z]\w*\)|c\.ValueTo)`)},
	{"app.If evaluates what it hides", regexp.MustCompile(`app\.If\(`)},
	{"a component per row cannot be drawn a thousand times: use kit.Table", regexp.MustCompile(`app\.Range\(`)},
	{"the browser is reached through ui/bridge", regexp.MustCompile(`app\.Window\(`)},
	{"what go-app persists lies in local storage", regexp.MustCompile(`app\.Persist|LocalStorage\(|SessionStorage\(`)},
	{"a goroutine of one's own is not recovered: use kit.Do", regexp.MustCompile(`(?m)^\s*go (func|[a-z])`)},
	{"Render must not look at a clock: use kit.WatchNow", regexp.MustCompile(`(?s)Render\(\) app\.UI \{[^}]*time\.Now\(\)`)},
}

func TestTheProgramKeepsClearOfTraps(t *testing.T) {
	sources(t, func(path string, src []byte) {
		if !strings.Contains(path, "frontend") {
			return
		}
		for _, trap := range traps {
			if m := trap.pattern.Find(src); m != nil {
				t.Errorf("%s: %s (%s)", path, trap.name, m)
			}
		}
	})
}

func TestTheTrapsAreSeen(t *testing.T) {
	for i, bad := range []string{
		`app.Div().Style("color", "red")`, `.OnClick(func(ctx app.Context, e app.Event) {})`, `app.If(x, y)`, `app.Range(list)`,
		`app.Window().Get("x")`, `ctx.SetState("s", v, app.Persist)`, "\n\tgo func() {}()", "Render() app.UI {\n\tnow := time.Now()",
	} {
		if !traps[i].pattern.MatchString(bad) {
			t.Errorf("%q is not seen as: %s", bad, traps[i].name)
		}
	}
	if traps[1].pattern.MatchString(`.OnClick(kit.Click("x", c.copy))`) {
		t.Error("a handler of kit is seen as a trap")
	}
}
