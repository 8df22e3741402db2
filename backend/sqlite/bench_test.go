package sqlite

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

func openBench(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "gatehouse.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// fill stores teams of n tokens each in few transactions.
func fill(b *testing.B, s *Store, teams, n int) {
	b.Helper()
	for i := range teams {
		team, user := fmt.Sprintf("tea_%d", i), fmt.Sprintf("usr_%d", i)
		storeTeam(b, s, team, user)
		if err := s.Atomically(b.Context(), func(ctx context.Context) error {
			for j := range n {
				if err := s.InsertToken(ctx, newToken(team, user, i*n+j)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// A page of 101 tokens of a team that has 10,000, among two others of that size.
func BenchmarkTokens(b *testing.B) {
	s := openBench(b)
	fill(b, s, 3, 10_000)
	now := at0.AddDate(0, 0, 45)
	middle := &portal.TokenCursor{Time: at0.Add(15_000 * time.Second), Name: "Integration 15000", ID: "tok000015000"}
	for _, bb := range []struct {
		name string
		f    portal.TokenFilter
	}{
		{"newest", portal.TokenFilter{}},
		{"newest/after", portal.TokenFilter{After: middle}},
		{"name", portal.TokenFilter{Sort: portal.ByName, After: middle}},
		{"last_used", portal.TokenFilter{Sort: portal.ByLastUse}},
		{"expiry", portal.TokenFilter{Sort: portal.ByExpiry}},
		{"status/half", portal.TokenFilter{Status: []portal.TokenStatus{portal.StatusActive}}},
		{"status/none", portal.TokenFilter{Status: []portal.TokenStatus{portal.StatusSuspended}}},
		{"ability/none", portal.TokenFilter{Ability: "usage:read"}},
		{"ability/all", portal.TokenFilter{Ability: "orders:read"}},
		{"query/one", portal.TokenFilter{Query: "integration 15555"}},
		{"query/none", portal.TokenFilter{Query: "nothing like it"}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			bb.f.Team, bb.f.Limit, bb.f.Now = "tea_1", 101, now
			for b.Loop() {
				if _, err := s.Tokens(b.Context(), bb.f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("living", func(b *testing.B) {
		for b.Loop() {
			if n, err := s.LivingTokens(b.Context(), "tea_1", now); err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("policy of 10000", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			team := portal.Team{ID: "tea_1", Policy: portal.TeamPolicy{Abilities: []string{fmt.Sprint(i)}}}
			if err := s.ReplaceTeam(b.Context(), team); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A batch of 1,000 calls of many tokens, four a second, with the hourly and daily
// sum of each token, and once a minute its use.
func BenchmarkRecordCalls(b *testing.B) {
	for _, tokens := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("tokens=%d", tokens), func(b *testing.B) {
			s := openBench(b)
			fill(b, s, 1, tokens)
			for n := 0; b.Loop(); n++ {
				b.StopTimer()
				batch := newBatch(n, tokens, 1000)
				b.StartTimer()
				if err := s.RecordCalls(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

func newBatch(n, tokens, calls int) portal.CallBatch {
	var batch portal.CallBatch
	at := at0.AddDate(1, 0, 0).Add(time.Duration(n) * 250 * time.Millisecond)
	for i := range calls {
		token := fmt.Sprintf("tok%09d", i%tokens)
		batch.Calls = append(batch.Calls, portal.Call{
			ID: fmt.Sprintf("01JD8R2T7Q%08d%08d", n, i), Team: "tea_0", At: at.Add(time.Duration(i/4) * time.Millisecond), Token: token,
			Generation: 1, Method: "GET", Route: "/api/v1/orders/:id", Status: 200, Code: portal.OK,
			Duration: time.Duration(90_000 + i*37%50_000), Bytes: 512, Address: netip.MustParseAddr("192.0.2.7"),
			UserAgent: "erp-connector/4.2 (linux)", RequestID: fmt.Sprintf("01JD8R2T7R%08d%08d", n, i),
		})
		if i < tokens {
			r := portal.Rollup{Team: "tea_0", Step: portal.Hour, At: at.Truncate(time.Hour), Token: token, Route: "GET /api/v1/orders/:id", Status: 200, Calls: 1}
			r.Bucket[5] = 1
			batch.Rollups = append(batch.Rollups, r)
			if n%240 == 0 {
				batch.Uses = append(batch.Uses, portal.Use{Team: "tea_0", Token: token, Generation: 1, At: at, Address: "192.0.2.7", Client: "erp"})
			}
		}
	}
	return batch
}

// A page of 101 calls among a million of one team, of 100 tokens.
func BenchmarkCalls(b *testing.B) {
	s := openBench(b)
	fill(b, s, 1, 100)
	for n := range 1000 {
		batch := newBatch(n, 100, 1000)
		batch.Uses = nil
		if err := s.RecordCalls(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	middle := at0.AddDate(1, 0, 0).Add(125 * time.Second)
	for _, bb := range []struct {
		name string
		f    portal.CallFilter
	}{
		{"newest", portal.CallFilter{}},
		{"after", portal.CallFilter{After: &portal.CallCursor{At: middle, ID: "01JD8R2T7Q"}}},
		{"token", portal.CallFilter{Token: "tok000000007"}},
		{"token without calls", portal.CallFilter{Token: "none"}},
		{"status without calls", portal.CallFilter{Status: 5}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			bb.f.Team, bb.f.Limit = "tea_0", 101
			for b.Loop() {
				if _, err := s.Calls(b.Context(), bb.f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("sums of a day by hour", func(b *testing.B) {
		day := at0.AddDate(1, 0, 0).Truncate(24 * time.Hour)
		for b.Loop() {
			f := portal.RollupFilter{Team: "tea_0", Step: portal.Hour, From: day, To: day.AddDate(0, 0, 1)}
			if sums, err := s.Rollups(b.Context(), f); err != nil || len(sums) == 0 {
				b.Fatal(len(sums), err)
			}
		}
	})
}

// One change with its event, as every change of a token is.
func BenchmarkChange(b *testing.B) {
	s := openBench(b)
	fill(b, s, 1, 100)
	tok := newToken("tea_0", "usr_0", 5)
	for b.Loop() {
		tok.Rev++
		err := s.Atomically(b.Context(), func(ctx context.Context) error {
			if _, err := s.Append(ctx, audit.Event{Chain: "tea_0", At: at0, Action: "token.updated", Target: tok.ID}); err != nil {
				return err
			}
			return s.ReplaceToken(ctx, tok)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	s := openBench(b)
	fill(b, s, 1, 1000)
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = fmt.Sprintf("tok%09d", i)
	}
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if t, err := s.Records().Record(context.Background(), ids[i%1000]); t == nil || err != nil {
				b.Error(t, err)
			}
		}
	})
}

// Opening a file with 100,000 tokens, which are read into memory.
func BenchmarkOpen(b *testing.B) {
	s := openBench(b)
	fill(b, s, 10, 10_000)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		again, err := Open(b.Context(), s.path)
		if err != nil {
			b.Fatal(err)
		}
		if err := again.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
