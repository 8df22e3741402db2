package mongo

import (
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Sums are read whole while two processes log and settle them.
func TestLoggedSumsAreSettled(t *testing.T) {
	uri := mongotest.Start(t)
	nodes := []*Store{openAt(t, uri), openAt(t, uri)}
	r := portal.Rollup{Team: "tea", Step: portal.Hour, At: testTime.Truncate(time.Hour), Token: "tok", Route: "GET /", Status: 200, Calls: 1}
	check := func(want int64) {
		t.Helper()
		for _, s := range nodes {
			sums, err := s.Rollups(t.Context(), portal.RollupFilter{Team: "tea", Step: portal.Hour})
			if err != nil || len(sums) != 1 || sums[0].Calls != want {
				t.Fatalf("got sums %+v and %v, want one of %d", sums, err, want)
			}
		}
	}
	documents := func(s *Store) (logged, stored int64) {
		t.Helper()
		logged, err := s.rollupLog.CountDocuments(t.Context(), bson.D{})
		if err == nil {
			stored, err = s.rollups.CountDocuments(t.Context(), bson.D{})
		}
		if err != nil {
			t.Fatal(err)
		}
		return logged, stored
	}
	for i := range batchesLogged {
		for n, s := range nodes {
			b := portal.CallBatch{
				Calls:   []portal.Call{{ID: newID("call"), Team: "tea", At: testTime, Token: "tok", Route: "/", Method: "GET", Status: 200}},
				Rollups: []portal.Rollup{r},
			}
			if err := s.RecordCalls(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			check(int64(len(nodes)*i + n + 1))
		}
	}
	if logged, stored := documents(nodes[0]); logged != 0 || stored == 0 {
		t.Errorf("got %d logged and %d stored documents, want none and some", logged, stored)
	}
	other := r
	other.Team = "other"
	if err := nodes[0].RecordCalls(t.Context(), portal.CallBatch{Rollups: []portal.Rollup{other}}); err != nil {
		t.Fatal(err)
	}
	// What a process that is gone logged, another settles before it removes sums.
	n, err := nodes[1].Prune(t.Context(), portal.PruneTimes{Rollups: r.At.Add(time.Hour), Events: r.At.Add(time.Hour)}, 100)
	if logged, stored := documents(nodes[1]); err != nil || n == 0 || logged != 0 || stored != 0 {
		t.Errorf("got %d removed and %v, %d logged and %d stored documents, want none left", n, err, logged, stored)
	}
}
