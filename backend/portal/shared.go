package portal

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// shared reads what many ask for at once: callers of one key share the next
// read of it. As with the [Coalescer], a caller never gets the result of a read
// that began before the call did, so it sees whatever was answered before it.
// The zero value with a read is ready, for use by many goroutines.
type shared[K comparable, V any] struct {
	read func(ctx context.Context, key K) (V, error)

	mu    sync.Mutex
	next  map[K]*reading[V] // not begun: who comes joins it
	under map[K]*reading[V] // the last that began
}

// reading is one read for all who joined it.
type reading[V any] struct {
	done  chan struct{} // closed when the rest is there
	value V
	err   error
}

// get returns the value of a key, which is shared and not to be changed. The
// first caller reads for those who join it, even if it gives up itself.
func (s *shared[K, V]) get(ctx context.Context, key K) (V, error) {
	s.mu.Lock()
	if r := s.next[key]; r != nil {
		s.mu.Unlock()
		select {
		case <-r.done:
			return r.value, r.err
		case <-ctx.Done():
			var none V
			return none, ctx.Err()
		}
	}
	if s.next == nil {
		s.next, s.under = map[K]*reading[V]{}, map[K]*reading[V]{}
	}
	r := &reading[V]{done: make(chan struct{}), err: ErrUnavailable} // what the others get if read panics
	s.next[key] = r
	before := s.under[key]
	s.mu.Unlock()
	if before != nil {
		late := time.NewTimer(lateAfter)
		select {
		case <-before.done:
		case <-late.C: // it holds nobody up any more
		}
		late.Stop()
	}
	runtime.Gosched() // requests that have arrived join before it begins
	s.mu.Lock()
	delete(s.next, key)
	s.under[key] = r
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		if s.under[key] == r {
			delete(s.under, key)
		}
		s.mu.Unlock()
		close(r.done)
	}()
	r.value, r.err = s.read(context.WithoutCancel(ctx), key)
	return r.value, r.err
}
