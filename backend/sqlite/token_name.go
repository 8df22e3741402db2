package sqlite

import (
	"context"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// ClaimName implements portal.TokenStore.
func (s *Store) ClaimName(ctx context.Context, c portal.NameClaim, now time.Time) error {
	return s.write(ctx, func(w *work) error {
		n, err := w.exec(`INSERT INTO names (team, name, token, ends_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (team, name) DO UPDATE SET token = excluded.token, ends_at = excluded.ends_at
			WHERE token = excluded.token OR ends_at <= ?`,
			c.Team, c.Name, c.Token, ms(c.EndsAt), now.UnixMilli())
		if err != nil || n == 1 {
			return err
		}
		holder, err := one(w, "Name", `SELECT token FROM names WHERE team = ? AND name = ?`, []any{c.Team, c.Name}, scanText)
		if err != nil {
			return err
		}
		return portal.ErrTaken(holder)
	})
}

// ReleaseName implements portal.TokenStore.
func (s *Store) ReleaseName(ctx context.Context, team, name, token string) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`DELETE FROM names WHERE team = ? AND name = ? AND token = ?`, team, name, token)
		return err
	})
}
