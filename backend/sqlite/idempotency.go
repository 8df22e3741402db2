package sqlite

import (
	"context"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var idempotents = newTable("idempotents", 1, func(column columns, r *portal.Idempotent) {
	column("key", &r.Key)
	column("fingerprint", &r.Fingerprint)
	column("done", &r.Done)
	column("status", &r.Status)
	column("header", jsonOrNull{&r.Header})
	column("body", &r.Body)
	column("lease_until", at{&r.LeaseUntil})
	column("expires_at", at{&r.ExpiresAt})
})

// BeginIdempotent implements portal.IdempotentStore.
func (s *Store) BeginIdempotent(ctx context.Context, r portal.Idempotent, now time.Time) (stored *portal.Idempotent, err error) {
	err = s.write(ctx, func(w *work) error {
		all, err := list(w, idempotents.query+` WHERE key = ? AND expires_at > ? AND (done OR lease_until > ?)`,
			[]any{r.Key, now.UnixMilli(), now.UnixMilli()}, idempotents.reader())
		if err != nil {
			return err
		}
		if len(all) > 0 {
			stored = &all[0]
			return nil
		}
		_, err = w.exec(idempotents.upsert, idempotents.fields(&r)...)
		return err
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
		n, err := w.exec(idempotents.upsert+` WHERE NOT done`, idempotents.fields(&r)...)
		if err == nil && n == 0 {
			return &portal.Error{Kind: portal.Conflict, Detail: "The request was answered already.", Fix: "Repeat it to get that answer."}
		}
		return err
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
