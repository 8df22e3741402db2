package storetest

import (
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// Every method that takes a team is called with the team of one tenant and the
// ids of another. Nothing is found and nothing changes.
var isolationTests = []test{
	{"a token is not found through another team", func(t *testing.T, s portal.Store) {
		ctx, mine, other := begin(t), storeTeam(t, s), storeTeam(t, s)
		tok := mine.storeToken(t, s, nil)
		kind[portal.Token](t, portal.NotFound)(s.Token(ctx, other.team.ID, tok.ID))
		stolen := tok
		stolen.Team, stolen.Name = other.team.ID, "stolen"
		wantKind(t, s.ReplaceToken(ctx, stolen), portal.NotFound)
		same(t, "after the attempts", get[portal.Token](t)(s.Token(ctx, mine.team.ID, tok.ID)), tok)
	}},
	{"an id that another team has is taken", func(t *testing.T, s portal.Store) {
		ctx, mine, other := begin(t), storeTeam(t, s), storeTeam(t, s)
		tok := mine.storeToken(t, s, nil)
		again := other.newToken()
		again.ID = tok.ID
		wantKind(t, s.InsertToken(ctx, again), portal.Conflict)
		same(t, "after the attempt", get[portal.Token](t)(s.Token(ctx, mine.team.ID, tok.ID)), tok)
	}},
	{"tokens are listed and counted per team", func(t *testing.T, s portal.Store) {
		ctx, mine, other := begin(t), storeTeam(t, s), storeTeam(t, s)
		tok := mine.storeToken(t, s, nil)
		for _, f := range []portal.TokenFilter{
			{},
			{Query: tok.Name},
			{Query: tok.ID},
			{Maker: tok.Maker},
			{Ability: "orders:read"},
			{Env: portal.Live},
			{Status: []portal.TokenStatus{portal.StatusActive}},
			{Sort: portal.ByName, After: &portal.TokenCursor{}},
			{Sort: portal.ByExpiry, After: &portal.TokenCursor{Time: now, ID: "0"}},
		} {
			f.Team, f.Now, f.Limit = other.team.ID, now, 10
			if got := get[[]portal.Token](t)(s.Tokens(ctx, f)); len(got) != 0 {
				t.Errorf("%+v: got %v, want none", f, ids(got, tokenID))
			}
		}
		if n := get[int](t)(s.LivingTokens(ctx, other.team.ID, now)); n != 0 {
			t.Errorf("got %d living tokens, want 0", n)
		}
	}},
	{"names are per team", func(t *testing.T, s portal.Store) {
		ctx, mine, other := begin(t), storeTeam(t, s), storeTeam(t, s)
		noError(t, s.ClaimName(ctx, portal.NameClaim{Team: mine.team.ID, Name: "ERP", Token: "tokenmine000"}, now))
		noError(t, s.ClaimName(ctx, portal.NameClaim{Team: other.team.ID, Name: "ERP", Token: "tokenother00"}, now))
		noError(t, s.ReleaseName(ctx, other.team.ID, "ERP", "tokenmine000"))
		wantKind(t, s.ClaimName(ctx, portal.NameClaim{Team: mine.team.ID, Name: "ERP", Token: "third"}, now), portal.NameTaken)
		wantKind(t, s.ClaimName(ctx, portal.NameClaim{Team: other.team.ID, Name: "ERP", Token: "third"}, now), portal.NameTaken)
	}},
	{"an order is not found through another team or environment", func(t *testing.T, s portal.Store) {
		ctx, mine, other := begin(t), storeTeam(t, s), storeTeam(t, s)
		o := mine.storeOrder(t, s, nil)
		for _, at := range []struct {
			team string
			env  portal.Env
		}{{other.team.ID, portal.Live}, {mine.team.ID, portal.Test}} {
			kind[portal.Order](t, portal.NotFound)(s.Order(ctx, at.team, at.env, o.ID))
			stolen := o
			stolen.Team, stolen.Env, stolen.Version = at.team, at.env, 2
			wantKind(t, s.ReplaceOrder(ctx, stolen), portal.NotFound)
			if got := get[[]portal.Order](t)(s.Orders(ctx, at.team, at.env, "", 10)); len(got) != 0 {
				t.Errorf("got orders %+v, want none", got)
			}
		}
		equal(t, "after the attempts", get[portal.Order](t)(s.Order(ctx, mine.team.ID, portal.Live, o.ID)), o)
	}},
	{"calls, sums and uses are per team", func(t *testing.T, s portal.Store) {
		ctx, mine, other := begin(t), storeTeam(t, s), storeTeam(t, s)
		tok := mine.storeToken(t, s, nil)
		noError(t, s.RecordCalls(ctx, portal.CallBatch{
			Calls:   []portal.Call{mine.newCall(tok.ID, now)},
			Rollups: []portal.Rollup{mine.newRollup(tok.ID, now)},
			Uses:    []portal.Use{{Team: other.team.ID, Token: tok.ID, Generation: 1, At: now, Address: "192.0.2.9"}},
		}))
		if got := get[[]portal.Call](t)(s.Calls(ctx, portal.CallFilter{Team: other.team.ID, Token: tok.ID, Limit: 10})); len(got) != 0 {
			t.Errorf("got calls %+v, want none", got)
		}
		sums := get[[]portal.Rollup](t)(s.Rollups(ctx, portal.RollupFilter{
			Team: other.team.ID, Tokens: []string{tok.ID}, Step: portal.Hour, From: now.Add(-time.Hour), To: now.Add(time.Hour),
		}))
		if len(sums) != 0 {
			t.Errorf("got sums %+v, want none", sums)
		}
		same(t, "after a use named with another team", get[portal.Token](t)(s.Token(ctx, mine.team.ID, tok.ID)), tok)
	}},
	{"events are per chain", func(t *testing.T, s portal.Store) {
		ctx, mine, other := begin(t), newID("tea"), newID("tea")
		get[audit.Event](t)(appendEvent(ctx, s, mine, "token.created", nil))
		if got := get[[]audit.Event](t)(s.Events(ctx, portal.EventFilter{Chain: other, Targets: []string{"7Hq2LmZx9RtB"}, Limit: 10})); len(got) != 0 {
			t.Errorf("got events %+v, want none", got)
		}
		seq, hash, err := s.Head(ctx, other)
		if noError(t, err); seq != 0 || hash != audit.Genesis {
			t.Errorf("got head %d %s, want 0 and the genesis", seq, hash)
		}
	}},
	{"a membership is not found or ended through another team", func(t *testing.T, s portal.Store) {
		ctx, mine, other := begin(t), storeTeam(t, s), storeTeam(t, s)
		kind[portal.Member](t, portal.NotFound)(s.Member(ctx, other.team.ID, mine.owner.ID))
		wantKind(t, s.DeleteMember(ctx, other.team.ID, mine.owner.ID), portal.NotFound)
		if got := get[[]portal.Member](t)(s.Members(ctx, other.team.ID)); len(got) != 1 || got[0].User != other.owner.ID {
			t.Errorf("got members %+v, want only the other owner", got)
		}
		if got := get[[]portal.Member](t)(s.Memberships(ctx, mine.owner.ID)); len(got) != 1 || got[0].Team != mine.team.ID {
			t.Errorf("got memberships %+v, want only the own", got)
		}
	}},
	{"a session is not ended by another user", func(t *testing.T, s portal.Store) {
		ctx, mine, other := begin(t), storeUser(t, s), storeUser(t, s)
		ses := storeSession(t, s, mine.ID, nil)
		wantKind(t, s.DeleteSession(ctx, other.ID, ses.ID), portal.NotFound)
		if n := get[int](t)(s.DeleteSessions(ctx, other.ID, "")); n != 0 {
			t.Errorf("got %d sessions ended, want 0", n)
		}
		equal(t, "after the attempts", get[portal.Session](t)(s.SessionByHash(ctx, ses.Hash)), ses)
		if got := get[[]portal.Session](t)(s.Sessions(ctx, other.ID)); len(got) != 0 {
			t.Errorf("got sessions %+v, want none", got)
		}
	}},
	{"a change of one team leaves the tokens of another as they are", func(t *testing.T, s portal.Store) {
		ctx, mine, other := begin(t), storeTeam(t, s), storeTeam(t, s)
		tok := mine.storeToken(t, s, nil)
		storeMember(t, s, other.team.ID, mine.owner.ID, portal.Auditor) // the maker, in another team
		narrow := other.team
		narrow.Policy.Abilities = []string{}
		noError(t, s.ReplaceTeam(ctx, narrow))
		noError(t, s.DeleteMember(ctx, other.team.ID, mine.owner.ID))
		noError(t, s.DeleteTeam(ctx, other.team.ID, now))
		same(t, "after all that", get[portal.Token](t)(s.Token(ctx, mine.team.ID, tok.ID)), tok)
		equal(t, "the team", get[portal.Team](t)(s.Team(ctx, mine.team.ID)), mine.team)
	}},
}
