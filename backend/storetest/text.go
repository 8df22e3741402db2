package storetest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// awkward is text that storage has been known to cut, fold, parse or run.
var awkward = []string{
	"", " ", "a\x00b", "\x00", "tail\x00", "🦊👩‍👩‍👧", "𐍈 4-byte", "שלום عربي \u202e", "e\u0301 é", "\u2028\u2029\ufeff", "\U0010ffff",
	`{"$gt":""}`, `{"$ne":null}`, "$where", "$id", "a.b", ".", "..", "a.$.b", "__proto__", "null", "0", "1e3", "true",
	"'; DROP TABLE tokens; --", `" OR 1=1 --`, "%", "_", "*", `\`, `\u0000`, "[]", "ObjectId()", strings.Repeat("ü", 4000),
}

var textTests = []test{
	{"any text is stored as it is", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		for _, text := range awkward {
			u := newUser()
			u.Name, u.Email = text, text
			noError(t, s.InsertUser(ctx, u))
			equal(t, "user", get[portal.User](t)(s.User(ctx, u.ID)), u)

			team := newTeam()
			team.Name, team.Policy.Abilities = text, []string{text}
			noError(t, s.InsertTeam(ctx, team))
			equal(t, "team", get[portal.Team](t)(s.Team(ctx, team.ID)), team)
			named := get[[]portal.Team](t)(s.TeamsNamed(ctx, text))
			if !slices.ContainsFunc(named, func(got portal.Team) bool { return got.ID == team.ID }) {
				t.Errorf("%q: the team was not found by its name", text)
			}
			for _, got := range named {
				if got.Name != text {
					t.Errorf("%q: found the team named %q", text, got.Name)
				}
			}

			tok := x.storeToken(t, s, func(tok *portal.Token) {
				tok.Name, tok.Note, tok.SuspendReason, tok.RevokeNote, tok.LastUsedFrom = text, text, text, text, text
				tok.Generations[0].LastClient = text
			})
			same(t, "token", recordOf(ctx, t, s, tok.ID), tok)

			o := x.storeOrder(t, s, func(o *portal.Order) { o.Reference, o.Lines[0].Description = text, text })
			equal(t, "order", get[portal.Order](t)(s.Order(ctx, x.team.ID, o.Env, o.ID)), o)
		}
	}},
	{"tokens are found by any text in their name, and by no other", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		for _, text := range awkward {
			x.storeToken(t, s, func(tok *portal.Token) { tok.Name = text })
		}
		for _, text := range awkward {
			if text == "" {
				continue // selects all
			}
			var want []string
			for _, name := range awkward {
				if strings.Contains(strings.ToLower(name), strings.ToLower(text)) {
					want = append(want, name)
				}
			}
			got := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Query: text, Limit: 101, Now: now}))
			have := sorted(got, func(tok portal.Token) string { return tok.Name })
			slices.Sort(want)
			if !slices.Equal(have, want) {
				t.Errorf("%q: got %q, want %q", text, have, want)
			}
		}
	}},
	{"ids and keys are data", func(t *testing.T, s portal.Store) {
		ctx := begin(t)
		real := storeTeam(t, s)
		tok := real.storeToken(t, s, nil)
		order := real.storeOrder(t, s, nil)
		ses := storeSession(t, s, real.owner.ID, nil)
		for _, id := range awkward {
			kind[portal.User](t, portal.NotFound)(s.User(ctx, id))
			kind[portal.User](t, portal.NotFound)(s.UserByEmail(ctx, id))
			kind[portal.Team](t, portal.NotFound)(s.Team(ctx, id))
			kind[portal.Token](t, portal.NotFound)(s.Token(ctx, real.team.ID, id))
			kind[portal.Token](t, portal.NotFound)(s.Token(ctx, id, tok.ID))
			kind[portal.Order](t, portal.NotFound)(s.Order(ctx, real.team.ID, portal.Live, id))
			kind[portal.Order](t, portal.NotFound)(s.Order(ctx, id, portal.Live, order.ID))
			kind[portal.Member](t, portal.NotFound)(s.Member(ctx, real.team.ID, id))
			kind[portal.Session](t, portal.NotFound)(s.SessionByHash(ctx, id))
			kind[portal.Signup](t, portal.NotFound)(s.SignupByCode(ctx, id))
			wantKind(t, s.DeleteSession(ctx, real.owner.ID, id), portal.NotFound)
			if n := get[int](t)(s.DeleteSessions(ctx, id, "")); n != 0 {
				t.Errorf("%q: ended %d sessions, want 0", id, n)
			}
			noError(t, s.DeleteSignups(ctx, id))
			noError(t, s.ReleaseName(ctx, id, id, id))
			if got := get[[]*portal.Token](t)(s.TokenRecords(ctx, []string{id})); len(got) != 0 {
				t.Errorf("%q: got %d records, want none", id, len(got))
			}
			if got := get[[]portal.User](t)(s.Users(ctx, []string{id})); len(got) != 0 {
				t.Errorf("%q: got users %+v, want none", id, got)
			}
			if got := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{Team: id, Limit: 9, Now: now})); len(got) != 0 {
				t.Errorf("%q: got tokens %+v, want none", id, got)
			}
		}
		// A prefix up to a NUL, or another case, is another id.
		for _, id := range []string{tok.ID + "\x00", strings.ToLower(tok.ID), " " + tok.ID, tok.ID + " "} {
			kind[portal.Token](t, portal.NotFound)(s.Token(ctx, real.team.ID, id))
			if got := get[[]*portal.Token](t)(s.TokenRecords(ctx, []string{id})); len(got) != 0 {
				t.Errorf("%q: got the record of %s", id, tok.ID)
			}
		}
		same(t, "token", recordOf(ctx, t, s, tok.ID), tok)
		equal(t, "session", get[portal.Session](t)(s.SessionByHash(ctx, ses.Hash)), ses)
	}},
	{"records under ids that look like operators", func(t *testing.T, s portal.Store) {
		ctx, x, tag := begin(t), storeTeam(t, s), newID("x")
		for _, text := range awkward {
			if len(text) > 1000 {
				continue // ids are short
			}
			id := text + tag
			tok := x.storeToken(t, s, func(tok *portal.Token) { tok.ID = id })
			same(t, "token", recordOf(ctx, t, s, id), tok)
			tok.RevokedAt = now
			noError(t, s.ReplaceToken(ctx, tok))
			same(t, "token", get[portal.Token](t)(s.Token(ctx, x.team.ID, id)), tok)
			noError(t, s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: id, Token: id}, now))
			if err := s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: id, Token: "b"}, now); other(err) != id {
				t.Errorf("%q: got %v, want it named as the other", id, err)
			}
			if !get[bool](t)(s.Once(ctx, id, now, now.Add(time.Hour))) || get[bool](t)(s.Once(ctx, id, now, now.Add(time.Hour))) {
				t.Errorf("%q: did not happen exactly once", id)
			}
			if count, _, err := s.Hit(ctx, id, 2, time.Hour, now); err != nil || count != 2 {
				t.Errorf("%q: got count %d %v, want 2", id, count, err)
			}
			if err := s.Atomically(ctx, func(ctx context.Context) error {
				_, err := s.Append(ctx, audit.Event{
					Chain: id, At: now, Actor: text, Action: text, Target: text, Data: map[string]any{text: text},
				})
				return err
			}); err != nil {
				t.Errorf("%q: append: %v", id, err)
			}
			verify(t, s, id, 1)
			noError(t, s.RecordCalls(ctx, portal.CallBatch{
				Calls: []portal.Call{{
					ID: id, Team: x.team.ID, At: now, Token: id, Method: text, Route: text, UserAgent: text, RequestID: text,
				}},
				Rollups: []portal.Rollup{{Team: x.team.ID, Step: portal.Hour, At: now.Truncate(time.Hour), Token: id, Route: text, Calls: 1}},
				Uses:    []portal.Use{{Team: x.team.ID, Token: id, Generation: 1, At: now, Address: text, Client: text}},
			}))
			calls := get[[]portal.Call](t)(s.Calls(ctx, portal.CallFilter{Team: x.team.ID, Token: id, Limit: 9}))
			if len(calls) != 1 || calls[0].UserAgent != text || calls[0].Route != text {
				t.Errorf("%q: got calls %+v, want one", id, calls)
			}
			sums := sumsOf(t, s, portal.RollupFilter{Team: x.team.ID, Step: portal.Hour, Tokens: []string{id}})
			if len(sums) != 1 || sums[0].Route != text {
				t.Errorf("%q: got sums %+v, want one", id, sums)
			}
		}
	}},
}
