package portal

import (
	"context"
	"time"
)

// Store is everything the rules need from storage; backend/mongo and
// backend/sqlite satisfy it, and backend/storetest is what they promise.
//
// Every method may be called by many goroutines at once. A context that ends
// ends the call. A store that cannot be reached answers [ErrUnavailable] (or an
// error that wraps it) before the context's deadline, and a closed store
// answers an error, never a hang. Times are stored to the millisecond in UTC;
// the zero time is stored as absent. Any string that is UTF-8 is stored as it
// is, NUL included, and ids are data, never operators.
type Store interface {
	// Atomically runs do in one transaction: all of its writes or none. The
	// context given to do carries the transaction; every method called with it
	// takes part. Inside a transaction Atomically joins it. When another writer
	// wins, do runs again from the start, so it touches nothing but the store
	// and what it sets anew each time. An error of do rolls back and is returned
	// as it is.
	Atomically(ctx context.Context, do func(ctx context.Context) error) error

	UserStore
	SignupStore
	SessionStore
	TeamStore
	MemberStore
	TokenStore
	OrderStore
	CallStore
	EventStore
	OnceStore
	IdempotentStore
	KeyStore

	// Prune removes at most limit records that are past their time and says how
	// many it removed; 0 means that nothing is left to remove.
	Prune(ctx context.Context, before PruneTimes, limit int) (int, error)
	// Empty reports that nobody has an account yet.
	Empty(ctx context.Context) (bool, error)
	// Ready reports that the store is reachable and its migrations are done.
	Ready(ctx context.Context) error
	Close() error
}

// PruneTimes says what is past its time: whatever ended before.
type PruneTimes struct {
	Now         time.Time // sessions, sign-ups, counters, idempotency keys
	Calls       time.Time
	Rollups     time.Time // hourly sums; daily ones go with Events
	Events      time.Time // whole chains keep their newest event
	EndedTokens time.Time
}
