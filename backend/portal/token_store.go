package portal

import (
	"context"
	"net/netip"
	"time"
)

// Env separates real data from trial data.
type Env string

// The two environments.
const (
	Live Env = "live"
	Test Env = "test"
)

// Token is an integration's credential: bound to one team, made by one member.
// Its status is computed from its times, see [Token.Status], never stored.
//
// A Token that was read is shared: whoever changes one clones it first.
type Token struct {
	ID            string // the lookup part of its secrets, 12 characters
	Team          string
	Name          string // unique among the living tokens of the team
	Note          string
	Env           Env
	Abilities     []string // sorted
	Addresses     []netip.Prefix
	RateLimit     RateLimit // zero: the catalogue's default
	Maker         string    // user id
	CreatedAt     time.Time
	ExpiresAt     time.Time // zero: never
	NotBefore     time.Time // zero: at once
	SuspendedAt   time.Time // zero: not suspended
	SuspendedBy   string
	SuspendReason string
	RevokedAt     time.Time // zero: not revoked
	RevokedBy     string
	RevokeReason  string
	RevokeNote    string
	FirstUsedAt   time.Time
	LastUsedAt    time.Time    // to the minute
	LastUsedFrom  string       // address
	Generations   []Generation // oldest first, at most MaxGenerations
	Rev           int64        // seq of the event with which somebody changed it last; a use does not
	Standing      Standing
}

// MaxGenerations is how many secrets of a token are remembered at most, so that a
// record stays small: those that work, and those whose use is an alarm. The
// oldest are forgotten beyond [usualGenerations], but none before it was dead for
// a day, or whoever has a secret could rotate the proof of it away.
const MaxGenerations = 64

const (
	usualGenerations = 8
	forgottenAfter   = 24 * time.Hour
)

// Standing is what other records say about a token. The store keeps it in step
// in the very transaction that changes them, so that one read answers all that
// a decision asks.
type Standing struct {
	MakerRole     Role     // "" if the maker left the team, is disabled or gone
	PlatformTeam  bool     // the team is the operator's own
	TeamAbilities []string // TeamPolicy.Abilities: nil means all
}

// Generation is one secret of a token.
type Generation struct {
	Number       int    // from 1
	KeyID        string // of the pepper
	MAC          [32]byte
	CreatedAt    time.Time
	ActivatedAt  time.Time     // zero: waits for its first use
	EndsAt       time.Time     // zero: with the token
	CancelledAt  time.Time     // zero: not cancelled
	Overlap      time.Duration // how long its predecessor lives on once it is used
	LastUsedAt   time.Time     // to the minute
	LastUsedFrom string
	LastClient   string // user agent, at most 200 bytes
}

// TokenStore is what tokens need from storage.
type TokenStore interface {
	InsertToken(ctx context.Context, t Token) error // Conflict: the id is taken
	// ReplaceToken stores every field but Standing, which stays as it is.
	ReplaceToken(ctx context.Context, t Token) error           // NotFound (by Team and ID)
	Token(ctx context.Context, team, id string) (Token, error) // NotFound
	Tokens(ctx context.Context, f TokenFilter) ([]Token, error)
	LivingTokens(ctx context.Context, team string, now time.Time) (int, error) // not revoked, not expired
	// TokenRecords reads the tokens with these ids, at most 100, whatever the
	// team, no older than the call (majority, from the primary). Those not
	// found are left out; the order is free. They are shared, and not to be
	// changed.
	TokenRecords(ctx context.Context, ids []string) ([]*Token, error)

	// ClaimName reserves a name for a token until it ends (zero: for ever).
	// NameTaken names the other token whose claim has not ended at now.
	ClaimName(ctx context.Context, c NameClaim, now time.Time) error
	ReleaseName(ctx context.Context, team, name, token string) error // none is fine
}

// NameClaim holds a name, as names are compared, for a living token.
type NameClaim struct {
	Team, Name, Token string
	EndsAt            time.Time
}

// TokenFilter selects and sorts the tokens of one team. Zero fields select all.
type TokenFilter struct {
	Team    string
	Status  []TokenStatus // any of; decided at Now
	Env     Env
	Ability string
	Maker   string
	Query   string // part of the name, case-insensitive, or a prefix of the id
	Sort    TokenSort
	After   *TokenCursor // the row after which the page begins
	Limit   int          // 1 to 101
	Now     time.Time
}

// TokenSort is the order of a list; ties are broken by ID, descending when the
// order is.
type TokenSort string

// The orders of a list of tokens. A token never used, or that never expires,
// comes last.
const (
	NewestFirst TokenSort = "-created_at"
	ByName      TokenSort = "name"          // by bytes
	ByLastUse   TokenSort = "-last_used_at" // newest use first
	ByExpiry    TokenSort = "expires_at"    // soonest first
)

// TokenCursor is the place of one token in a sorted list.
type TokenCursor struct {
	Time time.Time // the sort key of NewestFirst, ByLastUse and ByExpiry, zero if absent
	Name string    // the sort key of ByName
	ID   string
}

// TokenStatus is what a token is at an instant.
type TokenStatus string

// The statuses of a token. Where several hold, the first of revoked, expired,
// suspended, pending is the status.
const (
	StatusPending   TokenStatus = "pending" // NotBefore lies ahead
	StatusActive    TokenStatus = "active"
	StatusSuspended TokenStatus = "suspended"
	StatusExpired   TokenStatus = "expired"
	StatusRevoked   TokenStatus = "revoked"
)
