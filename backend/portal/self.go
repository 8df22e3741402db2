package portal

import (
	"context"
	"fmt"
	"time"
)

// Self is a token as it sees itself.
type Self struct {
	TokenView
	TeamName   string
	Effective  []string   // what it may do now, in the order of the catalogue
	Generation Generation // whose secret was presented
	Window     LimitState // its limit with what remains
	Rev        int64      // of the team
	Warnings   []string   // sentences
}

// warnBefore is how long before its end a token is told about it.
const warnBefore = 30 * 24 * time.Hour

// WhoAmI describes the token that a decision allowed.
func (p *Portal) WhoAmI(ctx context.Context, d *Decision) (Self, error) {
	t := d.Token
	team, err := p.store.Team(ctx, t.Team)
	if err != nil {
		return Self{}, err
	}
	rev, _, err := p.store.Head(ctx, t.Team)
	if err != nil {
		return Self{}, err
	}
	own, lent := p.abilities(t)
	s := Self{
		TokenView: TokenView{Token: *t, Status: t.Status(d.At), Limit: t.limit(p.catalogue), At: d.At},
		TeamName:  team.Name, Effective: p.catalogue.Index().Names(own.And(lent)), Generation: *d.Generation,
		Window: d.Limit, Rev: rev, Warnings: []string{},
	}
	warn := func(format string, args ...any) { s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...)) }
	if left := t.ExpiresAt.Sub(d.At); !t.ExpiresAt.IsZero() && left < warnBefore {
		warn("This token expires on %s.", t.ExpiresAt.Format(time.DateOnly))
	}
	if g := d.Generation; !g.EndsAt.IsZero() {
		warn("This secret was rotated and ends at %s; move to the new one.", timeText(g.EndsAt))
	}
	if names := p.catalogue.Index().Names(own.Without(lent)); len(names) > 0 {
		warn("The role of the token's maker or the team's policy does not lend it %v any more.", names)
	}
	return s, nil
}

// RevokeSelf ends the token that a decision allowed. A repeat is refused at the
// door already.
func (p *Portal) RevokeSelf(ctx context.Context, d *Decision, from Origin) (Receipt, error) {
	t, err := p.changeSelf(ctx, d, from, "token.revoked", func(ctx context.Context, t *Token) (map[string]any, error) {
		_, err := p.revoke(ctx, t, t.ID, Reason{Reason: "other", Note: "by the token itself"}, p.clock())
		return map[string]any{"reason": "other", "note": "by the token itself"}, err
	})
	if err != nil {
		return Receipt{}, err
	}
	return p.receipt(ctx, &t, "token.revoked", p.clock())
}

// RotateSelf rotates the token that a decision allowed, as RotateToken does.
func (p *Portal) RotateSelf(ctx context.Context, d *Decision, how Rotation, from Origin) (TokenView, string, error) {
	var text string
	t, err := p.changeSelf(ctx, d, from, "token.rotation_started", func(ctx context.Context, t *Token) (map[string]any, error) {
		var data map[string]any
		var err error
		text, data, err = p.rotate(ctx, t, t.ID, from, how)
		return data, err
	})
	if err != nil {
		return TokenView{}, "", err
	}
	views, err := p.views(ctx, Member{}, Person{}, []Token{t})
	if err != nil {
		return TokenView{}, "", err
	}
	return views[0], text, nil
}

func (p *Portal) changeSelf(
	ctx context.Context, d *Decision, from Origin, action string,
	change func(ctx context.Context, t *Token) (map[string]any, error),
) (Token, error) {
	var t Token
	err := p.atomically(ctx, func(ctx context.Context) error {
		stored, err := p.store.Token(ctx, d.Token.Team, d.Token.ID)
		if err != nil {
			return err
		}
		t = stored.clone()
		if err := ended(&t, p.clock()); err != nil {
			return err
		}
		data, err := change(ctx, &t)
		if err != nil {
			return err
		}
		e, err := p.store.Append(ctx, p.event(t.Team, t.ID, action, t.ID, from, data))
		if err != nil {
			return err
		}
		t.Rev = e.Seq
		return p.replaceToken(ctx, t)
	})
	return t, err
}
