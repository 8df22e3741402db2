package portal

import (
	"context"
	"fmt"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// GrantAdmin makes the person with this address a platform admin. The operator
// does it, on the command line.
func (p *Portal) GrantAdmin(ctx context.Context, email string) error {
	return p.atomically(ctx, func(ctx context.Context) error {
		u, err := p.store.UserByEmail(ctx, EmailKey(email))
		if KindOf(err) == NotFound {
			return &Error{Kind: NotFound, Detail: "Nobody has an account with the address " + email + ".", Fix: "Let them sign up first."}
		} else if err != nil || u.PlatformAdmin {
			return err
		}
		u.PlatformAdmin, u.Version = true, u.Version+1
		if err := p.store.ReplaceUser(ctx, u); err != nil {
			return err
		}
		for _, chain := range []string{audit.Platform, u.ID} {
			if _, err := p.store.Append(ctx, p.event(chain, ActorSystem, audit.UserMadeAdmin, u.ID, Origin{}, nil)); err != nil {
				return err
			}
		}
		return nil
	})
}

// MarkPlatformTeam marks the team with this id or name as the operator's own,
// whose tokens alone may hold platform abilities, and unmarks the one that was.
// Conflict if several teams have the name.
func (p *Portal) MarkPlatformTeam(ctx context.Context, idOrName string) (Team, error) {
	var t Team
	err := p.atomically(ctx, func(ctx context.Context) error {
		var err error
		if t, err = p.teamCalled(ctx, idOrName); err != nil || t.Platform {
			return err
		}
		p.changed(ctx) // the standing of the tokens of both teams
		old, err := p.unmarkPlatformTeam(ctx)
		if err != nil {
			return err
		}
		data := map[string]any{"team": t.ID, "before": old.ID}
		if _, err := p.store.Append(ctx, p.event(audit.Platform, ActorSystem, audit.TeamMadePlatform, t.ID, Origin{}, data)); err != nil {
			return err
		}
		e, err := p.store.Append(ctx, p.event(t.ID, ActorSystem, audit.TeamMadePlatform, t.ID, Origin{}, nil))
		if err != nil {
			return err
		}
		t.Platform, t.Rev = true, e.Seq
		return p.store.ReplaceTeam(ctx, t)
	})
	return t, err
}

// unmarkPlatformTeam makes the platform team, if there is one, a team like any
// other, inside a transaction.
func (p *Portal) unmarkPlatformTeam(ctx context.Context) (Team, error) {
	old, err := p.store.PlatformTeam(ctx)
	if KindOf(err) == NotFound {
		return Team{}, nil
	} else if err != nil {
		return Team{}, err
	}
	e, err := p.store.Append(ctx, p.event(old.ID, ActorSystem, audit.TeamUnmadePlatform, old.ID, Origin{}, nil))
	if err != nil {
		return Team{}, err
	}
	old.Platform, old.Rev = false, e.Seq
	return old, p.store.ReplaceTeam(ctx, old)
}

func (p *Portal) teamCalled(ctx context.Context, idOrName string) (Team, error) {
	t, err := p.store.Team(ctx, idOrName)
	if KindOf(err) != NotFound {
		return t, err
	}
	named, err := p.store.TeamsNamed(ctx, normalName(idOrName))
	switch {
	case err != nil:
		return Team{}, err
	case len(named) == 0:
		return Team{}, &Error{Kind: NotFound, Detail: fmt.Sprintf("There is no team with the id or name %q.", idOrName)}
	case len(named) > 1:
		return Team{}, &Error{Kind: Conflict, Detail: fmt.Sprintf("%d teams have the name %q.", len(named), idOrName), Fix: "Give the id."}
	}
	return named[0], nil
}

// pruneAtOnce is how many records one statement of [Portal.Prune] removes.
const pruneAtOnce = 500

// Prune removes what is past its retention, in small steps, and says how many
// records it removed.
func (p *Portal) Prune(ctx context.Context) (int, error) {
	now := p.clock()
	keep := p.catalogue.Retention
	before := PruneTimes{
		Now: now, Calls: now.Add(-keep.Calls), Rollups: now.Add(-keep.Calls), Events: now.Add(-keep.Events),
		EndedTokens: now.Add(-keep.EndedTokens),
	}
	removed := 0
	for {
		n, err := p.store.Prune(ctx, before, pruneAtOnce)
		removed += n
		if err != nil || n == 0 {
			return removed, err
		}
	}
}
