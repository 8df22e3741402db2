package portal

import (
	"context"
	"time"
)

// User is a person with an address and a password.
type User struct {
	ID            string // usr_…
	Name          string
	Email         string // as the person wrote it
	EmailKey      string // the address as it is compared, see [EmailKey]; unique
	PasswordHash  string // PHC string
	PlatformAdmin bool   // sees all teams
	LastTeam      string // id of the team looked at last, "" for none; they may have left it
	CreatedAt     time.Time
	VerifiedAt    time.Time
	DisabledAt    time.Time // zero: enabled
	Version       int64     // counts changes, for conditional writes
}

// UserStore is what users need from storage.
type UserStore interface {
	InsertUser(ctx context.Context, u User) error // NameTaken: the address has an account
	// ReplaceUser also brings the standing of the tokens that the person made in
	// step: a disabled maker lends nothing.
	ReplaceUser(ctx context.Context, u User) error                  // NotFound; NameTaken
	User(ctx context.Context, id string) (User, error)              // NotFound
	UserByEmail(ctx context.Context, emailKey string) (User, error) // NotFound
	Users(ctx context.Context, ids []string) ([]User, error)        // those found, in no order
	// DeleteUser removes the person with sessions and memberships. Tokens they
	// made stay, with the standing of a maker who is gone.
	DeleteUser(ctx context.Context, id string) error // NotFound
}
