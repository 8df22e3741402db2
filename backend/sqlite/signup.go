package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var signups = newTable("signups", 1, func(column columns, v *portal.Signup) {
	column("id", &v.ID)
	column("name", &v.Name)
	column("email", &v.Email)
	column("email_key", &v.EmailKey)
	column("password_hash", &v.PasswordHash)
	column("team_name", &v.TeamName)
	column("code_hash", &v.CodeHash)
	column("browser_hash", &v.BrowserHash)
	column("created_at", at{&v.CreatedAt})
	column("expires_at", at{&v.ExpiresAt})
})

// SaveSignup implements portal.SignupStore.
func (s *Store) SaveSignup(ctx context.Context, v portal.Signup) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(signups.upsert, signups.fields(&v)...)
		return err
	})
}

// SignupByCode implements portal.SignupStore.
func (s *Store) SignupByCode(ctx context.Context, codeHash string) (portal.Signup, error) {
	return signups.one(ctx, s, "Sign-up", `WHERE code_hash = ?`, codeHash)
}

// Signups implements portal.SignupStore.
func (s *Store) Signups(ctx context.Context, emailKey, browserHash string) ([]portal.Signup, error) {
	return signups.all(ctx, s, `WHERE email_key = ?1 AND (?2 = '' OR browser_hash = ?2) ORDER BY created_at DESC, id DESC LIMIT 20`,
		emailKey, browserHash)
}

// DeleteSignups implements portal.SignupStore.
func (s *Store) DeleteSignups(ctx context.Context, emailKey string) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`DELETE FROM signups WHERE email_key = ?`, emailKey)
		return err
	})
}
