package storetest

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func recordOf(ctx context.Context, t *testing.T, s portal.Store, id string) portal.Token {
	t.Helper()
	records := get[[]*portal.Token](t)(s.TokenRecords(ctx, []string{id}))
	if len(records) != 1 || records[0] == nil {
		t.Fatalf("got records %v, want one", records)
	}
	return *records[0]
}

var tokenTests = []test{
	{"every field comes back", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.storeToken(t, s, func(tok *portal.Token) {
			at := func(n int) time.Time { return now.Add(time.Duration(n) * time.Millisecond) }
			tok.Env = portal.Test
			tok.SuspendedAt, tok.SuspendedBy, tok.SuspendReason = at(1), "usr_s", "leaked"
			tok.RevokedAt, tok.RevokedBy, tok.RevokeReason, tok.RevokeNote = at(2), "usr_r", "superseded", "see ticket 7"
			tok.FirstUsedAt, tok.LastUsedAt, tok.LastUsedFrom = at(3), at(4), "2001:db8::7"
			tok.Addresses = append(tok.Addresses, netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("0.0.0.0/0"))
			tok.Generations = append(tok.Generations,
				portal.Generation{
					Number: 2, KeyID: "k2", MAC: [32]byte{31: 255}, CreatedAt: at(5), ActivatedAt: at(6), EndsAt: at(7),
					Overlap: time.Second, LastUsedAt: at(8), LastUsedFrom: "192.0.2.7", LastClient: "curl/8 \"x\"",
				},
				portal.Generation{Number: 3, KeyID: "k2", CreatedAt: at(9), CancelledAt: at(10)})
		})
		whole(t, tok, "Standing.PlatformTeam", "Standing.TeamAbilities") // see standingTests
		same(t, "token", get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)), tok)
		same(t, "record", recordOf(ctx, t, s, tok.ID), tok)
		list := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Limit: 1, Now: now}))
		if len(list) != 1 {
			t.Fatalf("got %d tokens in the list, want 1", len(list))
		}
		same(t, "in a list", list[0], tok)
	}},
	{"what is absent stays absent", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.storeToken(t, s, func(tok *portal.Token) {
			*tok = portal.Token{ID: tok.ID, Team: tok.Team, Name: tok.Name, Env: portal.Live, Maker: tok.Maker, CreatedAt: now, Standing: tok.Standing}
		})
		same(t, "token", get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)), tok)
		same(t, "record", recordOf(ctx, t, s, tok.ID), tok)
	}},
	{"times are kept to the millisecond, in UTC, from long ago to far ahead", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		for _, at := range []time.Time{
			time.Unix(0, 0), time.UnixMilli(-1), time.UnixMilli(1), now, now.In(time.FixedZone("UTC+14", 14*3600)),
			time.Date(1, 1, 1, 0, 0, 0, 1e6, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
		} {
			tok := x.storeToken(t, s, func(tok *portal.Token) { tok.CreatedAt, tok.ExpiresAt, tok.Generations[0].EndsAt = at, at, at })
			got := get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID))
			for _, have := range []time.Time{got.CreatedAt, got.ExpiresAt, got.Generations[0].EndsAt} {
				if !have.Equal(at) || have.Location() != time.UTC {
					t.Errorf("got %v, want %v", have, at.UTC())
				}
			}
		}
		tok := x.storeToken(t, s, func(tok *portal.Token) { tok.ExpiresAt = now.Add(999_999 * time.Nanosecond) })
		if got := get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)); !got.ExpiresAt.Equal(now) {
			t.Errorf("got %v, want it cut to %v", got.ExpiresAt, now)
		}
	}},
	{"an id is taken once, also under many writers", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tokens := make([]portal.Token, writers)
		for i := range tokens {
			tokens[i] = x.newToken()
			tokens[i].ID = tokens[0].ID
		}
		winner := oneWins(t, race(writers, func(i int) error { return s.InsertToken(ctx, tokens[i]) }), portal.Conflict)
		same(t, "the winner", get[portal.Token](t)(s.Token(ctx, x.team.ID, tokens[0].ID)), tokens[winner])
	}},
	{"replace", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.storeToken(t, s, nil)
		tok.Name, tok.Note, tok.Abilities, tok.Addresses = "new", "", []string{"usage:read"}, nil
		tok.RateLimit, tok.ExpiresAt, tok.NotBefore, tok.Rev = portal.RateLimit{}, time.Time{}, time.Time{}, 8
		tok.SuspendedAt, tok.SuspendedBy, tok.SuspendReason = now, "usr_s", "unsure"
		tok.Generations = append([]portal.Generation{}, tok.Generations...)
		tok.Generations[0].EndsAt = now.Add(time.Hour)
		tok.Generations = append(tok.Generations, portal.Generation{Number: 2, KeyID: "k1", CreatedAt: now})
		noError(t, s.ReplaceToken(ctx, tok))
		same(t, "token", get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)), tok)
		same(t, "record", recordOf(ctx, t, s, tok.ID), tok)
		list := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Ability: "usage:read", Query: "new", Limit: 9, Now: now}))
		equal(t, "found by what is new", ids(list, tokenID), []string{tok.ID})
		for _, f := range []portal.TokenFilter{{Ability: "orders:read"}, {Query: "name_"}} {
			f.Team, f.Limit, f.Now = x.team.ID, 9, now
			equal(t, "found by what is gone", ids(get[[]portal.Token](t)(s.Tokens(ctx, f)), tokenID), []string{})
		}
	}},
	{"unknown ones are not found", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		kind[portal.Token](t, portal.NotFound)(s.Token(ctx, x.team.ID, "none"))
		wantKind(t, s.ReplaceToken(ctx, x.newToken()), portal.NotFound)
		if got := get[[]*portal.Token](t)(s.TokenRecords(ctx, []string{"none"})); len(got) != 0 {
			t.Errorf("got %v, want none", got)
		}
		if got := get[[]*portal.Token](t)(s.TokenRecords(ctx, nil)); len(got) != 0 {
			t.Errorf("got %v, want none", got)
		}
	}},
	{"a hundred records of several teams at once", func(t *testing.T, s portal.Store) {
		ctx, x, y := begin(t), storeTeam(t, s), storeTeam(t, s)
		var want []string
		for i := range 99 {
			want = append(want, []tenant{x, y}[i%2].storeToken(t, s, nil).ID)
		}
		got := get[[]*portal.Token](t)(s.TokenRecords(ctx, append(want, "none")))
		id := func(s string) string { return s }
		equal(t, "ids", sorted(got, func(t *portal.Token) string { return t.ID }), sorted(want, id))
	}},
	{"what was read does not change when the stored one does", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.storeToken(t, s, nil)
		read := get[[]*portal.Token](t)(s.TokenRecords(ctx, []string{tok.ID}))[0]
		later := tok
		later.Abilities, later.RevokedAt = []string{}, now
		noError(t, s.ReplaceToken(ctx, later))
		noError(t, s.RecordCalls(ctx, portal.CallBatch{Uses: []portal.Use{{Team: x.team.ID, Token: tok.ID, Generation: 1, At: now}}}))
		same(t, "read before", *read, tok)
	}},
	{"the living are counted at the instant", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		for _, change := range []func(*portal.Token){
			func(tok *portal.Token) { tok.ExpiresAt = now.Add(time.Millisecond) },
			func(tok *portal.Token) { tok.ExpiresAt = time.Time{} },
			func(tok *portal.Token) { tok.SuspendedAt = now.Add(-time.Hour) },
			func(tok *portal.Token) { tok.NotBefore = now.Add(time.Hour) },
			func(tok *portal.Token) { tok.ExpiresAt = now },
			func(tok *portal.Token) { tok.RevokedAt = now.Add(-time.Hour) },
			func(tok *portal.Token) { tok.RevokedAt, tok.ExpiresAt = now, time.Time{} },
		} {
			x.storeToken(t, s, change)
		}
		if n := get[int](t)(s.LivingTokens(ctx, x.team.ID, now)); n != 4 {
			t.Errorf("got %d, want 4", n)
		}
		if n := get[int](t)(s.LivingTokens(ctx, x.team.ID, now.Add(time.Millisecond))); n != 3 {
			t.Errorf("a millisecond later: got %d, want 3", n)
		}
	}},
}

var nameTests = []test{
	{"a name is claimed once, also under many writers", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tokens := make([]portal.Token, writers)
		for i := range tokens {
			tokens[i] = x.newToken()
			tokens[i].Name = "ERP"
		}
		errs := race(writers, func(i int) error {
			return s.Atomically(ctx, func(ctx context.Context) error {
				c := portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: tokens[i].ID, EndsAt: tokens[i].ExpiresAt}
				if err := s.ClaimName(ctx, c, now); err != nil {
					return err
				}
				return s.InsertToken(ctx, tokens[i])
			})
		})
		winner := oneWins(t, errs, portal.NameTaken)
		for i, err := range errs {
			if i != winner && other(err) != tokens[winner].ID {
				t.Errorf("writer %d: got %q named as the other, want %q", i, other(err), tokens[winner].ID)
			}
		}
		list := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Limit: 101, Now: now}))
		equal(t, "tokens", ids(list, tokenID), []string{tokens[winner].ID})
	}},
	{"a claim ends at its instant", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		claim := func(token string, ends, at time.Time) error {
			return s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: token, EndsAt: ends}, at)
		}
		ends := now.Add(time.Hour)
		noError(t, claim("a", ends, now))
		err := claim("b", time.Time{}, ends.Add(-time.Millisecond))
		if wantKind(t, err, portal.NameTaken); other(err) != "a" {
			t.Errorf("got %q named as the other, want a", other(err))
		}
		noError(t, claim("b", time.Time{}, ends))
		wantKind(t, claim("c", time.Time{}, now.AddDate(1000, 0, 0)), portal.NameTaken) // b's never ends
	}},
	{"a token may claim again, and change the end", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		c := portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: "a"}
		noError(t, s.ClaimName(ctx, c, now))
		c.EndsAt = now.Add(time.Minute)
		noError(t, s.ClaimName(ctx, c, now))
		noError(t, s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: "b"}, c.EndsAt))
	}},
	{"only its holder releases it", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		noError(t, s.ReleaseName(ctx, x.team.ID, "ERP", "nobody"))
		noError(t, s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: "a"}, now))
		noError(t, s.ReleaseName(ctx, x.team.ID, "ERP", "b"))
		noError(t, s.ReleaseName(ctx, x.team.ID, "other", "a"))
		wantKind(t, s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: "b"}, now), portal.NameTaken)
		noError(t, s.ReleaseName(ctx, x.team.ID, "ERP", "a"))
		noError(t, s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: "b"}, now))
	}},
	{"a claim that was rolled back is not there", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		_ = s.Atomically(ctx, func(ctx context.Context) error {
			noError(t, s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: "a"}, now))
			return errFault
		})
		noError(t, s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: "b"}, now))
	}},
	{"names differ by every byte", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		for i, name := range []string{"erp", "ERP", "erp ", "érp", "e\u0301rp", "erp\x00"} {
			noError(t, s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: name, Token: label("t%d", i)}, now))
		}
	}},
}

// other returns the id that a NameTaken error names.
func other(err error) string {
	if e, ok := errors.AsType[*portal.Error](err); ok {
		return e.Other
	}
	return ""
}
