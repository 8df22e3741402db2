package mongo

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Who changes an order that another transaction is changing waits for it, instead
// of running again and again until it has ended.
func TestChangesOfAnOrderTakeTurns(t *testing.T) {
	s := openAt(t, mongotest.Start(t))
	team, _ := storeTeam(t, s)
	o := portal.Order{ID: newID("ord"), Team: team, Env: portal.Live, CreatedAt: testTime, UpdatedAt: testTime, Version: 1}
	if err := s.InsertOrder(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	change := func(began func(), then func()) error {
		return s.Atomically(t.Context(), func(ctx context.Context) error {
			began()
			now, err := s.Order(ctx, team, o.Env, o.ID)
			if err != nil {
				return err
			}
			now.Version++
			if err := s.ReplaceOrder(ctx, now); err != nil {
				return err
			}
			then()
			return nil
		})
	}
	var tries atomic.Int32
	done := make(chan error, 1)
	err := change(func() {}, func() {
		go func() { done <- change(func() { tries.Add(1) }, func() {}) }()
		time.Sleep(200 * time.Millisecond) // in which there is nothing to try
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := tries.Load(); got > 2 {
		t.Errorf("got %d tries, want one that meets the other and one after it", got)
	}
}
