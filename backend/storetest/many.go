package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// manyTests ask with lists of ids that people make as long as they like: a
// person's tokens, a team's members.
var manyTests = []test{
	{"people and teams", func(t *testing.T, s portal.Store) {
		ctx, x, y := begin(t), storeTeam(t, s), storeTeam(t, s)
		storeTeam(t, s)
		user := func(u portal.User) string { return u.ID }
		users := get[[]portal.User](t)(s.Users(ctx, amongMany(x.owner.ID, y.owner.ID)))
		equal(t, "people", sorted(users, user), sorted([]portal.User{x.owner, y.owner}, user))
		team := func(team portal.Team) string { return team.ID }
		teams := get[[]portal.Team](t)(s.Teams(ctx, amongMany(x.team.ID, y.team.ID)))
		equal(t, "teams", sorted(teams, team), sorted([]portal.Team{x.team, y.team}, team))
	}},
	{"targets of events", func(t *testing.T, s portal.Store) {
		ctx, chain, want := begin(t), newID("tea"), awkwardIDs()
		noError(t, s.Atomically(ctx, func(ctx context.Context) error {
			for _, id := range want {
				for _, target := range []string{id, id + "."} {
					if _, err := s.Append(ctx, audit.Event{Chain: chain, At: now, Action: "token.created", Target: target}); err != nil {
						return err
					}
				}
			}
			return nil
		}))
		f := portal.EventFilter{Chain: chain, Targets: amongMany(want...), Limit: 1001, Oldest: true}
		target := func(e audit.Event) string { return e.Target }
		equal(t, "targets", ids(get[[]audit.Event](t)(s.Events(ctx, f)), target), want)
		f.Limit, f.Oldest = 1, false
		equal(t, "the newest", ids(get[[]audit.Event](t)(s.Events(ctx, f)), target), want[len(want)-1:])
	}},
	{"tokens of sums", func(t *testing.T, s portal.Store) {
		ctx, x, want := begin(t), storeTeam(t, s), awkwardIDs()
		var b portal.CallBatch
		for _, id := range want {
			b.Rollups = append(b.Rollups, x.newRollup(id, now), x.newRollup(id+".", now))
		}
		noError(t, s.RecordCalls(ctx, b))
		got := sumsOf(t, s, portal.RollupFilter{Team: x.team.ID, Step: portal.Hour, Tokens: amongMany(want...)})
		slices.Sort(want)
		equal(t, "tokens", sorted(got, func(r portal.Rollup) string { return r.Token }), want)
	}},
}

// amongMany returns ids with so many others that no statement has an argument
// for each: SQLite takes 32,766.
func amongMany(ids ...string) []string {
	list := []string{ids[0]}
	for i := range 33_000 {
		list = append(list, label("none_%d", i))
	}
	return append(list, ids[1:]...)
}

// awkwardIDs returns awkward texts that nothing else has.
func awkwardIDs() (ids []string) {
	tag := newID("x")
	for _, text := range awkward {
		if len(text) <= 1000 { // ids are short
			ids = append(ids, text+tag)
		}
	}
	return ids
}
