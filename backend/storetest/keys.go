package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func testKeyMark(t *testing.T, s portal.Store) {
	ctx := begin(t)
	kind[portal.KeyMark](t, portal.NotFound)(s.KeyMark(ctx))
	// Of many nodes that start at once with keys of their own, one marks them.
	var marked [writers]bool
	for i, err := range race(writers, func(i int) error {
		return s.Atomically(ctx, func(ctx context.Context) error {
			marked[i] = false
			_, err := s.KeyMark(ctx)
			if portal.KindOf(err) != portal.NotFound {
				return err
			}
			marked[i] = true
			return s.SaveKeyMark(ctx, portal.KeyMark{Ring: fmt.Sprint("ring ", i), Pepper: "k1"})
		})
	}) {
		if err != nil {
			t.Errorf("writer %d: got error %v, want none", i, err)
		}
	}
	won := 0
	m := get[portal.KeyMark](t)(s.KeyMark(ctx))
	for i, mine := range marked {
		if mine {
			won++
			equal(t, "the mark", m, portal.KeyMark{Ring: fmt.Sprint("ring ", i), Pepper: "k1"})
		}
	}
	if won != 1 {
		t.Errorf("%d marked their keys, want 1", won)
	}
	m.Pepper = "k2"
	noError(t, s.SaveKeyMark(ctx, m))
	equal(t, "changed", get[portal.KeyMark](t)(s.KeyMark(ctx)), m)

	kind[portal.Token](t, portal.NotFound)(s.SomeToken(ctx))
	tok := storeTeam(t, s).storeToken(t, s, nil)
	same(t, "some token", get[portal.Token](t)(s.SomeToken(ctx)), tok)
}
