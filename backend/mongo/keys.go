package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// keyMarkDoc is a document of the collection meta.
type keyMarkDoc struct {
	ID     string `bson:"_id"`
	Ring   string `bson:"ring"`
	Pepper string `bson:"pepper"`
}

const keyMarkID = "keys"

func (d keyMarkDoc) value() (portal.KeyMark, error) {
	return portal.KeyMark{Ring: d.Ring, Pepper: d.Pepper}, nil
}

// KeyMark implements [portal.KeyStore].
func (s *Store) KeyMark(ctx context.Context) (portal.KeyMark, error) {
	return one[keyMarkDoc](ctx, s, s.meta, "Key mark", byID(keyMarkID))
}

// SaveKeyMark implements [portal.KeyStore].
func (s *Store) SaveKeyMark(ctx context.Context, m portal.KeyMark) error {
	return s.write(ctx, "mark the keys", func(ctx context.Context) error {
		doc := keyMarkDoc{ID: keyMarkID, Ring: m.Ring, Pepper: m.Pepper}
		_, err := s.meta.ReplaceOne(ctx, byID(keyMarkID), doc, options.Replace().SetUpsert(true))
		return race(err)
	})
}

// SomeToken implements [portal.KeyStore].
func (s *Store) SomeToken(ctx context.Context) (portal.Token, error) {
	return one[rawToken](ctx, s, s.tokens, "Token", bson.D{})
}
