package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const sessionColumns = `id, hash, user, created_at, last_seen_at, expires_at, fresh_until, address, user_agent`

func scanSession(scan scanner) (v portal.Session, err error) {
	err = scan(&v.ID, &v.Hash, &v.User, at{&v.CreatedAt}, at{&v.LastSeenAt}, at{&v.ExpiresAt}, at{&v.FreshUntil},
		&v.Address, &v.UserAgent)
	return v, err
}

// InsertSession implements portal.SessionStore. Conflict: the id or the hash is
// taken. NotFound: the user is gone.
func (s *Store) InsertSession(ctx context.Context, v portal.Session) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`INSERT INTO sessions (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			v.ID, v.Hash, v.User, v.CreatedAt.UnixMilli(), ms(v.LastSeenAt), v.ExpiresAt.UnixMilli(), ms(v.FreshUntil),
			v.Address, v.UserAgent)
		return idTaken(err)
	})
}

// SessionByHash implements portal.SessionStore.
func (s *Store) SessionByHash(ctx context.Context, hash string) (portal.Session, error) {
	return readOne(ctx, s, "Session", `SELECT `+sessionColumns+` FROM sessions WHERE hash = ?`, []any{hash}, scanSession)
}

// HoldSession implements portal.SessionStore. There is nothing to hold:
// transactions run one after the other.
func (s *Store) HoldSession(ctx context.Context, user, hash string) (portal.Session, error) {
	return readOne(ctx, s, "Session", `SELECT `+sessionColumns+` FROM sessions WHERE hash = ? AND user = ?`, []any{hash, user}, scanSession)
}

// ReplaceSession implements portal.SessionStore.
func (s *Store) ReplaceSession(ctx context.Context, v portal.Session) error {
	return s.writeOne(ctx, "Session", `UPDATE sessions SET id = ?, user = ?, created_at = ?, last_seen_at = ?, expires_at = ?,
		fresh_until = ?, address = ?, user_agent = ? WHERE hash = ?`,
		v.ID, v.User, v.CreatedAt.UnixMilli(), ms(v.LastSeenAt), v.ExpiresAt.UnixMilli(), ms(v.FreshUntil), v.Address,
		v.UserAgent, v.Hash)
}

// Sessions implements portal.SessionStore.
func (s *Store) Sessions(ctx context.Context, user string) ([]portal.Session, error) {
	return readList(ctx, s, `SELECT `+sessionColumns+` FROM sessions WHERE user = ? ORDER BY created_at DESC, id DESC`,
		[]any{user}, scanSession)
}

// DeleteSession implements portal.SessionStore.
func (s *Store) DeleteSession(ctx context.Context, user, id string) error {
	return s.writeOne(ctx, "Session", `DELETE FROM sessions WHERE user = ? AND id = ?`, user, id)
}

// DeleteSessions implements portal.SessionStore.
func (s *Store) DeleteSessions(ctx context.Context, user, except string) (int, error) {
	var n int64
	err := s.write(ctx, func(w *work) (err error) {
		n, err = w.exec(`DELETE FROM sessions WHERE user = ? AND (? = '' OR id <> ?)`, user, except, except)
		return err
	})
	return int(n), err
}
