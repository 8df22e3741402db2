package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// standingOf reads the standing of a token in both ways and checks that they
// agree.
func standingOf(ctx context.Context, t *testing.T, s portal.Store, team, id string) portal.Standing {
	t.Helper()
	tok := get[portal.Token](t)(s.Token(ctx, team, id))
	records := get[[]*portal.Token](t)(s.TokenRecords(ctx, []string{id}))
	if len(records) != 1 {
		t.Fatalf("got %d records, want 1", len(records))
	}
	equal(t, "standing of the record", records[0].Standing, tok.Standing)
	return tok.Standing
}

var standingTests = []test{
	{"is kept in step", func(t *testing.T, s portal.Store) {
		ctx, x, maker := begin(t), storeTeam(t, s), storeUser(t, s)
		storeMember(t, s, x.team.ID, maker.ID, portal.Developer)
		tok := x.storeToken(t, s, func(tok *portal.Token) { tok.Maker, tok.Standing.MakerRole = maker.ID, portal.Developer })
		revoked := x.storeToken(t, s, func(tok *portal.Token) {
			tok.Maker, tok.Standing.MakerRole, tok.RevokedAt = maker.ID, portal.Developer, now
		})
		other := x.storeToken(t, s, nil)
		for _, step := range []struct {
			name         string
			do           func(ctx context.Context) error
			maker, owner portal.Standing
		}{
			{
				"a new role", func(ctx context.Context) error {
					return s.SaveMember(ctx, portal.Member{Team: x.team.ID, User: maker.ID, Role: portal.Auditor, JoinedAt: now})
				},
				portal.Standing{MakerRole: portal.Auditor},
				portal.Standing{MakerRole: portal.Owner},
			},
			{
				"a narrower team", func(ctx context.Context) error {
					team := x.team
					team.Policy.Abilities = []string{"orders:read"}
					return s.ReplaceTeam(ctx, team)
				},
				portal.Standing{MakerRole: portal.Auditor, TeamAbilities: []string{"orders:read"}},
				portal.Standing{MakerRole: portal.Owner, TeamAbilities: []string{"orders:read"}},
			},
			{
				"a team that may do nothing", func(ctx context.Context) error {
					team := x.team
					team.Policy.Abilities = []string{}
					return s.ReplaceTeam(ctx, team)
				},
				portal.Standing{MakerRole: portal.Auditor, TeamAbilities: []string{}},
				portal.Standing{MakerRole: portal.Owner, TeamAbilities: []string{}},
			},
			{
				"a team without a policy", func(ctx context.Context) error { return s.ReplaceTeam(ctx, x.team) },
				portal.Standing{MakerRole: portal.Auditor},
				portal.Standing{MakerRole: portal.Owner},
			},
			{
				"the maker leaves", func(ctx context.Context) error { return s.DeleteMember(ctx, x.team.ID, maker.ID) },
				portal.Standing{},
				portal.Standing{MakerRole: portal.Owner},
			},
			{
				"the maker comes back", func(ctx context.Context) error {
					return s.SaveMember(ctx, portal.Member{Team: x.team.ID, User: maker.ID, Role: portal.Admin, JoinedAt: now})
				},
				portal.Standing{MakerRole: portal.Admin},
				portal.Standing{MakerRole: portal.Owner},
			},
			{
				"the maker is disabled", func(ctx context.Context) error {
					disabled := maker
					disabled.DisabledAt = now
					return s.ReplaceUser(ctx, disabled)
				},
				portal.Standing{},
				portal.Standing{MakerRole: portal.Owner},
			},
			{
				"a new role of a disabled maker", func(ctx context.Context) error {
					return s.SaveMember(ctx, portal.Member{Team: x.team.ID, User: maker.ID, Role: portal.Developer, JoinedAt: now})
				},
				portal.Standing{},
				portal.Standing{MakerRole: portal.Owner},
			},
			{
				"the maker is enabled", func(ctx context.Context) error { return s.ReplaceUser(ctx, maker) },
				portal.Standing{MakerRole: portal.Developer},
				portal.Standing{MakerRole: portal.Owner},
			},
			{
				"the maker is gone", func(ctx context.Context) error { return s.DeleteUser(ctx, maker.ID) },
				portal.Standing{},
				portal.Standing{MakerRole: portal.Owner},
			},
		} {
			before := standingOf(ctx, t, s, x.team.ID, tok.ID)
			err := s.Atomically(ctx, func(ctx context.Context) error {
				if err := step.do(ctx); err != nil {
					return err
				}
				equal(t, step.name+", inside", standingOf(ctx, t, s, x.team.ID, tok.ID), step.maker)
				return errFault
			})
			if !errors.Is(err, errFault) {
				t.Fatalf("%s: got error %v, want %v", step.name, err, errFault)
			}
			equal(t, step.name+", rolled back", standingOf(ctx, t, s, x.team.ID, tok.ID), before)

			noError(t, step.do(ctx))
			equal(t, step.name, standingOf(ctx, t, s, x.team.ID, tok.ID), step.maker)
			equal(t, step.name+", a revoked token", standingOf(ctx, t, s, x.team.ID, revoked.ID), step.maker)
			equal(t, step.name+", another's token", standingOf(ctx, t, s, x.team.ID, other.ID), step.owner)
		}
		want := tok
		want.Standing = portal.Standing{}
		same(t, "all else stays", get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)), want)
	}},
	{"is nothing for all tokens of a disabled maker", func(t *testing.T, s portal.Store) {
		ctx, x, y := begin(t), storeTeam(t, s), storeTeam(t, s)
		maker := x.owner
		storeMember(t, s, y.team.ID, maker.ID, portal.Developer)
		mine := func(tok *portal.Token) { tok.Maker = maker.ID }
		here, there, others := x.storeToken(t, s, mine), y.storeToken(t, s, mine), y.storeToken(t, s, nil)
		disabled := maker
		disabled.DisabledAt = now
		noError(t, s.ReplaceUser(ctx, disabled))
		late := x.storeToken(t, s, mine) // written by a request that was under way
		gone := []portal.Token{here, there, late}
		for _, tok := range gone {
			equal(t, "standing", standingOf(ctx, t, s, tok.Team, tok.ID), portal.Standing{})
		}
		disabled.Name = "Grace"
		noError(t, s.ReplaceUser(ctx, disabled)) // another change does not bring it back
		equal(t, "still", standingOf(ctx, t, s, x.team.ID, here.ID), portal.Standing{})
		equal(t, "another's token", standingOf(ctx, t, s, y.team.ID, others.ID), portal.Standing{MakerRole: portal.Owner})
		noError(t, s.ReplaceUser(ctx, maker))
		for i, role := range []portal.Role{portal.Owner, portal.Developer, portal.Owner} {
			equal(t, "enabled", standingOf(ctx, t, s, gone[i].Team, gone[i].ID), portal.Standing{MakerRole: role})
		}
	}},
	{"is right after a maker was disabled and changed roles at once", func(t *testing.T, s portal.Store) {
		ctx, x, maker := begin(t), storeTeam(t, s), storeUser(t, s)
		storeMember(t, s, x.team.ID, maker.ID, portal.Developer)
		tok := x.storeToken(t, s, func(tok *portal.Token) { tok.Maker, tok.Standing.MakerRole = maker.ID, portal.Developer })
		disabled := maker
		disabled.DisabledAt = now
		for _, err := range race(writers, func(i int) error {
			if i == writers/2 {
				return s.ReplaceUser(ctx, disabled)
			}
			return s.SaveMember(ctx, portal.Member{Team: x.team.ID, User: maker.ID, Role: portal.Roles[i%4], JoinedAt: now})
		}) {
			noError(t, err)
		}
		equal(t, "standing", standingOf(ctx, t, s, x.team.ID, tok.ID), portal.Standing{})
	}},
	{"is not changed by replacing the token", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.storeToken(t, s, nil)
		narrow := x.team
		narrow.Policy.Abilities = []string{"orders:read"}
		noError(t, s.ReplaceTeam(ctx, narrow))
		tok.Note = "stale standing"
		tok.Standing = portal.Standing{MakerRole: portal.Admin, PlatformTeam: true}
		noError(t, s.ReplaceToken(ctx, tok))
		equal(t, "standing", standingOf(ctx, t, s, x.team.ID, tok.ID), portal.Standing{MakerRole: portal.Owner, TeamAbilities: []string{"orders:read"}})
	}},
	{"is not changed by what another member does", func(t *testing.T, s portal.Store) {
		ctx, x, other := begin(t), storeTeam(t, s), storeUser(t, s)
		storeMember(t, s, x.team.ID, other.ID, portal.Developer)
		tok := x.storeToken(t, s, nil)
		storeMember(t, s, x.team.ID, other.ID, portal.Admin)
		noError(t, s.DeleteMember(ctx, x.team.ID, other.ID))
		noError(t, s.DeleteUser(ctx, other.ID))
		equal(t, "standing", standingOf(ctx, t, s, x.team.ID, tok.ID), portal.Standing{MakerRole: portal.Owner})
	}},
	{"is right after roles and tokens changed at once", func(t *testing.T, s portal.Store) {
		ctx, x, maker := begin(t), storeTeam(t, s), storeUser(t, s)
		storeMember(t, s, x.team.ID, maker.ID, portal.Developer)
		tok := x.storeToken(t, s, func(tok *portal.Token) { tok.Maker, tok.Standing.MakerRole = maker.ID, portal.Developer })
		for _, err := range race(writers, func(i int) error {
			if i%2 == 0 {
				return s.SaveMember(ctx, portal.Member{Team: x.team.ID, User: maker.ID, Role: portal.Roles[i/2%4], JoinedAt: now})
			}
			return s.Atomically(ctx, func(ctx context.Context) error {
				now, err := s.Token(ctx, x.team.ID, tok.ID)
				if err != nil {
					return err
				}
				now.Rev++
				return s.ReplaceToken(ctx, now)
			})
		}) {
			noError(t, err)
		}
		m := get[portal.Member](t)(s.Member(ctx, x.team.ID, maker.ID))
		equal(t, "standing", standingOf(ctx, t, s, x.team.ID, tok.ID), portal.Standing{MakerRole: m.Role})
	}},
}
