package portal

import (
	"context"
	"time"
)

// Session is one browser signed in.
type Session struct {
	ID         string // ses_…, public
	Hash       string // keyed hash of the cookie; unique
	User       string
	CreatedAt  time.Time
	LastSeenAt time.Time // to the minute
	ExpiresAt  time.Time // absolute
	FreshUntil time.Time // zero: the password is due
	Address    string
	UserAgent  string
}

// SessionStore is what sessions need from storage.
type SessionStore interface {
	InsertSession(ctx context.Context, s Session) error
	SessionByHash(ctx context.Context, hash string) (Session, error) // NotFound
	// HoldSession reads a session of a person for the transaction that acts for
	// it: until that has ended, no other one changes the session or ends it.
	HoldSession(ctx context.Context, user, hash string) (Session, error) // NotFound
	ReplaceSession(ctx context.Context, s Session) error                 // by Hash; NotFound
	Sessions(ctx context.Context, user string) ([]Session, error)        // newest first
	DeleteSession(ctx context.Context, user, id string) error            // NotFound
	// DeleteSessions ends the sessions of a person but the one with the id
	// except ("" for all) and says how many.
	DeleteSessions(ctx context.Context, user, except string) (int, error)
}
