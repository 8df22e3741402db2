package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// pruneAll prunes in batches and returns how many records went.
func pruneAll(t *testing.T, s portal.Store, before portal.PruneTimes, limit int) int {
	t.Helper()
	total := 0
	for {
		n := get[int](t)(s.Prune(begin(t), before, limit))
		if n > limit {
			t.Fatalf("got %d removed at once, want at most %d", n, limit)
		}
		if n == 0 {
			return total
		}
		if total += n; total > 10_000 {
			t.Fatal("pruning does not end")
		}
	}
}

func testPrune(t *testing.T, open func(t *testing.T) portal.Store) {
	ms := time.Millisecond
	t.Run("nothing is past no time", func(t *testing.T) {
		s := open(t)
		x := storeTeam(t, s)
		tok := x.storeToken(t, s, func(tok *portal.Token) { tok.RevokedAt = time.UnixMilli(5).UTC() })
		if n := pruneAll(t, s, portal.PruneTimes{}, 10); n != 0 {
			t.Errorf("got %d removed, want 0", n)
		}
		same(t, "token", recordOf(begin(t), t, s, tok.ID), tok)

		t.Run("sessions, sign-ups, counters and keys", func(t *testing.T) { testPruneShortLived(t, s) })
	})
	t.Run("calls and sums", func(t *testing.T) {
		s := open(t)
		ctx, x, y := begin(t), storeTeam(t, s), storeTeam(t, s)
		var b portal.CallBatch
		hour := now.Truncate(time.Hour)
		for i := range 20 {
			owner := []tenant{x, y}[i%2]
			b.Calls = append(b.Calls, owner.newCall("tok", now.Add(time.Duration(i-10)*ms)))
			b.Rollups = append(b.Rollups, owner.newRollup("tok", hour.AddDate(0, 0, i-10)))
		}
		noError(t, s.RecordCalls(ctx, b))
		count := func() (calls, hours, days int) {
			for _, owner := range []tenant{x, y} {
				calls += len(get[[]portal.Call](t)(s.Calls(ctx, portal.CallFilter{Team: owner.team.ID, Limit: 101})))
				hours += len(sumsOf(t, s, portal.RollupFilter{Team: owner.team.ID, Step: portal.Hour}))
				days += len(sumsOf(t, s, portal.RollupFilter{Team: owner.team.ID, Step: portal.Day}))
			}
			return calls, hours, days
		}
		for _, tt := range []struct {
			name               string
			before             portal.PruneTimes
			calls, hours, days int
		}{
			{"calls, not the one at the time", portal.PruneTimes{Calls: now}, 10, 20, 20},
			{"hours", portal.PruneTimes{Rollups: hour.Add(ms)}, 10, 9, 20},
			{"days go with events", portal.PruneTimes{Events: now.Truncate(24 * time.Hour)}, 10, 9, 10},
		} {
			pruneAll(t, s, tt.before, 3)
			if calls, hours, days := count(); calls != tt.calls || hours != tt.hours || days != tt.days {
				t.Errorf("%s: left %d calls, %d hours, %d days, want %d, %d, %d", tt.name, calls, hours, days, tt.calls, tt.hours, tt.days)
			}
		}
	})
	t.Run("events", func(t *testing.T) {
		s := open(t)
		ctx, long, old, mixed := begin(t), newID("tea"), newID("tea"), newID("tea")
		add := func(chain string, at ...time.Time) {
			for _, at := range at {
				noError(t, s.Atomically(ctx, func(ctx context.Context) error {
					_, err := s.Append(ctx, audit.Event{Chain: chain, At: at, Action: "team.renamed"})
					return err
				}))
			}
		}
		for i := range 8 {
			add(long, now.Add(time.Duration(i-4)*ms))
			add(old, now.Add(-time.Hour))
		}
		add(mixed, now.Add(-ms), now.Add(ms), now.Add(-ms), now.Add(ms)) // written by clocks that differ
		if n := pruneAll(t, s, portal.PruneTimes{Events: now}, 3); n != 4+7+1 {
			t.Errorf("got %d removed, want %d", n, 4+7+1)
		}
		for chain, first := range map[string]int64{long: 5, old: 8, mixed: 2} {
			left := get[[]audit.Event](t)(s.Events(ctx, portal.EventFilter{Chain: chain, Limit: 1001, Oldest: true}))
			if len(left) == 0 || left[0].Seq != first {
				t.Errorf("%s: got %+v left, want from event %d on", chain, left, first)
				continue
			}
			v := audit.Verifier{Chain: chain, Seq: left[0].Seq, Hash: left[0].Hash}
			for _, e := range left[1:] {
				noError(t, v.Add(e))
			}
			next := get[audit.Event](t)(appendEvent(ctx, s, chain, "team.renamed", nil))
			noError(t, v.Add(next)) // the chain goes on where it was
		}
	})
	t.Run("tokens that ended", func(t *testing.T) {
		s := open(t)
		ctx, x := begin(t), storeTeam(t, s)
		var gone, kept []string
		for i, change := range []func(*portal.Token){
			func(tok *portal.Token) { tok.RevokedAt = now.Add(-ms) },
			func(tok *portal.Token) { tok.ExpiresAt = now.Add(-ms) },
			func(tok *portal.Token) { tok.RevokedAt, tok.ExpiresAt = now.Add(-ms), time.Time{} },
			func(tok *portal.Token) { tok.RevokedAt = now },
			func(tok *portal.Token) { tok.ExpiresAt = now },
			func(tok *portal.Token) { tok.ExpiresAt = time.Time{} },
			func(tok *portal.Token) { tok.SuspendedAt = now.Add(-time.Hour) },
		} {
			if tok := x.storeToken(t, s, change); i < 3 {
				gone = append(gone, tok.ID)
			} else {
				kept = append(kept, tok.ID)
			}
		}
		if n := pruneAll(t, s, portal.PruneTimes{EndedTokens: now}, 2); n != len(gone) {
			t.Errorf("got %d removed, want %d", n, len(gone))
		}
		same := func(s string) string { return s }
		list := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Limit: 101, Now: now}))
		equal(t, "kept", sorted(list, tokenID), sorted(kept, same))
		records := get[[]*portal.Token](t)(s.TokenRecords(ctx, append(gone, kept...)))
		equal(t, "records", sorted(records, func(tok *portal.Token) string { return tok.ID }), sorted(kept, same))
	})
}

func testPruneShortLived(t *testing.T, s portal.Store) {
	ms, ctx, u := time.Millisecond, begin(t), storeUser(t, s)
	old := now.AddDate(0, 0, 20)
	expired := storeSession(t, s, u.ID, func(ses *portal.Session) { ses.ExpiresAt = old.Add(-ms) })
	live := storeSession(t, s, u.ID, func(ses *portal.Session) { ses.ExpiresAt = old })
	stale, fresh := newSignup(newID("mail")), newSignup(newID("mail"))
	stale.ExpiresAt, fresh.ExpiresAt = old.Add(-ms), old
	noError(t, s.SaveSignup(ctx, stale))
	noError(t, s.SaveSignup(ctx, fresh))
	long := old.Add(-time.Hour)
	get[bool](t)(s.Once(ctx, "past", long, old.Add(-ms)))
	get[bool](t)(s.Once(ctx, "lasting", long, old.Add(ms)))
	for _, window := range []time.Duration{time.Minute, 2 * time.Hour} {
		if _, _, err := s.Hit(ctx, window.String(), 3, window, long); err != nil {
			t.Fatal(err)
		}
	}
	done, lasting := newIdempotent(), newIdempotent()
	for _, r := range []*portal.Idempotent{&done, &lasting} {
		r.LeaseUntil, r.ExpiresAt = long, old.Add(-ms)
		if r == &lasting {
			r.ExpiresAt = old.Add(ms)
		}
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, *r, long.Add(-time.Hour)))
		r.Done, r.Status = true, 201
		noError(t, s.FinishIdempotent(ctx, *r))
	}
	if n := pruneAll(t, s, portal.PruneTimes{Now: old}, 2); n < 4 {
		t.Errorf("got %d removed, want at least 4", n)
	}
	kind[portal.Session](t, portal.NotFound)(s.SessionByHash(ctx, expired.Hash))
	equal(t, "session that ends now", get[portal.Session](t)(s.SessionByHash(ctx, live.Hash)), live)
	kind[portal.Signup](t, portal.NotFound)(s.SignupByCode(ctx, stale.CodeHash))
	equal(t, "sign-up that ends now", get[portal.Signup](t)(s.SignupByCode(ctx, fresh.CodeHash)), fresh)
	if get[bool](t)(s.Once(ctx, "lasting", old, old.Add(time.Hour))) {
		t.Error("a key that lasts was forgotten")
	}
	if count, _, err := s.Hit(ctx, "2h0m0s", 0, 2*time.Hour, old); err != nil || count != 3 {
		t.Errorf("a counter that lasts: got %d %v, want 3", count, err)
	}
	if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, lasting, old)); got == nil || !got.Done {
		t.Errorf("an answer that lasts: got %+v, want it", got)
	}
	if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, done, old)); got != nil {
		t.Errorf("an answer past its time: got %+v, want it forgotten", got)
	}
}
