package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var sessions = newTable("sessions", 1, func(column columns, v *portal.Session) {
	column("hash", &v.Hash)
	column("id", &v.ID)
	column("user", &v.User)
	column("created_at", at{&v.CreatedAt})
	column("last_seen_at", atOrNull{&v.LastSeenAt})
	column("expires_at", at{&v.ExpiresAt})
	column("fresh_until", atOrNull{&v.FreshUntil})
	column("address", &v.Address)
	column("user_agent", &v.UserAgent)
})

// InsertSession implements portal.SessionStore. Conflict: the id or the hash is
// taken. NotFound: the user is gone.
func (s *Store) InsertSession(ctx context.Context, v portal.Session) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(sessions.insert, sessions.fields(&v)...)
		return idTaken(err)
	})
}

// SessionByHash implements portal.SessionStore.
func (s *Store) SessionByHash(ctx context.Context, hash string) (portal.Session, error) {
	return sessions.one(ctx, s, "Session", `WHERE hash = ?`, hash)
}

// HoldSession implements portal.SessionStore. There is nothing to hold:
// transactions run one after the other.
func (s *Store) HoldSession(ctx context.Context, user, hash string) (portal.Session, error) {
	return sessions.one(ctx, s, "Session", `WHERE hash = ? AND user = ?`, hash, user)
}

// ReplaceSession implements portal.SessionStore.
func (s *Store) ReplaceSession(ctx context.Context, v portal.Session) error {
	return s.writeOne(ctx, "Session", sessions.update, sessions.changes(&v)...)
}

// Sessions implements portal.SessionStore.
func (s *Store) Sessions(ctx context.Context, user string) ([]portal.Session, error) {
	return sessions.all(ctx, s, `WHERE user = ? ORDER BY created_at DESC, id DESC`, user)
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
