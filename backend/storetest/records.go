package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// testRecords holds what a decision reads to its promise: it is never older
// than the call, so it shows every write that was answered before.
func testRecords(t *testing.T, s portal.Store, opts Options) {
	var reader portal.RecordReader = portal.NewCoalescer(s, 10*time.Second)
	if opts.Records != nil {
		reader = opts.Records(s)
	}
	t.Run("one that is not there", func(t *testing.T) {
		if got := get[*portal.Token](t)(reader.Record(begin(t), "none")); got != nil {
			t.Errorf("got %+v, want nil", got)
		}
	})
	t.Run("a write that was answered is seen", func(t *testing.T) {
		ctx, x := begin(t), storeTeam(t, s)
		const tokens = 4
		var answered [tokens]atomic.Int64 // the Rev of the newest write that was answered
		var made []portal.Token
		for range tokens {
			made = append(made, x.storeToken(t, s, func(tok *portal.Token) { tok.Rev = 0 }))
		}
		stop := make(chan struct{})
		var readers sync.WaitGroup
		for r := range 4 {
			readers.Go(func() {
				for i := r; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					n := i % tokens
					least := answered[n].Load()
					got, err := reader.Record(ctx, made[n].ID)
					if err != nil || got == nil || got.Rev < least {
						t.Errorf("got %+v %v, want at least rev %d", got, err, least)
						return
					}
					if got.Rev < 0 {
						t.Errorf("got rev %d, which was rolled back", got.Rev)
						return
					}
				}
			})
		}
		for n, err := range race(tokens, func(n int) error {
			tok := made[n]
			for rev := range int64(50) {
				_ = s.Atomically(ctx, func(ctx context.Context) error {
					never := tok
					never.Rev = -1
					if err := s.ReplaceToken(ctx, never); err != nil {
						return err
					}
					return errFault
				})
				tok.Rev = rev + 1
				if rev == 49 {
					tok.RevokedAt = now
				}
				if err := s.ReplaceToken(ctx, tok); err != nil {
					return err
				}
				if err := reader.Changed(ctx, tok.ID); err != nil {
					return err
				}
				answered[n].Store(tok.Rev)
			}
			return nil
		}) {
			if err != nil {
				t.Errorf("writer %d: got error %v", n, err)
			}
		}
		close(stop)
		readers.Wait()
		for _, tok := range made {
			if got := get[*portal.Token](t)(reader.Record(ctx, tok.ID)); got.RevokedAt.IsZero() {
				t.Errorf("got %+v, want it revoked", got)
			}
		}
	})
	t.Run("what others say about it is seen", func(t *testing.T) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.storeToken(t, s, nil)
		for _, role := range []portal.Role{portal.Auditor, portal.Owner} {
			storeMember(t, s, x.team.ID, x.owner.ID, role)
			if got := get[*portal.Token](t)(reader.Record(ctx, tok.ID)); got.Standing.MakerRole != role {
				t.Errorf("got role %q, want %q", got.Standing.MakerRole, role)
			}
		}
		noError(t, s.DeleteTeam(ctx, x.team.ID, now))
		if got := get[*portal.Token](t)(reader.Record(ctx, tok.ID)); got.RevokedAt.IsZero() || got.Standing.MakerRole != "" {
			t.Errorf("got %+v, want it revoked and without a maker", got)
		}
	})
}

// testReopen holds a store to what it said before it was closed.
func testReopen(t *testing.T, s portal.Store, opts Options) {
	if opts.Reopen == nil {
		t.Fatal("Options.Reopen is needed")
	}
	ctx, x := begin(t), storeTeam(t, s)
	tok := x.storeToken(t, s, nil)
	order := x.storeOrder(t, s, nil)
	if _, err := appendEvent(ctx, s, x.team.ID, "team.created", nil); err != nil {
		t.Fatal(err)
	}
	noError(t, s.RecordCalls(ctx, portal.CallBatch{
		Calls:   []portal.Call{x.newCall(tok.ID, now)},
		Rollups: []portal.Rollup{x.newRollup(tok.ID, now)},
		Uses:    []portal.Use{{Team: x.team.ID, Token: tok.ID, Generation: 1, At: now, Address: "192.0.2.7"}},
	}))
	want := recordOf(ctx, t, s, tok.ID)
	for range 2 { // what is made at start is made once
		s = opts.Reopen(t, s)
		noError(t, s.Ready(ctx))
		equal(t, "user", get[portal.User](t)(s.User(ctx, x.owner.ID)), x.owner)
		equal(t, "team", get[portal.Team](t)(s.Team(ctx, x.team.ID)), x.team)
		equal(t, "order", get[portal.Order](t)(s.Order(ctx, x.team.ID, order.Env, order.ID)), order)
		same(t, "token", get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)), want)
		same(t, "record", recordOf(ctx, t, s, tok.ID), want)
		if got := get[[]portal.Call](t)(s.Calls(ctx, portal.CallFilter{Team: x.team.ID, Limit: 9})); len(got) != 1 {
			t.Errorf("got %d calls, want 1", len(got))
		}
		verify(t, s, x.team.ID, 1)
	}
	if _, err := appendEvent(ctx, s, x.team.ID, "team.renamed", nil); err != nil {
		t.Fatal(err)
	}
	verify(t, s, x.team.ID, 2)
}
