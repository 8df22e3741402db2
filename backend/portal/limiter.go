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
	full  map[string]int64 // key → the instant (Unix ns) at which its quota is whole
	sweep int64            // the instant from which idle keys are forgotten
	_     [24]byte         // a cache line each
}

const sweepEvery = int64(time.Minute)

func newLimiter() *limiter {
	l := &limiter{seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].full = map[string]int64{}
	}
	return l
}

// take asks for one request at the instant now, and takes it if it may pass. A
// limit that is not what it was before binds from now on: at worst as if all of
// the new quota had just been used.
func (l *limiter) take(key string, limit RateLimit, now time.Time) (LimitState, bool) {
	at := now.UnixNano()
	every := int64(limit.Window) / int64(limit.Quota)
	window := every * int64(limit.Quota) // without the remainder, so that the counts are exact

	s := &l.shards[maphash.String(l.seed, key)%uint64(len(l.shards))]
	s.mu.Lock()
	if at >= s.sweep {
		for k, full := range s.full {
			if full <= at {
				delete(s.full, k)
			}
		}
		s.sweep = at + sweepEvery
	}
	full := min(max(s.full[key], at), at+window)
	next := full + every
	ok := next-at <= window
	if ok {
		full = next
		s.full[key] = full
	}
	s.mu.Unlock()

	state := LimitState{RateLimit: limit, Remaining: int((window - (full - at)) / every), Reset: time.Duration(full - at)}
	if !ok {
		state.RetryAfter = time.Duration(next - at - window)
	}
	return state, ok
}

// Seconds rounds a wait up to whole seconds, at least 1 if there is any, so
// that a client that waits that long is not refused again.
func Seconds(d time.Duration) int {
	return int(math.Ceil(d.Seconds()))
}
