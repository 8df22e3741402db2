package portal

import (
	"slices"
	"time"
)

// Status returns what the token is at an instant. It ends, and begins, exactly
// at its times.
func (t *Token) Status(now time.Time) TokenStatus {
	switch {
	case !t.RevokedAt.IsZero():
		return StatusRevoked
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return StatusExpired
	case !t.SuspendedAt.IsZero():
		return StatusSuspended
	case now.Before(t.NotBefore):
		return StatusPending
	default:
		return StatusActive
	}
}

// living reports whether the token can still be used one day: it holds its name
// and can be changed.
func (t *Token) living(now time.Time) bool {
	s := t.Status(now)
	return s != StatusRevoked && s != StatusExpired
}

// limit returns the request limit in force.
func (t *Token) limit(c *Catalogue) RateLimit {
	if t.RateLimit.Quota > 0 {
		return t.RateLimit
	}
	return c.Tokens.DefaultLimit
}

// clone returns a copy that may be changed.
func (t *Token) clone() Token {
	c := *t
	c.Abilities = slices.Clone(t.Abilities)
	c.Addresses = slices.Clone(t.Addresses)
	c.Generations = slices.Clone(t.Generations)
	return c
}

// GenerationStatus is what one secret of a token is at an instant.
type GenerationStatus string

// The statuses of a generation.
const (
	GenerationPending   GenerationStatus = "pending"  // waits for its first use
	GenerationActive    GenerationStatus = "active"   // valid, with no end of its own
	GenerationRetiring  GenerationStatus = "retiring" // valid until EndsAt
	GenerationRetired   GenerationStatus = "retired"
	GenerationCancelled GenerationStatus = "cancelled" // undone before its first use
)

// Status returns what the generation is at an instant, whatever its token is.
func (g *Generation) Status(now time.Time) GenerationStatus {
	switch {
	case !g.CancelledAt.IsZero():
		return GenerationCancelled
	case g.ActivatedAt.IsZero():
		return GenerationPending
	case g.EndsAt.IsZero():
		return GenerationActive
	case now.Before(g.EndsAt):
		return GenerationRetiring
	default:
		return GenerationRetired
	}
}

// dead reports that the secret must not be in use any more: to see it is an
// alarm.
func (g *Generation) dead(now time.Time) bool {
	s := g.Status(now)
	return s == GenerationRetired || s == GenerationCancelled
}

// pending returns the generation that waits for its first use, or nil.
func (t *Token) pending() *Generation {
	if n := len(t.Generations); n > 0 && t.Generations[n-1].CancelledAt.IsZero() && t.Generations[n-1].ActivatedAt.IsZero() {
		return &t.Generations[n-1]
	}
	return nil
}

// activate starts the life of a generation and the overlap clock of the one
// before it, which ends with the token at the latest. A still older one that is
// retiring ends at once: two secrets are valid at a time, never more.
func (t *Token) activate(number int, now time.Time) {
	g := t.generation(number)
	g.ActivatedAt = now
	ends := now.Add(g.Overlap)
	if !t.ExpiresAt.IsZero() && ends.After(t.ExpiresAt) {
		ends = t.ExpiresAt
	}
	for i := range t.Generations {
		switch old := &t.Generations[i]; {
		case old.Number >= number:
		case old.Status(now) == GenerationActive:
			old.EndsAt = ends
		case old.Status(now) == GenerationRetiring:
			old.EndsAt = now
		}
	}
}

func (t *Token) generation(number int) *Generation {
	for i := range t.Generations {
		if t.Generations[i].Number == number {
			return &t.Generations[i]
		}
	}
	return nil
}

// expirySoon is how long before its end a token is told about it.
const expirySoon = 30 * 24 * time.Hour

// ExpiresSoon reports whether the end of the token is near enough at an instant to
// be told of with each answer.
func (t *Token) ExpiresSoon(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && t.ExpiresAt.Sub(now) <= expirySoon
}

// addGeneration appends a generation, and forgets the oldest that may be
// forgotten. It is false, and nothing changes, if there is no room for one more.
func (t *Token) addGeneration(g Generation, now time.Time) bool {
	for i := 0; i < len(t.Generations) && len(t.Generations) >= usualGenerations; {
		if old := &t.Generations[i]; old.dead(now) && !now.Before(old.diedAt().Add(forgottenAfter)) {
			t.Generations = slices.Delete(t.Generations, i, i+1)
		} else {
			i++
		}
	}
	if len(t.Generations) >= MaxGenerations {
		return false
	}
	t.Generations = append(t.Generations, g)
	return true
}

// diedAt returns when a dead generation became so.
func (g *Generation) diedAt() time.Time {
	if !g.CancelledAt.IsZero() {
		return g.CancelledAt
	}
	return g.EndsAt
}
