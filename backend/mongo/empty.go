package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Empty implements [portal.Store].
func (s *Store) Empty(ctx context.Context) (bool, error) {
	_, err := one[userDoc](ctx, s, s.users, "User", bson.D{})
	if portal.KindOf(err) == portal.NotFound {
		return true, nil
	}
	return false, err
}

// Filled reports whether the database of a URI holds accounts, or was marked with
// keys. It makes and changes nothing.
func Filled(ctx context.Context, uri string) (bool, error) {
	client, database, err := connect(ctx, uri)
	if err != nil {
		return false, err
	}
	s := newStore(client, database, settings{deadline: defaultDeadline})
	defer s.Close()
	if err := checkServer(ctx, client, uri); err != nil {
		return false, err
	}
	if _, err := s.KeyMark(ctx); portal.KindOf(err) != portal.NotFound {
		return err == nil, err
	}
	empty, err := s.Empty(ctx)
	return err == nil && !empty, err
}
