package portal

import (
	"context"
	"time"
)

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
	// Signups lists those for an address, newest first, at most 20: of one browser,
	// or with "" of all.
	Signups(ctx context.Context, emailKey, browserHash string) ([]Signup, error)
	DeleteSignups(ctx context.Context, emailKey string) error // none is fine
}
