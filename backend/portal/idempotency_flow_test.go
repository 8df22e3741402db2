package portal_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// creating returns what a handler does: it makes a token and stores an answer
// without the secret.
func (w *world) creating(p person, name string) func(ctx context.Context) (portal.Answer, error) {
	return func(ctx context.Context) (portal.Answer, error) {
		v, _, err := w.CreateToken(ctx, p.Person, p.team, portal.NewToken{Name: name, Env: portal.Live})
		if err != nil {
			return portal.Answer{}, err
		}
		body, err := json.Marshal(map[string]string{"id": v.ID})
		return portal.Answer{Status: 201, Header: map[string]string{"Location": "/" + v.ID}, Body: body}, err
	}
}

func (w *world) tokens(p person) int {
	w.t.Helper()
	return len(get[portal.TokenPage](w.t)(w.Tokens(w.ctx, p.Person, portal.TokenFilter{Team: p.team})).Tokens)
}

func TestIdempotent(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	scope := portal.IdempotentScope{Team: ada.team, Principal: ada.User.ID, Method: "POST", Route: "/tokens", Key: "k1"}
	first, replayed, err := w.Idempotent(w.ctx, scope, []byte("{}"), nil, w.creating(ada, "ERP"))
	if err != nil || replayed || first.Status != 201 {
		t.Fatalf("got %+v, %v, %v", first, replayed, err)
	}
	again, replayed, err := w.Idempotent(w.ctx, scope, []byte("{}"), nil, w.creating(ada, "ERP"))
	if err != nil || !replayed || again.Status != 201 || string(again.Body) != string(first.Body) || again.Header["Location"] != first.Header["Location"] {
		t.Errorf("got %+v, %v, %v, want %+v replayed", again, replayed, err, first)
	}
	_, _, err = w.Idempotent(w.ctx, scope, []byte("{} "), nil, w.creating(ada, "ERP"))
	refused(t, err, "invalid idempotency-key-reused")
	if n := w.tokens(ada); n != 1 {
		t.Errorf("got %d tokens, want 1", n)
	}
	w.now = w.now.Add(24*time.Hour - time.Millisecond)
	_, replayed, err = w.Idempotent(w.ctx, scope, []byte("{}"), nil, w.creating(ada, "ERP"))
	if err != nil || !replayed {
		t.Errorf("got %v, %v, want it replayed for a day", replayed, err)
	}
	w.now = w.now.Add(time.Millisecond)
	ada.Session.FreshUntil = w.now.Add(time.Minute)
	_, replayed, err = w.Idempotent(w.ctx, scope, []byte("another"), nil, w.creating(ada, "CRM"))
	if err != nil || replayed {
		t.Errorf("got %v, %v, want a new request after a day", replayed, err)
	}
}

// A key means something only together with who sends it, and where to.
func TestIdempotentScopes(t *testing.T) {
	w := newWorld(t)
	ran := 0
	do := func(context.Context) (portal.Answer, error) { ran++; return portal.Answer{Status: 200}, nil }
	scopes := []portal.IdempotentScope{
		{Team: "a", Principal: "b", Method: "c", Route: "d", Key: "e"},
		{Team: "x", Principal: "b", Method: "c", Route: "d", Key: "e"},
		{Team: "a", Principal: "x", Method: "c", Route: "d", Key: "e"},
		{Team: "a", Principal: "b", Method: "x", Route: "d", Key: "e"},
		{Team: "a", Principal: "b", Method: "c", Route: "x", Key: "e"},
		{Team: "a", Principal: "b", Method: "c", Route: "d", Key: "x"},
		{Team: "ab", Principal: "", Method: "c", Route: "d", Key: "e"}, // cut elsewhere
		{Team: "", Principal: "ab", Method: "c", Route: "d", Key: "e"},
	}
	for i, scope := range scopes {
		if _, replayed, err := w.Idempotent(w.ctx, scope, nil, nil, do); err != nil || replayed || ran != i+1 {
			t.Errorf("scope %d: got replayed %v, %v", i, replayed, err)
		}
	}
	for _, key := range []string{"", strings.Repeat("x", 256)} {
		_, _, err := w.Idempotent(w.ctx, portal.IdempotentScope{Key: key}, nil, nil, do)
		refused(t, err, "bad-request")
	}
	if _, _, err := w.Idempotent(w.ctx, portal.IdempotentScope{Key: strings.Repeat("x", 255)}, nil, nil, do); err != nil {
		t.Error(err)
	}
}

// A refusal is not stored: the client mends the request and uses the key again.
func TestIdempotentRefusals(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	scope := portal.IdempotentScope{Team: ada.team, Key: "k1"}
	_, _, err := w.Idempotent(w.ctx, scope, []byte("bad"), nil, w.creating(ada, ""))
	refused(t, err, "invalid #/name")
	_, replayed, err := w.Idempotent(w.ctx, scope, []byte("good"), nil, w.creating(ada, "ERP"))
	if err != nil || replayed {
		t.Errorf("got %v, %v, want it to run", replayed, err)
	}
}

func TestIdempotentAtOnce(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	scope := portal.IdempotentScope{Team: ada.team, Key: "k1"}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, _, err := w.Idempotent(w.ctx, scope, nil, nil, w.creating(ada, "ERP"))
			var e *portal.Error
			if err != nil && (!errors.As(err, &e) || e.Code != "idempotency-key-in-use") {
				t.Errorf("got %v, want the answer or that it is running", err)
			}
		})
	}
	wg.Wait()
	if n := w.tokens(ada); n != 1 {
		t.Errorf("got %d tokens, want 1", n)
	}
}

// A process that dies between the change and its answer leaves neither, and the
// key is free again when its lease ends.
func TestIdempotentCrash(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	scope := portal.IdempotentScope{Team: ada.team, Key: "k1"}
	n := len(w.events(ada.team))
	crash := errors.New("the process was killed")
	w.store.before = func(method string) error {
		if method == "Atomically" {
			return nil
		}
		return crash // nothing after the change is reached, nor is the key given back
	}
	if _, _, err := w.Idempotent(w.ctx, scope, nil, nil, w.creating(ada, "ERP")); !errors.Is(err, crash) {
		t.Fatalf("got %v, want %v", err, crash)
	}
	w.store.before = nil
	if got := w.tokens(ada); got != 0 {
		t.Errorf("got %d tokens, want none", got)
	}
	w.wantActions(ada.team, n)
	w.now = w.now.Add(30*time.Second - time.Millisecond)
	_, _, err := w.Idempotent(w.ctx, scope, nil, nil, w.creating(ada, "ERP"))
	refused(t, err, "conflict idempotency-key-in-use")
	w.now = w.now.Add(time.Millisecond)
	answer, replayed, err := w.Idempotent(w.ctx, scope, nil, nil, w.creating(ada, "ERP"))
	if err != nil || replayed || answer.Status != 201 || w.tokens(ada) != 1 {
		t.Errorf("got %+v, %v, %v and %d tokens, want one", answer, replayed, err, w.tokens(ada))
	}
}

// A request whose client has gone gives its key back all the same.
func TestIdempotentGivesBack(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(w.ctx)
	scope := portal.IdempotentScope{Team: "tea_1", Key: "k1"}
	_, _, err := w.Idempotent(ctx, scope, nil, nil, func(ctx context.Context) (portal.Answer, error) {
		cancel()
		return portal.Answer{}, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	ran := false
	_, _, err = w.Idempotent(w.ctx, scope, nil, nil, func(ctx context.Context) (portal.Answer, error) {
		ran = true
		end, ok := ctx.Deadline()
		if left := time.Until(end); !ok || left > 20*time.Second {
			t.Errorf("got %v to work, want it to end before the lease does", left)
		}
		return portal.Answer{Status: 200}, nil
	})
	if err != nil || !ran {
		t.Errorf("got %v, want it to run", err)
	}
}
