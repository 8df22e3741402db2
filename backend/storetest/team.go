package storetest

import (
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

var teamTests = []test{
	{"every field comes back", func(t *testing.T, s portal.Store) {
		ctx := begin(t)
		team := newTeam()
		for _, abilities := range [][]string{nil, {}, {"orders:read", "usage:read"}} {
			team.ID = newID("tea")
			team.Policy.Abilities, team.Rev = abilities, 12
			noError(t, s.InsertTeam(ctx, team))
			equal(t, "team", get[portal.Team](t)(s.Team(ctx, team.ID)), team)
			team.Name, team.Rev = "Renamed", 13
			noError(t, s.ReplaceTeam(ctx, team))
			equal(t, "replaced", get[portal.Team](t)(s.Team(ctx, team.ID)), team)
		}
		whole(t, team, "Platform") // see testPlatformTeam
	}},
	{"unknown ones are not found", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		kind[portal.Team](t, portal.NotFound)(s.Team(ctx, "tea_none"))
		wantKind(t, s.ReplaceTeam(ctx, newTeam()), portal.NotFound)
		wantKind(t, s.DeleteTeam(ctx, "tea_none", now), portal.NotFound)
		wantKind(t, s.DeleteMember(ctx, x.team.ID, "usr_none"), portal.NotFound)
		kind[portal.Member](t, portal.NotFound)(s.Member(ctx, x.team.ID, "usr_none"))
	}},
	{"many by id, and by name", func(t *testing.T, s portal.Store) {
		ctx, name := begin(t), newID("Acme")
		id := func(team portal.Team) string { return team.ID }
		var made []portal.Team
		for range 3 {
			team := newTeam()
			team.Name = name
			noError(t, s.InsertTeam(ctx, team))
			made = append(made, team)
		}
		got := get[[]portal.Team](t)(s.Teams(ctx, []string{made[0].ID, "tea_none", made[2].ID}))
		equal(t, "by id", sorted(got, id), sorted([]portal.Team{made[0], made[2]}, id))
		equal(t, "by name", sorted(get[[]portal.Team](t)(s.TeamsNamed(ctx, name)), id), sorted(made, id))
		if got := get[[]portal.Team](t)(s.TeamsNamed(ctx, name[:5])); len(got) != 0 {
			t.Errorf("got %+v for a part of the name, want none", got)
		}
		if got := get[[]portal.Team](t)(s.Teams(ctx, nil)); len(got) != 0 {
			t.Errorf("got %+v for no ids, want none", got)
		}
	}},
	{"deleting leaves tombstones and events, nothing else", func(t *testing.T, s portal.Store) {
		ctx, x, y := begin(t), storeTeam(t, s), storeTeam(t, s)
		living := x.storeToken(t, s, nil)
		before := x.storeToken(t, s, func(tok *portal.Token) { tok.RevokedAt, tok.RevokedBy = now.Add(-time.Hour), x.owner.ID })
		order, kept := x.storeOrder(t, s, nil), y.storeOrder(t, s, nil)
		noError(t, s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: living.ID}, now))
		noError(t, s.ClaimName(ctx, portal.NameClaim{Team: y.team.ID, Name: "ERP", Token: "other"}, now))
		noError(t, s.RecordCalls(ctx, portal.CallBatch{
			Calls:   []portal.Call{x.newCall(living.ID, now), y.newCall("other", now)},
			Rollups: []portal.Rollup{x.newRollup(living.ID, now), y.newRollup("other", now)},
		}))
		get[audit.Event](t)(appendEvent(ctx, s, x.team.ID, "team.created", nil))

		at := now.Add(time.Hour)
		noError(t, s.DeleteTeam(ctx, x.team.ID, at))
		kind[portal.Team](t, portal.NotFound)(s.Team(ctx, x.team.ID))
		kind[portal.Member](t, portal.NotFound)(s.Member(ctx, x.team.ID, x.owner.ID))
		kind[portal.Order](t, portal.NotFound)(s.Order(ctx, x.team.ID, order.Env, order.ID))
		if err := s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: "new"}, now); err != nil {
			wantKind(t, err, portal.NotFound) // without a team there may be no names at all
		}
		all := func(x tenant) (calls, sums int) {
			f := portal.RollupFilter{Team: x.team.ID, Step: portal.Hour, From: now.Add(-time.Hour), To: now.Add(time.Hour)}
			return len(get[[]portal.Call](t)(s.Calls(ctx, portal.CallFilter{Team: x.team.ID, Limit: 10}))),
				len(get[[]portal.Rollup](t)(s.Rollups(ctx, f)))
		}
		if calls, sums := all(x); calls != 0 || sums != 0 {
			t.Errorf("got %d calls and %d sums, want none", calls, sums)
		}
		verify(t, s, x.team.ID, 1)
		tomb := get[portal.Token](t)(s.Token(ctx, x.team.ID, living.ID))
		if !tomb.RevokedAt.Equal(at) || tomb.Standing.MakerRole != "" || tomb.Name != living.Name {
			t.Errorf("got tombstone %+v, want it revoked at %v, without a maker", tomb, at)
		}
		if got := get[portal.Token](t)(s.Token(ctx, x.team.ID, before.ID)); !got.RevokedAt.Equal(before.RevokedAt) || got.RevokedBy != before.RevokedBy {
			t.Errorf("got %+v, want the older revocation kept", got)
		}
		if n := get[int](t)(s.LivingTokens(ctx, x.team.ID, now)); n != 0 {
			t.Errorf("got %d living tokens, want 0", n)
		}

		get[portal.User](t)(s.User(ctx, x.owner.ID))
		equal(t, "another team", get[portal.Team](t)(s.Team(ctx, y.team.ID)), y.team)
		equal(t, "another team's order", get[portal.Order](t)(s.Order(ctx, y.team.ID, kept.Env, kept.ID)), kept)
		wantKind(t, s.ClaimName(ctx, portal.NameClaim{Team: y.team.ID, Name: "ERP", Token: "new"}, now), portal.NameTaken)
		if calls, sums := all(y); calls != 1 || sums != 1 {
			t.Errorf("another team: got %d calls and %d sums, want 1 and 1", calls, sums)
		}
	}},
}

func testPlatformTeam(t *testing.T, s portal.Store) {
	ctx := begin(t)
	kind[portal.Team](t, portal.NotFound)(s.PlatformTeam(ctx))
	x := storeTeam(t, s)
	tok := x.storeToken(t, s, nil)
	kind[portal.Team](t, portal.NotFound)(s.PlatformTeam(ctx))
	x.team.Platform = true
	noError(t, s.ReplaceTeam(ctx, x.team))
	equal(t, "platform team", get[portal.Team](t)(s.PlatformTeam(ctx)), x.team)
	if got := get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)); !got.Standing.PlatformTeam {
		t.Errorf("got standing %+v, want that of the platform team", got.Standing)
	}
	x.team.Platform = false
	noError(t, s.ReplaceTeam(ctx, x.team))
	kind[portal.Team](t, portal.NotFound)(s.PlatformTeam(ctx))
	if got := get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)); got.Standing.PlatformTeam {
		t.Errorf("got standing %+v, want that of another team", got.Standing)
	}
}
