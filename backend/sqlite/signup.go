package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const signupColumns = `id, name, email, email_key, password_hash, team_name, code_hash, browser_hash, created_at, expires_at`

func scanSignup(scan scanner) (v portal.Signup, err error) {
	err = scan(&v.ID, &v.Name, &v.Email, &v.EmailKey, &v.PasswordHash, &v.TeamName, &v.CodeHash, &v.BrowserHash,
		at{&v.CreatedAt}, at{&v.ExpiresAt})
	return v, err
}

// SaveSignup implements portal.SignupStore.
func (s *Store) SaveSignup(ctx context.Context, v portal.Signup) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`INSERT OR REPLACE INTO signups (`+signupColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			v.ID, v.Name, v.Email, v.EmailKey, v.PasswordHash, v.TeamName, v.CodeHash, v.BrowserHash,
			v.CreatedAt.UnixMilli(), v.ExpiresAt.UnixMilli())
		return err
	})
}

// SignupByCode implements portal.SignupStore.
func (s *Store) SignupByCode(ctx context.Context, codeHash string) (portal.Signup, error) {
	return readOne(ctx, s, "Sign-up", `SELECT `+signupColumns+` FROM signups WHERE code_hash = ?`, []any{codeHash}, scanSignup)
}

// Signups implements portal.SignupStore.
func (s *Store) Signups(ctx context.Context, emailKey string) ([]portal.Signup, error) {
	return readList(ctx, s, `SELECT `+signupColumns+` FROM signups WHERE email_key = ?
		ORDER BY created_at DESC, id DESC LIMIT 20`, []any{emailKey}, scanSignup)
}

// DeleteSignups implements portal.SignupStore.
func (s *Store) DeleteSignups(ctx context.Context, emailKey string) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`DELETE FROM signups WHERE email_key = ?`, emailKey)
		return err
	})
}
