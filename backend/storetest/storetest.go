// Package storetest is what every portal.Store promises, as tests. Both
// backend/sqlite and backend/mongo run all of it; that tenants cannot reach
// each other comes first.
package storetest

import (
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Options are the hooks into a store that only its own package can offer.
type Options struct {
	// Reopen closes the store and opens the same data again. Needed.
	Reopen func(t *testing.T, s portal.Store) portal.Store
	// Records is what decisions read the store's tokens with. nil means a
	// portal.Coalescer.
	Records func(s portal.Store) portal.RecordReader
	// Break makes the database unreachable and returns what mends it. nil means
	// that the store has nothing between itself and its data that could break.
	Break func(t *testing.T, s portal.Store) (mend func())
}

// Run holds a store to its contract. open returns a store that is empty, and
// closes it when the test has ended; it is called a handful of times.
func Run(t *testing.T, open func(t *testing.T) portal.Store, opts Options) {
	shared := open(t)
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Isolation", isolationTests},
		{"Atomically", atomicTests},
		{"Event", eventTests},
		{"User", userTests},
		{"Signup", signupTests},
		{"Session", sessionTests},
		{"Team", teamTests},
		{"Member", memberTests},
		{"Standing", standingTests},
		{"Token", tokenTests},
		{"TokenList", tokenListTests},
		{"Name", nameTests},
		{"Order", orderTests},
		{"Call", callTests},
		{"Once", onceTests},
		{"Idempotency", idempotencyTests},
		{"Many", manyTests},
		{"Text", textTests},
		{"Context", contextTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, tt := range group.tests {
				t.Run(tt.name, func(t *testing.T) { tt.run(t, shared) })
			}
		})
	}
	t.Run("Records", func(t *testing.T) { testRecords(t, shared, opts) })
	t.Run("Prune", func(t *testing.T) { testPrune(t, open) })
	t.Run("Empty", func(t *testing.T) { testEmpty(t, open(t)) })
	t.Run("KeyMark", func(t *testing.T) { testKeyMark(t, open(t)) })
	t.Run("Platform", func(t *testing.T) { testPlatformTeam(t, open(t)) })
	t.Run("Reopen", func(t *testing.T) { testReopen(t, open(t), opts) })
	t.Run("Closed", func(t *testing.T) { testClosed(t, open(t)) })
	if opts.Break != nil {
		t.Run("Unreachable", func(t *testing.T) { testUnreachable(t, open(t), opts) })
	}
}

// test is one promise. The store is shared with the other tests: each makes
// teams, users and keys of its own.
type test struct {
	name string
	run  func(t *testing.T, s portal.Store)
}
