package e2e

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/gatehouse-portal/gatehouse/backend/testskip"
)

// patience is how long the browser is given to show something.
const patience = 15 * time.Second

//go:embed testdata/eyes.js
var eyes string

// browser is one Chromium with a profile of its own. What it complains about
// (exceptions, refused content, errors on the console) fails the test.
type browser struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu         sync.Mutex
	complaints []string
	expected   []string // parts of complaints that belong to the test
}

// openBrowser starts Chromium; it ends with the test.
func openBrowser(t *testing.T, base string) *browser {
	t.Helper()
	path := chromium()
	if path == "" {
		testskip.Because(t, "there is no Chromium: install the package chromium.")
	}
	options := append(
		chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1440, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("lang", "en-GB"), chromedp.Env("TZ=UTC", "LANG=en_GB.UTF-8"),
	)
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancelTab := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(func() { cancelTab(); cancel() })
	b := &browser{t: t, ctx: ctx, base: base}
	chromedp.ListenTarget(ctx, b.listen)
	if err := chromedp.Run(ctx, log.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(eyes).Do(ctx)
		return err
	})); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	t.Cleanup(b.complain)
	return b
}

func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func (b *browser) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.note("exception: " + e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError {
			parts := make([]string, len(e.Args))
			for i, a := range e.Args {
				parts[i] = string(a.Value)
			}
			b.note("console: " + strings.Join(parts, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError {
			b.note(fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *page.EventJavascriptDialogOpening:
		go func() { _ = chromedp.Run(b.ctx, page.HandleJavaScriptDialog(true)) }()
	}
}

func (b *browser) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, text)
}

// expect allows complaints with this text, such as the browser's own line about
// an answer of 422 that the test provokes.
func (b *browser) expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, part)
}

func (b *browser) complain() {
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, c := range b.complaints {
		for _, part := range b.expected {
			if strings.Contains(c, part) {
				continue next
			}
		}
		b.t.Errorf("the browser complained: %s", c)
	}
}

// run does what chromedp can, within [patience].
func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.fail("%v", err)
	}
}

// fail ends the test with a picture of what the browser shows.
func (b *browser) fail(format string, args ...any) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	var picture []byte
	var url, text string
	_ = chromedp.Run(ctx, chromedp.Location(&url), chromedp.Evaluate(`document.body.innerText.slice(0, 1500)`, &text), chromedp.CaptureScreenshot(&picture))
	if dir := os.Getenv("GATEHOUSE_TEST_PICTURES"); dir != "" && picture != nil {
		name := dir + "/failed-" + strings.ReplaceAll(b.t.Name(), "/", "-") + ".png"
		_ = os.WriteFile(name, picture, 0o644)
	}
	b.mu.Lock()
	complaints := strings.Join(b.complaints, "\n")
	b.mu.Unlock()
	b.t.Fatalf(format+"\nat %s the page says:\n%s\n%s", append(args, url, text, complaints)...)
}

// open loads a page of the portal anew.
func (b *browser) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.base + path))
}

// eval runs JavaScript in the page and decodes its result.
func (b *browser) eval(script string, result any) {
	b.t.Helper()
	b.run(chromedp.Evaluate(script, result, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
}

// ask calls a function of eyes.js until it says something else than false or
// null, and returns that.
func (b *browser) ask(call string, args ...any) string {
	b.t.Helper()
	return b.askWithin(patience, call, args...)
}

func (b *browser) askWithin(limit time.Duration, call string, args ...any) string {
	b.t.Helper()
	texts := make([]string, len(args))
	for i, a := range args {
		text, err := json.Marshal(a)
		if err != nil {
			b.t.Fatal(err)
		}
		texts[i] = string(text)
	}
	script := fmt.Sprintf(`(window.eyes ? String(eyes.%s(%s)) : "false")`, call, strings.Join(texts, ","))
	for begin := time.Now(); ; {
		var got string
		ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		err := chromedp.Run(ctx, chromedp.Evaluate(script, &got))
		cancel()
		if err == nil && got != "false" && got != "null" {
			return got
		}
		if time.Since(begin) > limit {
			b.fail("%s(%s) did not come true within %v", call, strings.Join(texts, ", "), limit)
		}
		time.Sleep(40 * time.Millisecond) // between looks at another process; nothing tells us when
	}
}

// see waits until a text is visible.
func (b *browser) see(text string) { b.t.Helper(); b.ask("see", text) }

// gone waits until a text is not visible any more.
func (b *browser) gone(text string) { b.t.Helper(); b.ask("gone", text) }

// press activates the button, link or tab of that name, as a person would: with
// the mouse, in the topmost dialog if one is open.
func (b *browser) press(name string) { b.t.Helper(); b.mouse("place", name) }

// mouse clicks where something is, once it has stopped moving: a person waits
// for that too.
func (b *browser) mouse(call string, args ...any) {
	b.t.Helper()
	at := b.ask(call, args...)
	for still := ""; still != at; {
		still = at
		time.Sleep(60 * time.Millisecond) // a few frames
		at = b.ask(call, args...)
	}
	var x, y float64
	if _, err := fmt.Sscanf(at, "%g,%g", &x, &y); err != nil {
		b.t.Fatalf("place %q: %v", at, err)
	}
	b.run(chromedp.MouseClickXY(x, y))
}

// fill types a text into the field with that label, in place of what it holds.
func (b *browser) fill(label, text string) {
	b.t.Helper()
	b.ask("focus", label)
	b.run(input.InsertText(text))
}

// choose picks an option of the select with that label.
func (b *browser) choose(label, option string) { b.t.Helper(); b.ask("choose", label, option) }

// tick sets the checkbox or radio button with that label.
func (b *browser) tick(label string, on bool) { b.t.Helper(); b.ask("tick", label, on) }

// refuseOnce answers the next request of this method with 403 and a problem, in
// the server's place.
func (b *browser) refuseOnce(method, problem string) {
	b.t.Helper()
	b.expect("403")
	done := false // touched by the listener only
	chromedp.ListenTarget(b.ctx, func(event any) {
		e, ok := event.(*fetch.EventRequestPaused)
		if !ok {
			return
		}
		var action chromedp.Action = fetch.ContinueRequest(e.RequestID)
		if e.Request.Method == method && !done {
			done = true
			action = fetch.FulfillRequest(e.RequestID, 403).
				WithResponseHeaders([]*fetch.HeaderEntry{{Name: "Content-Type", Value: "application/problem+json"}}).
				WithBody(base64.StdEncoding.EncodeToString([]byte(problem)))
		}
		go func() { _ = chromedp.Run(b.ctx, action) }()
	})
	b.run(fetch.Enable().WithPatterns([]*fetch.RequestPattern{{URLPattern: "*/portal/v1/*"}}))
}

// keys sends keys to what has the focus.
func (b *browser) keys(keys string, modifiers ...input.Modifier) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// at waits until the address has this path.
func (b *browser) at(path string) { b.t.Helper(); b.ask("at", path) }

// path returns the path of the address.
func (b *browser) path() string {
	b.t.Helper()
	var p string
	b.eval(`location.pathname`, &p)
	return p
}

// everything returns all that the page holds: its HTML, the values of its
// fields, its address and its storage.
func (b *browser) everything() string {
	b.t.Helper()
	var all string
	b.eval(`eyes.everything()`, &all)
	return all
}

// download presses what saves a file and returns the file.
func (b *browser) download(press string) []byte {
	b.t.Helper()
	dir := b.t.TempDir()
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		return cdpbrowser.SetDownloadBehavior(cdpbrowser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir).Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
	}))
	b.press(press)
	for ends := time.Now().Add(patience); time.Now().Before(ends); time.Sleep(20 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(dir, "*.ndjson")) // under another name until it is whole
		if err == nil && len(files) == 1 {
			content, err := os.ReadFile(files[0])
			if err != nil {
				b.t.Fatal(err)
			}
			return content
		}
	}
	b.fail("nothing was saved")
	return nil
}
