package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// cursor returns the place of a token in a list.
func cursor(sort portal.TokenSort, tok portal.Token) *portal.TokenCursor {
	c := &portal.TokenCursor{ID: tok.ID}
	switch sort {
	case portal.ByName:
		c.Name = tok.Name
	case portal.ByLastUse:
		c.Time = tok.LastUsedAt
	case portal.ByExpiry:
		c.Time = tok.ExpiresAt
	default:
		c.Time = tok.CreatedAt
	}
	return c
}

// inOrder is the order of a list, in the words of the contract.
func inOrder(sort portal.TokenSort) func(a, b portal.Token) int {
	last := func(a, b time.Time) int { // what is absent comes last
		switch {
		case a.IsZero() == b.IsZero():
			return 0
		case a.IsZero():
			return 1
		default:
			return -1
		}
	}
	return func(a, b portal.Token) int {
		switch sort {
		case portal.ByName:
			return firstOf(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
		case portal.ByLastUse:
			return firstOf(last(a.LastUsedAt, b.LastUsedAt), b.LastUsedAt.Compare(a.LastUsedAt), strings.Compare(b.ID, a.ID))
		case portal.ByExpiry:
			return firstOf(last(a.ExpiresAt, b.ExpiresAt), a.ExpiresAt.Compare(b.ExpiresAt), strings.Compare(a.ID, b.ID))
		default:
			return firstOf(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(b.ID, a.ID))
		}
	}
}

func firstOf(orders ...int) int {
	for _, o := range orders {
		if o != 0 {
			return o
		}
	}
	return 0
}

var sorts = []portal.TokenSort{portal.NewestFirst, portal.ByName, portal.ByLastUse, portal.ByExpiry}

// storeMixed stores n tokens with ties, and absent values, in every sort key.
func storeMixed(t *testing.T, s portal.Store, x tenant, n int) []portal.Token {
	t.Helper()
	names := []string{"b", "a", "B", "é", "ab", "🦊", "\uffff", ""}
	var made []portal.Token
	for i := range n {
		made = append(made, x.storeToken(t, s, func(tok *portal.Token) {
			ms := func(n int) time.Time { return now.Add(time.Duration(n) * time.Millisecond) }
			tok.CreatedAt, tok.Name, tok.ExpiresAt, tok.LastUsedAt = ms(i/3), names[i%len(names)], ms(i%4), ms(i%5)
			if i%3 == 0 {
				tok.ExpiresAt = time.Time{}
			}
			if i%4 == 0 {
				tok.LastUsedAt = time.Time{}
			}
		}))
	}
	return made
}

var tokenListTests = []test{
	{"every order, and pages that cover each token once", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		made := storeMixed(t, s, x, 29)
		for _, sort := range append(sorts, "") {
			slices.SortFunc(made, inOrder(sort))
			for _, limit := range []int{1, 4, 101} {
				got := paged(t, limit, tokenID, func(after *portal.Token, limit int) ([]portal.Token, error) {
					f := portal.TokenFilter{Team: x.team.ID, Sort: sort, Limit: limit, Now: now}
					if after != nil {
						f.After = cursor(sort, *after)
					}
					return s.Tokens(ctx, f)
				})
				equal(t, label("order %q by %d", sort, limit), ids(got, tokenID), ids(made, tokenID))
			}
		}
	}},
	{"pages cover what was there while tokens come and go", func(t *testing.T, s portal.Store) {
		for _, sort := range sorts {
			ctx, x := begin(t), storeTeam(t, s)
			made := storeMixed(t, s, x, 20)
			turn := 0
			got := paged(t, 3, tokenID, func(after *portal.Token, limit int) ([]portal.Token, error) {
				f := portal.TokenFilter{Team: x.team.ID, Sort: sort, Limit: limit, Now: now}
				if after != nil {
					f.After = cursor(sort, *after)
				}
				rows, err := s.Tokens(ctx, f)
				// New ones on both sides of every place. They end, so the list does.
				for range 2 {
					if turn++; turn < 16 {
						x.storeToken(t, s, func(tok *portal.Token) {
							tok.Name, tok.CreatedAt = []string{"", "zz"}[turn%2], now.Add(time.Duration(turn-8)*time.Second)
							tok.ExpiresAt, tok.LastUsedAt = tok.CreatedAt, tok.CreatedAt
						})
					}
				}
				return rows, err
			})
			seen := map[string]bool{}
			for _, tok := range got {
				seen[tok.ID] = true
			}
			for _, tok := range made {
				if !seen[tok.ID] {
					t.Errorf("order %q: token %s was left out", sort, tok.ID)
				}
			}
		}
	}},
	{"a cursor holds when its token is gone from the list", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		made := storeMixed(t, s, x, 9)
		slices.SortFunc(made, inOrder(portal.NewestFirst))
		gone := made[3]
		gone.Env = portal.Test
		noError(t, s.ReplaceToken(ctx, gone))
		got := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{
			Team: x.team.ID, Env: portal.Live, After: cursor(portal.NewestFirst, gone), Limit: 101, Now: now,
		}))
		equal(t, "the rest", ids(got, tokenID), ids(made[4:], tokenID))
	}},
	{"statuses at their exact instants", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		ms := time.Millisecond
		changes := []func(*portal.Token){
			func(tok *portal.Token) { tok.ExpiresAt, tok.NotBefore = time.Time{}, time.Time{} },
			func(tok *portal.Token) { tok.ExpiresAt = now.Add(ms) },
			func(tok *portal.Token) { tok.ExpiresAt = now },
			func(tok *portal.Token) { tok.ExpiresAt = now.Add(-ms) },
			func(tok *portal.Token) { tok.NotBefore = now.Add(ms) },
			func(tok *portal.Token) { tok.NotBefore = now },
			func(tok *portal.Token) { tok.NotBefore = now.Add(-ms) },
			func(tok *portal.Token) { tok.SuspendedAt = now },
			func(tok *portal.Token) { tok.RevokedAt = now },
			func(tok *portal.Token) { tok.SuspendedAt, tok.NotBefore = now.Add(-ms), now.Add(ms) },
			func(tok *portal.Token) { tok.SuspendedAt, tok.ExpiresAt = now.Add(-ms), now },
			func(tok *portal.Token) { tok.SuspendedAt, tok.ExpiresAt = now.Add(-ms), now.Add(ms) },
			func(tok *portal.Token) { tok.NotBefore, tok.ExpiresAt = now.Add(ms), now },
			func(tok *portal.Token) { tok.RevokedAt, tok.ExpiresAt, tok.SuspendedAt = now.Add(-ms), now, now },
			func(tok *portal.Token) { tok.RevokedAt, tok.NotBefore = now.Add(-ms), now.Add(ms) },
			func(tok *portal.Token) { tok.ExpiresAt = time.UnixMilli(0) },
			func(tok *portal.Token) { tok.RevokedAt = time.UnixMilli(0) },
		}
		var made []portal.Token
		for _, change := range changes {
			made = append(made, x.storeToken(t, s, change))
		}
		all := []portal.TokenStatus{
			portal.StatusPending, portal.StatusActive, portal.StatusSuspended, portal.StatusExpired, portal.StatusRevoked,
		}
		for _, at := range []time.Time{now.Add(-ms), now, now.Add(ms), now.Add(2 * ms)} {
			for n := range 1 << len(all) { // every set of statuses; the empty one selects all
				var wanted []portal.TokenStatus
				for i, status := range all {
					if n>>i&1 == 1 {
						wanted = append(wanted, status)
					}
				}
				var want []string
				for _, tok := range made {
					if len(wanted) == 0 || slices.Contains(wanted, tok.Status(at)) {
						want = append(want, tok.ID)
					}
				}
				slices.Sort(want)
				got := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Status: wanted, Limit: 101, Now: at}))
				if have := sorted(got, tokenID); !slices.Equal(have, want) {
					t.Errorf("%v at %v: got %v, want %v", wanted, at, have, want)
				}
			}
		}
	}},
	{"every filter", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		made := map[string]string{} // by id, a short name
		for _, row := range []struct {
			short  string
			change func(*portal.Token)
		}{
			{"a", func(tok *portal.Token) { tok.Name, tok.Env, tok.Maker = "Invoice Robot", portal.Test, "usr_other" }},
			{"b", func(tok *portal.Token) { tok.Name, tok.Abilities = "ERP 100%_x", []string{"orders:read"} }},
			{"c", func(tok *portal.Token) {
				tok.Name, tok.Abilities = "ÄRGER im Büro", []string{"usage:read", "orders:readx"}
			}},
			{"d", func(tok *portal.Token) { tok.Name, tok.Abilities = `a.b*[c](d)^$|\Q`, nil }},
			{"e", func(tok *portal.Token) { tok.Name, tok.RevokedAt = "ПРИВЕТ שלום 🦊", now }},
			{"f", func(tok *portal.Token) { tok.ID, tok.Name = "ZzQ"+tok.ID[3:], "plain" }},
		} {
			tok := x.newToken()
			tok.Abilities = []string{"token:rotate"}
			row.change(&tok)
			noError(t, s.InsertToken(ctx, tok))
			made[tok.ID] = row.short
		}
		for _, tt := range []struct {
			name string
			f    portal.TokenFilter
			want string
		}{
			{"none", portal.TokenFilter{}, "abcdef"},
			{"env", portal.TokenFilter{Env: portal.Test}, "a"},
			{"the other env", portal.TokenFilter{Env: portal.Live}, "bcdef"},
			{"maker", portal.TokenFilter{Maker: "usr_other"}, "a"},
			{"ability", portal.TokenFilter{Ability: "orders:read"}, "b"},
			{"second ability", portal.TokenFilter{Ability: "orders:readx"}, "c"},
			{"part of an ability", portal.TokenFilter{Ability: "orders"}, ""},
			{"two abilities in one text", portal.TokenFilter{Ability: `orders:readx","usage:read`}, ""},
			{"part of the name", portal.TokenFilter{Query: "voice"}, "a"},
			{"in another case", portal.TokenFilter{Query: "iNVOICE r"}, "a"},
			{"in another case, beyond ASCII", portal.TokenFilter{Query: "ärger IM bÜro"}, "c"},
			{"in another case, Cyrillic", portal.TokenFilter{Query: "привет"}, "e"},
			{"right to left", portal.TokenFilter{Query: "שלום"}, "e"},
			{"emoji", portal.TokenFilter{Query: "🦊"}, "e"},
			{"percent sign", portal.TokenFilter{Query: "%"}, "b"},
			{"underscore", portal.TokenFilter{Query: "_"}, "b"},
			{"dot", portal.TokenFilter{Query: "."}, "d"},
			{"all that expressions are made of", portal.TokenFilter{Query: `.b*[c](d)^$|\q`}, "d"},
			{"a backslash", portal.TokenFilter{Query: `\`}, "d"},
			{"a prefix of the id", portal.TokenFilter{Query: "ZzQ"}, "f"},
			{"a part of the id that is no prefix", portal.TokenFilter{Query: "zQ"}, ""},
			{"status and name", portal.TokenFilter{Status: []portal.TokenStatus{portal.StatusRevoked}, Query: "привет"}, "e"},
			{"status that excludes the name", portal.TokenFilter{Status: []portal.TokenStatus{portal.StatusActive}, Query: "привет"}, ""},
			{"all together", portal.TokenFilter{
				Status: []portal.TokenStatus{portal.StatusActive}, Env: portal.Test, Ability: "token:rotate", Maker: "usr_other", Query: "invoice",
			}, "a"},
		} {
			for _, sort := range sorts {
				tt.f.Team, tt.f.Limit, tt.f.Now, tt.f.Sort = x.team.ID, 101, now, sort
				got := get[[]portal.Token](t)(s.Tokens(ctx, tt.f))
				short := sorted(got, func(tok portal.Token) string { return made[tok.ID] })
				if strings.Join(short, "") != tt.want {
					t.Errorf("%s, order %q: got %v, want %s", tt.name, sort, short, tt.want)
				}
			}
		}
	}},
	{"the limit is kept", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		storeMixed(t, s, x, 5)
		for limit := 1; limit <= 5; limit++ {
			got := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Limit: limit, Now: now}))
			if len(got) != limit {
				t.Errorf("got %d tokens, want %d", len(got), limit)
			}
		}
	}},
}
