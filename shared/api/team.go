package api

// CreateTeam is the body of POST /portal/v1/teams; the maker becomes its owner.
type CreateTeam struct {
	Name string `json:"name" validate:"required,plain,no_secret,max=100"`
}

// UpdateTeam is the merge patch of PATCH /portal/v1/teams/{team}, with If-Match.
type UpdateTeam struct {
	Name Optional[string] `json:"name,omitzero" patch:"keep"`
}

// Team is a tenant.
type Team struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Platform  bool   `json:"platform"` // the operator's own team
	CreatedAt Time   `json:"created_at"`
	Rev       int64  `json:"rev"` // seq of its newest audit event
}

// Member is a person in a team, at GET /portal/v1/teams/{team}/members.
type Member struct {
	ID       string `json:"id"` // of the user
	Name     string `json:"name"`
	Email    string `json:"email"`
	Role     string `json:"role"`
	JoinedAt Time   `json:"joined_at"`
}

// Catalogue answers GET /portal/v1/catalogue.
type Catalogue struct {
	Abilities []Ability   `json:"abilities"`
	Defaults  []string    `json:"defaults"`
	Roles     []Role      `json:"roles"`
	Tokens    TokenPolicy `json:"tokens"`
}

// Ability is one permission of the catalogue.
type Ability struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Risk        string `json:"risk"` // low, medium, high
	Resource    string `json:"resource"`
	Action      string `json:"action"`
	Platform    bool   `json:"platform"`
}

// Role is a role with what its members may put on a token.
type Role struct {
	Name   string   `json:"name"`
	Grants []string `json:"grants"`
}

// TokenPolicy is what the deployment allows of tokens.
type TokenPolicy struct {
	DefaultLifetimeDays int       `json:"default_lifetime_days"`
	MaxLifetimeDays     int       `json:"max_lifetime_days"` // 0: may never expire
	MaxPerTeam          int       `json:"max_per_team"`
	DefaultRateLimit    RateLimit `json:"default_rate_limit"`
	MaxRateLimit        RateLimit `json:"max_rate_limit"`
	MaxOverlapSeconds   int       `json:"max_overlap_seconds"`
}
