package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var orders = newTable("orders", 3, func(column columns, o *portal.Order) {
	column("team", &o.Team)
	column("env", &o.Env)
	column("id", &o.ID)
	column("reference", &o.Reference)
	column("currency", &o.Currency)
	column("amount_minor", &o.AmountMinor)
	column("lines", asJSON{&o.Lines})
	column("created_at", at{&o.CreatedAt})
	column("updated_at", at{&o.UpdatedAt})
	column("cancelled_at", atOrNull{&o.CancelledAt})
	column("version", &o.Version)
})

// InsertOrder implements portal.OrderStore. Conflict: the id is taken. NotFound:
// the team is gone.
func (s *Store) InsertOrder(ctx context.Context, o portal.Order) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(orders.insert, orders.fields(&o)...)
		return idTaken(err)
	})
}

// ReplaceOrder implements portal.OrderStore.
func (s *Store) ReplaceOrder(ctx context.Context, o portal.Order) error {
	return s.write(ctx, func(w *work) error {
		n, err := w.exec(orders.update+` AND version = ?`, append(orders.changes(&o), o.Version-1)...)
		if err != nil || n == 1 {
			return err
		}
		var version int64
		found, err := w.row(`SELECT version FROM orders WHERE team = ? AND env = ? AND id = ?`, []any{o.Team, string(o.Env), o.ID}, &version)
		switch {
		case err != nil:
			return err
		case !found:
			return portal.ErrNotFound("Order")
		default:
			return &portal.Error{Kind: portal.Changed, Detail: "The order changed since it was read."}
		}
	})
}

// Order implements portal.OrderStore.
func (s *Store) Order(ctx context.Context, team string, env portal.Env, id string) (portal.Order, error) {
	return orders.one(ctx, s, "Order", `WHERE team = ? AND env = ? AND id = ?`, team, string(env), id)
}

// Orders implements portal.OrderStore.
func (s *Store) Orders(ctx context.Context, team string, env portal.Env, after string, limit int) ([]portal.Order, error) {
	query, args := ordersQuery(team, env, after, limit)
	return readList(ctx, s, query, args, orders.reader())
}

func ordersQuery(team string, env portal.Env, after string, limit int) (string, []any) {
	var c where
	c.and("team = ?", team)
	c.and("env = ?", string(env))
	if after != "" {
		c.and("id < ?", after)
	}
	return orders.query + c.text.String() + ` ORDER BY id DESC LIMIT ?`, append(c.args, limit)
}
