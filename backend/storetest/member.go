package storetest

import (
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var memberTests = []test{
	{"they join, change and leave", func(t *testing.T, s portal.Store) {
		ctx, x, u := begin(t), storeTeam(t, s), storeUser(t, s)
		m := portal.Member{Team: x.team.ID, User: u.ID, Role: portal.Developer, JoinedAt: now.Add(-time.Hour)}
		whole(t, m)
		noError(t, s.SaveMember(ctx, m))
		equal(t, "member", get[portal.Member](t)(s.Member(ctx, x.team.ID, u.ID)), m)
		m.Role = portal.Admin
		noError(t, s.SaveMember(ctx, m))
		owner := portal.Member{Team: x.team.ID, User: x.owner.ID, Role: portal.Owner, JoinedAt: now}
		equal(t, "members by joining", get[[]portal.Member](t)(s.Members(ctx, x.team.ID)), []portal.Member{m, owner})

		second := newTeam()
		noError(t, s.InsertTeam(ctx, second))
		later := portal.Member{Team: second.ID, User: u.ID, Role: portal.Auditor, JoinedAt: now}
		noError(t, s.SaveMember(ctx, later))
		equal(t, "memberships by joining", get[[]portal.Member](t)(s.Memberships(ctx, u.ID)), []portal.Member{m, later})
		noError(t, s.DeleteMember(ctx, x.team.ID, u.ID))
		wantKind(t, s.DeleteMember(ctx, x.team.ID, u.ID), portal.NotFound)
		equal(t, "after leaving", get[[]portal.Member](t)(s.Memberships(ctx, u.ID)), []portal.Member{later})
	}},
}
