package portal

import (
	"sync"
	"time"
)

// recently remembers values for a while in this process, to save storage from
// being asked again and again about what it has answered. Nothing that decides
// is in it. It is safe for use by many goroutines.
type recently[V any] struct {
	mu    sync.RWMutex
	known map[string]remembered[V]
}

type remembered[V any] struct {
	value V
	until time.Time
}

const maxRecently = 10_000 // then all is forgotten: it is only a shortcut

func (r *recently[V]) get(key string, now time.Time) (V, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, ok := r.known[key]
	if !ok || !now.Before(k.until) {
		var none V
		return none, false
	}
	return k.value, true
}

// last returns what was put there, also if its time is over.
func (r *recently[V]) last(key string) V {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.known[key].value
}

func (r *recently[V]) put(key string, value V, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= maxRecently {
		r.known = map[string]remembered[V]{}
	}
	r.known[key] = remembered[V]{value, until}
}

func (r *recently[V]) forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.known, key)
}
