package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const userColumns = `id, name, email, email_key, password_hash, platform_admin, created_at, verified_at, disabled_at, last_team, version`

func scanUser(scan scanner) (u portal.User, err error) {
	err = scan(&u.ID, &u.Name, &u.Email, &u.EmailKey, &u.PasswordHash, &u.PlatformAdmin, at{&u.CreatedAt}, at{&u.VerifiedAt},
		at{&u.DisabledAt}, &u.LastTeam, &u.Version)
	return u, err
}

// InsertUser implements portal.UserStore.
func (s *Store) InsertUser(ctx context.Context, u portal.User) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`INSERT INTO users (`+userColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			u.ID, u.Name, u.Email, u.EmailKey, u.PasswordHash, u.PlatformAdmin, u.CreatedAt.UnixMilli(), ms(u.VerifiedAt),
			ms(u.DisabledAt), u.LastTeam, u.Version)
		return w.addressTaken(err, u)
	})
}

// addressTaken names who has the address of u, if that is what err is about.
func (w *work) addressTaken(err error, u portal.User) error {
	if !isTaken(err) {
		return err
	}
	var other string
	found, lookup := w.row(`SELECT id FROM users WHERE email_key = ? AND id <> ?`, []any{u.EmailKey, u.ID}, &other)
	switch {
	case lookup != nil:
		return lookup
	case found:
		return portal.ErrTaken(other)
	default:
		return errIDTaken
	}
}

// ReplaceUser implements portal.UserStore. The tokens of a person who was
// disabled lose their maker, and get them back with the person.
func (s *Store) ReplaceUser(ctx context.Context, u portal.User) error {
	return s.write(ctx, func(w *work) error {
		if err := w.touchAll(`SELECT t.id FROM tokens t JOIN users u ON u.id = t.maker
			WHERE t.maker = ? AND (u.disabled_at IS NULL) <> ?`, u.ID, u.DisabledAt.IsZero()); err != nil {
			return err
		}
		return w.addressTaken(w.execOne("User", `UPDATE users SET name = ?, email = ?, email_key = ?, password_hash = ?,
			platform_admin = ?, created_at = ?, verified_at = ?, disabled_at = ?, last_team = ?, version = ? WHERE id = ?`,
			u.Name, u.Email, u.EmailKey, u.PasswordHash, u.PlatformAdmin, u.CreatedAt.UnixMilli(), ms(u.VerifiedAt),
			ms(u.DisabledAt), u.LastTeam, u.Version, u.ID), u)
	})
}

// User implements portal.UserStore.
func (s *Store) User(ctx context.Context, id string) (portal.User, error) {
	return readOne(ctx, s, "User", `SELECT `+userColumns+` FROM users WHERE id = ?`, []any{id}, scanUser)
}

// UserByEmail implements portal.UserStore.
func (s *Store) UserByEmail(ctx context.Context, emailKey string) (portal.User, error) {
	return readOne(ctx, s, "User", `SELECT `+userColumns+` FROM users WHERE email_key = ?`, []any{emailKey}, scanUser)
}

// Users implements portal.UserStore.
func (s *Store) Users(ctx context.Context, ids []string) ([]portal.User, error) {
	if len(ids) == 0 {
		return nil, s.idle(ctx)
	}
	in, args := anyOf(ids)
	return readList(ctx, s, `SELECT `+userColumns+` FROM users WHERE id IN `+in, args, scanUser)
}

// DeleteUser implements portal.UserStore. Sessions and memberships go by their
// foreign keys.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	return s.write(ctx, func(w *work) error {
		if err := w.touchAll(`SELECT id FROM tokens WHERE maker = ?`, id); err != nil {
			return err
		}
		return w.execOne("User", `DELETE FROM users WHERE id = ?`, id)
	})
}
