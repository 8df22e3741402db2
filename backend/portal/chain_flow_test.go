package portal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// rename appends n events to a chain.
func (w *world) rename(chain string, n int) {
	w.t.Helper()
	noError(w.t, w.store.Atomically(w.ctx, func(ctx context.Context) error {
		for range n {
			if _, err := w.store.Append(ctx, audit.Event{Chain: chain, At: w.now, Actor: "system", Action: "team.renamed"}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// halfRead is a store in which something happens before the second page of a
// chain is read, and which lacks some of the events.
type halfRead struct {
	portal.Store
	before func()
	lost   func(seq int64) bool
}

func (s *halfRead) Events(ctx context.Context, f portal.EventFilter) ([]audit.Event, error) {
	if before := s.before; before != nil && f.After > 0 {
		s.before = nil
		before()
	}
	list, err := s.Store.Events(ctx, f)
	return slices.DeleteFunc(list, func(e audit.Event) bool { return s.lost(e.Seq) }), err
}

// Events that are pruned while a chain is read are no gap in it: what is left is a
// chain. What is missing from the midst of it was not pruned, and is told.
func TestPrunedWhileAChainIsRead(t *testing.T) {
	const old, all = 1500, 1600 // events that are past retention, and all
	for _, tt := range []struct {
		name   string
		prunes bool
		lost   func(seq int64) bool
		first  int64
		last   int64 // that is verified
		wrong  string
	}{
		{"nothing happens", false, func(int64) bool { return false }, 1, all, ""},
		{"pruned", true, func(int64) bool { return false }, old + 1, all, ""},
		{"one is missing", false, func(seq int64) bool { return seq == 1001 }, 1, 1000, "event 1001 was expected"},
		{"up to what is kept they are missing", false, func(seq int64) bool { return seq > 1000 && seq <= old }, 1, 1000, "event 1001 was expected"},
		{"pruned, and one is missing behind", true, func(seq int64) bool { return seq == 1550 }, old + 1, 1549, "event 1550 was expected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := func() (*world, person) {
				w := newWorld(t)
				ada := w.signedUp("Ada")
				w.rename(ada.team, old-1) // the first is that of the team
				w.now = w.now.Add(300 * day)
				w.rename(ada.team, all-old)
				w.now = w.now.Add(200 * day)
				store := &halfRead{Store: w.store.Store, lost: tt.lost}
				if w.store.Store = store; tt.prunes {
					store.before = func() { get[int](t)(w.Prune(w.ctx)) }
				}
				return w, ada
			}
			w, ada := begin()
			c := get[portal.Chain](t)(w.ChainState(w.ctx, ada.Person, ada.team))
			if c.First != tt.first || c.Seq != tt.last || (tt.wrong == "") != (c.Wrong == "") || !strings.Contains(c.Wrong, tt.wrong) {
				t.Errorf("got %+v, want %q after %d to %d", c, tt.wrong, tt.first, tt.last)
			}
			w, ada = begin()
			export := func() (v audit.Verifier, first int64, err error) {
				err = w.ExportEvents(w.ctx, ada.Person, ada.team, func(e audit.Event) error {
					if first == 0 {
						first, v.Seq, v.Hash = e.Seq, e.Seq-1, e.Prev
					}
					return v.Add(e)
				})
				return v, first, err
			}
			if tt.prunes { // what is handed on cannot be taken back; the next export is of what is left
				if v, first, err := export(); first != 1 || v.Seq != 1000 || !errors.Is(err, portal.ErrPruned) {
					t.Errorf("got an export of %d to %d and %v, want it to end at 1000", first, v.Seq, err)
				}
			}
			v, first, err := export()
			if first != tt.first || v.Seq != tt.last || (tt.wrong == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("got an export of %d to %d and %v, want %q after %d to %d", first, v.Seq, err, tt.wrong, tt.first, tt.last)
			}
		})
	}
}
