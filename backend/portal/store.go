package portal

import (
	"context"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
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
	TokenStore
	OrderStore
	CallStore
	EventStore
	OnceStore
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

// EventStore is what audit events need from storage.
type EventStore interface {
	// Append numbers the event after the newest of its chain, links it by hash
	// and stores it, inside the transaction of ctx (and only there). Appending
	// to a chain makes every other transaction that appends to it wait or run
	// again, so it is also the lock of all that belongs to the chain.
	Append(ctx context.Context, e audit.Event) (audit.Event, error)
	// Head returns the seq and hash of the newest event of a chain, 0 and
	// [audit.Genesis] if there is none.
	Head(ctx context.Context, chain string) (seq int64, hash string, err error)
	// Events lists newest first, or oldest first. Numbers in Data come back as
	// int64, lists as []any, objects as map[string]any.
	Events(ctx context.Context, f EventFilter) ([]audit.Event, error)
}

// EventFilter selects events of one chain. Zero fields select all.
type EventFilter struct {
	Chain    string
	Actions  []string // any of; "token." selects all that begin so
	Actor    string
	Targets  []string  // any of; nil: all, empty: none
	From, To time.Time // From <= At < To
	After    int64     // the seq after which the page begins; 0: at the start
	Limit    int       // 1 to 1001
	Oldest   bool      // oldest first, for verification and export
}

// OnceStore is what counting and happening only once need from storage. Rows
// vanish some time after they ended.
type OnceStore interface {
	// Once reports whether the key is new, and keeps it until the given time.
	// Of many callers at once exactly one gets true.
	Once(ctx context.Context, key string, now, until time.Time) (bool, error)
	// Hit adds n to a counter that begins anew when its window has ended, and
	// returns its value and when the window ends. n may be 0, to look.
	Hit(ctx context.Context, key string, n int64, window time.Duration, now time.Time) (count int64, ends time.Time, err error)
	ForgetCounter(ctx context.Context, key string) error // none is fine

	// BeginIdempotent stores r if its key is new or its lease ended, and
	// otherwise returns what is stored. The insert is the lock.
	BeginIdempotent(ctx context.Context, r Idempotent, now time.Time) (stored *Idempotent, err error)
	// FinishIdempotent stores the answer. Called inside the transaction of the
	// change itself, so that neither exists without the other. Conflict: it is
	// answered, by another who took this one for dead; its change must not
	// happen a second time.
	FinishIdempotent(ctx context.Context, r Idempotent) error
	// AbandonIdempotent frees the key of a request that failed. None is fine; an
	// answer that is stored stays, because a failed commit may have happened.
	AbandonIdempotent(ctx context.Context, key string) error
}

// Idempotent is one request that is answered once (Idempotency-Key).
type Idempotent struct {
	Key         string // hash of team, principal, method, route and the client's key
	Fingerprint string // hash of the body
	Done        bool
	Status      int
	Header      map[string]string // Location, ETag
	Body        []byte            // never with a secret
	LeaseUntil  time.Time         // of a request under way: when it counts as dead
	ExpiresAt   time.Time
}

// PruneTimes says what is past its time: whatever ended before.
type PruneTimes struct {
	Now         time.Time // sessions, sign-ups, counters, idempotency keys
	Calls       time.Time
	Rollups     time.Time // hourly sums; daily ones go with Events
	Events      time.Time // whole chains keep their newest event
	EndedTokens time.Time
}
