package storetest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var orderTests = []test{
	{"every field comes back", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		o := x.storeOrder(t, s, func(o *portal.Order) {
			o.Env, o.AmountMinor, o.Version = portal.Test, -1<<52, 3
			o.CancelledAt = now
			o.Lines = append(o.Lines, portal.OrderLine{SKU: "", Description: "🦊 \x00", Quantity: 1 << 40, AmountMinor: -1})
		})
		whole(t, o)
		equal(t, "order", get[portal.Order](t)(s.Order(ctx, x.team.ID, portal.Test, o.ID)), o)
	}},
	{"unknown ones are not found", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		kind[portal.Order](t, portal.NotFound)(s.Order(ctx, x.team.ID, portal.Live, "ord_none"))
		o := x.newOrder()
		o.Version = 2
		wantKind(t, s.ReplaceOrder(ctx, o), portal.NotFound)
	}},
	{"replace goes from one version to the next", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		o := x.storeOrder(t, s, nil)
		next := o
		next.Version, next.Reference, next.Lines, next.UpdatedAt = 2, "PO-2", []portal.OrderLine{{SKU: "B"}}, now.AddDate(0, 0, 1)
		noError(t, s.ReplaceOrder(ctx, next))
		equal(t, "replaced", get[portal.Order](t)(s.Order(ctx, x.team.ID, o.Env, o.ID)), next)
		wantKind(t, s.ReplaceOrder(ctx, next), portal.Changed)
		skip := next
		skip.Version = 4
		wantKind(t, s.ReplaceOrder(ctx, skip), portal.Changed)
		equal(t, "after the attempts", get[portal.Order](t)(s.Order(ctx, x.team.ID, o.Env, o.ID)), next)
	}},
	{"of many writers of one version one wins", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		o := x.storeOrder(t, s, nil)
		winner := oneWins(t, race(writers, func(i int) error {
			next := o
			next.Version, next.Reference = 2, label("PO-%d", i)
			return s.ReplaceOrder(ctx, next)
		}), portal.Changed)
		if got := get[portal.Order](t)(s.Order(ctx, x.team.ID, o.Env, o.ID)); got.Reference != label("PO-%d", winner) {
			t.Errorf("got %+v, want that of writer %d", got, winner)
		}
	}},
	{"who reads one and then writes it in a transaction is never too late", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		o := x.storeOrder(t, s, nil)
		for _, err := range race(writers, func(int) error {
			return s.Atomically(ctx, func(ctx context.Context) error {
				now, err := s.Order(ctx, x.team.ID, o.Env, o.ID)
				if err != nil {
					return err
				}
				now.Version++
				return s.ReplaceOrder(ctx, now)
			})
		}) {
			noError(t, err)
		}
		if got := get[portal.Order](t)(s.Order(ctx, x.team.ID, o.Env, o.ID)); got.Version != o.Version+writers {
			t.Errorf("got version %d, want %d", got.Version, o.Version+writers)
		}
	}},
	{"pages newest first while orders are added", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		id := func(o portal.Order) string { return o.ID }
		var want []string
		for range 11 {
			want = append(want, x.storeOrder(t, s, nil).ID)
			x.storeOrder(t, s, func(o *portal.Order) { o.Env = portal.Test })
		}
		slices.SortFunc(want, func(a, b string) int { return strings.Compare(b, a) })
		got := paged(t, 3, id, func(after *portal.Order, limit int) ([]portal.Order, error) {
			last := ""
			if after != nil {
				last = after.ID
				x.storeOrder(t, s, func(o *portal.Order) { o.ID = "orf" + o.ID }) // sorts before all
			}
			return s.Orders(ctx, x.team.ID, portal.Live, last, limit)
		})
		equal(t, "orders", ids(got, id), want)
	}},
}
