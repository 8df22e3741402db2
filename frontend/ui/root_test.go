package ui

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// server answers by method and path; what it does not know is 404.
type server struct {
	mu      sync.Mutex
	answers map[string]client.Response
	asked   []string
	bodies  map[string]string
}

func (s *server) Do(_ context.Context, r client.Request) (client.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, _, _ := strings.Cut(r.Path, "?")
	key := r.Method + " " + path
	s.asked = append(s.asked, key)
	if s.bodies == nil {
		s.bodies = map[string]string{}
	}
	s.bodies[key] = string(r.Body)
	if a, ok := s.answers[key]; ok {
		return a, nil
	}
	return client.Response{Status: 404, Body: []byte(`{"type":"x/not-found","title":"Not found","status":404}`)}, nil
}

func (s *server) set(key string, status int, body any) {
	b, _ := json.Marshal(body) // of types that marshal
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers == nil {
		s.answers = map[string]client.Response{}
	}
	s.answers[key] = client.Response{Status: status, Body: b}
}

func ada(teams ...string) api.Session {
	s := api.Session{User: api.User{ID: "usr_ada", Name: "Ada Lovelace", Email: "ada@example.com"}, CSRFToken: "t", Notices: []string{}}
	for _, t := range teams {
		s.Teams = append(s.Teams, api.Membership{Team: api.Team{ID: t, Name: "Team " + t}, Role: "owner"})
	}
	return s
}

// started runs the program against a server at an address; with a session it is
// one that the server knows.
func started(t *testing.T, s *server, address string, session bool) (*root, func(), func(func(app.Context))) {
	t.Helper()
	r := newRoot(s)
	r.config = bridge.Config{Version: "v1", Session: session, Outbox: true}
	d := app.NewClientTester(r)
	t.Cleanup(d.Close)
	settle := func() {
		for range 6 {
			d.Consume()
		}
	}
	u, err := url.Parse("https://portal.example" + address)
	if err != nil {
		t.Fatal(err)
	}
	d.Nav(u)
	settle()
	return r, settle, func(f func(app.Context)) {
		d.Dispatch(app.Dispatch{Mode: app.Update, Source: r, Function: f})
		settle()
	}
}

func shows(t *testing.T, r *root, wants ...string) {
	t.Helper()
	drawn := app.HTMLString(r)
	for _, want := range wants {
		if !strings.Contains(drawn, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	if t.Failed() {
		t.Log(drawn)
	}
}

func TestWhoSeesWhat(t *testing.T) {
	tests := []struct {
		name, address string
		session       bool
		answer        int
		teams         []string
		want          string
		path          string
	}{
		{"a stranger is sent to sign in", "/teams/tea_1?x=1", false, 0, nil, "Sign in", "/sign-in?next=%2Fteams%2Ftea_1%3Fx%3D1"},
		{"an old cookie too", "/account", true, 401, nil, "Sign in", "/sign-in?next=%2Faccount"},
		{"the start page sends nobody anywhere but to sign in", "/", false, 0, nil, "Sign in", "/sign-in"},
		{"a stranger may sign up", "/sign-up", false, 0, nil, "Create an account", "/sign-up"},
		{"who is signed in need not", "/sign-in?next=%2Fteams%2Fnew", true, 200, []string{"tea_1"}, "New team", "/teams/new"},
		{"the start page leads to a team", "/", true, 200, []string{"tea_1", "tea_2"}, "Team tea_1", "/teams/tea_1"},
		{"without a team one is made", "/", true, 200, nil, "You are in no team yet", "/"},
		{"another team is not there", "/teams/tea_9", true, 200, []string{"tea_1"}, "There is nothing here", "/teams/tea_9"},
		{"nor is a wrong address", "/nowhere", true, 200, []string{"tea_1"}, "There is nothing here", "/nowhere"},
		{"nor for a stranger", "/nowhere", false, 0, nil, "There is nothing here", "/nowhere"},
		{"a server that fails is said", "/account", true, 500, nil, "The server failed", "/account"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{}
			if tt.answer != 0 {
				s.set("GET /portal/v1/session", tt.answer, ada(tt.teams...))
			}
			r, _, run := started(t, s, tt.address, tt.session)
			shows(t, r, tt.want)
			run(func(ctx app.Context) {
				if got := ctx.Page().URL().RequestURI(); got != tt.path {
					t.Errorf("at %s, want %s", got, tt.path)
				}
			})
			if !tt.session && len(s.asked) > 0 {
				t.Errorf("a browser without a cookie asked %v", s.asked)
			}
		})
	}
}

// The start page leads to the team that was looked at last, unless that is not
// one's own any more; looking at another has the server remember it.
func TestStartsWhereOneWas(t *testing.T) {
	tests := []struct {
		name, address, last, want, sent string
	}{
		{"the team of the last visit", "/", "tea_2", "/teams/tea_2", ""},
		{"one that was left since", "/", "tea_9", "/teams/tea_1", `{"last_team":"tea_1"}`},
		{"another team", "/teams/tea_1/usage", "tea_2", "/teams/tea_1/usage", `{"last_team":"tea_1"}`},
		{"no team at all", "/account", "tea_2", "/account", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, session := &server{}, ada("tea_1", "tea_2")
			session.User.LastTeam = tt.last
			s.set("GET /portal/v1/session", 200, session)
			s.set("PATCH /portal/v1/account", 200, session.User)
			r, _, _ := started(t, s, tt.address, true)
			if r.path != tt.want || s.bodies["PATCH /portal/v1/account"] != tt.sent {
				t.Errorf("at %s, sent %s; want %s, %s", r.path, s.bodies["PATCH /portal/v1/account"], tt.want, tt.sent)
			}
		})
	}
}

func TestShellHasNoDeadLinks(t *testing.T) {
	s := &server{}
	s.set("GET /portal/v1/session", 200, ada("tea_1"))
	r, _, _ := started(t, s, "/teams/new", true)
	shows(t, r, "Search or jump to", "Team tea_1", ">AL<")
	drawn := app.HTMLString(r)
	n := 0
	for _, part := range strings.Split(drawn, `href="`)[1:] {
		href, _, _ := strings.Cut(part, `"`)
		path, _, _ := strings.Cut(href, "?")
		if _, _, ok := match(routes(), path); !ok {
			t.Errorf("a link leads to %s, where nothing is", href)
		}
		n++
	}
	if n < 4 {
		t.Errorf("only %d links were found", n)
	}
}

func TestSignIn(t *testing.T) {
	s := &server{}
	s.set("POST /portal/v1/sessions", 422, api.Problem{Title: "No", Errors: []api.FieldError{{Pointer: "#/email", Detail: "They do not match."}}})
	r, settle, _ := started(t, s, "/sign-in?next=%2Fteams%2Fnew", false)
	p := &signInPage{At: r.place}
	d := app.NewClientTester(p)
	defer d.Close()
	d.Consume()
	send := func() {
		d.Dispatch(app.Dispatch{Mode: app.Update, Source: p, Function: p.send})
		d.Consume()
	}
	send()
	if drawn := app.HTMLString(p); !strings.Contains(drawn, "This is needed.") || len(s.asked) > 0 {
		t.Errorf("an empty form was sent: %v", s.asked)
	}
	p.email, p.password = "ada@example.com", "wrong"
	send()
	if drawn := app.HTMLString(p); !strings.Contains(drawn, "They do not match.") {
		t.Errorf("the refusal is not shown: %s", drawn)
	}
	s.set("POST /portal/v1/sessions", 200, api.SignInResult{Status: api.VerifyEmailDue})
	send()
	if drawn := app.HTMLString(p); !strings.Contains(drawn, "Confirm your address") || p.password != "" {
		t.Errorf("an unverified address is not told, or the password is kept: %s", drawn)
	}
	s.set("POST /portal/v1/sessions", 429, api.Problem{Title: "No", RetryAfterSeconds: 21})
	p.due, p.password = false, "wrong"
	send()
	if drawn := app.HTMLString(p); !strings.Contains(drawn, "Try again in 21 seconds") {
		t.Errorf("the wait is not shown: %s", drawn)
	}
	settle()
}

func TestQuestionsLieOverThePage(t *testing.T) {
	s := &server{}
	s.set("GET /portal/v1/session", 200, ada("tea_1"))
	s.set("POST /portal/v1/session/confirm", 422, api.Problem{Title: "No", Errors: []api.FieldError{{Pointer: "#/password", Detail: "This is not your password."}}})
	r, _, run := started(t, s, "/teams/new", true)
	run(func(app.Context) { r.gate.ask(askConfirm) })
	shows(t, r, "Confirm it is you", "New team")
	answered := make(chan bool, 1)
	r.gate.mu.Lock()
	r.gate.waiting[askConfirm] = append(r.gate.waiting[askConfirm], answered)
	r.gate.mu.Unlock()
	run(func(ctx app.Context) { r.answered(ctx, false) })
	if <-answered {
		t.Error("giving up was taken for an answer")
	}
	if strings.Contains(app.HTMLString(r), "Confirm it is you") {
		t.Error("the question is still there")
	}

	run(func(app.Context) { r.gate.ask(askSignIn) })
	shows(t, r, "Your session is over", "ada@example.com", "New team")
	run(func(ctx app.Context) { r.answered(ctx, false) })
	if r.standing != nobody {
		t.Error("who left is still signed in")
	}
}

func TestMessages(t *testing.T) {
	session := ada("tea_1")
	session.Notices = []string{"Maintenance on Sunday."}
	s := &server{}
	s.set("GET /portal/v1/session", 200, session)
	r, _, run := started(t, s, "/teams/new", true)
	shows(t, r, "Maintenance on Sunday.")
	run(func(app.Context) { r.closed["Maintenance on Sunday."] = true })
	if strings.Contains(app.HTMLString(r), "Maintenance") {
		t.Error("a notice that was closed is still there")
	}
	run(func(ctx app.Context) { kit.Toast(ctx, kit.Bad, "It went wrong.") })
	shows(t, r, "It went wrong.")
	run(func(app.Context) { r.gate.network(false); r.gate.version("v2") })
	shows(t, r, "No connection to the server", "A new version of the portal")
	run(func(app.Context) { r.gate.network(true); r.gate.version("v1") })
	if r.returns != 1 {
		t.Errorf("pages were told %d times that the network is back, want once", r.returns)
	}
	if drawn := app.HTMLString(r); strings.Contains(drawn, "No connection") || strings.Contains(drawn, "new version") {
		t.Error("what is over is still said")
	}
}

// An order to stop tokens is carried out whatever becomes of the page that gave
// it, and what was refused is told.
func TestTokensAreStoppedWhateverPageIsShown(t *testing.T) {
	tokens := make([]api.Token, 6)
	for i := range tokens {
		tokens[i] = api.Token{ID: "tok" + strconv.Itoa(i), Name: "Token " + strconv.Itoa(i)}
	}
	s := &server{}
	s.set("GET /portal/v1/session", 200, ada("tea_1"))
	for _, tok := range tokens[:2] {
		s.set("POST /portal/v1/teams/tea_1/tokens/"+tok.ID+"/revoke", 200, api.Receipt{ID: tok.ID, Status: api.TokenRevoked})
	}
	r, settle, run := started(t, s, "/account", true)
	run(func(ctx app.Context) {
		ctx.NewActionWithValue(actionStop, stopOrder{team: "tea_1", verb: "revoke", reason: "unused", tokens: tokens})
	})
	settle()
	if got := s.bodies["POST /portal/v1/teams/tea_1/tokens/tok5/revoke"]; got != `{"reason":"unused","note":""}` {
		t.Errorf("the last token: sent %q", got)
	}
	shows(t, r, "Not revoked: “Token 2”: ", "“Token 4”", "And 1 other.")
	if drawn := app.HTMLString(r); len(r.stops) != 0 || len(r.place.Stopping) != 0 || strings.Contains(drawn, "Revoking") {
		t.Errorf("the order is still there: %s", drawn)
	}
}

func TestSignOutLeavesNothing(t *testing.T) {
	s := &server{}
	s.set("GET /portal/v1/session", 200, ada("tea_1"))
	r, _, run := started(t, s, "/teams/new", true)
	run(func(ctx app.Context) { ctx.NewAction(actionSignOut) })
	if r.standing != somebody {
		t.Error("signed out although the server did not do it")
	}
	run(func(ctx app.Context) { kit.Toast(ctx, kit.Bad, "It went wrong.") })
	drafts := r.drafts
	drafts["tea_1"] = token.Form{Name: "ERP"}
	s.set("DELETE /portal/v1/session", 204, nil)
	run(func(ctx app.Context) { ctx.NewAction(actionSignOut) })
	drafts["tea_2"] = token.Form{Name: "kept by the page as it went"}
	if r.standing != nobody || r.session.User.Email != "" || len(r.drafts) > 0 || len(r.toasts) > 0 {
		t.Errorf("got %v, %v, %v, %v", r.standing, r.session.User, r.drafts, r.toasts)
	}
}

func TestVerifyTakesTheCodeOutOfTheAddress(t *testing.T) {
	tests := []struct {
		name    string
		session bool
		status  int
		body    any
		want    string
		link    string // the way on
	}{
		{"in another browser", false, 200, api.SignInResult{Status: api.Verified}, "Your address is confirmed", "/sign-in"},
		{"used before", false, 422, api.Problem{Title: "Old"}, "does not work any more", "/sign-in"},
		{"used before, and signed in", true, 422, api.Problem{Title: "Old"}, "Your address is confirmed", "/"},
		{"no server", false, 503, api.Problem{Title: "Busy"}, "busy", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{}
			s.set("POST /portal/v1/verify-email", tt.status, tt.body)
			s.set("GET /portal/v1/session", 200, ada("tea_1"))
			r, _, run := started(t, s, "/verify/abc%2Fdef", tt.session)
			shows(t, r, tt.want)
			if tt.link != "" {
				shows(t, r, `href="`+tt.link+`"`)
			}
			if got := s.bodies["POST /portal/v1/verify-email"]; got != `{"code":"abc/def"}` {
				t.Errorf("sent %s", got)
			}
			run(func(ctx app.Context) {
				if got := ctx.Page().URL().String(); strings.Contains(got, "abc") {
					t.Errorf("the code is still in the address: %s", got)
				}
			})
		})
	}

	s := &server{}
	s.set("POST /portal/v1/verify-email", 200, api.SignInResult{Status: api.SignedIn})
	s.set("GET /portal/v1/session", 200, ada("tea_1"))
	r, _, _ := started(t, s, "/verify/abc", false)
	if r.standing != somebody || r.path != "/teams/tea_1" {
		t.Errorf("got %v at %s, want to be signed in on the team's page", r.standing, r.path)
	}
}

func TestOutboxLeadsBack(t *testing.T) {
	for _, tt := range []struct {
		name       string
		session    bool
		want, gone string
	}{
		{"a stranger", false, "Create an account", "Back to the portal"},
		{"somebody", true, "Back to the portal", "Create an account"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{}
			s.set("GET /portal/v1/session", 200, ada("tea_1"))
			s.set("GET /portal/v1/outbox", 200, api.List[api.Mail]{Data: []api.Mail{}})
			r, _, _ := started(t, s, "/outbox", tt.session)
			shows(t, r, tt.want)
			if strings.Contains(app.HTMLString(r), tt.gone) {
				t.Errorf("%q is offered", tt.gone)
			}
		})
	}
}

func TestPaletteNeverSendsASecret(t *testing.T) {
	s := &server{}
	s.set("GET /portal/v1/teams/tea_1/tokens", 200, api.List[api.Token]{Data: []api.Token{{ID: "7Hq2LmZx9RtB", Name: "ERP integration", Status: api.TokenActive}}})
	g := newGate(s)
	p := &palette{At: Place{API: g.api}, Home: "tea_1", OnClose: func(app.Context) {}}
	d := app.NewClientTester(p)
	defer d.Close()
	d.Consume()
	enter := func(text string) {
		d.Dispatch(app.Dispatch{Mode: app.Update, Source: p, Function: func(ctx app.Context) { p.typed(ctx, text) }})
		for range 3 {
			d.Consume()
		}
	}
	enter("gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A")
	if drawn := app.HTMLString(p); p.text != "7Hq2LmZx9RtB" || !strings.Contains(drawn, "ERP integration") || strings.Contains(drawn, "0123456789") {
		t.Errorf("text %q: %s", p.text, drawn)
	}
	n := len(s.asked)
	enter("gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33B")
	if drawn := app.HTMLString(p); p.text != "" || len(s.asked) != n || !strings.Contains(drawn, "missing or changed") {
		t.Errorf("a broken token: text %q, asked %v: %s", p.text, s.asked[n:], drawn)
	}
}

// What is opened is what was typed last, also if the answer is still awaited.
func TestPaletteOpensNoTokenThatWasNotFound(t *testing.T) {
	s := &server{}
	s.set("GET /portal/v1/teams/tea_1/tokens", 200, api.List[api.Token]{Data: []api.Token{{ID: "7Hq2LmZx9RtB", Name: "Customs desk", Status: api.TokenActive}}})
	closed, opened := 0, ""
	p := &palette{At: Place{API: newGate(s).api, Teams: ada("tea_1").Teams}, Home: "tea_1", OnClose: func(app.Context) { closed++ }}
	d := app.NewClientTester(p)
	defer d.Close()
	do := func(f func(app.Context)) {
		d.Dispatch(app.Dispatch{Mode: app.Update, Source: p, Function: f})
		for range 3 {
			d.Consume()
		}
	}
	do(func(ctx app.Context) {
		ctx.Handle(actionGo, func(_ app.Context, a app.Action) { opened = a.Value.(string) })
		p.typed(ctx, "customs")
	})
	do(func(ctx app.Context) { p.typed(ctx, "Customs d") })
	if drawn := app.HTMLString(p); !strings.Contains(drawn, "Customs desk") {
		t.Errorf("what still matches is not there: %s", drawn)
	}
	s.set("GET /portal/v1/teams/tea_1/tokens", 200, api.List[api.Token]{Data: []api.Token{{ID: "3Kd8", Name: "Webshop", Status: api.TokenActive}}})
	do(func(ctx app.Context) {
		p.typed(ctx, "webshop")
		p.enterKey(ctx)
		if closed > 0 {
			t.Error("something was opened before the answer came")
		}
	})
	if closed != 1 || opened != "/teams/tea_1/tokens/3Kd8" {
		t.Errorf("opened %q, closed %d times", opened, closed)
	}
}

func TestWhoMakesNoTokensIsOfferedNone(t *testing.T) {
	for role, want := range map[string]bool{"owner": true, "admin": true, "developer": true, "auditor": false} {
		session := ada("tea_1")
		session.Teams[0].Role = role
		s := &server{}
		s.set("GET /portal/v1/session", 200, session)
		r, _, run := started(t, s, "/teams/tea_1/tokens", true)
		p := &palette{At: r.place, Home: "tea_1"}
		offered := slices.ContainsFunc(p.entries(), func(e entry) bool { return e.text == "New token" })
		run(func(app.Context) { r.keys = true })
		listed := strings.Contains(app.HTMLString(r), "<kbd>n</kbd>")
		taken := false
		run(func(ctx app.Context) { taken = r.key(ctx, bridge.Key{Name: "n"}) })
		if offered != want || listed != want || taken != want {
			t.Errorf("%s: in the palette %v, in the list of keys %v, by its key %v; want %v", role, offered, listed, taken, want)
		}
	}
}
