package mongo

import (
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Pruning goes past chains at rest, which keep an event for ever, and removes
// from the beginning of a chain only.
func TestPruneEventsPastChainsAtRest(t *testing.T) {
	s := openAt(t, mongotest.Start(t))
	const resting = eraseAtOnce + 10
	var docs []any
	for range resting {
		docs = append(docs, eventDoc{V: 1, Chain: newID("usr"), Seq: 1, At: toInstant(testTime), Data: "{}"})
	}
	chain := newID("tea")
	for i := range 50 {
		docs = append(docs, eventDoc{V: 1, Chain: chain, Seq: int64(i) + 1, At: toInstant(testTime.AddDate(0, 0, 1)), Data: "{}"})
	}
	if _, err := s.events.InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	before := portal.PruneTimes{Events: testTime.AddDate(0, 0, 2)}
	for i, want := range []int{30, 19, 0} {
		if n, err := s.Prune(t.Context(), before, 30); err != nil || n != want {
			t.Errorf("round %d: got %d removed and %v, want %d", i, n, err, want)
		}
		left, err := s.Events(t.Context(), portal.EventFilter{Chain: chain, Oldest: true, Limit: 100})
		if err != nil || len(left) == 0 || left[0].Seq+int64(len(left)) != 51 {
			t.Errorf("round %d: got %d left and %v, want the newest without a gap", i, len(left), err)
		}
	}
}
