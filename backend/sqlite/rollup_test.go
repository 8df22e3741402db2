package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// A log of more sums than one transaction adds is added in parts, while sums are
// read whole.
func TestLoggedSumsAreSettledInParts(t *testing.T) {
	s := openNew(t)
	const tokens = settledAtOnce/batchesLogged*3 + 1 // in each two batches, others than in those before
	at := at0.Truncate(time.Hour)
	logged := func() (n int) {
		t.Helper()
		err := s.read(t.Context(), func(w *work) error {
			_, err := w.row(`SELECT count(*) FROM rollup_log`, nil, &n)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range batchesLogged {
		var b portal.CallBatch
		for j := range tokens {
			b.Rollups = append(b.Rollups, portal.Rollup{
				Team: "tea", Step: portal.Hour, At: at, Token: fmt.Sprintf("tok%d.%d", i/2, j), Route: "GET /", Status: 200, Calls: 1,
			})
		}
		if err := s.RecordCalls(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if n := logged(); n == 0 || n >= batchesLogged {
		t.Errorf("got %d batches in the log, want a part of %d", n, batchesLogged)
	}
	for _, step := range []portal.Step{portal.Hour, portal.Day} {
		sums, err := s.Rollups(t.Context(), portal.RollupFilter{Team: "tea", Step: step, From: at.AddDate(0, 0, -1), To: at.AddDate(0, 0, 1)})
		if err != nil || len(sums) != batchesLogged/2*tokens {
			t.Fatalf("%s: got %d sums and %v, want %d", step, len(sums), err, batchesLogged/2*tokens)
		}
		for _, r := range sums {
			if r.Calls != 2 {
				t.Fatalf("%s: got %+v, want two calls", step, r)
			}
		}
	}
	if n := logged(); n != 0 {
		t.Errorf("got %d batches in the log after sums were read, want none", n)
	}
}

// What prunes or deletes does not hold up everybody until a long log is added.
func TestAnotherWriterComesBetweenLoggedSums(t *testing.T) {
	s := openNew(t)
	storeTeam(t, s, "tea", "usr")
	at := at0.Truncate(time.Hour)
	fill := func() {
		t.Helper()
		for i := range batchesLogged - 1 {
			var b portal.CallBatch
			for j := range 50 {
				b.Rollups = append(b.Rollups, portal.Rollup{
					Team: "tea", Step: portal.Hour, At: at, Token: fmt.Sprintf("tok%d.%d", i, j), Route: "GET /", Status: 200, Calls: 1,
				})
			}
			if err := s.RecordCalls(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, long := range []struct {
		name string
		do   func() error
	}{
		{"prune", func() error {
			_, err := s.Prune(t.Context(), portal.PruneTimes{Rollups: at.AddDate(0, 0, -1)}, 1000)
			return err
		}},
		{"delete the team", func() error { return s.DeleteTeam(t.Context(), "tea", at0) }},
	} {
		fill()
		done := make(chan error, 1)
		began := time.Now()
		go func() { done <- long.do() }()
		var longest time.Duration
		for ended := false; !ended; {
			select {
			case err := <-done:
				if ended = true; err != nil {
					t.Fatal(err)
				}
			default:
				asked := time.Now()
				if err := s.RecordCalls(t.Context(), portal.CallBatch{Uses: []portal.Use{{Team: "tea", Token: "none", At: at0}}}); err != nil {
					t.Fatal(err)
				}
				longest = max(longest, time.Since(asked))
			}
		}
		if took := time.Since(began); longest > took*2/3 {
			t.Errorf("%s: somebody waited for %v of %v", long.name, longest, took)
		}
	}
}
