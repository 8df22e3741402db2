package portal

import (
	"context"
	"time"
)

// Team is a tenant: one partner organisation.
type Team struct {
	ID        string // tea_…
	Name      string
	Platform  bool // the operator's own; at most one is
	CreatedAt time.Time
	Policy    TeamPolicy
	Rev       int64 // seq of the event that changed it last, for conditional writes
}

// TeamPolicy narrows what the tokens of one team may do.
type TeamPolicy struct {
	// Abilities that tokens of the team may use; nil means all that the
	// catalogue has, an empty list none.
	Abilities []string
}

// TeamStore is what teams need from storage.
type TeamStore interface {
	InsertTeam(ctx context.Context, t Team) error
	// ReplaceTeam also brings the standing of all its tokens in step.
	ReplaceTeam(ctx context.Context, t Team) error               // NotFound
	Team(ctx context.Context, id string) (Team, error)           // NotFound
	Teams(ctx context.Context, ids []string) ([]Team, error)     // those found, in no order
	TeamsNamed(ctx context.Context, name string) ([]Team, error) // for operators
	PlatformTeam(ctx context.Context) (Team, error)              // NotFound
	// DeleteTeam removes the team with members, orders, names, calls and sums,
	// and leaves its tokens as tombstones revoked at the given time. Its events
	// stay.
	DeleteTeam(ctx context.Context, id string, at time.Time) error // NotFound
}
