package portal

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// Self is a token as it sees itself. It points into the decision, so that an
// answer costs no copy of a record.
type Self struct {
	*Token
	At         time.Time
	Window     *LimitState
	TeamName   string
	Effective  []string    // what it may do now, in the order of the catalogue
	Generation *Generation // whose secret was presented
	Warnings   []string    // sentences
}

const teamNameFor = 10 * time.Second

// WhoAmI describes the token that a decision allowed, out of the record that the
// decision read. Only the name of the team is not in it, and may be up to ten
// seconds old.
func (p *Portal) WhoAmI(ctx context.Context, d *Decision) (Self, error) {
	t := d.Token
	name, err := p.teamName(ctx, t.Team, d.At)
	if err != nil {
		return Self{}, err
	}
	s := Self{
		Token: t, At: d.At, Window: &d.Limit, TeamName: name,
		Effective: p.catalogue.Index().Names(d.Effective), Generation: d.Generation,
	}
	if t.ExpiresSoon(d.At) {
		s.Warnings = append(s.Warnings, "This token expires on "+t.ExpiresAt.Format(time.DateOnly)+".")
	}
	if g := d.Generation; !g.EndsAt.IsZero() {
		s.Warnings = append(s.Warnings, "This secret was rotated and ends at "+timeText(g.EndsAt)+"; move to the new one.")
	}
	if gone := d.Own.Without(d.Effective); !gone.Empty() {
		names := strings.Join(p.catalogue.Index().Names(gone), ", ")
		s.Warnings = append(s.Warnings, "The role of the token's maker or the team's policy does not lend it "+names+" any more.")
	}
	return s, nil
}

// teamName reads the name of a team at most every ten seconds: it is shown, and
// decides nothing.
func (p *Portal) teamName(ctx context.Context, team string, now time.Time) (string, error) {
	if name, ok := p.teamNames.get(team, now); ok {
		return name, nil
	}
	t, err := p.store.Team(ctx, team)
	if err != nil {
		return "", err
	}
	p.teamNames.put(team, t.Name, now.Add(teamNameFor))
	return t.Name, nil
}

// RevokeSelf ends the token that a decision allowed. A repeat is refused at the
// door already.
func (p *Portal) RevokeSelf(ctx context.Context, d *Decision, from Origin) (Receipt, error) {
	t, err := p.changeSelf(ctx, d, from, audit.TokenRevoked, func(ctx context.Context, t *Token) (map[string]any, error) {
		_, err := p.revoke(ctx, t, t.ID, Reason{Reason: "other", Note: "by the token itself"}, p.clock())
		return map[string]any{"reason": "other", "note": "by the token itself"}, err
	})
	if err != nil {
		return Receipt{}, err
	}
	return p.receipt(ctx, &t, audit.TokenRevoked, p.clock())
}

// RotateSelf rotates the token that a decision allowed, as RotateToken does.
func (p *Portal) RotateSelf(ctx context.Context, d *Decision, how Rotation, from Origin) (TokenView, string, error) {
	var text string
	t, err := p.changeSelf(ctx, d, from, audit.TokenRotationStarted, func(ctx context.Context, t *Token) (map[string]any, error) {
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
