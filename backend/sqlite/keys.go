package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// KeyMark implements portal.KeyStore.
func (s *Store) KeyMark(ctx context.Context) (portal.KeyMark, error) {
	return readOne(ctx, s, "Key mark", `SELECT ring, pepper FROM key_mark`, nil, func(scan scanner) (m portal.KeyMark, err error) {
		return m, scan(&m.Ring, &m.Pepper)
	})
}

// SaveKeyMark implements portal.KeyStore.
func (s *Store) SaveKeyMark(ctx context.Context, m portal.KeyMark) error {
	return s.writeOne(ctx, "Key mark", `INSERT INTO key_mark (one, ring, pepper) VALUES (1, ?, ?)
		ON CONFLICT (one) DO UPDATE SET ring = excluded.ring, pepper = excluded.pepper`, m.Ring, m.Pepper)
}

// SomeToken implements portal.KeyStore.
func (s *Store) SomeToken(ctx context.Context) (portal.Token, error) {
	return tokenRows.one(ctx, s, "Token", `LIMIT 1`)
}
