package portal

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// Reason is why a token is stopped or started again.
type Reason struct {
	Reason string // one of Reasons, or ""
	Note   string // at most 1000 characters
}

// Reasons lists why a token may be stopped.
var Reasons = []string{"superseded", "compromised", "unused", "left_team", "other"}

func (w Reason) check() error {
	var r rules
	if w.Reason != "" && !slices.Contains(Reasons, w.Reason) {
		r.add("#/reason", "oneof", "A reason is one of "+strings.Join(Reasons, ", ")+".", "Choose one of them, or leave it out.")
	}
	r.note(w.Note)
	return r.err()
}

// Receipt proves a change of state: from the revision Rev of the team on, which
// is the seq of the event that recorded it.
type Receipt struct {
	ID     string
	Status TokenStatus
	At     time.Time
	Rev    int64
}

// SuspendToken stops a token until it is resumed. A repeat answers the same
// receipt. Conflict if the token has ended.
func (p *Portal) SuspendToken(ctx context.Context, who Person, team, id string, why Reason) (Receipt, error) {
	return p.changeState(ctx, who, team, id, audit.TokenSuspended, why, func(_ context.Context, t *Token, now time.Time) (bool, error) {
		if err := ended(t, now); err != nil || !t.SuspendedAt.IsZero() {
			return false, err
		}
		t.SuspendedAt, t.SuspendedBy, t.SuspendReason = now, who.User.ID, why.Reason
		return true, nil
	})
}

// ResumeToken lets a suspended token pass again; it needs a fresh sign-in. A
// repeat answers the same receipt. Conflict if the token has ended or was never
// suspended.
func (p *Portal) ResumeToken(ctx context.Context, who Person, team, id string, why Reason) (Receipt, error) {
	return p.changeState(ctx, who, team, id, audit.TokenResumed, why, func(_ context.Context, t *Token, now time.Time) (bool, error) {
		if err := ended(t, now); err != nil || t.SuspendedAt.IsZero() {
			return false, err
		}
		if err := p.fresh(who); err != nil {
			return false, err
		}
		t.SuspendedAt, t.SuspendedBy, t.SuspendReason = time.Time{}, "", ""
		return true, nil
	})
}

// RevokeToken ends a token for ever: every request that starts after the answer
// is refused, in every process. A repeat answers the same receipt.
func (p *Portal) RevokeToken(ctx context.Context, who Person, team, id string, why Reason) (Receipt, error) {
	return p.changeState(ctx, who, team, id, audit.TokenRevoked, why, func(ctx context.Context, t *Token, now time.Time) (bool, error) {
		return p.revoke(ctx, t, who.User.ID, why, now)
	})
}

// revoke marks t, inside a transaction, and says whether it was not yet.
func (p *Portal) revoke(ctx context.Context, t *Token, by string, why Reason, now time.Time) (bool, error) {
	if !t.RevokedAt.IsZero() {
		return false, nil
	}
	t.RevokedAt, t.RevokedBy, t.RevokeReason, t.RevokeNote = now, by, why.Reason, why.Note
	return true, p.store.ReleaseName(ctx, t.Team, nameKey(t.Name), t.ID)
}

// changeState applies one change of state and answers its receipt; when it was
// made before, the receipt of then.
func (p *Portal) changeState(
	ctx context.Context, who Person, team, id, action string, why Reason,
	change func(ctx context.Context, t *Token, now time.Time) (changed bool, err error),
) (Receipt, error) {
	if _, err := p.member(ctx, who, team, ViewTokens); err != nil {
		return Receipt{}, err
	}
	if err := why.check(); err != nil {
		return Receipt{}, err
	}
	v, err := p.changeToken(ctx, who, team, id, func(ctx context.Context, _ Member, t *Token) (string, map[string]any, error) {
		changed, err := change(ctx, t, p.clock())
		if err != nil || !changed {
			return "", nil, err
		}
		return action, map[string]any{"reason": why.Reason, "note": why.Note}, nil
	})
	if err != nil {
		return Receipt{}, err
	}
	return p.receipt(ctx, &v.Token, action, v.At)
}

// receipt proves the newest change of this kind. That of a revocation is in the
// token itself, which no change follows; the others are found by their event.
func (p *Portal) receipt(ctx context.Context, t *Token, action string, now time.Time) (Receipt, error) {
	r := Receipt{ID: t.ID, Status: t.Status(now), At: t.RevokedAt, Rev: t.Rev}
	if action == audit.TokenRevoked {
		return r, nil
	}
	events, err := p.store.Events(ctx, EventFilter{Chain: t.Team, Actions: []string{action}, Targets: []string{t.ID}, Limit: 1})
	switch {
	case err != nil:
		return Receipt{}, err
	case len(events) > 0:
		r.At, r.Rev = events[0].At, events[0].Seq
	case action == audit.TokenSuspended: // so long ago that the event is past its retention
		r.At = t.SuspendedAt
	default:
		return Receipt{}, &Error{Kind: Conflict, Code: "not-suspended", Detail: "This token is not suspended.", Fix: "Look at the token again."}
	}
	return r, nil
}

// revokeAtOnce is how many tokens one transaction of [Portal.RevokeAll] ends.
const revokeAtOnce = 100

// RevokeAll ends every token of a team, or those that one member made. It
// answers how many it ended and the revision of the last; should it fail half
// way, those it ended stay ended, and a repeat ends the rest.
func (p *Portal) RevokeAll(ctx context.Context, who Person, team, maker string, why Reason) (count int, rev int64, err error) {
	if _, err := p.member(ctx, who, team, RevokeEvery); err != nil {
		return 0, 0, err
	}
	if err := why.check(); err != nil {
		return 0, 0, err
	}
	if rev, _, err = p.store.Head(ctx, team); err != nil {
		return 0, 0, err
	}
	for {
		n, last := 0, rev
		err = p.atomically(ctx, func(ctx context.Context) error {
			n, last = 0, rev
			if _, err := p.member(ctx, who, team, RevokeEvery); err != nil {
				return err
			}
			now := p.clock()
			tokens, err := p.store.Tokens(ctx, TokenFilter{
				Team: team, Maker: maker, Status: []TokenStatus{StatusActive, StatusPending, StatusSuspended},
				Sort: NewestFirst, Limit: revokeAtOnce, Now: now,
			})
			if err != nil {
				return err
			}
			for _, stored := range tokens {
				t := stored.clone()
				if _, err := p.revoke(ctx, &t, who.User.ID, why, now); err != nil {
					return err
				}
				data := map[string]any{"reason": why.Reason, "note": why.Note, "all": true}
				e, err := p.appendAs(ctx, who, team, audit.TokenRevoked, t.ID, data)
				if err != nil {
					return err
				}
				t.Rev, last = e.Seq, e.Seq
				if err := p.replaceToken(ctx, t); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil || n == 0 {
			return count, rev, err
		}
		count, rev = count+n, last
	}
}
