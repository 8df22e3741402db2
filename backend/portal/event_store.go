package portal

import (
	"context"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

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
