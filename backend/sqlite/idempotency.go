package sqlite

import (
	"context"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const idempotentColumns = `key, fingerprint, done, status, header, body, lease_until, expires_at`

func scanIdempotent(scan scanner) (r portal.Idempotent, err error) {
	err = scan(&r.Key, &r.Fingerprint, &r.Done, &r.Status, fromJSON{&r.Header}, &r.Body, at{&r.LeaseUntil}, at{&r.ExpiresAt})
	return r, err
}

func (w *work) saveIdempotent(r portal.Idempotent) error {
	var header any
	if r.Header != nil {
		text, err := jsonText(r.Header)
		if err != nil {
			return err
		}
		header = text
	}
	_, err := w.exec(`INSERT OR REPLACE INTO idempotents (`+idempotentColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Key, r.Fingerprint, r.Done, r.Status, header, r.Body, r.LeaseUntil.UnixMilli(), r.ExpiresAt.UnixMilli())
	return err
}

// BeginIdempotent implements portal.IdempotentStore.
func (s *Store) BeginIdempotent(ctx context.Context, r portal.Idempotent, now time.Time) (stored *portal.Idempotent, err error) {
	err = s.write(ctx, func(w *work) error {
		all, err := list(w, `SELECT `+idempotentColumns+` FROM idempotents
			WHERE key = ? AND expires_at > ? AND (done OR lease_until > ?)`, []any{r.Key, now.UnixMilli(), now.UnixMilli()}, scanIdempotent)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			stored = &all[0]
			return nil
		}
		return w.saveIdempotent(r)
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}

// FinishIdempotent implements portal.IdempotentStore.
func (s *Store) FinishIdempotent(ctx context.Context, r portal.Idempotent) error {
	r.Done = true
	return s.write(ctx, func(w *work) error {
		var one int
		answered, err := w.row(`SELECT 1 FROM idempotents WHERE key = ? AND done`, []any{r.Key}, &one)
		switch {
		case err != nil:
			return err
		case answered:
			return &portal.Error{Kind: portal.Conflict, Detail: "The request was answered already.", Fix: "Repeat it to get that answer."}
		default:
			return w.saveIdempotent(r)
		}
	})
}

// AbandonIdempotent implements portal.IdempotentStore. An answer that was stored
// stays.
func (s *Store) AbandonIdempotent(ctx context.Context, key string) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`DELETE FROM idempotents WHERE key = ? AND NOT done`, key)
		return err
	})
}
