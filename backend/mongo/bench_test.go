package mongo

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// fillTokens stores n tokens of one team, past the rules.
func fillTokens(b *testing.B, s *Store, n int) (team string, ids []string) {
	b.Helper()
	team, owner := storeTeam(b, s)
	docs := make([]any, n)
	for i := range docs {
		tok := newToken(team, owner)
		tok.CreatedAt = testTime.Add(time.Duration(i) * time.Millisecond)
		doc := toTokenDoc(&tok)
		doc.Standing = &standingDoc{MakerRole: portal.Owner}
		docs[i], ids = doc, append(ids, tok.ID)
	}
	if _, err := s.tokens.InsertMany(b.Context(), docs); err != nil {
		b.Fatal(err)
	}
	return team, ids
}

func BenchmarkTokenRecords(b *testing.B) {
	s := openAt(b, mongotest.Start(b))
	_, ids := fillTokens(b, s, 10_000)
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				got, err := s.TokenRecords(b.Context(), ids[i:i+n])
				if err != nil || len(got) != n {
					b.Fatalf("got %d records and %v, want %d", len(got), err, n)
				}
				i = (i + n) % (len(ids) - n)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkTokensPage(b *testing.B) {
	s := openAt(b, mongotest.Start(b))
	team, _ := fillTokens(b, s, 10_000)
	for _, tt := range []struct {
		name string
		f    portal.TokenFilter
	}{
		{"newest", portal.TokenFilter{}},
		{"in the middle", portal.TokenFilter{After: &portal.TokenCursor{Time: testTime.Add(5 * time.Second), ID: "x"}}},
		{"by expiry, active", portal.TokenFilter{Sort: portal.ByExpiry, Status: []portal.TokenStatus{portal.StatusActive}}},
		{"a name that none has", portal.TokenFilter{Query: "nobody"}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			tt.f.Team, tt.f.Limit, tt.f.Now = team, 50, testTime.Add(time.Hour)
			for b.Loop() {
				if _, err := s.Tokens(b.Context(), tt.f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRecordCalls(b *testing.B) {
	s := openAt(b, mongotest.Start(b))
	team, ids := fillTokens(b, s, 100)
	for b.Loop() {
		var batch portal.CallBatch
		for i := range 1000 {
			batch.Calls = append(batch.Calls, portal.Call{
				ID: newID("call"), Team: team, At: testTime, Token: ids[i%100], Generation: 1, Method: "GET", Route: "/api/v1/orders",
				Status: 200, Code: portal.OK, Duration: time.Millisecond, Bytes: 500, UserAgent: "curl/8", RequestID: "req",
			})
		}
		for _, id := range ids {
			r := portal.Rollup{Team: team, Step: portal.Hour, At: testTime.Truncate(time.Hour), Token: id, Route: "GET /api/v1/orders", Status: 200, Calls: 10}
			r.Bucket[3] = 10
			batch.Rollups = append(batch.Rollups, r)
		}
		if err := s.RecordCalls(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	b.StopTimer()
	if n := countCalls(b, s, team); n != int64(1000*b.N) {
		b.Fatalf("got %d calls, want %d", n, 1000*b.N)
	}
}

// 32 writers append to one chain, or each to its own.
func BenchmarkAppend(b *testing.B) {
	for _, tt := range []struct {
		name   string
		nodes  int
		chains int
	}{{"one chain", 1, 1}, {"32 chains", 1, 32}, {"one chain from two nodes", 2, 1}} {
		b.Run(tt.name, func(b *testing.B) {
			uri := mongotest.Start(b)
			var nodes []*Store
			for range tt.nodes {
				nodes = append(nodes, openAt(b, uri))
			}
			chains := make([]string, tt.chains)
			for i := range chains {
				chains[i] = newID("tea")
			}
			work := make(chan int)
			var wg sync.WaitGroup
			b.ResetTimer()
			for w := range 32 {
				wg.Go(func() {
					for i := range work {
						if err := appendTo(b.Context(), nodes[w%len(nodes)], chains[w%len(chains)], fmt.Sprint(i)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for i := range b.N {
				work <- i
			}
			close(work)
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
