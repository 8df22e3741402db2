package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var users = newTable("users", 1, func(column columns, u *portal.User) {
	column("id", &u.ID)
	column("name", &u.Name)
	column("email", &u.Email)
	column("email_key", &u.EmailKey)
	column("password_hash", &u.PasswordHash)
	column("platform_admin", &u.PlatformAdmin)
	column("last_team", &u.LastTeam)
	column("created_at", at{&u.CreatedAt})
	column("verified_at", atOrNull{&u.VerifiedAt})
	column("disabled_at", atOrNull{&u.DisabledAt})
	column("version", &u.Version)
})

// InsertUser implements portal.UserStore.
func (s *Store) InsertUser(ctx context.Context, u portal.User) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(users.insert, users.fields(&u)...)
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
		return w.addressTaken(w.execOne("User", users.update, users.changes(&u)...), u)
	})
}

// User implements portal.UserStore.
func (s *Store) User(ctx context.Context, id string) (portal.User, error) {
	return users.one(ctx, s, "User", `WHERE id = ?`, id)
}

// UserByEmail implements portal.UserStore.
func (s *Store) UserByEmail(ctx context.Context, emailKey string) (portal.User, error) {
	return users.one(ctx, s, "User", `WHERE email_key = ?`, emailKey)
}

// Users implements portal.UserStore.
func (s *Store) Users(ctx context.Context, ids []string) ([]portal.User, error) {
	if len(ids) == 0 {
		return nil, s.idle(ctx)
	}
	in, arg := anyOf(ids)
	return users.all(ctx, s, `WHERE id IN `+in, arg)
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
