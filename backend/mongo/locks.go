package mongo

import (
	"context"
	"hash/maphash"
)

// stripes is how many locks the chains and the orders share. Two with one lock
// only wait for each other now and then.
const stripes = 256

// locks keep the transactions of one process that append to the same chain, or
// change the same order, from undoing each other. They are about speed only:
// between processes, and so for correctness, the unique index and the server's
// own conflicts decide.
type locks struct {
	seed maphash.Seed
	held []chan struct{} // each holds one while locked
}

func newLocks() locks {
	l := locks{seed: maphash.MakeSeed(), held: make([]chan struct{}, stripes)}
	for i := range l.held {
		l.held[i] = make(chan struct{}, 1)
	}
	return l
}

func (l *locks) stripe(of string) int {
	return int(maphash.String(l.seed, of) % stripes)
}

func (l *locks) tryLock(stripe int) bool {
	select {
	case l.held[stripe] <- struct{}{}:
		return true
	default:
		return false
	}
}

func (l *locks) lock(ctx context.Context, stripe int) error {
	select {
	case l.held[stripe] <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *locks) unlock(stripe int) { <-l.held[stripe] }
