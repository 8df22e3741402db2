package api

// CreateToken is the body of POST /portal/v1/teams/{team}/tokens.
type CreateToken struct {
	Name      string     `json:"name" validate:"required,plain,no_secret,max=100"`
	Env       string     `json:"env" validate:"required,oneof=live test"`
	Abilities *[]string  `json:"abilities" validate:"required,max=256,dive,ability"` // may be empty: a powerless token
	ExpiresAt Time       `json:"expires_at"`                                         // null: the default lifetime
	NeverEnds bool       `json:"never_expires"`                                      // only if policy allows
	NotBefore Time       `json:"not_before"`
	Addresses []string   `json:"addresses" validate:"max=50,dive,address"` // none: from anywhere
	RateLimit *RateLimit `json:"rate_limit"`                               // null: the default
	Note      string     `json:"note" validate:"multiline,no_secret,max=1000"`
}

// RateLimit is a number of requests in a number of seconds.
type RateLimit struct {
	Quota         int `json:"quota" validate:"min=1,max=1000000"`
	WindowSeconds int `json:"window_seconds" validate:"min=1,max=86400"`
}

// UpdateToken is the merge patch of PATCH …/tokens/{id}, with If-Match.
type UpdateToken struct {
	Name      Optional[string]    `json:"name,omitzero" patch:"keep"`
	Note      Optional[string]    `json:"note,omitzero"`
	Abilities Optional[[]string]  `json:"abilities,omitzero" patch:"keep"`
	Addresses Optional[[]string]  `json:"addresses,omitzero"`
	RateLimit Optional[RateLimit] `json:"rate_limit,omitzero"` // null: the default
	ExpiresAt Optional[Time]      `json:"expires_at,omitzero"` // null: never, if policy allows
}

// RotateToken is the body of POST …/rotate.
type RotateToken struct {
	OverlapSeconds *int   `json:"overlap_seconds" validate:"omitempty,min=0,max=604800"` // null: a day
	Activate       string `json:"activate" validate:"omitempty,oneof=on_first_use now"`  // "": on_first_use
}

// Reason is the body of suspend, resume and revoke.
type Reason struct {
	Reason string `json:"reason" validate:"omitempty,oneof=superseded compromised unused left_team other"`
	Note   string `json:"note" validate:"multiline,no_secret,max=1000"`
}

// RevokeAll is the body of POST …/tokens/revoke-all; with Maker, only of that
// member's tokens.
type RevokeAll struct {
	Reason string `json:"reason" validate:"omitempty,oneof=superseded compromised unused left_team other"`
	Maker  string `json:"maker" validate:"max=64"`
}

// The statuses of a token.
const (
	TokenPending   = "pending" // not_before lies ahead
	TokenActive    = "active"
	TokenSuspended = "suspended"
	TokenExpired   = "expired"
	TokenRevoked   = "revoked"
)

// The statuses of a generation.
const (
	GenerationPending   = "pending" // made, not used yet
	GenerationActive    = "active"
	GenerationRetiring  = "retiring" // still valid until ends_at
	GenerationRetired   = "retired"
	GenerationCancelled = "cancelled"
)

// Token is an integration's credential, without its secret.
type Token struct {
	ID            string       `json:"id"` // the lookup part of the secret, 12 characters
	Name          string       `json:"name"`
	Note          string       `json:"note"`
	Team          string       `json:"team"`
	Env           string       `json:"env"` // live, test
	Abilities     []string     `json:"abilities"`
	Status        string       `json:"status"`
	CreatedAt     Time         `json:"created_at"`
	CreatedBy     Person       `json:"created_by"`
	ExpiresAt     Time         `json:"expires_at"` // null: never
	NotBefore     Time         `json:"not_before"`
	Addresses     []string     `json:"addresses"`
	RateLimit     RateLimit    `json:"rate_limit"`       // in force
	Limits        []Limit      `json:"limits,omitempty"` // the same with what remains, in the process that answers; not in lists
	LastUsedAt    Time         `json:"last_used_at"`
	LastUsedFrom  *string      `json:"last_used_from"`
	Generations   []Generation `json:"generations"` // newest last
	RevokedAt     Time         `json:"revoked_at"`
	RevokedBy     *Person      `json:"revoked_by"`
	RevokeReason  *string      `json:"revoke_reason"`
	SuspendedAt   Time         `json:"suspended_at"`
	SuspendReason *string      `json:"suspend_reason"`
	MayManage     bool         `json:"may_manage"`             // the asking person may change it
	Calls7Days    []int        `json:"calls_7_days,omitempty"` // in lists: calls per day, today last
}

// Person names a user where only that is known.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Generation is one secret of a token.
type Generation struct {
	Number         int     `json:"number"`
	Status         string  `json:"status"`
	CreatedAt      Time    `json:"created_at"`
	ActivatedAt    Time    `json:"activated_at"`
	EndsAt         Time    `json:"ends_at"`         // null: with the token
	OverlapSeconds int     `json:"overlap_seconds"` // how long its predecessor works on once it is used
	LastUsedAt     Time    `json:"last_used_at"`
	LastUsedFrom   *string `json:"last_used_from"`
	LastClient     *string `json:"last_client"` // user agent
}

// IssuedToken answers creation and rotation: the only bodies that ever hold a
// secret. A replayed request gets it without the secret.
type IssuedToken struct {
	Token  Token  `json:"token"`
	Secret string `json:"secret,omitempty"`
}

// Receipt proves a change of state: at which revision of the team it was made.
type Receipt struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	At     Time   `json:"at"`
	Rev    int64  `json:"rev"`
}

// RevokedAll answers revoke-all.
type RevokedAll struct {
	Revoked int   `json:"revoked"`
	Rev     int64 `json:"rev"`
}

// WhoAmI answers GET /api/v1/token: the token that asks.
type WhoAmI struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Team       Person     `json:"team"` // id and name
	Env        string     `json:"env"`
	Abilities  []string   `json:"abilities"` // effective now
	Addresses  []string   `json:"addresses"`
	CreatedAt  Time       `json:"created_at"`
	ExpiresAt  Time       `json:"expires_at"`
	ExpiresIn  *int64     `json:"expires_in"` // seconds, null: never
	LastUsedAt Time       `json:"last_used_at"`
	Limits     []Limit    `json:"limits"`
	Generation Generation `json:"generation"`
	Warnings   []string   `json:"warnings"` // sentences
	Rev        int64      `json:"rev"`
}

// Limit is a request limit with what remains of it.
type Limit struct {
	Name          string `json:"name"`
	Quota         int    `json:"quota"`
	WindowSeconds int    `json:"window_seconds"`
	Remaining     int    `json:"remaining"`
	ResetSeconds  int    `json:"reset_seconds"`
}
