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

// Signup is a request for an account that is not verified yet. It holds the
// password of its own, so that whoever follows the mail gets the account that
// this sign-up asked for, or that their own browser asked for, and never a
// mixture.
type Signup struct {
	ID           string // sup_…
	Name         string
	Email        string
	EmailKey     string
	PasswordHash string
	TeamName     string
	CodeHash     string // of the code in the newest mail
	BrowserHash  string // of the cookie of the browser that signed up
	CreatedAt    time.Time
	ExpiresAt    time.Time
}

// SignupStore is what sign-ups need from storage.
type SignupStore interface {
	SaveSignup(ctx context.Context, s Signup) error                    // inserts or replaces by ID
	SignupByCode(ctx context.Context, codeHash string) (Signup, error) // NotFound
	Signups(ctx context.Context, emailKey string) ([]Signup, error)    // newest first, at most 20
	DeleteSignups(ctx context.Context, emailKey string) error          // none is fine
}

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
