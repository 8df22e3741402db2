package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Queue is a [portal.Mailer] that delivers in the background. It holds a bounded
// number of messages in memory, tries again when a delivery fails for now, and
// is drained by Close; a crash loses what it holds, and people can ask for their
// mail again. It is safe for use by many goroutines.
type Queue struct {
	to      Deliverer
	log     *slog.Logger
	retries []time.Duration

	room    chan struct{} // holds one for each message that was taken
	work    chan *task
	closing chan struct{} // closed when nothing more is taken
	stop    context.CancelFunc
	workers sync.WaitGroup

	delivered, failed atomic.Int64

	mu      sync.Mutex
	closed  bool
	taken   int           // messages that are not done
	drained chan struct{} // closed when the queue is, and nothing is left
}

type task struct {
	letter  Letter
	tries   int
	hurried bool // tried for the last time because the queue closes
}

// ErrFull means that the queue holds all it can: the mail server has not
// answered for long.
var ErrFull = errors.New("the mail queue is full")

// ErrClosed means that the queue takes no more messages.
var ErrClosed = errors.New("the mail queue is closed")

const (
	queueRoom    = 1000
	queueWorkers = 4
)

// queueRetries are the pauses before the second, third … try: half an hour in
// all, after which a person has asked again.
var queueRetries = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 20 * time.Minute}

// NewQueue starts a queue in front of a deliverer. Close ends it.
func NewQueue(to Deliverer, log *slog.Logger) *Queue {
	workers := queueWorkers
	if _, ok := to.(*Outbox); ok {
		workers = 1 // keeps the order, and a file takes no time
	}
	return newQueue(to, log, queueRoom, workers, queueRetries)
}

func newQueue(to Deliverer, log *slog.Logger, room, workers int, retries []time.Duration) *Queue {
	ctx, stop := context.WithCancel(context.Background())
	q := &Queue{
		to: to, log: log, retries: retries, stop: stop,
		room: make(chan struct{}, room), work: make(chan *task, room), closing: make(chan struct{}), drained: make(chan struct{}),
	}
	for range workers {
		q.workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case t := <-q.work:
					q.deliver(ctx, t)
				}
			}
		})
	}
	return q
}

// Send takes a message and returns at once. It fails with [ErrFull] or
// [ErrClosed]. The context is not waited on: the message outlives it.
func (q *Queue) Send(_ context.Context, m portal.Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	select {
	case q.room <- struct{}{}:
	default:
		return ErrFull
	}
	q.taken++
	q.work <- &task{letter: Letter{Message: m, ID: rand.Text(), Date: time.Now()}} // has room for all that was taken
	return nil
}

func (q *Queue) deliver(ctx context.Context, t *task) {
	select {
	case <-q.closing:
		t.hurried = true
	default:
	}
	err := q.try(ctx, t)
	t.tries++
	switch {
	case err == nil:
		q.delivered.Add(1)
		q.done()
	case errors.Is(err, ErrRefused) || t.tries > len(q.retries) || t.hurried:
		q.failed.Add(1)
		q.log.Error("mail not delivered", "tries", t.tries, "error", err)
		q.done()
	default:
		q.log.Warn("mail not delivered yet", "tries", t.tries, "error", err)
		go q.again(ctx, t)
	}
}

// try keeps a panic of a library from ending the server.
func (q *Queue) try(ctx context.Context, t *task) (err error) {
	defer func() {
		if r := recover(); r != nil {
			q.log.Error("mail delivery panicked", "panic", r)
			err = ErrRefused
		}
	}()
	return q.to.Deliver(ctx, t.letter)
}

// again puts a task back after its pause, or at once when the queue closes.
func (q *Queue) again(ctx context.Context, t *task) {
	timer := time.NewTimer(q.retries[t.tries-1])
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-q.closing:
	case <-ctx.Done():
	}
	q.work <- t // has room for all that was taken
}

func (q *Queue) done() {
	<-q.room
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taken--; q.taken == 0 && q.closed {
		close(q.drained)
	}
}

// Waiting returns how many messages were taken and are not delivered.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.taken
}

// Delivered returns how many messages were handed over since the start.
func (q *Queue) Delivered() int64 { return q.delivered.Load() }

// Failed returns how many messages were given up since the start.
func (q *Queue) Failed() int64 { return q.failed.Load() }

// Close takes no more messages, tries each that is left once more, and returns
// when all are done. When ctx ends first it gives up, says in the log how many
// were lost, and returns the error of ctx.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.closing)
		if q.taken == 0 {
			close(q.drained)
		}
	}
	q.mu.Unlock()
	var err error
	select {
	case <-q.drained:
	case <-ctx.Done():
		err = ctx.Err()
		q.log.Error("mails lost at the end", "mails", q.Waiting())
	}
	q.stop()
	q.workers.Wait()
	return err
}
