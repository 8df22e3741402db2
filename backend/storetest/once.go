package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

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
			{"one taken back", -1, time.Second, 2, time.Minute},
			{"and counted", 1, time.Second, 3, time.Minute},
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
}
