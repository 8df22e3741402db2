package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// pictures names the directory that screenshots are kept in; none are without.
const pictures = "GATEHOUSE_TEST_PICTURES"

// demoPassword is what `gatehouse demo` gives everybody.
const demoPassword = "correct horse gatehouse staple"

// signIn signs a person of the demo data in and waits for the shell.
func (b *browser) signIn(email, password string) {
	b.t.Helper()
	b.open("/sign-in")
	b.fill("E-mail address", email)
	b.fill("Password", password)
	b.press("Sign in")
	b.at("/teams/tea_[0-9A-Z]+")
}

// team returns the id of the team whose page is shown.
func (b *browser) team() string {
	b.t.Helper()
	return strings.Split(b.path(), "/")[2]
}

// size makes the window as wide as a phone, a tablet or a desk.
func (b *browser) size(width, height int64) {
	b.t.Helper()
	b.run(emulation.SetDeviceMetricsOverride(width, height, 1, width < 600))
}

// theme chooses the colours as the system would.
func (b *browser) theme(name string) {
	b.t.Helper()
	b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}))
}

// picture keeps a screenshot of the whole page.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv(pictures)
	if dir == "" {
		return
	}
	var png []byte
	b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		png, err = page.CaptureScreenshot().WithCaptureBeyondViewport(false).Do(ctx)
		return err
	}))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// violations runs axe over the page and returns what it finds.
func (b *browser) violations(axe string) []string {
	b.t.Helper()
	var loaded bool
	b.eval(`typeof axe !== "undefined"`, &loaded)
	if !loaded {
		b.run(chromedp.Evaluate(axe, nil))
	}
	var found string
	b.eval(`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then(r => JSON.stringify(
		r.violations.map(v => v.id + ": " + v.help + " at " + v.nodes.slice(0, 3).map(n => n.target.join(" ") + " " + (n.failureSummary || "").replace(/\s+/g, " ")).join("; "))))`, &found)
	var list []string
	if err := json.Unmarshal([]byte(found), &list); err != nil {
		b.t.Fatal(err)
	}
	return list
}

// shift returns how much of the page moved by itself since it was opened, as
// Cumulative Layout Shift counts it.
func (b *browser) shift() float64 {
	b.t.Helper()
	var sum float64
	b.eval(`new Promise(done => { let sum = 0; new PerformanceObserver(l => l.getEntries().forEach(e => { if (!e.hadRecentInput) sum += e.value })).observe({type: "layout-shift", buffered: true}); setTimeout(() => done(sum), 100) })`, &sum)
	return sum
}

// overBar points at one of the bars of the first chart, counted from 0, and
// returns what is said of it.
func (b *browser) overBar(i, of int) string {
	b.t.Helper()
	var said string
	b.eval(fmt.Sprintf(`new Promise(done => { const over = document.querySelector(".u-over"), box = over.getBoundingClientRect();
		over.dispatchEvent(new MouseEvent("mousemove", {bubbles: true, clientX: box.left + box.width * (%d + 0.5) / %d, clientY: box.top + 40}));
		setTimeout(() => done(over.querySelector(".chart-tip").innerText), 100) })`, i, of), &said)
	return said
}

// axeSource reads axe-core as npm installed it.
func axeSource(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../../web/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is not installed; run go run ./web/build: %v", err)
	}
	return string(source)
}

// TestLook opens every page at three widths in both themes: nothing is wider
// than the window, axe finds nothing, the browser complains about nothing.
func TestLook(t *testing.T) {
	s := start(t, "")
	s.fillDemo()
	axe := axeSource(t)
	b := openBrowser(t, s.url)

	look := func(name, path, see string) {
		b.open(path)
		b.ask("heading")
		if see != "" {
			b.see(see)
		}
		b.ask("settled")
		if got := b.shift(); got > 0.05 {
			t.Errorf("%s moved by %.3f while it appeared", name, got)
		}
		for _, theme := range []string{"light", "dark"} {
			b.theme(theme)
			for _, w := range []struct{ width, height int64 }{{360, 740}, {768, 1024}, {1440, 900}} {
				b.size(w.width, w.height)
				b.ask("settled")
				b.picture(fmt.Sprintf("%s-%s-%d", name, theme, w.width))
				if got := b.ask("overflow"); got != "fits" {
					t.Errorf("%s at %d px is too %s", name, w.width, got)
				}
				if w.width == 768 {
					continue
				}
				for _, v := range b.violations(axe) {
					t.Errorf("%s, %s, %d px: %s", name, theme, w.width, v)
				}
			}
		}
	}
	look("sign-in", "/sign-in", "")
	look("sign-up", "/sign-up", "")
	look("outbox", "/outbox", "")
	b.size(1440, 900)
	b.signIn("ada@example.com", demoPassword)
	team := "/teams/" + b.team()
	acme := team
	look("overview", team, "Calls per day")
	look("tokens", team+"/tokens", "Order sync")
	look("token-new", team+"/tokens/new", "")
	b.open(team + "/tokens")
	b.press("Order sync (SAP)")
	b.at(team + "/tokens/[0-9A-Za-z]{12}")
	token := b.path()
	look("token", token, "Order sync")
	look("token-usage", token+"?tab=usage", "")
	look("token-calls", token+"?tab=calls", "")
	look("token-events", token+"?tab=events", "")
	look("usage", team+"/usage", "Calls per day")
	if got, want := b.overBar(28, 30), time.Now().UTC().AddDate(0, 0, -1).Format("Jan 2, 2006"); !strings.HasPrefix(got, want) {
		t.Errorf("after changes of the theme the bar before the last is that of %q, want %s", got, want)
	}
	look("calls", team+"/usage?tab=calls", "")
	look("audit", team+"/audit", "Chain verified")
	look("settings", team+"/settings", "Token policy")
	look("account", "/account", "Password")
	look("account-log", "/account?tab=log", "signed in")

	b.open("/teams/new") // what a newcomer sees
	b.fill("Team name", "Newcomers")
	b.press("Create team")
	b.see("First steps")
	team = b.path()
	look("first-steps", team, "First steps")
	look("usage-empty", team+"/usage", "Create token")
	b.phone(acme, team)
	b.desk()
	b.expect("404") // the page itself is answered with it
	look("not-found", team+"/nothing-here", "There is nothing here")
}
