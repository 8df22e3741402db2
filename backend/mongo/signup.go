package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

type signupDoc struct {
	ID           string  `bson:"_id"`
	Name         string  `bson:"name"`
	Email        string  `bson:"email"`
	EmailKey     string  `bson:"email_key"`
	PasswordHash string  `bson:"password_hash"`
	TeamName     string  `bson:"team_name"`
	CodeHash     string  `bson:"code_hash"`
	BrowserHash  string  `bson:"browser_hash"`
	CreatedAt    instant `bson:"created_at,omitempty"`
	ExpiresAt    instant `bson:"expires_at,omitempty"`
}

func signupCollections() []collection {
	return []collection{{
		name:    "signups",
		schema:  schemaOf[signupDoc](),
		indexes: []mongo.IndexModel{index("code_hash"), index("email_key", "-created_at", "-_id")},
		ends:    "expires_at",
	}}
}

func (d signupDoc) value() (portal.Signup, error) {
	return portal.Signup{
		ID: d.ID, Name: d.Name, Email: d.Email, EmailKey: d.EmailKey, PasswordHash: d.PasswordHash, TeamName: d.TeamName,
		CodeHash: d.CodeHash, BrowserHash: d.BrowserHash, CreatedAt: toTime(d.CreatedAt), ExpiresAt: toTime(d.ExpiresAt),
	}, nil
}

// SaveSignup implements [portal.SignupStore].
func (s *Store) SaveSignup(ctx context.Context, u portal.Signup) error {
	doc := signupDoc{
		ID: u.ID, Name: u.Name, Email: u.Email, EmailKey: u.EmailKey, PasswordHash: u.PasswordHash, TeamName: u.TeamName,
		CodeHash: u.CodeHash, BrowserHash: u.BrowserHash, CreatedAt: toInstant(u.CreatedAt), ExpiresAt: toInstant(u.ExpiresAt),
	}
	return s.inTransaction(ctx, "save a sign-up", func(ctx context.Context) error {
		_, err := s.signups.ReplaceOne(ctx, byID(u.ID), doc, options.Replace().SetUpsert(true))
		return s.fail(ctx, "save a sign-up", race(err))
	})
}

// SignupByCode implements [portal.SignupStore].
func (s *Store) SignupByCode(ctx context.Context, codeHash string) (portal.Signup, error) {
	return one[signupDoc](ctx, s, s.signups, "Sign-up", bson.D{{Key: "code_hash", Value: codeHash}})
}

// Signups implements [portal.SignupStore].
func (s *Store) Signups(ctx context.Context, emailKey, browserHash string) ([]portal.Signup, error) {
	filter := bson.D{{Key: "email_key", Value: emailKey}}
	if browserHash != "" {
		filter = append(filter, bson.E{Key: "browser_hash", Value: browserHash})
	}
	return all[signupDoc](ctx, s, s.signups, "Sign-up", filter,
		options.Find().SetSort(bson.D{{Key: "created_at", Value: -1}, {Key: "_id", Value: -1}}).SetLimit(20))
}

// DeleteSignups implements [portal.SignupStore].
func (s *Store) DeleteSignups(ctx context.Context, emailKey string) error {
	return s.inTransaction(ctx, "delete sign-ups", func(ctx context.Context) error {
		_, err := s.signups.DeleteMany(ctx, bson.D{{Key: "email_key", Value: emailKey}})
		return s.fail(ctx, "delete sign-ups", err)
	})
}
