package sqlite

import "context"

// Empty implements portal.Store.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	var found bool
	err := s.read(ctx, func(w *work) (err error) {
		var one int
		found, err = w.row(`SELECT 1 FROM users LIMIT 1`, nil, &one)
		return err
	})
	return err == nil && !found, err
}
