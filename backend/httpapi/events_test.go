package httpapi_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// halfRead is a store in which something happens before the second page of a
// chain is read.
type halfRead struct {
	portal.Store
	before func()
}

func (s *halfRead) Events(ctx context.Context, f portal.EventFilter) ([]audit.Event, error) {
	if before := s.before; before != nil && f.After > 0 {
		s.before = nil
		before()
	}
	return s.Store.Events(ctx, f)
}

// An export that pruning overtakes says at its end that it was cut off. It has no
// hole, and the next one can be verified.
func TestExportThatPruningOvertakes(t *testing.T) {
	inner, records := stores[0].open(t)
	store := &halfRead{Store: inner}
	w := newWorld(t, store, records, nil)
	ada := w.signUp("Ada")
	happen := func(n int) {
		err := store.Atomically(t.Context(), func(ctx context.Context) error {
			for range n {
				e := audit.Event{Chain: ada.team, At: w.clock.now(), Actor: ada.id, Action: audit.TeamRenamed, Target: ada.team}
				if _, err := store.Append(ctx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	happen(1500)
	w.clock.advance(500 * 24 * time.Hour)
	happen(100)
	ada.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: password}).want(t, 200)
	store.before = func() {
		if _, err := w.portal.Prune(context.Background()); err != nil {
			t.Error(err)
		}
	}
	export := func() (first, last int64, rest []string) {
		t.Helper()
		a := ada.call("GET", ada.path("events", "export"), nil).want(t, 200)
		var v audit.Verifier
		for line := range bytes.Lines(a.body) {
			e, err := audit.Parse(line)
			if err != nil {
				rest = append(rest, string(line))
				continue
			}
			if first == 0 {
				first, v.Seq, v.Hash = e.Seq, e.Seq-1, e.Prev
			}
			if err := v.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		return first, v.Seq, rest
	}
	if first, last, rest := export(); first != 1 || last != 1000 || strings.Join(rest, "") != `{"error":"The export was cut off. Ask for it again."}`+"\n" {
		t.Errorf("got %d to %d and %q, want 1 to 1000, and that it was cut off", first, last, rest)
	}
	if first, last, rest := export(); first != 1502 || last != 1601 || rest != nil {
		t.Errorf("got %d to %d and %q, want what is left, 1502 to 1601", first, last, rest)
	}
	chain := into[api.ChainState](t, ada.call("GET", ada.path("events", "chain"), nil).want(t, 200))
	if !chain.Verified || chain.First != 1502 || chain.Seq != 1601 {
		t.Errorf("got %+v, want it to be whole", chain)
	}
}
