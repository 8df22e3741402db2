package portal

import (
	"hash/maphash"
	"math"
	"sync"
	"time"
)

// LimitState is what a rate limit says after it was asked.
type LimitState struct {
	RateLimit
	Remaining  int           // requests that would pass now
	Reset      time.Duration // until the whole quota is there again
	RetryAfter time.Duration // of a refusal: until one request would pass
}

// limiter is the generic cell rate algorithm (GCRA): one instant a key, exact
// remaining counts, no timers. It counts in this process alone; with several
// processes behind a balancer a token may reach the limit in each.
//
// It is safe for use by many goroutines and allocates only for a key it has not
// seen for a while.
type limiter struct {
	seed   maphash.Seed
	shards [64]limiterShard
}

type limiterShard struct {
	mu    sync.Mutex
	keys  map[string]cell
	sweep int64    // the instant from which idle keys are forgotten
	_     [40]byte // a cache line each
}

// cell is what is known of one key.
type cell struct {
	full  int64     // the instant (Unix ns) at which the quota is whole again
	limit RateLimit // that full was counted with
}

const sweepEvery = int64(time.Minute)

func newLimiter() *limiter {
	l := &limiter{seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].keys = map[string]cell{}
	}
	return l
}

// take asks for one request at the instant now, and takes it if it may pass.
// When the limit of a key has changed, the requests that were made count against
// the new one.
func (l *limiter) take(key string, limit RateLimit, now time.Time) (LimitState, bool) {
	at := now.UnixNano()
	every, window := limit.every(), limit.whole()
	s := l.shard(key)
	s.mu.Lock()
	if at >= s.sweep {
		for k, c := range s.keys {
			if c.full <= at {
				delete(s.keys, k)
			}
		}
		s.sweep = at + sweepEvery
	}
	c := s.keys[key]
	full := c.under(limit, at)
	next := full + every
	ok := next-at <= window
	if ok {
		full = next
	}
	// A refusal changes nothing: stored at the instant of a request that waited,
	// it would give back a little each time.
	if ok || c.limit != limit && c.full != 0 {
		s.keys[key] = cell{full, limit}
	}
	s.mu.Unlock()

	state := limit.state(full - at)
	if !ok {
		state.RetryAfter = time.Duration(next - at - window)
	}
	return state, ok
}

// look returns what take would find, and takes nothing.
func (l *limiter) look(key string, limit RateLimit, now time.Time) LimitState {
	at := now.UnixNano()
	s := l.shard(key)
	s.mu.Lock()
	c := s.keys[key]
	s.mu.Unlock()
	return limit.state(c.under(limit, at) - at)
}

func (l *limiter) shard(key string) *limiterShard {
	return &l.shards[maphash.String(l.seed, key)%uint64(len(l.shards))]
}

// under returns the instant at which the quota of a limit is whole again, at the
// earliest at. What was used under another limit counts against this one.
func (c cell) under(limit RateLimit, at int64) int64 {
	full := max(c.full, at)
	if c.limit == limit || c.full == 0 {
		return full
	}
	used := (full - at + c.limit.every() - 1) / c.limit.every()
	return at + min(used, int64(limit.Quota))*limit.every() // multiplied first it could overflow
}

// every is how long one request takes to be there again, in nanoseconds.
func (l RateLimit) every() int64 { return int64(l.Window) / int64(l.Quota) }

// whole is the window without the remainder that the quota leaves, so that the
// counts are exact, in nanoseconds.
func (l RateLimit) whole() int64 { return l.every() * int64(l.Quota) }

// state describes a limit whose quota is whole again after so many nanoseconds.
func (l RateLimit) state(owed int64) LimitState {
	return LimitState{RateLimit: l, Remaining: int(max(l.whole()-owed, 0) / l.every()), Reset: time.Duration(owed)}
}

// Seconds rounds a wait up to whole seconds, at least 1 if there is any, so
// that a client that waits that long is not refused again.
func Seconds(d time.Duration) int {
	return int(math.Ceil(d.Seconds()))
}
