package portal

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"
)

func TestUsageRange(t *testing.T) {
	p := newPortal(t, nil) // it is 10:30
	at := func(text string) time.Time {
		a, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	const today, hour = "2026-11-22T00:00:00Z", "2026-11-22T10:00:00Z"
	tests := []struct {
		name     string
		q        UsageQuery
		from, to string
	}{
		{"nothing is asked: 30 days with today", UsageQuery{}, "2026-10-24T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"by the hour: 48 hours with this one", UsageQuery{Step: Hour}, "2026-11-20T11:00:00Z", "2026-11-22T11:00:00Z"},
		{"whole days", UsageQuery{From: at("2026-11-20T00:00:00Z"), To: at(today)}, "2026-11-20T00:00:00Z", today},
		{"broken days", UsageQuery{From: at("2026-11-20T13:14:15Z"), To: at("2026-11-21T00:00:00.001Z")}, "2026-11-20T00:00:00Z", today},
		{"an hour that is broken at both ends", UsageQuery{Step: Hour, From: at("2026-11-22T09:59:00Z"), To: at("2026-11-22T09:59:30Z")}, "2026-11-22T09:00:00Z", hour},
		{"another time zone", UsageQuery{Step: Hour, From: at("2026-11-22T10:00:00+01:00"), To: at("2026-11-22T11:00:00+01:00")}, "2026-11-22T09:00:00Z", hour},
		{"from a day until now", UsageQuery{From: at("2026-11-22T05:00:00Z")}, today, "2026-11-23T00:00:00Z"},
		{"until a day", UsageQuery{To: at(today)}, "2026-10-23T00:00:00Z", today},
		{"a thousand steps", UsageQuery{From: at(today).Add(-1000 * day), To: at(today)}, "2024-02-26T00:00:00Z", today},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, length, err := p.usageRange(tt.q)
			if err != nil {
				t.Fatal(err)
			}
			if got.From != at(tt.from) || got.To != at(tt.to) || got.To.Sub(got.From)%length != 0 {
				t.Errorf("got %v to %v, want %s to %s", got.From, got.To, tt.from, tt.to)
			}
		})
	}
	for _, tt := range []struct {
		name string
		q    UsageQuery
		want string
	}{
		{"another step", UsageQuery{Step: "week"}, "#/step oneof"},
		{"another key", UsageQuery{By: "Token"}, "#/by oneof"},
		{"backwards", UsageQuery{From: now, To: now.Add(-2 * day)}, "#/from past"},
		{"of no length", UsageQuery{From: at(today), To: at(today)}, "#/from past"},
		{"from tomorrow on", UsageQuery{From: now.Add(day)}, "#/from past"},
		{"too long", UsageQuery{From: at(today).Add(-1001 * day), To: at(today)}, "#/from too_far"},
		{"since the year 1", UsageQuery{From: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)}, "#/from too_far"},
		{"into the year 10000", UsageQuery{To: time.Date(9999, 12, 31, 12, 0, 0, 0, time.UTC), From: time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC)}, "#/to too_far"},
		{"until the year 9999", UsageQuery{To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), From: now}, "#/from too_far"},
		{"all wrong", UsageQuery{Step: "x", By: "y", From: now, To: now.Add(-2 * day)}, "#/step oneof, #/by oneof, #/from past"},
	} {
		if _, _, err := p.usageRange(tt.q); broken(err) != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// rollupStore answers with the same sums whatever is asked.
type rollupStore struct {
	noStore
	sums  []Rollup
	asked RollupFilter
}

func (s *rollupStore) Rollups(_ context.Context, f RollupFilter) ([]Rollup, error) {
	s.asked = f
	return s.sums, nil
}

func TestUsageSums(t *testing.T) {
	p := newPortal(t, nil)
	fast, slow := bucketOf(ms), bucketOf(time.Second)
	sum := func(hours int, token, route string, status int, calls int64, class int) Rollup {
		r := Rollup{At: now.Truncate(time.Hour).Add(time.Duration(hours) * time.Hour), Token: token, Route: route, Status: status, Calls: calls}
		r.Bucket[class] = calls
		return r
	}
	store := &rollupStore{sums: []Rollup{
		sum(-2, "a", "GET /x", 200, 5, fast),
		sum(-2, "b", "GET /x", 401, 1, fast),
		sum(-2, "b", "GET /x", 403, 1, fast),
		sum(-2, "b", "GET /x", 429, 1, fast),
		sum(-2, "b", "GET /x", 404, 1, fast),
		sum(0, "b", "POST /x", 500, 2, slow),
		sum(0, "b", "POST /x", 503, 2, slow),
		sum(5, "a", "GET /x", 200, 99, fast), // out of the range: not counted
	}}
	p.store = store
	ask := func(by By) UsageReport {
		t.Helper()
		r, err := p.usage(context.Background(), "tea_1", UsageQuery{Step: Hour, By: by, From: now.Add(-2 * time.Hour), Token: "a"})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := ask("")
	if store.asked.Team != "tea_1" || len(store.asked.Tokens) != 1 || store.asked.Tokens[0] != "a" {
		t.Errorf("asked %+v, want the token of the team", store.asked)
	}
	if len(r.Series) != 1 || len(r.Series[0].Points) != 3 {
		t.Fatalf("got %+v, want one series of three points", r.Series)
	}
	for i, want := range []struct{ calls, refused, errors int64 }{{9, 3, 0}, {0, 0, 0}, {4, 0, 4}} {
		got := r.Series[0].Points[i]
		if got.Calls != want.calls || got.Refused != want.refused || got.Errors != want.errors {
			t.Errorf("point %d: got %+v, want %+v", i, got, want)
		}
		if !got.At.Equal(now.Truncate(time.Hour).Add(time.Duration(i-2) * time.Hour)) {
			t.Errorf("point %d: got %v", i, got.At)
		}
		if none := want.calls == 0; (got.P50 == nil) != none || (got.P95 == nil) != none {
			t.Errorf("point %d: got %v and %v, want percentiles only of calls", i, got.P50, got.P95)
		}
	}
	if p50 := *r.Series[0].Points[2].P50; p50 < 700*ms || p50 > 1100*ms {
		t.Errorf("got %v, want about a second", p50)
	}
	for by, want := range map[By][]string{
		ByToken: {"a", "b"}, ByRoute: {"GET /x", "POST /x"}, ByStatus: {"200", "500", "503", "401", "403", "404", "429"},
	} {
		var keys []string
		for _, s := range ask(by).Series {
			keys = append(keys, s.Key)
		}
		if by == ByToken { // 99 calls lie out of the range
			want = []string{"b", "a"}
		}
		equal(t, "keys by "+string(by), keys, want)
	}
}

// A thousand tokens, called in an hour of their own each, two of them equally
// often. Those that are not in the answer take no memory for each of its hours.
func TestUsageOfManyKeys(t *testing.T) {
	p := newPortal(t, nil)
	store := &rollupStore{}
	for i := range maxSteps {
		r := Rollup{At: now.Truncate(time.Hour).Add(-time.Duration(i) * time.Hour), Token: fmt.Sprintf("%03d", i), Status: 403, Calls: int64(i / 2)}
		r.Bucket[3] = r.Calls
		store.sums = append(store.sums, r)
	}
	p.store = store
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := p.usage(context.Background(), "tea_1", UsageQuery{By: ByToken, Step: Hour, From: now.Add(-(maxSteps - 1) * time.Hour)})
	runtime.ReadMemStats(&after)
	if err != nil || len(r.Series) != maxSeries {
		t.Fatalf("got %d series, %v, want the %d of most calls", len(r.Series), err, maxSeries)
	}
	if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 16 {
		t.Errorf("got %d MiB allocated, want at most 16", got)
	}
	for n, s := range r.Series {
		i := maxSteps - 2 - n/2*2 + n%2
		if want := store.sums[i].Token; s.Key != want || len(s.Points) != maxSteps {
			t.Fatalf("series %d: got %d points of %s, want %d of %s", n, len(s.Points), s.Key, maxSteps, want)
		}
		for at, got := range s.Points {
			want := int64(0)
			if at == maxSteps-1-i {
				want = store.sums[i].Calls
			}
			if got.Calls != want || got.Refused != want || (got.P50 != nil) != (want > 0) || (got.P95 != nil) != (want > 0) {
				t.Errorf("series %d: point %d: got %+v, want %d calls", n, at, got, want)
			}
		}
	}
}

func TestUsageOfNothing(t *testing.T) {
	p := newPortal(t, nil)
	p.store = &rollupStore{}
	for by, want := range map[By]int{"": 1, ByToken: 0} {
		r, err := p.usage(context.Background(), "tea_1", UsageQuery{By: by})
		if err != nil || len(r.Series) != want || r.Series == nil {
			t.Errorf("by %q: got %v, %v, want %d series", by, r.Series, err, want)
		}
	}
}
