package portal_test

import (
	"errors"
	"maps"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// What changes between the reading of a record and the recording of its first
// use decides with it: a use that cannot be recorded does not pass.
func TestFirstUseIsOvertaken(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(w *world, ada person, tok issued) error
		want   portal.Code
		events []string // after the token was made
	}{
		{"by nothing", func(*world, person, issued) error { return nil }, portal.OK, []string{"token.used_first"}},
		{"by a revocation", func(w *world, ada person, tok issued) error {
			_, err := w.RevokeToken(w.ctx, ada.Person, ada.team, tok.ID, portal.Reason{})
			return err
		}, portal.Revoked, []string{"token.revoked"}},
		{"by a suspension", func(w *world, ada person, tok issued) error {
			_, err := w.SuspendToken(w.ctx, ada.Person, ada.team, tok.ID, portal.Reason{})
			return err
		}, portal.Suspended, []string{"token.suspended"}},
		{"by another process", func(w *world, _ person, tok issued) error {
			w.askAt(w.process(), tok.secret)
			return nil
		}, portal.OK, []string{"token.used_first"}},
		{"by the end of the team", func(w *world, ada person, _ issued) error {
			return w.store.DeleteTeam(w.ctx, ada.team, w.now)
		}, portal.Revoked, nil},
		{"by the end of the database", func(*world, person, issued) error { return portal.ErrUnavailable }, portal.Undecided, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			ada := w.signedUp("Ada")
			tok := w.token(ada, nil)
			n := len(w.events(ada.team))
			w.store.before = func(string) error {
				w.store.before = nil
				return tt.before(w, ada, tok)
			}
			w.wants(tt.want, tok.secret)
			w.wantActions(ada.team, n, tt.events...)
		})
	}
}

// Many first requests at once make one transaction, and all have its outcome. If
// it could not be made each tries for itself.
func TestFirstUseOfMany(t *testing.T) {
	const many = 50
	for _, tt := range []struct {
		name         string
		first        error // of the first transaction
		want         map[portal.Code]int
		transactions int
	}{
		{"one writes", nil, map[portal.Code]int{portal.OK: many}, 1},
		{"it cannot", portal.ErrUnavailable, map[portal.Code]int{portal.OK: many - 1, portal.Undecided: 1}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			ada := w.signedUp("Ada")
			tok := w.token(ada, nil)
			n := len(w.events(ada.team))
			others := make(chan portal.Code, many)
			var writes atomic.Int64
			w.store.before = func(string) error {
				if writes.Add(1) > 1 {
					return nil
				}
				for range many - 1 {
					go func() { others <- w.ask(tok.secret).Code }()
				}
				for w.WaitingForFirstUse() < many-1 {
					runtime.Gosched()
				}
				return tt.first
			}
			got := map[portal.Code]int{w.ask(tok.secret).Code: 1}
			for range many - 1 {
				got[<-others]++
			}
			if !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if n := writes.Load(); tt.transactions != 0 && n != int64(tt.transactions) {
				t.Errorf("got %d transactions, want %d", n, tt.transactions)
			}
			w.wantActions(ada.team, n, "token.used_first")
		})
	}
}

// The same of a new secret: it is no rotation if it was undone meanwhile.
func TestFirstUseOfASecretIsOvertaken(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	old := w.token(ada, nil)
	w.wants(portal.OK, old.secret)
	next := w.rotated(ada, old.ID, portal.Rotation{})
	w.store.before = func(string) error {
		w.store.before = nil
		_, err := w.UndoRotation(w.ctx, ada.Person, ada.team, old.ID)
		return err
	}
	w.wants(portal.GenerationEnded, next.secret)
	w.wants(portal.OK, old.secret)
	if v := get[portal.TokenView](t)(w.Token(w.ctx, ada.Person, ada.team, old.ID)); w.generations(v) != "1 active, 2 cancelled" {
		t.Errorf("got %s", w.generations(v))
	}
}

// An alarm that cannot be recorded is recorded at the next try; the secret is
// refused either way.
func TestAlarmIsRepeated(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	tok := w.token(ada, nil)
	get[portal.Receipt](t)(w.RevokeToken(w.ctx, ada.Person, ada.team, tok.ID, portal.Reason{}))
	n := len(w.events(ada.team))
	w.store.before = func(string) error { return errors.New("the disk is full") }
	w.wants(portal.Revoked, tok.secret)
	w.store.before = nil
	w.wantActions(ada.team, n)
	w.now = w.now.Add(time.Second)
	w.wants(portal.Revoked, tok.secret)
	w.wantActions(ada.team, n, "token.dead_secret_used")
}
