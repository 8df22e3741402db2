package ui

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// script answers requests in turn and keeps what was asked.
type script struct {
	mu      sync.Mutex
	answers []client.Response
	errs    []error
	asked   []client.Request
}

func (s *script) Do(_ context.Context, r client.Request) (client.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	headers := map[string]string{}
	for k, v := range r.Header {
		headers[k] = v
	}
	r.Header = headers
	s.asked = append(s.asked, r)
	i := min(len(s.asked), len(s.answers)) - 1
	var err error
	if i < len(s.errs) {
		err = s.errs[i]
	}
	return s.answers[i], err
}

func refused(status int, kind string) client.Response {
	return client.Response{Status: status, Body: []byte(`{"type":"https://x/problems/` + kind + `","title":"No","status":403}`)}
}

func fine(body string) client.Response { return client.Response{Status: 200, Body: []byte(body)} }

func TestGateAsksAndSendsAgain(t *testing.T) {
	over, due := client.Response{Status: 401}, refused(403, "fresh-sign-in-required")
	ada := fine(`{"user":{"id":"usr_ada"},"csrf_token":"new"}`)
	tests := []struct {
		name   string
		first  []client.Response // to the request, to a look at the session
		want   question
		answer bool
		err    bool
	}{
		{"session over, signed in again", []client.Response{over, over}, askSignIn, true, false},
		{"session over, left", []client.Response{over, over}, askSignIn, false, true},
		{"another tab's session goes on", []client.Response{over, ada}, "", true, false},
		{"and is over then", []client.Response{over, ada, over}, askSignIn, true, false},
		{"password due, given", []client.Response{due}, askConfirm, true, false},
		{"password due, given up", []client.Response{due}, askConfirm, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{answers: append(tt.first, fine(`{}`))}
			g := newGate(s)
			g.arm("usr_ada")
			var got question
			g.ask = func(q question) {
				got = q
				go g.settle(q, tt.answer)
			}
			_, err := g.api.SuspendToken(t.Context(), "tea_1", "abc", api.Reason{})
			if got != tt.want {
				t.Errorf("asked %q, want %q", got, tt.want)
			}
			if tt.err != (err != nil) || err != nil && !errors.Is(err, kit.ErrGivenUp) {
				t.Errorf("got %v", err)
			}
			want := len(tt.first)
			if tt.answer {
				want++
			}
			if len(s.asked) != want {
				t.Errorf("%d requests, want %d", len(s.asked), want)
			}
		})
	}
}

// A session that ends while the password is asked for leaves one question: to
// sign in. Its answer is that of both.
// Another tab has signed somebody else in: what this page's person asked for is
// not done in that one's name.
func TestGateSendsNothingForAnotherPerson(t *testing.T) {
	for _, answer := range []client.Response{refused(403, "cross-site-request"), {Status: 401}} {
		changes := 0
		g := newGate(client.TransportFunc(func(_ context.Context, r client.Request) (client.Response, error) {
			if r.Method == "GET" {
				return fine(`{"user":{"id":"usr_ben"},"csrf_token":"of ben"}`), nil
			}
			changes++
			return answer, nil
		}))
		g.arm("usr_ada")
		other := 0
		g.other = func() { other++ }
		_, err := g.api.ResumeToken(context.Background(), "tea_1", "abc", api.Reason{})
		if !errors.Is(err, kit.ErrGivenUp) || changes != 1 || other != 1 {
			t.Errorf("%d: got %v after %d tries, told %d times; want one try, and to be told", answer.Status, err, changes, other)
		}
	}
}

func TestGateSignInAnswersTheOtherQuestion(t *testing.T) {
	for _, ok := range []bool{true, false} {
		var mu sync.Mutex
		fresh, over := false, false
		g := newGate(client.TransportFunc(func(_ context.Context, r client.Request) (client.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case over:
				return client.Response{Status: 401}, nil
			case !fresh:
				return refused(403, "fresh-sign-in-required"), nil
			}
			return fine(`{}`), nil
		}))
		g.arm("usr_ada")
		asked := make(chan question, 10)
		g.ask = func(q question) { asked <- q }
		results := make(chan error, 2)
		go func() {
			_, err := g.api.ResumeToken(context.Background(), "tea_1", "abc", api.Reason{})
			results <- err
		}()
		if q := <-asked; q != askConfirm {
			t.Fatalf("asked %q", q)
		}
		mu.Lock()
		over = true
		mu.Unlock()
		go func() {
			_, err := g.api.ConfirmPassword(context.Background(), "x")
			results <- err
		}()
		if q := <-asked; q != askSignIn {
			t.Fatalf("asked %q", q)
		}
		mu.Lock()
		over, fresh = false, true
		mu.Unlock()
		g.settle(askSignIn, ok)
		for range 2 {
			if err := <-results; ok != (err == nil) || !ok && !errors.Is(err, kit.ErrGivenUp) {
				t.Errorf("answered %v: got %v", ok, err)
			}
		}
	}
}

func TestGateLeavesOtherRefusalsAlone(t *testing.T) {
	tests := []struct {
		name   string
		armed  bool
		answer client.Response
		call   func(*client.Client) error
	}{
		{"nobody was signed in", false, client.Response{Status: 401}, func(c *client.Client) error { _, err := c.Teams(context.Background()); return err }},
		{"the session itself", true, client.Response{Status: 401}, func(c *client.Client) error { _, err := c.Session(context.Background()); return err }},
		{"sign-in", true, refused(422, "invalid"), func(c *client.Client) error { _, err := c.SignIn(context.Background(), api.SignIn{}); return err }},
		{"a role that may not", true, refused(403, "role-not-allowed"), func(c *client.Client) error { _, err := c.Teams(context.Background()); return err }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{answers: []client.Response{tt.answer}}
			g := newGate(s)
			g.arm(map[bool]string{true: "usr_ada"}[tt.armed])
			g.ask = func(q question) { t.Errorf("asked %q", q); g.settle(q, false) }
			if err := tt.call(g.api); client.Status(err) != tt.answer.Status || len(s.asked) != 1 {
				t.Errorf("got %v after %d requests", err, len(s.asked))
			}
		})
	}
}

func TestGateAsksOnceForManyRequests(t *testing.T) {
	var mu sync.Mutex
	over := true
	g := newGate(client.TransportFunc(func(context.Context, client.Request) (client.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if over {
			return client.Response{Status: 401}, nil
		}
		return fine(`{"data":[]}`), nil
	}))
	g.arm("usr_ada")
	asked := make(chan question, 10)
	g.ask = func(q question) { asked <- q }
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() {
			if _, err := g.api.Teams(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < 5; time.Sleep(time.Millisecond) {
		g.mu.Lock()
		waiting = len(g.waiting[askSignIn])
		g.mu.Unlock()
	}
	mu.Lock()
	over = false
	mu.Unlock()
	g.settle(askSignIn, true)
	wait.Wait()
	if len(asked) != 1 {
		t.Errorf("the person was asked %d times", len(asked))
	}
}

func TestGateRenewsTheTokenOfAnotherTab(t *testing.T) {
	s := &script{answers: []client.Response{
		fine(`{"csrf_token":"old"}`), refused(403, "cross-site-request"), fine(`{"user":{"id":"usr_ada"},"csrf_token":"new"}`), fine(`{}`),
	}}
	g := newGate(s)
	g.arm("usr_ada")
	if _, err := g.api.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := g.api.CreateTeam(t.Context(), api.CreateTeam{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	if got := s.asked[3].Header["X-CSRF-Token"]; got != "new" {
		t.Errorf("sent again with %q, want new", got)
	}

	s = &script{answers: []client.Response{refused(403, "cross-site-request"), fine(`{"csrf_token":"new"}`), refused(403, "cross-site-request")}}
	g = newGate(s)
	if _, err := g.api.CreateTeam(t.Context(), api.CreateTeam{Name: "x"}); client.Status(err) != 403 || len(s.asked) != 3 {
		t.Errorf("got %v after %d requests, want one repetition only", err, len(s.asked))
	}
}

func TestGateTellsOfNetworkAndVersionOnce(t *testing.T) {
	with := func(v string) client.Response {
		return client.Response{Status: 200, Header: map[string]string{"gatehouse-version": v}, Body: []byte(`{}`)}
	}
	s := &script{
		answers: []client.Response{with("a"), {}, {}, with("a"), with("b"), with("b")},
		errs:    []error{nil, client.ErrOffline, client.ErrOffline, nil, nil, nil},
	}
	g := newGate(s)
	var network []bool
	var versions []string
	g.network = func(up bool) { network = append(network, up) }
	g.version = func(v string) { versions = append(versions, v) }
	for range 6 {
		_, _ = g.api.Catalogue(t.Context()) // the errors are what the gate is told
	}
	if len(network) != 2 || network[0] || !network[1] {
		t.Errorf("network: got %v, want [false true]", network)
	}
	if len(versions) != 2 || versions[1] != "b" {
		t.Errorf("versions: got %v, want [a b]", versions)
	}
}

func TestGateSaysWhatThePasswordIsFor(t *testing.T) {
	body := api.RotateToken{}
	tests := []struct {
		send func(*client.Client) error
		want string
	}{
		{func(c *client.Client) error {
			_, err := c.CreateToken(t.Context(), "tea_1", "k", api.CreateToken{})
			return err
		}, "To make this token"},
		{func(c *client.Client) error {
			_, err := c.RotateToken(t.Context(), "tea_1", "abc", "k", body)
			return err
		}, "To rotate this secret"},
		{func(c *client.Client) error {
			_, err := c.ResumeToken(t.Context(), "tea_1", "abc", api.Reason{})
			return err
		}, "To let this token work again"},
		{func(c *client.Client) error {
			_, _, err := c.UpdateToken(t.Context(), "tea_1", "abc", "e", api.UpdateToken{})
			return err
		}, "To let this token do more"},
		{func(c *client.Client) error {
			_, err := c.SuspendToken(t.Context(), "tea_1", "abc", api.Reason{})
			return err
		}, "For what you asked"},
	}
	for _, tt := range tests {
		g := newGate(&script{answers: []client.Response{refused(403, "fresh-sign-in-required"), fine(`{}`)}})
		g.ask = func(q question) { go g.settle(q, true) }
		if err := tt.send(g.api); err != nil {
			t.Fatal(err)
		}
		if got := g.confirming(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
