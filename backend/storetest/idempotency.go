package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func newIdempotent() portal.Idempotent {
	return portal.Idempotent{
		Key: newID("key"), Fingerprint: "body", LeaseUntil: now.Add(time.Minute), ExpiresAt: now.Add(24 * time.Hour),
	}
}

var idempotencyTests = []test{
	{"of many requests with one key one begins", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		begun := make([]*portal.Idempotent, writers)
		for _, err := range race(writers, func(i int) (err error) {
			begun[i], err = s.BeginIdempotent(ctx, r, now)
			return err
		}) {
			noError(t, err)
		}
		n := 0
		for _, stored := range begun {
			if stored == nil {
				n++
			} else if stored.Done || stored.Fingerprint != r.Fingerprint || !stored.LeaseUntil.Equal(r.LeaseUntil) {
				t.Errorf("got %+v, want what the first stored", *stored)
			}
		}
		if n != 1 {
			t.Errorf("got %d that began, want 1", n)
		}
	}},
	{"an answer is stored and found", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now)); got != nil {
			t.Fatalf("got %+v, want nil", got)
		}
		done := r
		done.Done, done.Status, done.Body = true, 201, []byte("{\"id\":\"ord_1\",\"x\":\"\x00\xff\"}")
		done.Header = map[string]string{"Location": "/api/v1/orders/ord_1", "ETag": `"1"`, "a.b": "$c"}
		whole(t, done)
		noError(t, s.Atomically(ctx, func(ctx context.Context) error { return s.FinishIdempotent(ctx, done) }))
		for _, at := range []time.Time{now, r.LeaseUntil, r.ExpiresAt.Add(-time.Millisecond)} {
			again := r
			again.Fingerprint = "another"
			got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, again, at))
			if got == nil {
				t.Fatalf("at %v: got nil, want the answer", at)
			}
			equal(t, "answer", *got, done)
		}
	}},
	{"an answer that was rolled back leaves the request under way", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now))
		err := s.Atomically(ctx, func(ctx context.Context) error {
			done := r
			done.Done, done.Status = true, 201
			noError(t, s.FinishIdempotent(ctx, done))
			return errFault
		})
		if !errors.Is(err, errFault) {
			t.Errorf("got error %v, want %v", err, errFault)
		}
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now)); got == nil || got.Done {
			t.Errorf("got %+v, want it under way", got)
		}
	}},
	{"a lease that ended is taken over, once", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now))
		next := r
		next.LeaseUntil = r.LeaseUntil.Add(time.Minute)
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, next, r.LeaseUntil.Add(-time.Millisecond))); got == nil {
			t.Error("before its end: got nil, want the one under way")
		}
		taken := make([]bool, writers)
		for _, err := range race(writers, func(i int) error {
			got, err := s.BeginIdempotent(ctx, next, r.LeaseUntil)
			taken[i] = got == nil
			return err
		}) {
			noError(t, err)
		}
		n := 0
		for _, yes := range taken {
			if yes {
				n++
			}
		}
		if n != 1 {
			t.Errorf("got %d that took over, want 1", n)
		}
	}},
	{"an answer that is stored is not replaced, and what came with another is undone", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now))
		r.Done, r.Status, r.Body = true, 201, []byte("first")
		noError(t, s.FinishIdempotent(ctx, r))
		second, x := r, tenant{newTeam(), newUser()}
		second.Status, second.Body = 200, []byte("second")
		wantKind(t, s.Atomically(ctx, func(ctx context.Context) error {
			noError(t, s.InsertTeam(ctx, x.team))
			return s.FinishIdempotent(ctx, second)
		}), portal.Conflict)
		kind[portal.Team](t, portal.NotFound)(s.Team(ctx, x.team.ID))
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now)); got == nil || string(got.Body) != "first" {
			t.Errorf("got %+v, want the first answer", got)
		}
	}},
	{"an answer that is stored cannot be abandoned", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now))
		r.Done, r.Status = true, 201
		noError(t, s.FinishIdempotent(ctx, r))
		noError(t, s.AbandonIdempotent(ctx, r.Key))
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now)); got == nil || got.Status != 201 {
			t.Errorf("got %+v, want the answer", got)
		}
	}},
	{"an abandoned key is new", func(t *testing.T, s portal.Store) {
		ctx, r := begin(t), newIdempotent()
		get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now))
		noError(t, s.AbandonIdempotent(ctx, r.Key))
		noError(t, s.AbandonIdempotent(ctx, r.Key))
		if got := get[*portal.Idempotent](t)(s.BeginIdempotent(ctx, r, now)); got != nil {
			t.Errorf("got %+v, want nil", got)
		}
	}},
}
