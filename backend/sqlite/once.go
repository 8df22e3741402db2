package sqlite

import (
	"context"
	"time"
)

// Once implements portal.OnceStore.
func (s *Store) Once(ctx context.Context, key string, now, until time.Time) (first bool, err error) {
	err = s.write(ctx, func(w *work) error {
		n, err := w.exec(`INSERT INTO onces (key, ends_at) VALUES (?, ?)
			ON CONFLICT (key) DO UPDATE SET ends_at = excluded.ends_at WHERE ends_at <= ?`,
			key, until.UnixMilli(), now.UnixMilli())
		first = n == 1
		return err
	})
	return first && err == nil, err
}

// Hit implements portal.OnceStore. To look stores nothing.
func (s *Store) Hit(ctx context.Context, key string, n int64, window time.Duration, now time.Time) (count int64, ends time.Time, err error) {
	do := s.write
	if n == 0 {
		do = s.read
	}
	err = do(ctx, func(w *work) error {
		found, err := w.row(`SELECT count, ends_at FROM counters WHERE key = ? AND ends_at > ?`, []any{key, now.UnixMilli()},
			&count, at{&ends})
		if err != nil {
			return err
		}
		if !found {
			count, ends = 0, now.Add(window).UTC().Truncate(time.Millisecond)
		}
		if n == 0 {
			return nil
		}
		count += n
		_, err = w.exec(`INSERT OR REPLACE INTO counters (key, count, ends_at) VALUES (?, ?, ?)`, key, count, ends.UnixMilli())
		return err
	})
	return count, ends, err
}

// ForgetCounter implements portal.OnceStore.
func (s *Store) ForgetCounter(ctx context.Context, key string) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`DELETE FROM counters WHERE key = ?`, key)
		return err
	})
}
