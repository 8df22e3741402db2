package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const orderColumns = `id, team, env, reference, currency, amount_minor, lines, created_at, updated_at, cancelled_at, version`

func scanOrder(scan scanner) (o portal.Order, err error) {
	err = scan(&o.ID, &o.Team, &o.Env, &o.Reference, &o.Currency, &o.AmountMinor, fromJSON{&o.Lines}, at{&o.CreatedAt},
		at{&o.UpdatedAt}, at{&o.CancelledAt}, &o.Version)
	return o, err
}

// InsertOrder implements portal.OrderStore. Conflict: the id is taken. NotFound:
// the team is gone.
func (s *Store) InsertOrder(ctx context.Context, o portal.Order) error {
	lines, err := jsonText(o.Lines)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`INSERT INTO orders (`+orderColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			o.ID, o.Team, string(o.Env), o.Reference, o.Currency, o.AmountMinor, lines, o.CreatedAt.UnixMilli(),
			o.UpdatedAt.UnixMilli(), ms(o.CancelledAt), o.Version)
		return idTaken(err)
	})
}

// ReplaceOrder implements portal.OrderStore.
func (s *Store) ReplaceOrder(ctx context.Context, o portal.Order) error {
	lines, err := jsonText(o.Lines)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *work) error {
		n, err := w.exec(`UPDATE orders SET reference = ?, currency = ?, amount_minor = ?, lines = ?, created_at = ?,
			updated_at = ?, cancelled_at = ?, version = ? WHERE team = ? AND env = ? AND id = ? AND version = ?`,
			o.Reference, o.Currency, o.AmountMinor, lines, o.CreatedAt.UnixMilli(), o.UpdatedAt.UnixMilli(), ms(o.CancelledAt),
			o.Version, o.Team, string(o.Env), o.ID, o.Version-1)
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
	return readOne(ctx, s, "Order", `SELECT `+orderColumns+` FROM orders WHERE team = ? AND env = ? AND id = ?`,
		[]any{team, string(env), id}, scanOrder)
}

// Orders implements portal.OrderStore.
func (s *Store) Orders(ctx context.Context, team string, env portal.Env, after string, limit int) ([]portal.Order, error) {
	query, args := ordersQuery(team, env, after, limit)
	return readList(ctx, s, query, args, scanOrder)
}

func ordersQuery(team string, env portal.Env, after string, limit int) (string, []any) {
	var c where
	c.and("team = ?", team)
	c.and("env = ?", string(env))
	if after != "" {
		c.and("id < ?", after)
	}
	return `SELECT ` + orderColumns + ` FROM orders` + c.text.String() + ` ORDER BY id DESC LIMIT ?`, append(c.args, limit)
}
