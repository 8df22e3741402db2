package mongo

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// sessionDoc has the hash of the cookie as its _id, which is what every request
// of a browser asks for.
type sessionDoc struct {
	Hash       string  `bson:"_id"`
	ID         string  `bson:"id"`
	User       string  `bson:"user"`
	CreatedAt  instant `bson:"created_at,omitempty"`
	LastSeenAt instant `bson:"last_seen_at,omitempty"`
	ExpiresAt  instant `bson:"expires_at,omitempty"`
	FreshUntil instant `bson:"fresh_until,omitempty"`
	Address    string  `bson:"address"`
	UserAgent  string  `bson:"user_agent"`
}

func sessionCollections() []collection {
	return []collection{{
		name:    "sessions",
		schema:  schemaOf[sessionDoc](),
		indexes: []mongo.IndexModel{index("user", "-created_at", "-id")},
		ends:    "expires_at",
	}}
}

func toSessionDoc(v portal.Session) sessionDoc {
	return sessionDoc{
		Hash: v.Hash, ID: v.ID, User: v.User, CreatedAt: toInstant(v.CreatedAt), LastSeenAt: toInstant(v.LastSeenAt),
		ExpiresAt: toInstant(v.ExpiresAt), FreshUntil: toInstant(v.FreshUntil), Address: v.Address, UserAgent: v.UserAgent,
	}
}

func (d sessionDoc) value() (portal.Session, error) {
	return portal.Session{
		Hash: d.Hash, ID: d.ID, User: d.User, CreatedAt: toTime(d.CreatedAt), LastSeenAt: toTime(d.LastSeenAt),
		ExpiresAt: toTime(d.ExpiresAt), FreshUntil: toTime(d.FreshUntil), Address: d.Address, UserAgent: d.UserAgent,
	}, nil
}

// InsertSession implements [portal.SessionStore].
func (s *Store) InsertSession(ctx context.Context, v portal.Session) error {
	return s.insert(ctx, s.sessions, "insert a session", toSessionDoc(v), idTaken)
}

// SessionByHash implements [portal.SessionStore].
func (s *Store) SessionByHash(ctx context.Context, hash string) (portal.Session, error) {
	return one[sessionDoc](ctx, s, s.sessions, "Session", byID(hash))
}

// HoldSession implements [portal.SessionStore]. A transaction that reads a
// document keeps nobody from deleting it, but one that writes to it does: of the
// two, one runs again. held is what is written, and nobody reads it. The lock is
// about turns: whoever ends the session waits in line with those who hold it, and
// does not lose the race against them again and again.
func (s *Store) HoldSession(ctx context.Context, user, hash string) (portal.Session, error) {
	const step = "hold a session"
	var d sessionDoc
	err := s.inTransaction(ctx, step, func(ctx context.Context) error {
		if err := s.lock(ctx, user); err != nil {
			return err
		}
		d = sessionDoc{}
		filter := bson.D{{Key: "_id", Value: hash}, {Key: "user", Value: user}}
		err := s.sessions.FindOneAndUpdate(ctx, filter, set(bson.D{{Key: "held", Value: primitive.NewObjectID()}})).Decode(&d)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return portal.ErrNotFound("Session")
		}
		return s.fail(ctx, step, err)
	})
	if err != nil {
		return portal.Session{}, err
	}
	return d.value()
}

// ReplaceSession implements [portal.SessionStore].
func (s *Store) ReplaceSession(ctx context.Context, v portal.Session) error {
	return s.write(ctx, "replace a session", func(ctx context.Context) error {
		r, err := s.sessions.ReplaceOne(ctx, byID(v.Hash), toSessionDoc(v))
		if err == nil && r.MatchedCount == 0 {
			return portal.ErrNotFound("Session")
		}
		return err
	})
}

// Sessions implements [portal.SessionStore].
func (s *Store) Sessions(ctx context.Context, user string) ([]portal.Session, error) {
	return all[sessionDoc](ctx, s, s.sessions, "Session", bson.D{{Key: "user", Value: user}},
		options.Find().SetSort(bson.D{{Key: "created_at", Value: -1}, {Key: "id", Value: -1}}))
}

// DeleteSession implements [portal.SessionStore].
func (s *Store) DeleteSession(ctx context.Context, user, id string) error {
	return s.inTransaction(ctx, "delete a session", func(ctx context.Context) error {
		if err := s.lock(ctx, user); err != nil {
			return err
		}
		r, err := s.sessions.DeleteMany(ctx, bson.D{{Key: "user", Value: user}, {Key: "id", Value: id}})
		if err == nil && r.DeletedCount == 0 {
			return portal.ErrNotFound("Session")
		}
		return s.fail(ctx, "delete a session", err)
	})
}

// DeleteSessions implements [portal.SessionStore].
func (s *Store) DeleteSessions(ctx context.Context, user, except string) (int, error) {
	var n int
	err := s.inTransaction(ctx, "delete the sessions of a user", func(ctx context.Context) error {
		if err := s.lock(ctx, user); err != nil {
			return err
		}
		r, err := s.sessions.DeleteMany(ctx, bson.D{{Key: "user", Value: user}, {Key: "id", Value: bson.D{{Key: "$ne", Value: except}}}})
		if err == nil {
			n = int(r.DeletedCount)
		}
		return s.fail(ctx, "delete the sessions of a user", err)
	})
	return n, err
}
