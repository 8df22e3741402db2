package portal

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// defaultOverlap is how long the old secret lives on when nobody says.
const defaultOverlap = 24 * time.Hour

// Rotation says how a token moves to a new secret.
type Rotation struct {
	Overlap *time.Duration // how long the old secret lives on; nil: a day
	Now     bool           // start that clock now, not at the first use of the new secret
}

// RotateToken adds a secret to a token and returns it; the old one stays valid
// until the overlap is over, and the overlap begins when the new one is first
// used. A rotation that waits for its first use is cancelled by the next one.
// Two secrets are valid at a time: when the overlap of a rotation begins, that
// of the one before it ends.
//
// It fails with Invalid, RoleNotAllowed, NotFresh, and Conflict if the token has
// ended.
func (p *Portal) RotateToken(ctx context.Context, who Person, team, id string, how Rotation) (TokenView, string, error) {
	if _, err := p.member(ctx, who, team, ViewTokens); err != nil {
		return TokenView{}, "", err
	}
	var text string
	v, err := p.changeToken(ctx, who, team, id, func(ctx context.Context, _ Member, t *Token) (string, map[string]any, error) {
		if err := p.fresh(who); err != nil {
			return "", nil, err
		}
		var data map[string]any
		var err error
		text, data, err = p.rotate(ctx, t, who.User.ID, who.Origin, how)
		return audit.TokenRotationStarted, data, err
	})
	if err != nil {
		return TokenView{}, "", err
	}
	return v, text, nil
}

// rotate adds a generation to t, inside a transaction, and returns its secret
// and the data of the event.
func (p *Portal) rotate(ctx context.Context, t *Token, actor string, from Origin, how Rotation) (string, map[string]any, error) {
	now := p.clock()
	if err := ended(t, now); err != nil {
		return "", nil, err
	}
	overlap := defaultOverlap
	if how.Overlap != nil {
		overlap = *how.Overlap
	}
	if most := p.catalogue.Tokens.MaxOverlap; how.Overlap == nil {
		overlap = min(overlap, most)
	} else if overlap < 0 || overlap > most || overlap%time.Second != 0 {
		return "", nil, invalid(FieldError{
			Pointer: "#/overlap_seconds", Code: "max",
			Detail: fmt.Sprintf("The overlap is from 0 to %d whole seconds.", int(most.Seconds())), Fix: "Choose a number within these bounds.",
		})
	}
	if g := t.pending(); g != nil {
		g.CancelledAt = now
		data := map[string]any{"generation": g.Number, "by": "another rotation"}
		if _, err := p.store.Append(ctx, p.event(t.Team, actor, audit.TokenRotationCancelled, t.ID, from, data)); err != nil {
			return "", nil, err
		}
	}
	text := secret.NewTokenFor(string(t.Env), t.ID)
	g := p.newGeneration(t.Generations[len(t.Generations)-1].Number+1, text, now)
	g.Overlap = overlap
	if !t.addGeneration(g, now) {
		return "", nil, &Error{
			Kind: Conflict, Code: "rotated-too-often", Detail: fmt.Sprintf("This token was rotated %d times within a day.", MaxGenerations-1),
			Fix: "Use the newest secret, or rotate again when a day has passed.",
		}
	}
	activate := "on_first_use"
	if how.Now {
		t.activate(g.Number, now)
		activate = "now"
	}
	return text, map[string]any{"generation": g.Number, "overlap_seconds": int(overlap.Seconds()), "activate": activate}, nil
}

// FinishRotation ends the overlap now: only the newest secret stays valid, also
// if it was not used yet. Conflict if no rotation is under way.
func (p *Portal) FinishRotation(ctx context.Context, who Person, team, id string) (TokenView, error) {
	return p.changeToken(ctx, who, team, id, func(_ context.Context, _ Member, t *Token) (string, map[string]any, error) {
		now := p.clock()
		if err := ended(t, now); err != nil {
			return "", nil, err
		}
		kept, ok := t.finish(now)
		if !ok {
			return "", nil, noRotation("There is no old secret to end.")
		}
		return audit.TokenRotationFinished, map[string]any{"generation": kept}, nil
	})
}

// finish ends every valid secret but the newest, whose number it returns; it is
// false if there is none to end.
func (t *Token) finish(now time.Time) (kept int, ok bool) {
	if g := t.pending(); g != nil {
		t.activate(g.Number, now)
		kept, ok = g.Number, true
	}
	for i := range t.Generations {
		switch g := &t.Generations[i]; g.Status(now) {
		case GenerationRetiring:
			g.EndsAt = now
			ok = true
		case GenerationActive:
			kept = g.Number
		}
	}
	return kept, ok
}

// UndoRotation cancels the new secret while it waits for its first use.
// Conflict if none does.
func (p *Portal) UndoRotation(ctx context.Context, who Person, team, id string) (TokenView, error) {
	return p.changeToken(ctx, who, team, id, func(_ context.Context, _ Member, t *Token) (string, map[string]any, error) {
		now := p.clock()
		if err := ended(t, now); err != nil {
			return "", nil, err
		}
		g := t.pending()
		if g == nil {
			return "", nil, noRotation("There is no new secret that waits for its first use.")
		}
		g.CancelledAt = now
		return audit.TokenRotationCancelled, map[string]any{"generation": g.Number}, nil
	})
}

func noRotation(detail string) error {
	return &Error{Kind: Conflict, Code: "no-rotation", Detail: detail, Fix: "Look at the token again: the rotation may be over."}
}
