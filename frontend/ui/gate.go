package ui

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// What a request may have to ask of the person before it can be answered.
type question string

const (
	askSignIn  question = "sign-in" // the session is over
	askConfirm question = "confirm" // the password was given too long ago
)

// gate stands between the client and the network. It puts the questions that a
// refused request raises to the person and sends the request again, watches for
// a new version and for the network, and so keeps all of that out of the pages.
type gate struct {
	next client.Transport
	api  *client.Client // the one that sends through this gate

	// What the root is told, on any goroutine; of network and version only when
	// they change.
	ask     func(question)
	other   func() // another person is signed in now: nothing of this page is theirs
	network func(up bool)
	version func(string)

	mu      sync.Mutex
	down    bool
	seen    string
	waiting map[question][]chan bool
	cause   string // method and path of the latest request that needs the password
	user    string // who is signed in; unless nobody is, a 401 means that the session is over
}

// newGate returns a gate before next, and the client that sends through it.
func newGate(next client.Transport) *gate {
	g := &gate{
		next: next, waiting: map[question][]chan bool{},
		ask: func(question) {}, other: func() {}, network: func(bool) {}, version: func(string) {},
	}
	g.api = client.New(g)
	return g
}

// arm says who is signed in, "" for nobody.
func (g *gate) arm(user string) {
	g.mu.Lock()
	g.user = user
	g.mu.Unlock()
}

// isOther reports whether a session is another person's than the one whose page
// this is.
func (g *gate) isOther(s api.Session) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.user != "" && g.user != s.User.ID
}

// Do implements client.Transport.
func (g *gate) Do(ctx context.Context, r client.Request) (client.Response, error) {
	looked := false
	for {
		answer, err := g.next.Do(ctx, r)
		if err != nil {
			g.note(errors.Is(err, client.ErrOffline), "")
			return answer, err
		}
		g.note(false, answer.Header["gatehouse-version"])
		kind := refusal(answer)
		over := answer.Status == 401 && g.overs(r)
		there := false
		if !looked && (over || kind == "cross-site-request") {
			// Another tab may have got a new cookie while this request was under way,
			// or signed in again: then this one's token is of the old session.
			looked = true
			if there, err = g.look(ctx); err != nil {
				return answer, err
			}
		}
		switch {
		case there: // go on with what it is now
		case over:
			if !g.wait(ctx, askSignIn) {
				return answer, kit.ErrGivenUp
			}
		case kind == "fresh-sign-in-required":
			g.blame(r)
			if !g.wait(ctx, askConfirm) {
				return answer, kit.ErrGivenUp
			}
		default:
			return answer, nil
		}
		if _, ok := r.Header["X-CSRF-Token"]; ok {
			r.Header["X-CSRF-Token"] = g.api.CSRFToken()
		}
	}
}

// look reports whether there is a session. If it is another person's, who must not
// do what this page's person asked for, it is ErrGivenUp.
func (g *gate) look(ctx context.Context) (there bool, err error) {
	s, err := g.api.Session(ctx)
	if err != nil {
		return false, nil
	}
	if g.isOther(s) {
		g.other()
		return false, kit.ErrGivenUp
	}
	return true, nil
}

func (g *gate) blame(r client.Request) {
	g.mu.Lock()
	g.cause = r.Method + " " + r.Path
	g.mu.Unlock()
}

// confirming says in words what the password is asked for.
func (g *gate) confirming() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case strings.HasSuffix(g.cause, "/tokens"):
		return "To make this token"
	case strings.HasSuffix(g.cause, "/rotate"):
		return "To rotate this secret"
	case strings.HasSuffix(g.cause, "/resume"):
		return "To let this token work again"
	case strings.HasPrefix(g.cause, "PATCH ") && strings.Contains(g.cause, "/tokens/"):
		return "To let this token do more"
	}
	return "For what you asked"
}

// note tells the root what an answer, or its absence, says of the network and
// of the server's version.
func (g *gate) note(down bool, version string) {
	g.mu.Lock()
	turned := g.down != down
	g.down = down
	other := version != "" && version != g.seen
	if other {
		g.seen = version
	}
	g.mu.Unlock()
	if turned {
		g.network(!down)
	}
	if other {
		g.version(version)
	}
}

// overs reports whether a 401 to r means that the session is over: not before
// anybody was signed in, and not when the session itself was asked for.
func (g *gate) overs(r client.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	path, _, _ := strings.Cut(r.Path, "?")
	return g.user != "" && strings.HasPrefix(path, "/portal/v1/") && path != "/portal/v1/session" && !strings.HasPrefix(path, "/portal/v1/sessions")
}

func refusal(r client.Response) string {
	if r.Status != 403 {
		return ""
	}
	var p api.Problem
	if json.Unmarshal(r.Body, &p) != nil {
		return ""
	}
	return p.Kind()
}

// wait puts a question to the person, once for all requests that wait for it,
// and returns whether it was answered.
func (g *gate) wait(ctx context.Context, q question) bool {
	answered := make(chan bool, 1)
	g.mu.Lock()
	first := len(g.waiting[q]) == 0
	g.waiting[q] = append(g.waiting[q], answered)
	g.mu.Unlock()
	if first {
		g.ask(q)
	}
	select {
	case ok := <-answered:
		return ok
	case <-ctx.Done():
		return false
	}
}

// settle answers a question for all who wait. Who signs in again has given the
// password, and who leaves gives everything up: that answers both.
func (g *gate) settle(q question, ok bool) {
	g.mu.Lock()
	waiting := g.waiting[q]
	delete(g.waiting, q)
	if q == askSignIn {
		waiting = append(waiting, g.waiting[askConfirm]...)
		delete(g.waiting, askConfirm)
	}
	g.mu.Unlock()
	for _, w := range waiting {
		w <- ok
	}
}
