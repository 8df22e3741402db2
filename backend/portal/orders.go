package portal

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// NewOrder is what an integration gives to make an order.
type NewOrder struct {
	Reference, Currency string
	AmountMinor         int64
	Lines               []OrderLine
}

// CreateOrder stores an order in the team and environment of the token.
func (p *Portal) CreateOrder(ctx context.Context, d *Decision, in NewOrder) (Order, error) {
	now := p.clock()
	o := Order{
		ID: secret.NewIDAt(secret.OrderID, now), Team: d.Token.Team, Env: d.Token.Env,
		Reference: strings.TrimSpace(in.Reference), Currency: in.Currency, AmountMinor: in.AmountMinor, Lines: in.Lines,
		CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	return o, p.store.InsertOrder(ctx, o)
}

// orderPage is what an integration reads over and over, from many places.
type orderPage struct {
	team  string
	env   Env
	after string
	limit int
}

// Orders lists the orders of the token's team and environment, newest first;
// next is the id to go on after, "" at the end. Calls for the same page at the
// same time share a read, and the list, which is not to be changed.
func (p *Portal) Orders(ctx context.Context, d *Decision, after string, limit int) (list []Order, next string, err error) {
	limit = pageLimit(limit)
	list, err = p.orders.get(ctx, orderPage{d.Token.Team, d.Token.Env, after, limit + 1})
	if err != nil {
		return nil, "", err
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, nil
}

// Order returns one order of the token's team and environment.
func (p *Portal) Order(ctx context.Context, d *Decision, id string) (Order, error) {
	return p.store.Order(ctx, d.Token.Team, d.Token.Env, id)
}

// OrderChange is a merge patch of an order: nil leaves a field as it is.
type OrderChange struct {
	Reference, Currency *string
	AmountMinor         *int64
	Lines               *[]OrderLine
}

// UpdateOrder changes an open order; a patch that changes nothing leaves its
// version as it is. match is the version that the caller saw, or [AnyRev].
func (p *Portal) UpdateOrder(ctx context.Context, d *Decision, id string, match *int64, in OrderChange) (Order, error) {
	return p.changeOrder(ctx, d, id, match, func(o *Order) {
		if in.Reference != nil {
			o.Reference = strings.TrimSpace(*in.Reference)
		}
		if in.Currency != nil {
			o.Currency = *in.Currency
		}
		if in.AmountMinor != nil {
			o.AmountMinor = *in.AmountMinor
		}
		if in.Lines != nil {
			o.Lines = *in.Lines
		}
	})
}

// CancelOrder cancels an open order.
func (p *Portal) CancelOrder(ctx context.Context, d *Decision, id string, match *int64) (Order, error) {
	return p.changeOrder(ctx, d, id, match, func(o *Order) { o.CancelledAt = p.clock() })
}

// same reports whether two orders differ in nothing; no lines are an empty list.
func (o Order) same(other Order) bool {
	lines := slices.Equal(o.Lines, other.Lines)
	o.Lines, other.Lines = nil, nil
	return lines && reflect.DeepEqual(o, other)
}

func (p *Portal) changeOrder(ctx context.Context, d *Decision, id string, match *int64, change func(*Order)) (Order, error) {
	var o Order
	err := p.atomically(ctx, func(ctx context.Context) error {
		var err error
		if o, err = p.Order(ctx, d, id); err != nil {
			return err
		}
		if err := matches(match, o.Version); err != nil {
			return err
		}
		if !o.CancelledAt.IsZero() {
			return &Error{Kind: Conflict, Code: "order-cancelled", Detail: "This order is cancelled and cannot be changed any more."}
		}
		old := o
		change(&o)
		if o.same(old) { // the ETags of others stay good
			return nil
		}
		o.UpdatedAt = p.clock()
		o.Version++
		return p.store.ReplaceOrder(ctx, o)
	})
	return o, err
}
