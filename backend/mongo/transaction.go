package mongo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/readconcern"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// transaction is one try of a transaction, carried by the context of its calls.
type transaction struct {
	store   *Store
	again   error // why it has to run again, nil if it has not
	refused error // the refusal that made the server end it, nil if none
	held    []int // locks
	missed  int   // the lock that was not free, or -1
	ended   bool
	after   []func() // run when it is committed
}

type transactionKey struct{}

func transactionOf(ctx context.Context) *transaction {
	t, _ := ctx.Value(transactionKey{}).(*transaction)
	return t
}

const (
	shortestPause = 2 * time.Millisecond
	longestPause  = 250 * time.Millisecond
)

// pause waits before the next try, longer each time and never as long as
// another that lost the same race. It fails when ctx ends.
func pause(ctx context.Context, try int) error {
	longest := min(longestPause, shortestPause<<min(try, 10))
	select {
	case <-time.After(longest/2 + rand.N(longest/2)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin bounds a call. It ends a little before the caller's deadline, so that
// the caller hears of it in time.
func (s *Store) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if s.closed.Load() {
		return ctx, func() {}, errClosed
	}
	within := s.deadline
	if ends, ok := ctx.Deadline(); ok {
		left := time.Until(ends)
		within = min(within, left-min(left/10, 100*time.Millisecond))
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	return ctx, cancel, nil
}

// Atomically implements [portal.Store]. It repeats what lost a race, or met an
// election, until the deadline. The last error is returned then, and
// [portal.ErrUnavailable] with it.
func (s *Store) Atomically(ctx context.Context, do func(ctx context.Context) error) error {
	err := s.atomically(ctx, do)
	if transactionOf(ctx) == nil {
		s.countFailed(err)
	}
	return err
}

// countFailed counts what the database did not take.
func (s *Store) countFailed(err error) {
	if e, ok := errors.AsType[*portal.Error](err); ok && e.Code == portal.ErrUnavailable.Code && !s.closed.Load() {
		s.failed.Add(1)
	}
}

func (s *Store) atomically(ctx context.Context, do func(ctx context.Context) error) error {
	if t := transactionOf(ctx); t != nil {
		if t.ended {
			return errEnded
		}
		return do(ctx)
	}
	ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	session, err := s.client.StartSession(options.Session().SetDefaultReadConcern(readconcern.Snapshot()))
	if err != nil {
		return s.fail(ctx, "start a session", err)
	}
	defer func() {
		if ctx.Err() != nil {
			s.abandon(session) // the caller's time is up
			return
		}
		session.EndSession(ctx) // no I/O: the transaction has ended
	}()
	var want []int // locks to hold from the start
	for try := 0; ; try++ {
		t := &transaction{store: s, missed: -1}
		err := s.try(ctx, session, t, want, do)
		if err == nil {
			for _, f := range t.after {
				f()
			}
			return nil
		}
		if t.again == nil {
			return err
		}
		want = t.held
		if t.missed >= 0 {
			want = append(want, t.missed) // the next try waits for it
		} else if pause(ctx, try) != nil || s.closed.Load() {
			return s.fail(ctx, "transaction", t.again)
		}
	}
}

// try runs do once, holding the locks in want. t.again tells whether it has to
// run again.
func (s *Store) try(ctx context.Context, session mongo.Session, t *transaction, want []int, do func(ctx context.Context) error) (err error) {
	defer func() {
		t.ended = true
		t.unlock()
	}()
	if err := t.lockAll(ctx, want); err != nil {
		t.again = err // ctx has ended, so this was the last try
		return err
	}
	if err := session.StartTransaction(); err != nil {
		return s.fail(ctx, "start a transaction", err)
	}
	committing := false
	defer func() {
		if !committing && ctx.Err() == nil {
			_ = session.AbortTransaction(ctx) // if it fails, the server ends it itself
		}
	}()
	err = do(context.WithValue(mongo.NewSessionContext(ctx, session), transactionKey{}, t))
	switch {
	case t.refused != nil: // the server has ended it, whatever do made of that
		t.again = nil
		if err == nil {
			err = t.refused
		}
		return err
	case t.again != nil:
		return errors.Join(err, t.again) // do may have taken it for something else
	case err != nil:
		return err
	case ctx.Err() != nil: // too late: nothing is stored that nobody waits for
		return s.fail(ctx, "commit", ctx.Err())
	}
	committing = true
	return s.commit(ctx, session, t)
}

// commit repeats the commit while its outcome is not known: the server answers
// the repetition with what became of the first.
func (s *Store) commit(ctx context.Context, session mongo.Session, t *transaction) error {
	for try := 0; ; try++ {
		err := session.CommitTransaction(ctx)
		switch {
		case err == nil:
			return nil
		case hasLabel(err, labelTransient):
			t.again = err
			return err
		case !hasLabel(err, labelUnknown) && !gone(err):
			return s.fail(ctx, "commit", err)
		case pause(ctx, try) != nil || s.closed.Load():
			return fmt.Errorf("commit: %w: %w: %w", errUnknown, portal.ErrUnavailable, err)
		}
	}
}

// lockAll takes locks in one order for all, so that nobody waits in a circle.
func (t *transaction) lockAll(ctx context.Context, want []int) error {
	slices.Sort(want)
	for _, stripe := range want {
		if err := t.store.locks.lock(ctx, stripe); err != nil {
			return err
		}
		t.held = append(t.held, stripe)
	}
	return nil
}

// lock takes the lock of a chain or an order. If it is not free, whoever has it is
// about to change what this transaction has read already: it runs again, with the
// lock from its start.
func (t *transaction) lock(of string) error {
	stripe := t.store.locks.stripe(of)
	if slices.Contains(t.held, stripe) {
		return nil
	}
	if !t.store.locks.tryLock(stripe) {
		t.missed = stripe
		return errAgain
	}
	t.held = append(t.held, stripe)
	return nil
}

// lock takes the lock of an order, or of the chain of a team or a person, for what
// is about to change their documents.
func (s *Store) lock(ctx context.Context, of string) error {
	t, err := need(ctx, "a change")
	if err != nil {
		return err
	}
	return s.fail(ctx, "wait for another change", t.lock(of))
}

func (t *transaction) unlock() {
	for _, stripe := range t.held {
		t.store.locks.unlock(stripe)
	}
}

// refuse notes that the server ended the transaction with this refusal.
func (t *transaction) refuse(err error) error {
	if t.refused == nil {
		t.refused = err
	}
	return err
}

// inTransaction runs do in the transaction of ctx, or in one of its own.
func (s *Store) inTransaction(ctx context.Context, step string, do func(ctx context.Context) error) error {
	if err := s.Atomically(ctx, do); err != nil {
		return s.fail(ctx, step, err)
	}
	return nil
}

// read runs a query that may be repeated, until it succeeds or the deadline is
// over. In a transaction it runs once: there the whole transaction is repeated.
func (s *Store) read(ctx context.Context, step string, query func(ctx context.Context) error) error {
	if t := transactionOf(ctx); t != nil {
		if t.ended {
			return errEnded
		}
		return s.fail(ctx, step, query(ctx))
	}
	ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	for try := 0; ; try++ {
		err := query(ctx)
		if err == nil || !gone(err) && !errors.Is(err, errAgain) || pause(ctx, try) != nil || s.closed.Load() {
			return s.fail(ctx, step, err)
		}
	}
}

// write runs one write that may be repeated, as read does a query. The server
// does what the driver repeats once only, but not what is repeated here, when
// that was interrupted too.
func (s *Store) write(ctx context.Context, step string, do func(ctx context.Context) error) error {
	err := s.read(ctx, step, do)
	if transactionOf(ctx) == nil {
		s.countFailed(err)
	}
	return err
}

// need returns the transaction of ctx for what makes sense only in one.
func need(ctx context.Context, what string) (*transaction, error) {
	t := transactionOf(ctx)
	if t != nil && t.ended {
		return nil, errEnded
	}
	if t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("%s needs a transaction", what)
}
