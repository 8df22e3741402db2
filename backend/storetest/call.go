package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func callID(c portal.Call) string { return c.ID }

var callTests = []test{
	{"every field comes back", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		full := x.newCall("tok", now)
		whole(t, full)
		v6 := x.newCall("tok", now.Add(-time.Millisecond))
		v6.Method, v6.Status, v6.Code, v6.Generation, v6.Bytes, v6.Duration = "POST", 503, portal.Undecided, 3, 1<<40, time.Hour
		v6.Address = netip.MustParseAddr("2001:db8::1")
		mapped := x.newCall("tok", now.Add(-2*time.Millisecond))
		mapped.Address = netip.MustParseAddr("::ffff:192.0.2.7")
		bare := portal.Call{ID: newID("call"), Team: x.team.ID, At: now.Add(-3 * time.Millisecond)}
		want := []portal.Call{full, v6, mapped, bare}
		noError(t, s.RecordCalls(ctx, portal.CallBatch{Calls: want}))
		equal(t, "calls", get[[]portal.Call](t)(s.Calls(ctx, portal.CallFilter{Team: x.team.ID, Limit: 9})), want)
	}},
	{"one token of very many in a batch", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		var calls []portal.Call
		for i := range 300 {
			calls = append(calls, x.newCall(fmt.Sprintf("tok%d", i), now.Add(time.Duration(i)*time.Millisecond)))
		}
		noError(t, s.RecordCalls(ctx, portal.CallBatch{Calls: calls}))
		for _, i := range []int{0, 99, 100, 299} {
			equal(t, "calls", get[[]portal.Call](t)(s.Calls(ctx, portal.CallFilter{Team: x.team.ID, Token: calls[i].Token, Limit: 9})), calls[i:i+1])
		}
		equal(t, "calls of none", len(get[[]portal.Call](t)(s.Calls(ctx, portal.CallFilter{Team: x.team.ID, Token: "tok300", Limit: 9}))), 0)
	}},
	{"every filter", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		var calls []portal.Call
		short := map[string]string{}
		for i, change := range []func(*portal.Call){
			func(*portal.Call) {},
			func(c *portal.Call) { c.Token, c.Status = "other", 404 },
			func(c *portal.Call) { c.Method, c.Status = "POST", 499 },
			func(c *portal.Call) { c.Route, c.Status = "/api/v1/token", 500 },
			func(c *portal.Call) { c.Address, c.Status = netip.MustParseAddr("198.51.100.9"), 401 },
			func(c *portal.Call) { c.Address, c.Status = netip.MustParseAddr("2001:db8::7"), 403 },
			func(c *portal.Call) { c.Address, c.Status = netip.Addr{}, 429 },
		} {
			c := x.newCall("tok", now.Add(time.Duration(i)*time.Millisecond))
			change(&c)
			calls, short[c.ID] = append(calls, c), label("%d", i)
		}
		noError(t, s.RecordCalls(ctx, portal.CallBatch{Calls: calls}))
		ms := func(n int) time.Time { return now.Add(time.Duration(n) * time.Millisecond) }
		for _, tt := range []struct {
			name string
			f    portal.CallFilter
			want string
		}{
			{"none", portal.CallFilter{}, "6 5 4 3 2 1 0"},
			{"limit", portal.CallFilter{Limit: 2}, "6 5"},
			{"token", portal.CallFilter{Token: "other"}, "1"},
			{"status", portal.CallFilter{Status: 404}, "1"},
			{"a class of statuses", portal.CallFilter{Status: 4}, "6 5 4 2 1"},
			{"refused", portal.CallFilter{Refused: true}, "6 5 4"},
			{"another class", portal.CallFilter{Status: 5}, "3"},
			{"route", portal.CallFilter{Route: "/api/v1/token"}, "3"},
			{"method and route", portal.CallFilter{Route: "POST /api/v1/orders/:id"}, "2"},
			{"part of a route", portal.CallFilter{Route: "/api/v1"}, ""},
			{"network", portal.CallFilter{Address: netip.MustParsePrefix("192.0.2.0/24")}, "3 2 1 0"},
			{"one address", portal.CallFilter{Address: netip.MustParsePrefix("198.51.100.9/32")}, "4"},
			{"the neighbour of an address", portal.CallFilter{Address: netip.MustParsePrefix("198.51.100.8/32")}, ""},
			{"network with host bits", portal.CallFilter{Address: netip.MustParsePrefix("198.51.100.200/25")}, ""},
			{"odd length", portal.CallFilter{Address: netip.MustParsePrefix("198.51.96.0/21")}, "4"},
			{"all of IPv4", portal.CallFilter{Address: netip.MustParsePrefix("0.0.0.0/0")}, "4 3 2 1 0"},
			{"all of IPv6", portal.CallFilter{Address: netip.MustParsePrefix("::/0")}, "5"},
			{"IPv6 network", portal.CallFilter{Address: netip.MustParsePrefix("2001:db8::/32")}, "5"},
			{"from is included", portal.CallFilter{From: ms(5)}, "6 5"},
			{"to is not", portal.CallFilter{To: ms(1)}, "0"},
			{"after", portal.CallFilter{After: &portal.CallCursor{At: ms(2), ID: calls[2].ID}}, "1 0"},
			{"all together", portal.CallFilter{
				Token: "tok", Status: 4, Route: "POST /api/v1/orders/:id", Address: netip.MustParsePrefix("192.0.2.7/32"),
				From: ms(0), To: ms(7), After: &portal.CallCursor{At: ms(6), ID: calls[6].ID},
			}, "2"},
		} {
			tt.f.Team = x.team.ID
			if tt.f.Limit == 0 {
				tt.f.Limit = 101
			}
			got := ids(get[[]portal.Call](t)(s.Calls(ctx, tt.f)), func(c portal.Call) string { return short[c.ID] })
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s: got %v, want %s", tt.name, got, tt.want)
			}
		}
	}},
	{"pages newest first while calls are added", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		var calls []portal.Call
		for i := range 23 {
			calls = append(calls, x.newCall("tok", now.Add(time.Duration(i/5)*time.Millisecond)))
		}
		noError(t, s.RecordCalls(ctx, portal.CallBatch{Calls: calls}))
		slices.SortFunc(calls, func(a, b portal.Call) int { return firstOf(b.At.Compare(a.At), strings.Compare(b.ID, a.ID)) })
		for _, token := range []string{"", "tok"} {
			got := paged(t, 4, callID, func(after *portal.Call, limit int) ([]portal.Call, error) {
				f := portal.CallFilter{Team: x.team.ID, Token: token, Limit: limit}
				if after != nil {
					f.After = &portal.CallCursor{At: after.At, ID: after.ID}
					noError(t, s.RecordCalls(ctx, portal.CallBatch{Calls: []portal.Call{x.newCall("tok", now.Add(time.Hour))}}))
				}
				return s.Calls(ctx, f)
			})
			if token == "" {
				equal(t, "calls", ids(got, callID), ids(calls, callID))
			} else if len(got) < len(calls) {
				t.Errorf("got %d calls of the token, want at least %d", len(got), len(calls))
			}
		}
	}},
	{"pages of batches that overlap, as clocks and queues make them", func(t *testing.T, s portal.Store) {
		ctx, x, y := begin(t), storeTeam(t, s), storeTeam(t, s)
		r := rand.New(rand.NewPCG(1, 2)) // the same every time
		var all []portal.Call
		for range 40 {
			var b portal.CallBatch
			around := now.Add(time.Duration(r.IntN(3*3600)) * time.Second)
			for range 1 + r.IntN(12) {
				at := around.Add(time.Duration(r.IntN(600)) * time.Second)
				c := []tenant{x, y}[r.IntN(8)/7].newCall(label("tok%d", r.IntN(5)), at)
				c.Status = []int{200, 404, 500}[r.IntN(3)]
				b.Calls = append(b.Calls, c)
			}
			noError(t, s.RecordCalls(ctx, b))
			all = append(all, b.Calls...)
		}
		all = slices.DeleteFunc(all, func(c portal.Call) bool { return c.Team != x.team.ID })
		slices.SortFunc(all, func(a, b portal.Call) int { return firstOf(b.At.Compare(a.At), strings.Compare(b.ID, a.ID)) })
		for _, f := range []portal.CallFilter{
			{},
			{Token: "tok1"},
			{Status: 4},
			{From: now.Add(time.Hour), To: now.Add(2 * time.Hour)},
			{Token: "tok2", Status: 5, To: all[20].At},
		} {
			want := slices.DeleteFunc(slices.Clone(all), func(c portal.Call) bool {
				return f.Token != "" && c.Token != f.Token || f.Status != 0 && c.Status/100 != f.Status ||
					!f.From.IsZero() && c.At.Before(f.From) || !f.To.IsZero() && !c.At.Before(f.To)
			})
			for _, limit := range []int{1, 7, 101} {
				got := paged(t, limit, callID, func(after *portal.Call, limit int) ([]portal.Call, error) {
					f.Team, f.Limit, f.After = x.team.ID, limit, nil
					if after != nil {
						f.After = &portal.CallCursor{At: after.At, ID: after.ID}
					}
					return s.Calls(ctx, f)
				})
				equal(t, label("%+v by %d", f, limit), ids(got, callID), ids(want, callID))
			}
		}
	}},
	{"a batch that is sent again is not added again", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		b := portal.CallBatch{Calls: []portal.Call{x.newCall("tok", now), x.newCall("tok", now)}, Rollups: []portal.Rollup{x.newRollup("tok", now)}}
		for range 3 {
			noError(t, s.RecordCalls(ctx, b))
		}
		for _, err := range race(8, func(int) error { return s.RecordCalls(ctx, b) }) {
			noError(t, err)
		}
		if got := get[[]portal.Call](t)(s.Calls(ctx, portal.CallFilter{Team: x.team.ID, Limit: 9})); len(got) != 2 {
			t.Errorf("got %d calls, want 2", len(got))
		}
		equal(t, "sums", sumsOf(t, s, portal.RollupFilter{Team: x.team.ID, Step: portal.Hour}), b.Rollups)
	}},
	{"a batch is written whole or not at all", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.storeToken(t, s, nil)
		err := s.Atomically(ctx, func(ctx context.Context) error {
			noError(t, s.RecordCalls(ctx, portal.CallBatch{
				Calls:   []portal.Call{x.newCall(tok.ID, now)},
				Rollups: []portal.Rollup{x.newRollup(tok.ID, now)},
				Uses:    []portal.Use{{Team: x.team.ID, Token: tok.ID, Generation: 1, At: now, Address: "192.0.2.7"}},
			}))
			return errFault
		})
		if !errors.Is(err, errFault) {
			t.Errorf("got error %v, want %v", err, errFault)
		}
		if got := get[[]portal.Call](t)(s.Calls(ctx, portal.CallFilter{Team: x.team.ID, Limit: 9})); len(got) != 0 {
			t.Errorf("got calls %v, want none", got)
		}
		equal(t, "sums", sumsOf(t, s, portal.RollupFilter{Team: x.team.ID, Step: portal.Hour}), []portal.Rollup{})
		same(t, "token", recordOf(ctx, t, s, tok.ID), tok)
	}},
	{"sums are added up, also under many writers", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		for _, err := range race(writers, func(i int) error {
			r := x.newRollup("tok", now)
			r.Calls, r.Bucket = 3, [portal.Buckets]int64{}
			r.Bucket[i], r.Bucket[portal.Buckets-1] = 1, 2
			return s.RecordCalls(ctx, portal.CallBatch{Calls: []portal.Call{x.newCall("tok", now)}, Rollups: []portal.Rollup{r}})
		}) {
			noError(t, err)
		}
		want := x.newRollup("tok", now)
		want.Calls, want.Bucket = 3*writers, [portal.Buckets]int64{}
		for i := range writers {
			want.Bucket[i]++
			want.Bucket[portal.Buckets-1] += 2
		}
		equal(t, "hour", sumsOf(t, s, portal.RollupFilter{Team: x.team.ID, Step: portal.Hour}), []portal.Rollup{want})
		want.Step, want.At = portal.Day, now.Truncate(24*time.Hour)
		equal(t, "day", sumsOf(t, s, portal.RollupFilter{Team: x.team.ID, Step: portal.Day}), []portal.Rollup{want})
	}},
	{"a sum of an hour counts for its day", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		midnight := now.Truncate(24 * time.Hour)
		for _, at := range []time.Time{midnight.Add(-time.Hour), midnight, midnight.Add(23 * time.Hour), midnight.Add(24 * time.Hour)} {
			noError(t, s.RecordCalls(ctx, portal.CallBatch{Rollups: []portal.Rollup{x.newRollup("tok", at)}}))
		}
		got := map[time.Time]int64{}
		for _, r := range sumsOf(t, s, portal.RollupFilter{Team: x.team.ID, Step: portal.Day}) {
			got[r.At] += r.Calls
		}
		one := x.newRollup("tok", now).Calls
		equal(t, "days", got, map[time.Time]int64{midnight.Add(-24 * time.Hour): one, midnight: 2 * one, midnight.Add(24 * time.Hour): one})
		equal(t, "one day", len(sumsOf(t, s, portal.RollupFilter{Team: x.team.ID, Step: portal.Day, From: midnight, To: midnight.Add(24 * time.Hour)})), 1)
	}},
	{"the same sum twice in one batch", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		r := x.newRollup("tok", now)
		noError(t, s.RecordCalls(ctx, portal.CallBatch{Calls: []portal.Call{x.newCall("tok", now)}, Rollups: []portal.Rollup{r, r}}))
		r.Calls, r.Bucket[3] = 2, 2
		equal(t, "sums", sumsOf(t, s, portal.RollupFilter{Team: x.team.ID, Step: portal.Hour}), []portal.Rollup{r})
	}},
	{"sums by step, token and time", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		var b portal.CallBatch
		hour := now.Truncate(time.Hour)
		for i, token := range []string{"a", "b", "a", "c"} {
			b.Calls = append(b.Calls, x.newCall(token, hour.Add(time.Duration(i)*time.Hour)))
			b.Rollups = append(b.Rollups, x.newRollup(token, hour.Add(time.Duration(i)*time.Hour)))
		}
		other := x.newRollup("a", hour)
		other.Route = "POST /api/v1/orders"
		refused := x.newRollup("a", hour)
		refused.Status = 403
		b.Rollups = append(b.Rollups, other, refused)
		noError(t, s.RecordCalls(ctx, b))
		for _, tt := range []struct {
			name string
			f    portal.RollupFilter
			want int
		}{
			{"all", portal.RollupFilter{}, 6},
			{"one token", portal.RollupFilter{Tokens: []string{"a"}}, 4},
			{"two tokens", portal.RollupFilter{Tokens: []string{"b", "c", "none"}}, 2},
			{"no tokens", portal.RollupFilter{Tokens: []string{}}, 0},
			{"from is included", portal.RollupFilter{From: hour.Add(2 * time.Hour)}, 2},
			{"to is not", portal.RollupFilter{To: hour.Add(time.Hour)}, 3},
			{"days, in which two hours meet", portal.RollupFilter{Step: portal.Day}, 5},
		} {
			tt.f.Team = x.team.ID
			if tt.f.Step == "" {
				tt.f.Step = portal.Hour
			}
			if got := sumsOf(t, s, tt.f); len(got) != tt.want {
				t.Errorf("%s: got %d sums, want %d", tt.name, len(got), tt.want)
			}
		}
	}},
	{"only later uses count", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.storeToken(t, s, func(tok *portal.Token) {
			tok.Generations = append(tok.Generations, portal.Generation{Number: 2, KeyID: "k1", CreatedAt: now})
		})
		use := func(generation int, at time.Time, address string) {
			noError(t, s.RecordCalls(ctx, portal.CallBatch{Uses: []portal.Use{
				{Team: x.team.ID, Token: tok.ID, Generation: generation, At: at, Address: address, Client: "agent of " + address},
			}}))
		}
		check := func(what string, last time.Time, from string, generations ...string) {
			t.Helper()
			got := recordOf(ctx, t, s, tok.ID)
			same(t, what+", token and record", get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)), got)
			if !got.LastUsedAt.Equal(last) || got.LastUsedFrom != from {
				t.Errorf("%s: got last use %v from %s, want %v from %s", what, got.LastUsedAt, got.LastUsedFrom, last, from)
			}
			for i, want := range generations {
				g := got.Generations[i]
				if g.LastUsedFrom != want || want != "" && g.LastClient != "agent of "+want {
					t.Errorf("%s: generation %d: got %+v, want it used from %s", what, g.Number, g, want)
				}
			}
		}
		use(1, now, "first")
		check("a first use", now, "first", "first", "")
		use(1, now.Add(-time.Millisecond), "earlier")
		use(1, now, "at the same time")
		check("uses that are not later", now, "first", "first", "")
		use(2, now.Add(-time.Minute), "second")
		check("an earlier use of another generation", now, "first", "first", "second")
		use(2, now.Add(time.Minute), "third")
		check("a later use of it", now.Add(time.Minute), "third", "first", "third")
		use(1, now.Add(time.Second), "fourth")
		check("a later use of the first, not of the token", now.Add(time.Minute), "third", "fourth", "third")
		// In one batch too, what is later counts, whatever stands beside it.
		uses := func(list ...portal.Use) {
			for i := range list {
				u := &list[i]
				u.Team, u.Token, u.Client = x.team.ID, cmp.Or(u.Token, tok.ID), "agent of "+u.Address
			}
			noError(t, s.RecordCalls(ctx, portal.CallBatch{Uses: list}))
		}
		uses(
			portal.Use{Generation: 2, At: now.Add(3 * time.Minute), Address: "fifth"},
			portal.Use{Token: "none", Generation: 1, At: now.Add(time.Hour), Address: "nobody"},
			portal.Use{Generation: 1, At: now.Add(2 * time.Minute), Address: "sixth"},
		)
		check("two generations and a token that is gone", now.Add(3*time.Minute), "fifth", "sixth", "fifth")
		uses(
			portal.Use{Generation: 1, At: now.Add(2 * time.Minute), Address: "at the same time"},
			portal.Use{Generation: 2, At: now.Add(4 * time.Minute), Address: "seventh"},
		)
		check("one that is not later, and one that is", now.Add(4*time.Minute), "seventh", "sixth", "seventh")
		uses(
			portal.Use{Generation: 1, At: now.Add(5 * time.Minute), Address: "eighth"},
			portal.Use{Generation: 2, At: now.Add(5 * time.Minute), Address: "ninth"},
		)
		check("two at the same time", now.Add(5*time.Minute), "eighth", "eighth", "ninth")
		use(9, now.Add(time.Hour), "forgotten generation")
		noError(t, s.RecordCalls(ctx, portal.CallBatch{Uses: []portal.Use{{Team: x.team.ID, Token: "none", Generation: 1, At: now}}}))
		got := recordOf(ctx, t, s, tok.ID)
		if got.Name != tok.Name || got.Rev != tok.Rev || !got.FirstUsedAt.IsZero() || len(got.Generations) != 2 {
			t.Errorf("got %+v, want nothing changed but uses of %+v", got, tok)
		}
		list := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Sort: portal.ByLastUse, Limit: 1, Now: now}))
		same(t, "in a list", list[0], got)
	}},
	{"uses and changes of a token at once lose neither", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.storeToken(t, s, func(tok *portal.Token) { tok.Rev = 0 })
		for _, err := range race(writers, func(i int) error {
			if i%2 == 0 {
				return s.RecordCalls(ctx, portal.CallBatch{Uses: []portal.Use{
					{Team: x.team.ID, Token: tok.ID, Generation: 1, At: now.Add(time.Duration(i) * time.Minute), Address: label("%d", i)},
				}})
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
		got := recordOf(ctx, t, s, tok.ID)
		if last := label("%d", writers-2); got.Rev != writers/2 || got.LastUsedFrom != last || got.Generations[0].LastUsedFrom != last {
			t.Errorf("got %+v, want %d changes and the last use from %s", got, writers/2, last)
		}
	}},
}

// sumsOf reads sums; where the filter names no time, all of them.
func sumsOf(t *testing.T, s portal.Store, f portal.RollupFilter) []portal.Rollup {
	t.Helper()
	if f.From.IsZero() {
		f.From = now.AddDate(0, 0, -30)
	}
	if f.To.IsZero() {
		f.To = now.AddDate(0, 0, 30)
	}
	got := get[[]portal.Rollup](t)(s.Rollups(begin(t), f))
	if got == nil {
		return []portal.Rollup{}
	}
	return got
}
