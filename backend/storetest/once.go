package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func newIdempotent() portal.Idempotent {
	return portal.Idempotent{
		Key: newID("key"), Fingerprint: "body", LeaseUntil: now.Add(time.Minute), ExpiresAt: now.Add(24 * time.Hour),
	}
}

var onceTests = []test{
	{"once, also for many callers", func(t *testing.T, s portal.Store) {
		ctx, key := begin(t), newID("key")
		first := make([]bool, writers)
		for _, err := range race(writers, func(i int) (err error) {
			first[i], err = s.Once(ctx, key, now, now.Add(time.Hour))
			return err
		}) {
			noError(t, err)
		}
		n := 0
		for _, yes := range first {
			if yes {
				n++
			}
		}
		if n != 1 {
			t.Errorf("got %d firsts, want 1", n)
		}
	}},
	{"once again after its time", func(t *testing.T, s portal.Store) {
		ctx, key := begin(t), newID("key")
		for _, tt := range []struct {
			at   time.Duration
			want bool
		}{{0, true}, {0, false}, {time.Hour - time.Millisecond, false}, {time.Hour, true}, {time.Hour, false}} {
			if got := get[bool](t)(s.Once(ctx, key, now.Add(tt.at), now.Add(tt.at+time.Hour))); got != tt.want {
				t.Errorf("after %v: got %v, want %v", tt.at, got, tt.want)
			}
		}
	}},
	{"what was rolled back did not happen", func(t *testing.T, s portal.Store) {
		ctx, key := begin(t), newID("key")
		_ = s.Atomically(ctx, func(ctx context.Context) error {
			get[bool](t)(s.Once(ctx, key, now, now.Add(time.Hour)))
			return errFault
		})
		if !get[bool](t)(s.Once(ctx, key, now, now.Add(time.Hour))) {
			t.Error("got false, want true")
		}
	}},
	{"a counter counts in its window", func(t *testing.T, s portal.Store) {
		ctx, key := begin(t), newID("key")
		hit := func(n int64, at time.Duration) (int64, time.Time) {
			count, ends, err := s.Hit(ctx, key, n, time.Minute, now.Add(at))
			noError(t, err)
			return count, ends
		}
		for _, tt := range []struct {
			name  string
			n     int64
			at    time.Duration
			count int64
			ends  time.Duration
		}{
			{"first", 1, 0, 1, time.Minute},
			{"second", 2, time.Second, 3, time.Minute},
			{"a look", 0, time.Second, 3, time.Minute},
			{"at the last instant", 1, time.Minute - time.Millisecond, 4, time.Minute},
			{"in the next window", 5, time.Minute, 5, 2 * time.Minute},
			{"a look at it", 0, time.Minute, 5, 2 * time.Minute},
		} {
			if count, ends := hit(tt.n, tt.at); count != tt.count || !ends.Equal(now.Add(tt.ends)) {
				t.Errorf("%s: got %d until %v, want %d until %v", tt.name, count, ends, tt.count, now.Add(tt.ends))
			}
		}
		if count, _ := hit(0, time.Hour); count != 0 {
			t.Errorf("a look after the end: got %d, want 0", count)
		}
		noError(t, s.ForgetCounter(ctx, key))
		noError(t, s.ForgetCounter(ctx, key))
		if count, ends := hit(1, 90*time.Second); count != 1 || !ends.Equal(now.Add(150*time.Second)) {
			t.Errorf("after forgetting: got %d until %v, want 1 and a new window", count, ends)
		}
	}},
	{"a look at a counter that never was", func(t *testing.T, s portal.Store) {
		count, _, err := s.Hit(begin(t), newID("key"), 0, time.Minute, now)
		if noError(t, err); count != 0 {
			t.Errorf("got %d, want 0", count)
		}
	}},
	{"no hit is lost", func(t *testing.T, s portal.Store) {
		ctx, key := begin(t), newID("key")
		seen := make([]int64, writers)
		for _, err := range race(writers, func(i int) (err error) {
			seen[i], _, err = s.Hit(ctx, key, 1, time.Minute, now)
			return err
		}) {
			noError(t, err)
		}
		have := map[int64]bool{}
		for _, n := range seen {
			have[n] = true
		}
		if len(have) != writers || !have[writers] {
			t.Errorf("got counts %v, want 1 to %d, each once", seen, writers)
		}
	}},
	{"of many requests with one key one begins", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		begun := make([]*portal.Idempotent, writers)
		for _, err := range race(writers, func(i int) (err error) {
			begun[i], err = s.BeginIdempotent(ctx, r, now)
			return err
		}) {
			noError(t, err)
		}
		n := 0
		for _, stored := range begun {
			if stored == nil {
				n++
			} else if stored.Done || stored.Fingerprint != r.Fingerprint || !stored.LeaseUntil.Equal(r.LeaseUntil) {
				t.Errorf("got %+v, want what the first stored", *stored)
			}
		}
		if n != 1 {
			t.Errorf("got %d that began, want 1", n)
		}
	}},
	{"an answer is stored and found", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now)); got != nil {
			t.Fatalf("got %+v, want nil", got)
		}
		done := r
		done.Done, done.Status, done.Body = true, 201, []byte("{\"id\":\"ord_1\",\"x\":\"\x00\xff\"}")
		done.Header = map[string]string{"Location": "/api/v1/orders/ord_1", "ETag": `"1"`, "a.b": "$c"}
		noError(t, s.Atomically(ctx, func(ctx context.Context) error { return s.FinishIdempotent(ctx, done) }))
		for _, at := range []time.Time{now, r.LeaseUntil, r.ExpiresAt.Add(-time.Millisecond)} {
			again := r
			again.Fingerprint = "another"
			got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, again, at))
			if got == nil {
				t.Fatalf("at %v: got nil, want the answer", at)
			}
			equal(t, "answer", *got, done)
		}
	}},
	{"an answer that was rolled back leaves the request under way", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now))
		err := s.Atomically(ctx, func(ctx context.Context) error {
			done := r
			done.Done, done.Status = true, 201
			noError(t, s.FinishIdempotent(ctx, done))
			return errFault
		})
		if !errors.Is(err, errFault) {
			t.Errorf("got error %v, want %v", err, errFault)
		}
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now)); got == nil || got.Done {
			t.Errorf("got %+v, want it under way", got)
		}
	}},
	{"a lease that ended is taken over, once", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now))
		next := r
		next.LeaseUntil = r.LeaseUntil.Add(time.Minute)
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, next, r.LeaseUntil.Add(-time.Millisecond))); got == nil {
			t.Error("before its end: got nil, want the one under way")
		}
		taken := make([]bool, writers)
		for _, err := range race(writers, func(i int) error {
			got, err := s.BeginIdempotent(ctx, next, r.LeaseUntil)
			taken[i] = got == nil
			return err
		}) {
			noError(t, err)
		}
		n := 0
		for _, yes := range taken {
			if yes {
				n++
			}
		}
		if n != 1 {
			t.Errorf("got %d that took over, want 1", n)
		}
	}},
	{"an answer that is stored is not replaced, and what came with another is undone", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now))
		r.Done, r.Status, r.Body = true, 201, []byte("first")
		noError(t, s.FinishIdempotent(ctx, r))
		second, x := r, tenant{newTeam(), newUser()}
		second.Status, second.Body = 200, []byte("second")
		wantKind(t, s.Atomically(ctx, func(ctx context.Context) error {
			noError(t, s.InsertTeam(ctx, x.team))
			return s.FinishIdempotent(ctx, second)
		}), portal.Conflict)
		kind[portal.Team](t, portal.NotFound)(s.Team(ctx, x.team.ID))
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now)); got == nil || string(got.Body) != "first" {
			t.Errorf("got %+v, want the first answer", got)
		}
	}},
	{"an answer that is stored cannot be abandoned", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now))
		r.Done, r.Status = true, 201
		noError(t, s.FinishIdempotent(ctx, r))
		noError(t, s.AbandonIdempotent(ctx, r.Key))
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now)); got == nil || got.Status != 201 {
			t.Errorf("got %+v, want the answer", got)
		}
	}},
	{"an abandoned key is new", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now))
		noError(t, s.AbandonIdempotent(ctx, r.Key))
		noError(t, s.AbandonIdempotent(ctx, r.Key))
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now)); got != nil {
			t.Errorf("got %+v, want nil", got)
		}
	}},
}
