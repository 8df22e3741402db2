package ui

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// desk is a server of one team's tokens that answers as it is told and keeps
// what it was asked.
type desk struct {
	mu      sync.Mutex
	answers map[string][]any // by method and path: api values, client.Response or error; the last one stays
	asked   []client.Request
}

func (d *desk) Do(_ context.Context, r client.Request) (client.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, r)
	path, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/portal/v1"), "?")
	key := r.Method + " " + strings.TrimPrefix(path, "/teams/tea_1")
	list := d.answers[key]
	if len(list) == 0 {
		return problem(404, "not-found", ""), nil
	}
	if len(list) > 1 {
		d.answers[key] = list[1:]
	}
	switch a := list[0].(type) {
	case error:
		return client.Response{}, a
	case client.Response:
		return a, nil
	case func() client.Response: // looks at the page while it waits
		return a(), nil
	default:
		return answer(a, ""), nil
	}
}

func (d *desk) on(key string, answers ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answers == nil {
		d.answers = map[string][]any{}
	}
	d.answers[key] = answers
}

// sent returns the requests of a method to a path.
func (d *desk) sent(method, suffix string) []client.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []client.Request
	for _, r := range d.asked {
		path, _, _ := strings.Cut(r.Path, "?")
		if r.Method == method && strings.HasSuffix(path, suffix) {
			out = append(out, r)
		}
	}
	return out
}

func answer(v any, etag string) client.Response {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	r := client.Response{Status: 200, Body: b, Header: map[string]string{}}
	if etag != "" {
		r.Header["etag"] = etag
	}
	return r
}

func problem(status int, kind, detail string, wrong ...api.FieldError) client.Response {
	r := answer(api.Problem{Type: "https://x/problems/" + kind, Title: kind, Status: status, Detail: detail, Errors: wrong}, "")
	r.Status = status
	return r
}

// deskWith returns a server that knows a catalogue and who is in the team.
func deskWith(answers map[string]any) *desk {
	d := &desk{}
	all := []string{"orders:read", "orders:write", "usage:read"}
	d.on("GET /catalogue", api.Catalogue{
		Abilities: []api.Ability{
			{Name: "orders:read", Title: "Read orders", Risk: "low", Resource: "orders", Action: "read"},
			{Name: "orders:write", Title: "Change orders", Risk: "high", Resource: "orders", Action: "write"},
			{Name: "usage:read", Title: "Read its own usage", Risk: "low", Resource: "usage", Action: "read"},
		},
		Defaults: []string{"orders:read"},
		Roles:    []api.Role{{Name: "owner", Grants: all}, {Name: "admin", Grants: all}, {Name: "developer", Grants: all[:1]}, {Name: "auditor"}},
		Tokens: api.TokenPolicy{
			DefaultLifetimeDays: 90, MaxLifetimeDays: 365, MaxOverlapSeconds: 604800,
			DefaultRateLimit: api.RateLimit{Quota: 600, WindowSeconds: 60}, MaxRateLimit: api.RateLimit{Quota: 6000, WindowSeconds: 60},
		},
	})
	d.on("GET /members", api.List[api.Member]{Data: []api.Member{{ID: "usr_ada", Name: "Ada"}}})
	for key, a := range answers {
		d.on(key, a)
	}
	return d
}

// at is a place in the team for somebody with a role.
func at(d *desk, role, path string) Place {
	u, err := url.Parse("/teams/tea_1" + path)
	if err != nil {
		panic(err)
	}
	return Place{
		API: client.New(d), Path: u.Path, Query: u.Query(), User: api.User{ID: "usr_ada", Name: "Ada"},
		Team: api.Membership{Team: api.Team{ID: "tea_1", Name: "Acme"}, Role: role},
	}
}

// page runs a page; do runs something in it and waits until nothing more happens.
func page(t *testing.T, c app.Composer) (do func(func(app.Context))) {
	t.Helper()
	d := app.NewClientTester(c)
	t.Cleanup(d.Close)
	settle := func() {
		for range 8 {
			d.Consume()
		}
	}
	settle()
	return func(f func(app.Context)) {
		if f != nil {
			d.Dispatch(app.Dispatch{Mode: app.Update, Source: c, Function: f})
		}
		settle()
	}
}

// drawn checks what a page shows and what not ("!" before it).
func drawn(t *testing.T, c app.UI, wants ...string) {
	t.Helper()
	html := app.HTMLString(c)
	for _, want := range wants {
		not, without := strings.CutPrefix(want, "!")
		if strings.Contains(html, not) == without {
			t.Errorf("%q: shown is %v", not, !without)
		}
	}
	if t.Failed() {
		t.Log(html)
	}
}

var today = time.Now().UTC()

// live is a token of Ada's that was used a minute ago.
func live(change func(*api.Token)) api.Token {
	from := "10.2.3.4"
	tok := api.Token{
		ID: "tok1", Name: "ERP", Env: "live", Team: "tea_1", Status: "active", Abilities: []string{"orders:read"}, Addresses: []string{},
		CreatedAt: api.At(today.AddDate(0, 0, -30)), CreatedBy: api.Person{ID: "usr_ada", Name: "Ada"}, ExpiresAt: api.At(today.AddDate(0, 0, 60)),
		RateLimit: api.RateLimit{Quota: 600, WindowSeconds: 60}, LastUsedAt: api.At(today.Add(-time.Minute)), LastUsedFrom: &from, MayManage: true,
		Generations: []api.Generation{{Number: 1, Status: "active", CreatedAt: api.At(today.AddDate(0, 0, -30))}},
	}
	if change != nil {
		change(&tok)
	}
	return tok
}

func TestTokensPageTeachesWhenItIsEmpty(t *testing.T) {
	tests := []struct{ name, role, path, want string }{
		{"for makers", "developer", "/tokens", "Create token"},
		{"for readers", "auditor", "/tokens", "your role, auditor, may look at them"},
		{"of a search", "owner", "/tokens?q=x", "Clear the filters"},
		{"of a page that is gone", "owner", "/tokens?cursor=c&page=3", "Go to the first page"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := deskWith(map[string]any{"GET /tokens": api.List[api.Token]{}})
			p := &tokensPage{At: at(d, tt.role, tt.path)}
			page(t, p)
			drawn(t, p, tt.want)
			if tt.role == "auditor" {
				drawn(t, p, "!New token")
			}
		})
	}
}

func TestTokensPageListsAndSelects(t *testing.T) {
	next := "c2"
	d := deskWith(map[string]any{"GET /tokens": api.List[api.Token]{NextCursor: &next, Data: []api.Token{
		live(func(t *api.Token) { t.Calls7Days = []int{1, 2, 3, 4, 5, 6, 7} }),
		live(func(t *api.Token) { t.ID, t.Name, t.MayManage = "tok2", "Of Ben", false }),
		live(func(t *api.Token) { t.ID, t.Name, t.Status = "tok3", "Over", "revoked" }),
		live(func(t *api.Token) {
			t.ID, t.Name, t.Abilities = "tok4", "Mighty", []string{"a:b", "c:d", "e:f", "g:h", "i:j"}
			t.ExpiresAt = api.At(today.AddDate(0, 0, 5))
		}),
	}}})
	p := &tokensPage{At: at(d, "developer", "/tokens?status=living&env=live")}
	do := page(t, p)
	drawn(t, p, "ERP", "tok1", `id="select-tok1"`, `!id="select-tok2"`, `!id="select-tok3"`, "+2", "and g:h, i:j", "is-soon", "Previous", "Next", "Tokens 1–4, more follow", "Calls in 7 days: 28")
	if r := d.sent("GET", "/tokens"); len(r) != 1 || !strings.Contains(r[0].Path, "env=live&limit=50&status=active%2Cpending%2Csuspended") {
		t.Errorf("got %+v", r)
	}
	do(func(app.Context) { p.pickAll([]api.Token{live(nil)}, true) })
	drawn(t, p, "1 token selected")
}

// While another view is awaited its rows are still those of the one before, which
// is shown; to be fetched again is no such thing.
func TestTokensPageTellsRowsThatGo(t *testing.T) {
	d := deskWith(map[string]any{"GET /tokens": api.List[api.Token]{Data: []api.Token{live(nil)}}})
	p := &tokensPage{At: at(d, "owner", "/tokens")}
	do := page(t, p)
	look := func(want string) {
		d.on("GET /tokens", func() client.Response {
			drawn(t, p.Render(), "ERP", want)
			return answer(api.List[api.Token]{Data: []api.Token{live(nil)}}, "")
		})
	}
	look("!is-awaiting")
	do(func(ctx app.Context) { p.fetch(ctx) })
	look("is-awaiting")
	do(func(ctx app.Context) {
		p.At = at(d, "owner", "/tokens?sort=name")
		p.OnUpdate(ctx)
	})
	drawn(t, p, "!is-awaiting")
}

func TestTokensPageStopsSeveral(t *testing.T) {
	ben := live(func(t *api.Token) { t.ID, t.Name = "tok2", "Of Ben" })
	d := deskWith(map[string]any{"GET /tokens": api.List[api.Token]{Data: []api.Token{ben, live(nil)}}})
	p := &tokensPage{At: at(d, "developer", "/tokens")}
	do := page(t, p)
	do(func(app.Context) {
		p.pick(live(nil), true)
		p.pick(ben, true)
		p.bulk.ask("revoke")
		p.bulk.reason = "unused"
	})
	drawn(t, p, "Revoke 2 tokens?", "2 live tokens were used in the last day", "Type “revoke” to confirm")
	var orders []stopOrder
	do(func(ctx app.Context) {
		ctx.Handle(actionStop, func(_ app.Context, a app.Action) { orders = append(orders, a.Value.(stopOrder)) })
		p.bulk.send(ctx, p)
		p.bulk.send(ctx, p) // a double click
	})
	if len(orders) != 1 || orders[0].verb != "revoke" || orders[0].reason != "unused" || len(orders[0].tokens) != 2 || orders[0].tokens[0].ID != "tok2" { // in the order of the list
		t.Errorf("got %+v", orders)
	}
	before := len(d.sent("GET", "/tokens"))
	do(func(ctx app.Context) {
		p.At.Stopping = map[string]string{"tok1": "revoke", "tok2": "revoke"}
		p.OnUpdate(ctx)
	})
	drawn(t, p, "Being revoked", "!status is-good", "!status is-bad", "!2 tokens selected", "!Revoke 2 tokens?", `!id="select-tok1"`)
	do(func(ctx app.Context) {
		p.At.Stopping = nil
		p.OnUpdate(ctx)
	})
	if n := len(d.sent("GET", "/tokens")) - before; n != 1 {
		t.Errorf("fetched %d times after the order, want once", n)
	}
	drawn(t, p, "status is-good", "!Being revoked") // the server refused
}

func TestNewTokenChecksBeforeItSends(t *testing.T) {
	d := deskWith(nil)
	p := &newTokenPage{At: at(d, "owner", "/tokens/new")}
	do := page(t, p)
	drawn(t, p, "It can", "read orders", "It stops working on", "curl")
	do(func(ctx app.Context) {
		p.form.Addresses, p.form.Limit = "home", token.Limit{Own: true, Quota: "9999999", Per: "minute"}
		p.send(ctx)
	})
	drawn(t, p, "Give it a name.", "This is not an IP address or network.", "This portal allows at most 6000 requests a minute.")
	if n := len(d.sent("POST", "/tokens")); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// What a token will do is read before it is made, also where there is one column.
func TestNewTokenIsDescribedBeforeItsButton(t *testing.T) {
	p := &newTokenPage{At: at(deskWith(nil), "owner", "/tokens/new")}
	page(t, p)
	html := app.HTMLString(p)
	if said, button := strings.Index(html, "It stops working on"), strings.Index(html, "Create token"); said < 0 || strings.LastIndex(html, "What this token will do") > button {
		t.Errorf("described at %d, made at %d", said, button)
	}
}

func TestNewTokenIsMadeOnceAndShownOnce(t *testing.T) {
	const secret = "gtk_live_abc_def"
	d := deskWith(map[string]any{"POST /tokens": api.IssuedToken{Token: live(nil), Secret: secret}})
	p := &newTokenPage{At: at(d, "owner", "/tokens/new")}
	do := page(t, p)
	do(func(ctx app.Context) {
		p.form.Name, p.form.Env = "ERP", "live"
		p.send(ctx)
		p.send(ctx) // a double click
	})
	sent := d.sent("POST", "/tokens")
	if len(sent) != 1 || sent[0].Header["Idempotency-Key"] == "" {
		t.Fatalf("got %+v", sent)
	}
	drawn(t, p, secret, "I have stored it", "Download .env", "!Close without storing")
	held := p.reveal.secret
	do(p.reveal.leave)
	drawn(t, p, secret, "Close without storing")
	do(p.reveal.stored)
	drawn(t, p, "!"+secret, "!I have stored it")
	if p.reveal.secret != nil || strings.Trim(string(held), "\x00") != "" {
		t.Errorf("the secret is still in memory: %q", held)
	}
}

func TestLeavingAPageForgetsItsSecret(t *testing.T) {
	d := deskWith(map[string]any{"POST /tokens": api.IssuedToken{Token: live(nil), Secret: "gtk_live_abc_def"}})
	p := &newTokenPage{At: at(d, "owner", "/tokens/new")}
	do := page(t, p)
	do(func(ctx app.Context) {
		p.form.Name = "ERP"
		p.send(ctx)
	})
	held := p.reveal.secret
	p.OnDismount()
	if len(held) == 0 || strings.Trim(string(held), "\x00") != "" {
		t.Errorf("got %q", held)
	}
}

func TestNewTokenKeepsWhatWasTyped(t *testing.T) {
	taken := problem(409, "name-taken", "Taken.", api.FieldError{Pointer: "#/name", Code: "taken", Detail: "Another living token of this team has this name."})
	var p409 api.Problem
	_ = json.Unmarshal(taken.Body, &p409)
	p409.Conflict = "tok9"
	taken = answer(p409, "")
	taken.Status = 409
	d := deskWith(nil)
	d.on("POST /tokens", taken, problem(422, "invalid", "", api.FieldError{Pointer: "#/abilities/0", Code: "unknown", Detail: "There is no such ability."}), client.ErrTimeout, client.ErrTimeout, api.IssuedToken{Token: live(nil)})
	p := &newTokenPage{At: at(d, "owner", "/tokens/new")}
	do := page(t, p)
	send := func() { do(func(ctx app.Context) { p.send(ctx) }) }
	p.form.Name, p.form.Note = "ERP", "ask Ben"
	send()
	drawn(t, p, "Another living token of this team has this name.", "/teams/tea_1/tokens/tok9", "ask Ben")
	send()
	drawn(t, p, "There is no such ability.", "!/tokens/tok9")
	send()
	drawn(t, p, "did not answer in time", "ask Ben")
	send()
	p.form.Note = "ask Cleo"
	send()
	drawn(t, p, "its secret did not arrive")
	sent := d.sent("POST", "/tokens")
	if len(sent) != 5 {
		t.Fatalf("got %d requests", len(sent))
	}
	key := func(i int) string { return sent[i].Header["Idempotency-Key"] }
	if key(2) != key(3) || string(sent[2].Body) != string(sent[3].Body) {
		t.Error("a repetition is another request")
	}
	if key(3) == key(4) {
		t.Error("another request has the same key")
	}
}

// What was typed for a new token is there again after another page was looked at.
func TestNewTokenIsKeptWhileItIsLeft(t *testing.T) {
	const secret = "gtk_live_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"
	d := deskWith(map[string]any{"POST /tokens": api.IssuedToken{Token: live(nil), Secret: secret}})
	place := at(d, "owner", "/tokens/new")
	place.Drafts = map[string]token.Form{}
	visit := func(leave func(*newTokenPage, app.Context), wants ...string) {
		t.Helper()
		p := &newTokenPage{At: place}
		do := page(t, p)
		drawn(t, p, wants...)
		do(func(ctx app.Context) { leave(p, ctx) })
		p.OnDismount()
	}
	visit(func(*newTokenPage, app.Context) {}, "!Start over")
	visit(func(p *newTokenPage, _ app.Context) { p.form.Name, p.form.Note = "ERP", secret }, "!Start over")
	visit((*newTokenPage).startOver, "Start over", `value="ERP"`, "!"+secret)
	visit(func(p *newTokenPage, _ app.Context) { p.form.Name = "ERP" }, "!Start over", "!"+`value="ERP"`)
	visit((*newTokenPage).giveUp, `value="ERP"`)
	visit(func(p *newTokenPage, ctx app.Context) { p.form.Name = "ERP"; p.send(ctx) }, "!Start over")
	visit(func(*newTokenPage, app.Context) {}, "!Start over")
}

// The secret of a token that was made after its page was left is shown to nobody.
func TestNewTokenThatNobodySawIsTold(t *testing.T) {
	form := token.Form{Name: "ERP"}
	tests := []struct {
		name string
		err  error
		said string
		kept bool
	}{
		{"made", nil, "Rotate the token", false},
		{"refused", &client.Problem{Problem: api.Problem{Status: 409}}, "", true},
		{"no network", client.ErrOffline, "", true},
		{"signed out", &client.Problem{Problem: api.Problem{Status: 401}}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			place := at(deskWith(nil), "owner", "/tokens/new")
			place.Drafts = map[string]token.Form{}
			p := &newTokenPage{At: place}
			do := page(t, p)
			var said string
			do(func(ctx app.Context) {
				ctx.Handle(kit.ToastAction, func(_ app.Context, a app.Action) { said = a.Value.(kit.ToastMessage).Text })
				p.form, p.request.busy = form, true
				p.giveUp(ctx)
			})
			if !strings.Contains(said, "is being made") || p.done {
				t.Errorf("left while it is made: %q", said)
			}
			p.OnDismount()
			if len(place.Drafts) != 0 {
				t.Error("what is being sent is a draft")
			}
			said = ""
			do(func(ctx app.Context) { madeUnseen(ctx, place, form, tt.err) })
			if _, kept := place.Drafts["tea_1"]; kept != tt.kept || (tt.said == "") != (said == "") || !strings.Contains(said, tt.said) {
				t.Errorf("kept is %v, said is %q", kept, said)
			}
		})
	}
}

func TestWhoMayNotMakeTokensIsTold(t *testing.T) {
	p := &newTokenPage{At: at(deskWith(nil), "auditor", "/tokens/new")}
	page(t, p)
	drawn(t, p, "Your role cannot make tokens", "!Create token")

	p = &newTokenPage{At: at(deskWith(nil), "developer", "/tokens/new")}
	page(t, p)
	drawn(t, p, "Your role, developer, may not grant this. Ask an owner or an admin of the team.", "Create token")
}
