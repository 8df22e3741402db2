package mongo

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// tokenNameDoc reserves a name: it is unique because it is the _id.
type tokenNameDoc struct {
	Name   nameKey `bson:"_id"`
	Token  string  `bson:"token"`
	EndsAt instant `bson:"ends_at,omitempty"`
}

type nameKey struct {
	Team string `bson:"team"`
	Name string `bson:"name"`
}

func tokenNameCollections() []collection {
	return []collection{{
		name:    "token_names",
		schema:  schemaOf[tokenNameDoc](),
		indexes: []mongo.IndexModel{index("_id.team")},
		ends:    "ends_at",
	}}
}

// ClaimName implements [portal.TokenStore].
func (s *Store) ClaimName(ctx context.Context, c portal.NameClaim, now time.Time) error {
	return s.inTransaction(ctx, "claim a name", func(ctx context.Context) error {
		if err := s.lock(ctx, c.Team); err != nil {
			return err
		}
		doc := tokenNameDoc{Name: nameKey{c.Team, c.Name}, Token: c.Token, EndsAt: toInstant(c.EndsAt)}
		var has tokenNameDoc
		err := s.tokenNames.FindOne(ctx, bson.D{{Key: "_id", Value: doc.Name}}).Decode(&has)
		if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
			return s.fail(ctx, "read a name", err)
		}
		if err == nil && has.Token != c.Token && (has.EndsAt == nil || has.EndsAt.Time().After(now)) {
			return portal.ErrTaken(has.Token)
		}
		_, err = s.tokenNames.ReplaceOne(ctx, bson.D{{Key: "_id", Value: doc.Name}}, doc, options.Replace().SetUpsert(true))
		return s.fail(ctx, "claim a name", race(err))
	})
}

// ReleaseName implements [portal.TokenStore].
func (s *Store) ReleaseName(ctx context.Context, team, name, token string) error {
	return s.inTransaction(ctx, "release a name", func(ctx context.Context) error {
		_, err := s.tokenNames.DeleteOne(ctx, bson.D{{Key: "_id", Value: nameKey{team, name}}, {Key: "token", Value: token}})
		return s.fail(ctx, "release a name", err)
	})
}
