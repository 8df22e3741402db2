package portal

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	type try struct {
		at                time.Duration
		ok                bool
		remaining         int
		reset, retryAfter time.Duration
	}
	const s = time.Second
	tests := []struct {
		name  string
		limit RateLimit
		tries []try
	}{
		{"a burst up to the quota, then one every sixth of a minute", RateLimit{6, time.Minute}, []try{
			{0, true, 5, 10 * s, 0},
			{0, true, 4, 20 * s, 0},
			{0, true, 3, 30 * s, 0},
			{0, true, 2, 40 * s, 0},
			{0, true, 1, 50 * s, 0},
			{0, true, 0, 60 * s, 0},
			{0, false, 0, 60 * s, 10 * s},
			{9 * s, false, 0, 51 * s, 1 * s},
			{10*s - 1, false, 0, 50*s + 1, 1},
			{10 * s, true, 0, 60 * s, 0},
			{10 * s, false, 0, 60 * s, 10 * s},
			{35 * s, true, 1, 45 * s, 0},
			{1000 * s, true, 5, 10 * s, 0},
		}},
		{"one", RateLimit{1, s}, []try{
			{0, true, 0, s, 0},
			{s / 2, false, 0, s / 2, s / 2},
			{s, true, 0, s, 0},
		}},
		{"a window that the quota does not divide", RateLimit{7, s}, []try{
			{0, true, 6, s / 7, 0},
			{0, true, 5, s / 7 * 2, 0},
			{s / 7, true, 5, s / 7 * 2, 0},
		}},
		{"a clock that goes back", RateLimit{2, 10 * s}, []try{
			{10 * s, true, 1, 5 * s, 0},
			{9 * s, false, 0, 6 * s, 1 * s},
			{10 * s, true, 0, 10 * s, 0},
			{5 * s, false, 0, 15 * s, 10 * s},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLimiter()
			for i, try := range tt.tries {
				got, ok := l.take("key", tt.limit, now.Add(try.at))
				want := LimitState{tt.limit, try.remaining, try.reset, try.retryAfter}
				if ok != try.ok || got != want {
					t.Errorf("try %d: got %v %+v, want %v %+v", i+1, ok, got, try.ok, want)
				}
			}
		})
	}
}

func TestLimiterCountsKeysApart(t *testing.T) {
	l, limit := newLimiter(), RateLimit{1, time.Minute}
	for i := range 1000 {
		if _, ok := l.take(fmt.Sprint(i), limit, now); !ok {
			t.Fatalf("key %d was refused by what others did", i)
		}
	}
}

// What was used of a limit counts against the one that takes its place, and no
// token has to wait for a window that binds it no more.
func TestLimiterChanges(t *testing.T) {
	for _, tt := range []struct {
		name      string
		from      RateLimit
		used      int
		to        RateLimit
		ok        bool
		remaining int
	}{
		{"grows", RateLimit{10, 24 * time.Hour}, 10, RateLimit{100, time.Minute}, true, 89},
		{"shrinks", RateLimit{100, time.Minute}, 3, RateLimit{10, 24 * time.Hour}, true, 6},
		{"shrinks below what was used", RateLimit{100, time.Minute}, 100, RateLimit{5, time.Minute}, false, 0},
		{"to one", RateLimit{100, time.Minute}, 1, RateLimit{1, time.Minute}, false, 0},
		{"from the widest to the narrowest", RateLimit{1_000_000, time.Second}, 200_000, RateLimit{1, 24 * time.Hour}, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLimiter()
			for range tt.used {
				l.take("key", tt.from, now)
			}
			got, ok := l.take("key", tt.to, now)
			if ok != tt.ok || got.Remaining != tt.remaining || got.RetryAfter > tt.to.Window/time.Duration(tt.to.Quota) || got.Reset > tt.to.Window {
				t.Errorf("got %v %+v, want %v with %d left", ok, got, tt.ok, tt.remaining)
			}
			if got, ok := l.take("key", tt.to, now.Add(tt.to.Window)); !ok || got.Remaining != tt.to.Quota-1 {
				t.Errorf("a window later: got %v %+v, want all but one", ok, got)
			}
		})
	}
}

// To look is to see what the next request will find, without being one.
func TestLimiterLooks(t *testing.T) {
	l, limit := newLimiter(), RateLimit{6, time.Minute}
	look := func(limit RateLimit, after time.Duration, remaining int, reset time.Duration) {
		t.Helper()
		for range 2 {
			want := LimitState{limit, remaining, reset, 0}
			if got := l.look("key", limit, now.Add(after)); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
	}
	look(limit, 0, 6, 0)
	for range 4 {
		l.take("key", limit, now)
	}
	look(limit, 0, 2, 40*time.Second)
	look(limit, 15*time.Second, 3, 25*time.Second)
	look(RateLimit{3, time.Minute}, 0, 0, time.Minute) // what was used of the other counts
	look(limit, time.Hour, 6, 0)
}

// A client that is refused again and again, by requests that arrived a little
// earlier than they are judged, gains nothing by it.
func TestLimiterRefusalsGiveNothingBack(t *testing.T) {
	l, limit := newLimiter(), RateLimit{2, 10 * time.Second}
	l.take("key", limit, now)
	l.take("key", limit, now)
	for range 1000 {
		if _, ok := l.take("key", limit, now.Add(-time.Second)); ok {
			t.Fatal("passed, want a refusal")
		}
	}
	if got, ok := l.take("key", limit, now); ok || got.RetryAfter != 5*time.Second {
		t.Errorf("got %v %+v, want 5 s to wait still", ok, got)
	}
}

func TestLimiterForgets(t *testing.T) {
	l, limit := newLimiter(), RateLimit{1, time.Second}
	held := func() (n int) {
		for i := range l.shards {
			n += len(l.shards[i].keys)
		}
		return n
	}
	for i := range 10_000 {
		l.take(fmt.Sprint(i), limit, now)
	}
	if held() != 10_000 {
		t.Fatalf("got %d keys, want 10000", held())
	}
	long := RateLimit{1, time.Hour}
	l.take("long", long, now)
	for i := range 10_000 { // touches every shard, after the sweep is due
		l.take(fmt.Sprint(i%1000), limit, now.Add(2*time.Minute))
	}
	if n := held(); n != 1001 {
		t.Errorf("got %d keys, want 1001: the idle ones are forgotten", n)
	}
	if _, ok := l.take("long", long, now.Add(3*time.Minute)); ok {
		t.Error("a key was forgotten before its quota was whole")
	}
}

// TestLimiterAgainstModel compares with the plainest thing that does the same: a
// bucket that is refilled evenly.
func TestLimiterAgainstModel(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		limit := RateLimit{1 + r.IntN(20), time.Duration(1+r.IntN(60)) * time.Second}
		every := int64(limit.Window) / int64(limit.Quota)
		used := int64(0) // of the bucket, in nanoseconds of refilling
		l, at := newLimiter(), now
		for i := range 500 {
			gap := r.Int64N(2 * every)
			if r.IntN(3) == 0 {
				gap = 0
			}
			at = at.Add(time.Duration(gap))
			used = max(used-gap, 0)
			want := used+every <= every*int64(limit.Quota)
			if want {
				used += every
			}
			got, ok := l.take("key", limit, at)
			left := int((every*int64(limit.Quota) - used) / every)
			if ok != want || got.Remaining != left || got.Reset != time.Duration(used) {
				t.Fatalf("seed %d, %v, try %d: got %v %+v, want %v with %d left, reset in %v", seed, limit, i, ok, got, want, left, time.Duration(used))
			}
			if !ok { // what a refused client is told is exact
				if _, early := newCopy(l, "key").take("key", limit, at.Add(got.RetryAfter-1)); early {
					t.Fatalf("seed %d, try %d: passes before %v", seed, i, got.RetryAfter)
				}
				if _, late := newCopy(l, "key").take("key", limit, at.Add(got.RetryAfter)); !late {
					t.Fatalf("seed %d, try %d: refused after %v", seed, i, got.RetryAfter)
				}
			}
		}
	}
}

// newCopy returns a limiter that knows the same of one key.
func newCopy(l *limiter, key string) *limiter {
	c := newLimiter()
	for i := range l.shards {
		if known, ok := l.shards[i].keys[key]; ok {
			for j := range c.shards {
				c.shards[j].keys[key] = known // its seed is another: put it everywhere
			}
		}
	}
	return c
}

func TestLimiterConcurrently(t *testing.T) {
	l, limit := newLimiter(), RateLimit{1000, time.Hour}
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if _, ok := l.take("key", limit, now); ok {
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if passed.Load() != 1000 {
		t.Errorf("got %d of 8000, want 1000", passed.Load())
	}
}

func TestSeconds(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want int
	}{{0, 0}, {1, 1}, {time.Second, 1}, {time.Second + 1, 2}, {21 * time.Second, 21}, {24 * time.Hour, 86400}} {
		if got := Seconds(tt.d); got != tt.want {
			t.Errorf("%v: got %d, want %d", tt.d, got, tt.want)
		}
	}
}
