package portal

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	recordEvery   = 250 * time.Millisecond
	recordAtOnce  = 1000   // calls in one batch
	recordAtMost  = 16_384 // calls that wait; then requests wait too
	maxAgentBytes = 200
)

// Recorded is what the HTTP layer knows of a call once it is answered.
type Recorded struct {
	Method    string
	Route     string // the template
	Status    int
	Duration  time.Duration
	Bytes     int64
	Address   netip.Addr
	UserAgent string
	RequestID string
}

type pendingCall struct {
	Recorded
	id         DecisionID
	at         time.Time
	code       Code
	token      *Token
	generation int
}

// Record hands a call over to be stored. It returns at once unless storage is
// far behind; then it waits, because a call that is not recorded cannot be
// audited. Calls without a known token belong to no team and are only counted.
//
// What was handed over is in storage within half a second; a process that is
// killed loses at most that much. After [Portal.Close] nothing is handed over.
func (p *Portal) Record(d *Decision, r Recorded) {
	if d.Token == nil {
		return
	}
	r.UserAgent, r.RequestID = cut(r.UserAgent, maxAgentBytes), cut(r.RequestID, maxAgentBytes)
	p.recorder.add(pendingCall{Recorded: r, id: d.ID, at: d.At, code: d.Code, token: d.Token, generation: d.Generation.Number})
}

// recorder collects calls and writes them in batches. Requests add, one
// goroutine writes.
type recorder struct {
	store CallStore
	log   *slog.Logger
	wake  chan struct{}
	done  chan struct{}
	stop  context.CancelFunc // ends the writing that goes on after close

	mu      sync.Mutex
	room    sync.Cond
	waiting []pendingCall
	closed  bool

	spare  []pendingCall // of the writer: swapped with waiting
	sum    batcher       // of the writer
	failed atomic.Int64  // batches that had to be repeated
}

func newRecorder(s CallStore, log *slog.Logger) *recorder {
	ctx, stop := context.WithCancel(context.Background())
	r := &recorder{
		store: s, log: log, wake: make(chan struct{}, 1), done: make(chan struct{}), stop: stop, sum: newBatcher(),
	}
	r.room.L = &r.mu
	go r.run(ctx)
	return r
}

func (r *recorder) add(c pendingCall) {
	r.mu.Lock()
	for len(r.waiting) >= recordAtMost && !r.closed {
		r.room.Wait()
	}
	r.waiting = append(r.waiting, c)
	full := len(r.waiting) >= recordAtOnce
	r.mu.Unlock()
	if full {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// queued returns how many calls wait.
func (r *recorder) queued() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting)
}

// close writes what waits and ends the writer. When ctx ends first the rest is
// lost and the error says how much.
func (r *recorder) close(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	r.room.Broadcast()
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
	defer r.stop()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		r.log.Error("calls were not recorded before the end", "calls", r.queued())
		return ctx.Err()
	}
}

func (r *recorder) run(ctx context.Context) {
	defer close(r.done)
	tick := time.NewTicker(recordEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-r.wake:
		case <-ctx.Done():
			return
		}
		r.mu.Lock()
		calls := r.waiting
		r.waiting = r.spare[:0]
		closed := r.closed
		r.room.Broadcast()
		r.mu.Unlock()
		for part := calls; len(part) > 0; {
			n := min(len(part), recordAtOnce)
			r.write(ctx, r.sum.batch(part[:n]))
			part = part[n:]
		}
		clear(calls) // the records and texts are not held longer
		r.spare = calls[:0]
		if closed && r.queued() == 0 {
			return
		}
	}
}

// write stores a batch and repeats it until storage takes it: batches are
// written once however often they are sent.
func (r *recorder) write(ctx context.Context, b CallBatch) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		try, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := r.store.RecordCalls(try, b)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		r.failed.Add(1)
		r.log.Warn("calls could not be recorded yet", "calls", len(b.Calls), "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}
