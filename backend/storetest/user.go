package storetest

import (
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var userTests = []test{
	{"every field comes back", func(t *testing.T, s portal.Store) {
		ctx, u := begin(t), newUser()
		u.Email, u.PlatformAdmin, u.DisabledAt, u.Version = "Ada@Example.COM", true, now.Add(time.Hour), 9
		u.LastTeam = "tea_acme"
		whole(t, u)
		noError(t, s.InsertUser(ctx, u))
		equal(t, "by id", get[portal.User](t)(s.User(ctx, u.ID)), u)
		equal(t, "by address", get[portal.User](t)(s.UserByEmail(ctx, u.EmailKey)), u)
	}},
	{"absent times stay absent", func(t *testing.T, s portal.Store) {
		ctx, u := begin(t), newUser()
		u.VerifiedAt = time.Time{}
		noError(t, s.InsertUser(ctx, u))
		equal(t, "user", get[portal.User](t)(s.User(ctx, u.ID)), u)
	}},
	{"unknown ones are not found", func(t *testing.T, s portal.Store) {
		ctx := begin(t)
		kind[portal.User](t, portal.NotFound)(s.User(ctx, "usr_none"))
		kind[portal.User](t, portal.NotFound)(s.UserByEmail(ctx, "nobody@example.com"))
		wantKind(t, s.ReplaceUser(ctx, newUser()), portal.NotFound)
		wantKind(t, s.DeleteUser(ctx, "usr_none"), portal.NotFound)
	}},
	{"an address has one account, also under many writers", func(t *testing.T, s portal.Store) {
		ctx, key := begin(t), newID("mail")+"@example.com"
		users := make([]portal.User, writers)
		for i := range users {
			users[i] = newUser()
			users[i].EmailKey = key
		}
		winner := oneWins(t, race(writers, func(i int) error { return s.InsertUser(ctx, users[i]) }), portal.NameTaken)
		equal(t, "by address", get[portal.User](t)(s.UserByEmail(ctx, key)), users[winner])
		for i, u := range users {
			if i != winner {
				kind[portal.User](t, portal.NotFound)(s.User(ctx, u.ID))
			}
		}
	}},
	{"replace changes everything but cannot take an address", func(t *testing.T, s portal.Store) {
		ctx, u, other := begin(t), storeUser(t, s), storeUser(t, s)
		old := u.EmailKey
		u.Name, u.EmailKey, u.PasswordHash, u.Version = "Grace", newID("mail"), "$argon2id$y", 2
		u.VerifiedAt, u.LastTeam = time.Time{}, "tea_acme"
		noError(t, s.ReplaceUser(ctx, u))
		equal(t, "replaced", get[portal.User](t)(s.User(ctx, u.ID)), u)
		kind[portal.User](t, portal.NotFound)(s.UserByEmail(ctx, old))
		fresh := newUser()
		fresh.EmailKey = old
		noError(t, s.InsertUser(ctx, fresh)) // the old address is free again

		u.EmailKey = other.EmailKey
		wantKind(t, s.ReplaceUser(ctx, u), portal.NameTaken)
		equal(t, "the other", get[portal.User](t)(s.UserByEmail(ctx, other.EmailKey)), other)
	}},
	{"many by id", func(t *testing.T, s portal.Store) {
		ctx, a, b := begin(t), storeUser(t, s), storeUser(t, s)
		storeUser(t, s)
		id := func(u portal.User) string { return u.ID }
		got := get[[]portal.User](t)(s.Users(ctx, []string{a.ID, "usr_none", b.ID, a.ID}))
		equal(t, "ids", sorted(got, id), sorted([]portal.User{a, b}, id))
		if got := get[[]portal.User](t)(s.Users(ctx, nil)); len(got) != 0 {
			t.Errorf("got %v, want none", got)
		}
	}},
	{"deleting takes sessions and memberships along", func(t *testing.T, s portal.Store) {
		ctx, x, y := begin(t), storeTeam(t, s), storeTeam(t, s)
		storeMember(t, s, y.team.ID, x.owner.ID, portal.Developer)
		ses := storeSession(t, s, x.owner.ID, nil)
		kept := storeSession(t, s, y.owner.ID, nil)
		noError(t, s.DeleteUser(ctx, x.owner.ID))
		kind[portal.User](t, portal.NotFound)(s.User(ctx, x.owner.ID))
		kind[portal.User](t, portal.NotFound)(s.UserByEmail(ctx, x.owner.EmailKey))
		kind[portal.Session](t, portal.NotFound)(s.SessionByHash(ctx, ses.Hash))
		kind[portal.Member](t, portal.NotFound)(s.Member(ctx, x.team.ID, x.owner.ID))
		kind[portal.Member](t, portal.NotFound)(s.Member(ctx, y.team.ID, x.owner.ID))
		equal(t, "another's session", get[portal.Session](t)(s.SessionByHash(ctx, kept.Hash)), kept)
		get[portal.Team](t)(s.Team(ctx, x.team.ID))
		again := newUser()
		again.EmailKey = x.owner.EmailKey
		noError(t, s.InsertUser(ctx, again)) // the address is free again
	}},
}
