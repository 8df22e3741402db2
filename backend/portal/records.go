package portal

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// RecordReader is how a decision sees token records, and how a change tells that
// records are no longer what they were. Everything between a decision and the
// database stands behind it, so that a lease-fenced cache can take the place of
// [Coalescer] without a change to the rules.
type RecordReader interface {
	// Record reads a token for a decision, whatever its team: nil if there is
	// none. What it returns was read after the call began, is shared, and is not
	// to be changed.
	Record(ctx context.Context, id string) (*Token, error)
	// Changed tells, after the transaction and before its answer, that the
	// records of these tokens changed, or with no ids that any may have.
	Changed(ctx context.Context, ids ...string) error
}

const (
	maxBatch     = 100                    // one reply of a MongoDB find holds 101 documents
	nearInFlight = 2                      // queries at once to a database nearby, see mayBegin
	farInFlight  = 8                      // and to one that is far
	farAway      = 500 * time.Microsecond // the round trip from which it is far
	maxWaiting   = 20_000                 // callers; a dead database becomes a fast 503
	tripWindow   = 1024                   // queries that the round trip is measured over
	lateAfter    = 10 * time.Millisecond  // a query that takes longer holds up nobody but its callers
)

// Coalescer reads records without a cache: callers that arrive while queries
// are under way share the next one. A caller never gets the answer of a query
// that began before the call did, so what it sees is never older than its
// request. It is safe for use by many goroutines.
//
// A singleflight would not do: it hands a late caller the answer of a query
// that began earlier, and a revoked token could pass.
type Coalescer struct {
	read    func(ctx context.Context, ids []string) ([]*Token, error)
	timeout time.Duration
	idle    sync.Pool // of lookups that were answered

	mu        sync.Mutex
	inFlight  int  // queries
	late      int  // of them, those that take longer than lateAfter
	gathering bool // one is about to begin, see gather
	waiting   []*lookup
	trips     int           // queries in the current window
	shortest  time.Duration // in the current window
	trip      time.Duration // shortest of the last full window: load does not lengthen it
	counted   LookupStats
}

// LookupSizes are the upper bounds of the classes in which [LookupStats] counts
// queries.
var LookupSizes = [...]int{1, 2, 5, 10, 20, 50, maxBatch}

// LookupStats says how the queries of a [Coalescer] went since the start.
type LookupStats struct {
	InFlight int                     // queries that are under way now
	Waiting  int                     // decisions that wait for the next one
	Queries  int64                   // that ended, well or not
	Tokens   int64                   // they asked for, in all
	Sizes    [len(LookupSizes)]int64 // queries by LookupSizes: those that are in no smaller class
	Trip     time.Duration           // how long the fastest of the last queries took
}

type lookup struct {
	id   string
	done chan lookupResult // holds one
}

type lookupResult struct {
	token *Token
	err   error
}

// NewCoalescer returns a Coalescer over a store. A query that has not answered
// after timeout fails its own batch and no other.
func NewCoalescer(s TokenStore, timeout time.Duration) *Coalescer {
	return &Coalescer{read: s.TokenRecords, timeout: timeout}
}

// Changed does nothing: every read is fresh.
func (c *Coalescer) Changed(context.Context, ...string) error { return nil }

// Record implements [RecordReader]. A caller whose context ends gives up alone.
func (c *Coalescer) Record(ctx context.Context, id string) (*Token, error) {
	c.mu.Lock()
	begin := c.mayBegin()
	if begin {
		c.inFlight++
		if c.gather(); len(c.waiting) == 0 {
			c.mu.Unlock()
			return c.alone(ctx, id) // no hop and no wait
		}
	}
	if !begin && len(c.waiting) >= maxWaiting {
		c.mu.Unlock()
		return nil, ErrUnavailable
	}
	l, _ := c.idle.Get().(*lookup)
	if l == nil {
		l = &lookup{done: make(chan lookupResult, 1)}
	}
	l.id = id
	c.waiting = append(c.waiting, l)
	if begin {
		go c.drain()
	}
	c.mu.Unlock()
	select {
	case r := <-l.done:
		c.idle.Put(l)
		return r.token, r.err
	case <-ctx.Done():
		return nil, ctx.Err() // l is left to the batch that it is in
	}
}

// mayBegin reports whether a query may begin for one more caller, with the lock
// held. It is queries that cost, so a database nearby gets one after the other,
// each for all who have come meanwhile, unless one is late or too small for all.
func (c *Coalescer) mayBegin() bool {
	slots := c.slots()
	return c.inFlight < slots && !c.gathering && (slots == farInFlight || c.inFlight == c.late || len(c.waiting) >= maxBatch)
}

// gather lets the requests go on that have arrived already, so that they share
// the query that is about to begin instead of waiting for it. Where there are
// none it takes no time. The lock is held before and after.
func (c *Coalescer) gather() {
	c.gathering = true
	c.mu.Unlock()
	runtime.Gosched()
	c.mu.Lock()
	c.gathering = false
}

// slots returns how many queries may be under way, with the lock held.
func (c *Coalescer) slots() int {
	if c.trip > farAway {
		return farInFlight
	}
	return nearInFlight
}

func (c *Coalescer) alone(ctx context.Context, id string) (*Token, error) {
	defer c.release()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	found, err := c.query(ctx, []string{id})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// release hands the slot to those who wait, or gives it back.
func (c *Coalescer) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 {
		go c.drain()
		return
	}
	c.inFlight--
}

// drain owns one slot and serves batches until nobody waits.
func (c *Coalescer) drain() {
	for {
		c.mu.Lock()
		n := min(len(c.waiting), maxBatch)
		if n == 0 {
			c.waiting = nil // the array is not kept after a rush
		}
		if n == 0 || c.inFlight > c.slots() { // the others are enough for a database that is near again
			c.inFlight--
			c.mu.Unlock()
			return
		}
		batch := c.waiting[:n:n]
		c.waiting = c.waiting[n:]
		if len(c.waiting) > 0 && c.mayBegin() { // more than a batch came at once
			c.inFlight++
			go c.drain()
		}
		c.mu.Unlock()
		c.serve(batch)
	}
}

func (c *Coalescer) serve(batch []*lookup) {
	ids := make([]string, 0, len(batch))
	seen := make(map[string]*Token, len(batch))
	for _, l := range batch {
		if _, ok := seen[l.id]; !ok {
			seen[l.id] = nil
			ids = append(ids, l.id)
		}
	}
	// Not the context of any caller: one that gives up must not cancel the others.
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	found, err := c.query(ctx, ids)
	for _, t := range found {
		seen[t.ID] = t
	}
	for _, l := range batch {
		l.done <- lookupResult{seen[l.id], err} // from now on it may be somebody else's
	}
}

// isLate notes that a query is late, and begins another for those who wait.
func (c *Coalescer) isLate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late++
	if len(c.waiting) > 0 && c.mayBegin() {
		c.inFlight++
		go c.drain()
	}
}

func (c *Coalescer) query(ctx context.Context, ids []string) ([]*Token, error) {
	late := time.AfterFunc(lateAfter, c.isLate)
	began := time.Now()
	found, err := c.read(ctx, ids)
	took := time.Since(began)
	inTime := late.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !inTime {
		c.late--
	}
	c.counted.Queries++
	c.counted.Tokens += int64(len(ids))
	class := 0
	for LookupSizes[class] < len(ids) {
		class++
	}
	c.counted.Sizes[class]++
	if err != nil {
		return nil, err
	}
	if c.trips == 0 || took < c.shortest {
		c.shortest = took
	}
	if c.trips++; c.trips == tripWindow || c.trip == 0 {
		c.trip, c.trips = c.shortest, 0
	}
	return found, nil
}

// Stats returns what was counted.
func (c *Coalescer) Stats() LookupStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.counted
	s.InFlight, s.Waiting, s.Trip = c.inFlight, len(c.waiting), c.trip
	return s
}
