package secret

import (
	"context"
	"runtime"
	"time"
)

// Hasher hashes passwords, one at a time per core: hashing is the one thing here
// that a stranger can make expensive, in time and in memory (19 MiB each). A few
// callers wait their turn; the rest are refused at once, so that a flood of
// sign-ins costs the rest of the server nothing. It is safe for concurrent use.
type Hasher struct {
	turns   chan struct{} // holds one for each hash under way
	waiting chan struct{} // holds one for each caller, waiting or at work
}

// waitersPerCore is how many callers may wait for each core: about a second.
const waitersPerCore = 32

// BusyError says that too many passwords are being hashed. Nothing was done.
type BusyError struct {
	RetryAfter time.Duration // whole seconds
}

// ErrBusy is the [BusyError] of a full queue, for errors.Is.
var ErrBusy error = &BusyError{RetryAfter: 2 * time.Second}

func (e *BusyError) Error() string { return "too many passwords are being checked" }

// NewHasher returns a hasher for this machine's cores: GOMAXPROCS hashes at once,
// at least one.
func NewHasher() *Hasher {
	cores := max(1, runtime.GOMAXPROCS(0))
	return newHasher(cores, cores*waitersPerCore)
}

func newHasher(atOnce, waiting int) *Hasher {
	return &Hasher{
		turns:   make(chan struct{}, atOnce),
		waiting: make(chan struct{}, atOnce+waiting),
	}
}

// Hash returns the PHC string of a password, Argon2id. It fails with
// [ErrBusy] when the queue is full, and when ctx ends first.
func (h *Hasher) Hash(ctx context.Context, password string) (phc string, err error) {
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return hashPassword(password), nil
}

// Verify compares a password with a stored hash, Argon2id or bcrypt. Upgrade says
// that it is right and should be stored as [Hasher.Hash] makes it now. For a
// stored hash of "" (an unknown address) it spends the same time and says no.
//
// It fails as [Hasher.Hash] does, and for a stored hash that cannot be read;
// then too the time of one hash was spent.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (ok, upgrade bool, err error) {
	done, err := h.turn(ctx)
	if err != nil {
		return false, false, err
	}
	defer done()
	if len(password) > maxPasswordBytes {
		password = "" // right for nobody, and not worth normalising
	}
	if stored == "" {
		_, _, err = verifyPassword(dummyHash(), password)
		return false, false, err
	}
	ok, upgrade, err = verifyPassword(stored, password)
	if err != nil {
		_, _, _ = verifyPassword(dummyHash(), password)
	}
	return ok, upgrade, err
}

// turn waits until this caller may hash, and returns how to end its turn.
func (h *Hasher) turn(ctx context.Context) (done func(), err error) {
	select {
	case h.waiting <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns; <-h.waiting }, nil
	case <-ctx.Done():
		<-h.waiting
		return nil, ctx.Err()
	}
}

// Waiting returns how many callers wait for their turn.
func (h *Hasher) Waiting() int { return max(0, len(h.waiting)-len(h.turns)) }
