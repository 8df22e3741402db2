package portal

import (
	"context"
	"time"
)

// Order is the reference resource of the public API: real, stored, separate per
// team and environment.
type Order struct {
	ID          string // ord_…
	Team        string
	Env         Env
	Reference   string
	Currency    string // ISO 4217
	AmountMinor int64
	Lines       []OrderLine
	CreatedAt   time.Time
	UpdatedAt   time.Time
	CancelledAt time.Time // zero: open
	Version     int64     // from 1, counts changes
}

// OrderLine is one line of an order. Amounts are in the minor unit.
type OrderLine struct {
	SKU         string
	Description string
	Quantity    int64
	AmountMinor int64
}

// OrderStore is what orders need from storage.
type OrderStore interface {
	InsertOrder(ctx context.Context, o Order) error
	// ReplaceOrder stores o if the stored version is o.Version-1.
	ReplaceOrder(ctx context.Context, o Order) error                           // NotFound; Changed
	Order(ctx context.Context, team string, env Env, id string) (Order, error) // NotFound
	// Orders lists newest first (by ID, descending); after is the last ID of
	// the page before, or "".
	Orders(ctx context.Context, team string, env Env, after string, limit int) ([]Order, error)
}
