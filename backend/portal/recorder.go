package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
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

// refusedCalls is how many calls of one token are recorded, in each process, that
// no limit keeps few: while it is revoked, expired or otherwise not to be used,
// and beyond its own limit. Who holds a secret, dead or alive, must not be able
// to fill the database with it.
var refusedCalls = RateLimit{Quota: 600, Window: time.Minute}

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
//
// Refusals that no limit keeps few have one here: [refusedCalls]. Those beyond it
// are only counted ([Portal.UnrecordedCalls]).
//
// A call that storage refuses, while it takes others, is dropped with an error
// in the log and counted ([Portal.LostCalls]): kept, it would hold up every call
// after it. Nothing is dropped because storage is out of reach.
func (p *Portal) Record(d *Decision, r Recorded) {
	if d.Token == nil {
		return
	}
	if d.Code.unlimited() {
		if _, ok := p.refused.take(d.Token.ID, refusedCalls, d.At); !ok {
			p.stats.unrecorded.Add(1)
			return
		}
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
	writing int // calls that the writer has taken and not stored yet
	closed  bool
	ended   bool // the writer has: what comes now is lost

	spare  []pendingCall // of the writer: swapped with waiting
	sum    batcher       // of the writer
	failed atomic.Int64  // batches that had to be repeated
	lost   atomic.Int64  // calls that storage refused, or that came too late for it
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
	if r.ended {
		r.mu.Unlock()
		r.lost.Add(1)
		return
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

// queued returns how many calls wait for the writer.
func (r *recorder) queued() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting)
}

// unstored returns how many calls wait or are being written.
func (r *recorder) unstored() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting) + r.writing
}

// wrote notes that calls which the writer had taken are stored, or lost.
func (r *recorder) wrote(calls int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writing -= calls
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
		n := r.unstored()
		r.lost.Add(int64(n))
		r.log.Error("calls were not recorded before the end", "calls", n)
		return fmt.Errorf("%d calls were not recorded before the end: %w", n, ctx.Err())
	}
}

func (r *recorder) run(ctx context.Context) {
	defer func() {
		r.mu.Lock()
		r.ended = true
		r.mu.Unlock()
		close(r.done)
	}()
	tick := time.NewTicker(recordEvery)
	defer tick.Stop()
	for {
		unit := recordAtOnce // what goes beyond full batches waits for the next one
		select {
		case <-tick.C:
			unit = 1
		case <-r.wake:
		case <-ctx.Done():
			return
		}
		calls, closed := r.take(unit)
		for part := calls; len(part) > 0; {
			n := min(len(part), recordAtOnce)
			if !r.write(ctx, part[:n]) {
				return
			}
			part = part[n:]
		}
		clear(calls) // the records and texts are not held longer
		r.sum.rest()
		r.spare = calls[:0]
		if closed && r.queued() == 0 {
			return
		}
	}
}

// take takes what waits, in multiples of unit or, when the recorder is closed, all
// of it, and lets those in who wait for room.
func (r *recorder) take(unit int) (calls []pendingCall, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.waiting)
	if !r.closed {
		n -= n % unit
	}
	calls, rest := r.waiting[:n], r.waiting[n:]
	r.waiting, r.spare = append(r.spare[:0], rest...), nil
	clear(rest)
	r.writing += n
	r.room.Broadcast()
	return calls, r.closed
}

// write stores calls, but for those that storage does not take ([Portal.Record]).
// It is false when ctx ended first: then some are not stored.
func (r *recorder) write(ctx context.Context, calls []pendingCall) bool {
	refused, err := r.sift(ctx, calls)
	for wait := firstPause; len(refused) > 0 && len(refused) == len(calls); wait = min(2*wait, longestPause) {
		// Nothing was taken: is it these calls, or does storage take none at all?
		// Those that come next will tell.
		r.log.Warn("storage refuses all calls", "calls", len(calls), "error", err)
		if !pause(ctx, wait) {
			return false
		}
		if len(calls) < siftAtMost {
			more, _ := r.take(1)
			calls = append(calls[:len(calls):len(calls)], more...)
		}
		refused, err = r.sift(ctx, calls)
	}
	for try, wait := 1, firstPause; len(refused) > 0; try, wait = try+1, 10*wait {
		if try == refusedAtMost {
			r.lost.Add(int64(len(refused)))
			c := &refused[0]
			r.log.Error("calls that storage refuses are lost", "calls", len(refused), "first", c.id.String(), "team", c.token.Team, "error", err)
			break
		}
		if !pause(ctx, wait) {
			return false
		}
		refused, err = r.sift(ctx, refused)
	}
	if ctx.Err() != nil {
		return false
	}
	r.wrote(len(calls))
	return true
}

const (
	firstPause    = 100 * time.Millisecond
	longestPause  = 5 * time.Second
	refusedAtMost = 3    // times, of a call while others are taken
	siftAtMost    = 4000 // calls, about, that are tried at once when storage takes none
)

// sift stores calls and returns those that storage refuses, each by itself, and
// why it refused the last of them.
func (r *recorder) sift(ctx context.Context, calls []pendingCall) (refused []pendingCall, why error) {
	for part := range slices.Chunk(calls, recordAtOnce) {
		b := r.sum.batch(part)
		err := r.send(ctx, b)
		if err == nil || ctx.Err() != nil {
			continue
		}
		r.sum.forget(b.Uses)
		if len(part) == 1 {
			refused, why = append(refused, part[0]), err
			continue
		}
		for _, half := range [][]pendingCall{part[:len(part)/2], part[len(part)/2:]} {
			if some, err := r.sift(ctx, half); len(some) > 0 {
				refused, why = append(refused, some...), err
			}
		}
	}
	return refused, why
}

// send stores a batch and repeats it, as it is, while storage is out of reach:
// batches are written once however often they are sent. An error is a refusal,
// after which nothing of the batch is stored, or means that ctx has ended.
func (r *recorder) send(ctx context.Context, b CallBatch) error {
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		try, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := r.store.RecordCalls(try, b)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.failed.Add(1)
		if KindOf(err) != Busy && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			return err
		}
		r.log.Warn("calls could not be recorded yet", "calls", len(b.Calls), "error", err)
		if !pause(ctx, wait) {
			return ctx.Err()
		}
	}
}

// pause waits, and reports false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
