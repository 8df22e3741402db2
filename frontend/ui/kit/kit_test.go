package kit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// page is a component to test with: it draws what the test says.
type page struct {
	app.Compo
	list Load[[]string]
	draw func(*page) app.UI
}

func (p *page) Render() app.UI { return p.draw(p) }

// mounted puts a page up and returns it with a function that runs on the
// goroutine that draws, and waits for what follows from it.
func mounted(t *testing.T, draw func(*page) app.UI) (*page, func(func(app.Context))) {
	t.Helper()
	p := &page{draw: draw}
	d := app.NewClientTester(p)
	t.Cleanup(d.Close)
	d.Consume()
	return p, func(f func(app.Context)) {
		d.Dispatch(app.Dispatch{Mode: app.Update, Source: p, Function: f})
		d.Consume()
	}
}

func html(t *testing.T, ui app.UI) string {
	t.Helper()
	return app.HTMLString(ui)
}

func has(t *testing.T, where string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(where, want) {
			t.Errorf("%q is not in\n%s", want, where)
		}
	}
}

func drawList(p *page) app.UI {
	return p.list.View(Skeleton("table"), func(names []string) app.UI {
		if len(names) == 0 {
			return Empty(EmptyOpts{Title: "No names yet"})
		}
		return app.Div().Text(strings.Join(names, "+"))
	})
}

func TestLoadHasFourFaces(t *testing.T) {
	p, run := mounted(t, drawList)
	has(t, html(t, p), "skeleton is-table", `aria-busy`)
	if p.list.Settled() {
		t.Error("it is settled before an answer has come")
	}
	answer := func(names []string, err error) {
		run(func(ctx app.Context) {
			p.list.Fetch(ctx, p, func(context.Context) ([]string, error) { return names, err })
		})
	}
	answer(nil, client.ErrOffline)
	has(t, html(t, p), "could not be loaded", "cannot be reached", "Try again")
	answer([]string{}, nil)
	has(t, html(t, p), "No names yet")
	answer([]string{"a", "b"}, nil)
	has(t, html(t, p), "a+b")
	answer(nil, client.ErrTimeout)
	has(t, html(t, p), "a+b", "may be out of date")
	run(func(ctx app.Context) { p.list.Again(ctx) })
	has(t, html(t, p), "may be out of date")
	answer([]string{"c"}, nil)
	if s := html(t, p); !strings.Contains(s, ">c<") || strings.Contains(s, "out of date") {
		t.Errorf("a good answer did not replace what was there: %s", s)
	}
}

func TestWhatFailedIsFetchedWhenTheNetworkIsBack(t *testing.T) {
	var others Load[int] // of the same page
	p, run := mounted(t, drawList)
	asked, err := 0, error(client.ErrOffline)
	get := func(context.Context) ([]string, error) { asked++; return []string{"a"}, err }
	back := 0
	online := func() {
		run(func(ctx app.Context) {
			back++
			ctx.SetState(OnlineState, back)
		})
		run(func(app.Context) {})
	}
	run(func(ctx app.Context) {
		p.list.Fetch(ctx, p, get)
		others.Fetch(ctx, p, func(context.Context) (int, error) { return 1, nil })
	})
	has(t, html(t, p), "could not be loaded")
	online()
	if asked != 2 {
		t.Errorf("asked %d times, want again when the network is back", asked)
	}
	err = nil
	online()
	has(t, html(t, p), ">a<")
	online()
	if asked != 3 {
		t.Errorf("asked %d times, want no more once it is there", asked)
	}
	err = &client.Problem{Problem: api.Problem{Status: 403}}
	run(func(ctx app.Context) { p.list.Again(ctx) })
	online()
	if asked != 4 {
		t.Errorf("asked %d times, although a refusal has nothing to do with the network", asked)
	}
}

func TestLateAnswersAreDropped(t *testing.T) {
	p, run := mounted(t, drawList)
	slow, begun := make(chan struct{}), make(chan struct{})
	run(func(ctx app.Context) {
		p.list.Fetch(ctx, p, func(context.Context) ([]string, error) {
			close(begun)
			<-slow
			return []string{"old"}, nil
		})
		p.list.Fetch(ctx, p, func(context.Context) ([]string, error) {
			<-begun
			defer close(slow)
			return []string{"new"}, nil
		})
	})
	if got, ok := p.list.Get(); !ok || got[0] != "new" {
		t.Errorf("got %v, want what was asked for last", got)
	}
	run(func(ctx app.Context) {
		p.list.Fetch(ctx, p, func(context.Context) ([]string, error) { return []string{"late"}, nil })
		p.list.Set([]string{"set"})
	})
	if got, _ := p.list.Get(); got[0] != "set" {
		t.Errorf("got %v, want what was set after the fetch began", got)
	}
	run(func(app.Context) { p.list.Reset() })
	if _, ok := p.list.Get(); ok {
		t.Error("something is there after Reset")
	}
}

// child tells its parent of a result.
type child struct {
	app.Compo
	OnDone func()
}

func (c *child) Render() app.UI { return app.Span() }

func TestAResultDrawsTheParentToo(t *testing.T) {
	told := "not yet"
	c := &child{OnDone: func() { told = "told" }}
	p := &page{draw: func(*page) app.UI { return app.Div().Body(app.Text(told), c) }}
	d := app.NewClientTester(p)
	defer d.Close()
	d.Consume()
	d.Dispatch(app.Dispatch{Mode: app.Update, Source: c, Function: func(ctx app.Context) {
		Do(ctx, c, func(context.Context) error { return nil }, func(app.Context, error) { c.OnDone() })
	}})
	d.Consume()
	d.Consume()
	has(t, html(t, p), "told")
	if strings.Contains(html(t, p), "not yet") {
		t.Error("the parent was not drawn again")
	}
}

func TestAHandlerNeedsAKey(t *testing.T) {
	for name, f := range map[string]func(){
		"On":     func() { On("", nil) },
		"Button": func() { Button(ButtonOpts{Text: "x", On: func(app.Context) {}}) },
		"Icon":   func() { Icon("no such icon") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was taken without a word")
				}
			}()
			f()
		})
	}
}

func TestSentences(t *testing.T) {
	problem := func(status int, detail, fix string, after time.Duration) error {
		return fmt.Errorf("call: %w", &client.Problem{Problem: api.Problem{Title: "Title", Status: status, Detail: detail, Fix: fix, RequestID: "r1"}, RetryAfter: after})
	}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"offline", client.ErrOffline, "cannot be reached"},
		{"timeout", client.ErrTimeout, "did not answer"},
		{"429", problem(429, "", "", 21*time.Second), "Try again in 21 seconds."},
		{"503 without a time", problem(503, "", "", 0), "Try again in a moment."},
		{"500 names the request", problem(500, "secret", "", 0), "Request r1."},
		{"412", problem(412, "", "", 0), "This was changed meanwhile"},
		{"403 of the server", problem(403, "Only owners may.", "Ask one.", 0), "Only owners may. Ask one."},
		{"403 without words", problem(403, "", "", 0), "Your role"},
		{"404", problem(404, "x", "", 0), "may not see it"},
		{"other", problem(418, "", "", 0), "Title."},
		{"nonsense", errors.New("json: bad"), "could not be understood"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Sentence(tt.err); !strings.Contains(got, tt.want) || strings.Contains(got, "secret") {
				t.Errorf("got %q, want %q in it", got, tt.want)
			}
		})
	}
}

func TestErrorsFindTheirFields(t *testing.T) {
	var e Errors
	if e.Check(api.SignIn{}) || e.At("#/email") == "" || e.At("#/password") == "" {
		t.Error("an empty form passed the check")
	}
	if !e.Check(api.SignIn{Email: "a@b.cd", Password: "x"}) || e.Any() {
		t.Error("a right form did not pass, or old mistakes stayed")
	}
	e.Take(&client.Problem{Problem: api.Problem{Status: 422, Errors: []api.FieldError{
		{Pointer: "#/name", Detail: "Taken.", Fix: "Choose another."},
		{Pointer: "#/addresses/1", Detail: "Not an address."},
		{Pointer: "#/far", Detail: "Nobody shows this."},
	}}})
	if got := e.At("#/name"); got != "Taken. Choose another." {
		t.Errorf("got %q", got)
	}
	if got := e.Under("#/addresses"); got != "Not an address." {
		t.Errorf("got %q", got)
	}
	rest := html(t, e.Rest())
	has(t, rest, "Nobody shows this.", `role="alert"`)
	if strings.Contains(rest, "Taken") {
		t.Error("a mistake is shown twice")
	}
	e.Take(&client.Problem{Problem: api.Problem{Status: 422, Errors: []api.FieldError{
		{Pointer: "#/addresses/0", Detail: "Not an address."}, {Pointer: "#/addresses/2", Detail: "Not an address."},
	}}})
	if rest := html(t, e.Rest("#/addresses")); strings.Contains(rest, "Not an address") {
		t.Errorf("what a field shows is shown above it too: %s", rest)
	}
	if got := e.Lines("#/addresses", 3); got != "Lines 1 and 3: Not an address." {
		t.Errorf("got %q", got)
	}
	e.Take(ErrGivenUp)
	if e.Any() {
		t.Error("giving up is shown as a mistake")
	}
	e.Take(client.ErrOffline)
	has(t, html(t, e.Rest()), "cannot be reached")
}

// A button keeps the focus while its work is under way.
func TestBusyButton(t *testing.T) {
	s := html(t, Button(ButtonOpts{Text: "Save", Key: "save", Busy: true, On: func(app.Context) {}}))
	has(t, s, `aria-disabled`, `aria-busy`, `disabled="false"`)
	s = html(t, Button(ButtonOpts{Text: "Save", Submit: true, Disabled: true}))
	if strings.Contains(s, `disabled="false"`) || strings.Contains(s, "aria-disabled") {
		t.Errorf("got %s", s)
	}
}

func TestRefusalsCountDown(t *testing.T) {
	err := &client.Problem{Problem: api.Problem{Status: 429}, RetryAfter: 17 * time.Second}
	var e Errors
	e.Take(err)
	has(t, html(t, e.Rest()), "Too many requests", "Try again in 17 seconds.")
	has(t, html(t, Failed(err, nil)), "Too many requests", "Try again in 17 seconds.")
}

func TestFieldsAreWired(t *testing.T) {
	value, shown := "x", false
	s := html(t, Text(TextOpts{ID: "name", Label: "Name", Hint: "A hint", Error: "Too long.", Bind: &value}))
	has(t, s, `for="name"`, `id="name"`, `aria-describedby="name-error name-hint"`, `aria-invalid`, `id="name-hint"`, `id="name-error"`, "Too long.", `value="x"`)
	s = html(t, Password(TextOpts{ID: "pw", Label: "Password", Bind: &value, Autocomplete: "current-password"}, &shown))
	has(t, s, `type="password"`, `autocomplete="current-password"`, `aria-label="Show password"`)
	shown = true
	has(t, html(t, Password(TextOpts{ID: "pw", Label: "Password", Bind: &value}, &shown)), `type="text"`, `aria-label="Hide password"`)
}

func TestMillis(t *testing.T) {
	for ms, want := range map[float64]string{0: "<0.01 ms", 0.004: "<0.01 ms", 0.42: "0.42 ms", 12.4: "12 ms", 1300: "1.3 s"} {
		if got := Millis(ms); got != want {
			t.Errorf("Millis(%v) = %q, want %q", ms, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1 second", 59 * time.Second: "59 seconds", 59*time.Second + 700*time.Millisecond: "1 minute", 61 * time.Second: "1 minute", 89 * time.Minute: "89 minutes",
		3 * time.Hour: "3 hours", 40 * time.Hour: "2 days", 12 * 24 * time.Hour: "12 days", 90 * 24 * time.Hour: "90 days", 150 * 24 * time.Hour: "5 months", 800 * 24 * time.Hour: "2 years",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
	now := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	has(t, html(t, TimeAgo(api.At(now.Add(-5*time.Minute)), now, "never")), "5 minutes ago", `datetime="2026-11-22T00:55:00.000Z"`, "UTC")
	has(t, html(t, TimeAgo(api.Time{}, now, "never")), "never")
	has(t, html(t, Until(api.At(now.Add(12*24*time.Hour)), now, "never")), "in 12 days", "is-soon")
	if s := html(t, Until(api.At(now.Add(60*24*time.Hour)), now, "never")); strings.Contains(s, "is-soon") {
		t.Errorf("two months ahead is not soon: %s", s)
	}
	has(t, html(t, Until(api.At(now.Add(-time.Hour)), now, "never")), "60 minutes ago")
}

func TestDrawnTextIsEscaped(t *testing.T) {
	s := html(t, Sparkline([]int{1, 2, 3}, `Calls of "<b>"`))
	has(t, s, `aria-label="Calls of &quot;&lt;b&gt;&quot;: 6"`, "sparkline-line")
	has(t, html(t, Sparkline([]int{0, 0}, "x")), "sparkline-none")
	has(t, html(t, Chip("<i>")), "&lt;i&gt;")
}

func TestChipsNameTheRest(t *testing.T) {
	s := html(t, Chips([]string{"a:a", "b:b", "c:c", "d:d", "e:e"}, 3))
	has(t, s, "+2", "and d:d, e:e")
	if strings.Contains(html(t, Chips([]string{"a:a"}, 3)), "+") {
		t.Error("a rest that is not there is shown")
	}
	has(t, html(t, Chips(nil, 3)), "none")
}

func TestEveryStatusHasAWordAndAShape(t *testing.T) {
	for _, s := range []string{api.TokenActive, api.TokenPending, api.TokenSuspended, api.TokenExpired, api.TokenRevoked, api.GenerationRetiring, api.GenerationRetired, api.GenerationCancelled} {
		drawn := html(t, Status(s))
		has(t, drawn, "<svg")
		if strings.Contains(drawn, ">"+s+"<") {
			t.Errorf("%s has no word of its own", s)
		}
	}
	has(t, html(t, GenerationStatus(api.GenerationPending)), "Waits for first use")
}

func TestTableBecomesCards(t *testing.T) {
	s := html(t, Table(TableOpts[int]{
		Caption: "Numbers", Rows: []int{1, 2}, Sort: "-n", OnSort: func(app.Context, string) {},
		Columns: []Column[int]{
			{Head: "Number", Sort: "n", Cell: func(n int) app.UI { return app.Text(n) }},
			{Head: "Actions", Hide: true, Cell: func(int) app.UI { return app.Text("x") }},
		},
	}))
	has(t, s, `data-label="Number"`, `aria-sort="descending"`, `scope="col"`, "<caption", "visually-hidden")
	if strings.Contains(s, `data-label="Actions"`) {
		t.Error("a hidden head is shown on a phone")
	}
}

func TestTableOfNumbersStaysATable(t *testing.T) {
	tests := []struct {
		name    string
		classes []string // of the columns
		want    string
	}{
		{"a name and numbers", []string{"is-main", "is-wide-only", "is-number"}, "is-numbers"},
		{"a time and numbers", []string{"", "is-number", "is-number"}, "is-numbers"},
		{"words between", []string{"is-main", "", "is-number"}, "is-cards"},
		{"a number without room", []string{"is-main", "is-number is-roomy"}, "is-cards"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := TableOpts[int]{Caption: "Numbers", Rows: []int{1}}
			for _, class := range tt.classes {
				o.Columns = append(o.Columns, Column[int]{Head: "Number", Class: class, Cell: func(n int) app.UI { return app.Text(n) }})
			}
			has(t, html(t, Table(o)), `class="table `+tt.want+`"`)
		})
	}
}

func TestCopyButtonKeepsTheValueOutOfThePage(t *testing.T) {
	c := &CopyButton{Value: "gtk_live_x", Label: "the secret", Text: "Copy"}
	d := app.NewClientTester(c)
	defer d.Close()
	d.Consume()
	has(t, html(t, c), `aria-label="Copy the secret"`)
	d.Dispatch(app.Dispatch{Mode: app.Update, Source: c, Function: c.copy})
	d.Consume()
	if c.turn != 1 || strings.Contains(html(t, c), "gtk_live_x") {
		t.Errorf("copied %d times: %s", c.turn, html(t, c))
	}
}

func TestMenuOpensAndCloses(t *testing.T) {
	chosen := 0
	m := &Menu{ID: "m", Label: "Menu", Items: []MenuItem{{Text: "One", On: func(app.Context) { chosen++ }}, {Text: "Two", Href: "/two"}}}
	d := app.NewClientTester(m)
	defer d.Close()
	run := func(f func(app.Context)) {
		d.Dispatch(app.Dispatch{Mode: app.Update, Source: m, Function: f})
		d.Consume()
	}
	d.Consume()
	has(t, html(t, m), `aria-expanded="false"`, `aria-haspopup="menu"`)
	run(m.toggle)
	has(t, html(t, m), `role="menu"`, `role="menuitem"`, `href="/two"`)
	run(func(ctx app.Context) { m.choose(ctx, 0) })
	if chosen != 1 || strings.Contains(html(t, m), `role="menu"`) {
		t.Errorf("chosen %d times; still open: %v", chosen, m.open)
	}
	run(func(ctx app.Context) { m.choose(ctx, 9) }) // an item that is gone meanwhile
}

// However narrow its place is, the backslash stays with what it continues.
func TestCommandKeepsItsBackslashes(t *testing.T) {
	for code, want := range map[string]string{
		"curl http://h":                       "",
		"curl http://h/orders \\\n  -H \"x\"": "h/orders \\",
		"a \\\nb":                             "a \\",
		"éééééééé \\\nb":                      "éééé \\",
	} {
		_, got, _ := strings.Cut(html(t, Command(code)), `<span class="unbroken">`)
		if got, _, _ = strings.Cut(got, "<"); got != want {
			t.Errorf("%q: %q is kept together, want %q", code, got, want)
		}
	}
}
