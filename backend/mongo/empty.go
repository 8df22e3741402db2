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
