package portal

import (
	"slices"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/ability"
)

// Catalogue is the deployment's list of abilities with what goes with them:
// defaults, what each role may grant, token policy, limits and retention. It is
// read from one file at start, checked there, and not changed afterwards.
type Catalogue struct {
	Abilities []Ability // in the order of the file, names distinct, at most ability.MaxAbilities
	Defaults  []string  // pre-ticked when a token is made; none is a platform ability
	Grants    map[Role][]string
	Tokens    TokenRules
	Retention Retention

	index    *ability.Index
	grants   map[Role]ability.Set
	platform ability.Set
}

// Ability is one permission to act, as the catalogue describes it.
type Ability struct {
	Name        string // resource:action
	Title       string // "Read orders"
	Description string // a sentence for whoever grants it
	Risk        ability.Risk
	Platform    bool // only tokens of the platform team may hold it
}

// TokenRules bound what a token may be.
type TokenRules struct {
	DefaultLifetime time.Duration // of a token whose maker says nothing
	MaxLifetime     time.Duration // from the making; 0 means that a token may never expire
	MaxPerTeam      int           // living tokens
	DefaultLimit    RateLimit     // of a token that has none of its own
	MaxLimit        RateLimit     // the highest rate that a maker may choose
	MaxOverlap      time.Duration // of a rotation, at most 7 days
}

// RateLimit allows Quota requests in every Window, spread evenly, with bursts
// up to the Quota. The zero value means none of its own.
type RateLimit struct {
	Quota  int
	Window time.Duration // whole seconds
}

// Retention says how long records are kept.
type Retention struct {
	Calls       time.Duration // records of single calls; daily sums are kept as long as events
	Events      time.Duration
	EndedTokens time.Duration // tombstones of revoked and expired tokens
}

// Prepare numbers the abilities. It is called once, after the fields were
// filled and checked, before the catalogue is used.
func (c *Catalogue) Prepare() *Catalogue {
	names := make([]string, len(c.Abilities))
	for i, a := range c.Abilities {
		names[i] = a.Name
	}
	c.index = ability.NewIndex(names)
	c.grants = make(map[Role]ability.Set, len(c.Grants))
	for role, granted := range c.Grants {
		c.grants[role] = c.index.Set(granted)
	}
	for _, a := range c.Abilities {
		if a.Platform {
			n, _ := c.index.Number(a.Name)
			c.platform.Add(n)
		}
	}
	return c
}

// Ability returns the ability of that name and whether the catalogue has it.
func (c *Catalogue) Ability(name string) (Ability, bool) {
	n, ok := c.index.Number(name)
	if !ok {
		return Ability{}, false
	}
	return c.Abilities[n], true
}

// Index returns the numbers of the abilities.
func (c *Catalogue) Index() *ability.Index { return c.index }

// MayGrant reports whether members of the role may put the ability on a token.
// It also decides what their tokens can do: a role that may not grant an
// ability does not lend it to the tokens it made before.
func (c *Catalogue) MayGrant(role Role, name string) bool {
	return slices.Contains(c.Grants[role], name)
}

// Grantable returns the set of what tokens made by members of the role may hold,
// for the platform team or for any other.
func (c *Catalogue) Grantable(role Role, platformTeam bool) ability.Set {
	granted := c.grants[role]
	if !platformTeam {
		granted = granted.Without(c.platform)
	}
	return granted
}
