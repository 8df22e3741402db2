package mongo

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

type userDoc struct {
	ID            string  `bson:"_id"`
	Name          string  `bson:"name"`
	Email         string  `bson:"email"`
	EmailKey      string  `bson:"email_key"`
	PasswordHash  string  `bson:"password_hash"`
	PlatformAdmin bool    `bson:"platform_admin"`
	CreatedAt     instant `bson:"created_at,omitempty"`
	VerifiedAt    instant `bson:"verified_at,omitempty"`
	DisabledAt    instant `bson:"disabled_at,omitempty"`
	LastTeam      string  `bson:"last_team,omitempty"`
	Version       int64   `bson:"version"`
}

// addressDoc reserves an address for a user: it is unique because it is the _id.
type addressDoc struct {
	EmailKey string `bson:"_id"`
	User     string `bson:"user"`
}

func userCollections() []collection {
	return []collection{
		{name: "users", schema: schemaOf[userDoc]()},
		{name: "addresses", schema: schemaOf[addressDoc]()},
	}
}

func toUserDoc(u portal.User) userDoc {
	return userDoc{
		ID: u.ID, Name: u.Name, Email: u.Email, EmailKey: u.EmailKey, PasswordHash: u.PasswordHash, PlatformAdmin: u.PlatformAdmin,
		CreatedAt: toInstant(u.CreatedAt), VerifiedAt: toInstant(u.VerifiedAt), DisabledAt: toInstant(u.DisabledAt),
		LastTeam: u.LastTeam, Version: u.Version,
	}
}

func (d userDoc) value() (portal.User, error) {
	return portal.User{
		ID: d.ID, Name: d.Name, Email: d.Email, EmailKey: d.EmailKey, PasswordHash: d.PasswordHash, PlatformAdmin: d.PlatformAdmin,
		CreatedAt: toTime(d.CreatedAt), VerifiedAt: toTime(d.VerifiedAt), DisabledAt: toTime(d.DisabledAt),
		LastTeam: d.LastTeam, Version: d.Version,
	}, nil
}

// InsertUser implements [portal.UserStore].
func (s *Store) InsertUser(ctx context.Context, u portal.User) error {
	return s.inTransaction(ctx, "insert a user", func(ctx context.Context) error {
		if err := s.claimAddress(ctx, u.EmailKey, u.ID); err != nil {
			return err
		}
		return s.insert(ctx, s.users, "insert a user", toUserDoc(u), idTaken)
	})
}

// idTaken is about ids that are made by chance: it means a broken generator.
var idTaken = &portal.Error{Kind: portal.Conflict, Detail: "The id is taken."}

// claimAddress reserves an address, and says who has it if it is another's.
func (s *Store) claimAddress(ctx context.Context, key, user string) error {
	var d addressDoc
	err := s.addresses.FindOne(ctx, byID(key)).Decode(&d)
	switch {
	case err == nil && d.User == user:
		return nil
	case err == nil:
		return portal.ErrTaken(d.User)
	case !errors.Is(err, mongo.ErrNoDocuments):
		return s.fail(ctx, "read an address", err)
	}
	_, err = s.addresses.InsertOne(ctx, addressDoc{EmailKey: key, User: user})
	return s.fail(ctx, "reserve an address", race(err))
}

// ReplaceUser implements [portal.UserStore]. Disabling a person takes the maker
// from their tokens, enabling gives it back.
func (s *Store) ReplaceUser(ctx context.Context, u portal.User) error {
	return s.inTransaction(ctx, "replace a user", func(ctx context.Context) error {
		var old userDoc
		err := s.users.FindOneAndReplace(ctx, byID(u.ID), toUserDoc(u), options.FindOneAndReplace().SetReturnDocument(options.Before)).Decode(&old)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return portal.ErrNotFound("User")
		}
		if err != nil {
			return s.fail(ctx, "replace a user", err)
		}
		if old.EmailKey != u.EmailKey {
			if err := s.claimAddress(ctx, u.EmailKey, u.ID); err != nil {
				return err
			}
			if err := s.releaseAddress(ctx, old.EmailKey, u.ID); err != nil {
				return err
			}
		}
		switch was, is := old.DisabledAt != nil, !u.DisabledAt.IsZero(); {
		case is && !was:
			return s.setMaker(ctx, bson.D{{Key: "maker", Value: u.ID}}, "")
		case was && !is:
			return s.restoreMaker(ctx, u.ID)
		}
		return nil
	})
}

func (s *Store) releaseAddress(ctx context.Context, key, user string) error {
	_, err := s.addresses.DeleteOne(ctx, bson.D{{Key: "_id", Value: key}, {Key: "user", Value: user}})
	return s.fail(ctx, "release an address", err)
}

// restoreMaker gives the tokens that a person made the role they have in each
// team.
func (s *Store) restoreMaker(ctx context.Context, user string) error {
	memberships, err := s.Memberships(ctx, user)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		if err := s.setMaker(ctx, madeBy(m.Team, m.User), m.Role); err != nil {
			return err
		}
	}
	return nil
}

// User implements [portal.UserStore].
func (s *Store) User(ctx context.Context, id string) (portal.User, error) {
	return one[userDoc](ctx, s, s.users, "User", byID(id))
}

// UserByEmail implements [portal.UserStore].
func (s *Store) UserByEmail(ctx context.Context, emailKey string) (portal.User, error) {
	id, err := one[addressDoc](ctx, s, s.addresses, "User", byID(emailKey))
	if err != nil {
		return portal.User{}, err
	}
	return one[userDoc](ctx, s, s.users, "User", bson.D{{Key: "_id", Value: id}, {Key: "email_key", Value: emailKey}})
}

func (d addressDoc) value() (string, error) { return d.User, nil }

// Users implements [portal.UserStore].
func (s *Store) Users(ctx context.Context, ids []string) ([]portal.User, error) {
	return byIDs[userDoc](ctx, s, s.users, "User", ids)
}

// DeleteUser implements [portal.UserStore].
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	return s.inTransaction(ctx, "delete a user", func(ctx context.Context) error {
		var old userDoc
		err := s.users.FindOneAndDelete(ctx, byID(id)).Decode(&old)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return portal.ErrNotFound("User")
		}
		if err != nil {
			return s.fail(ctx, "delete a user", err)
		}
		if err := s.releaseAddress(ctx, old.EmailKey, id); err != nil {
			return err
		}
		if _, err := s.sessions.DeleteMany(ctx, bson.D{{Key: "user", Value: id}}); err != nil {
			return s.fail(ctx, "delete the sessions of a user", err)
		}
		if _, err := s.members.DeleteMany(ctx, bson.D{{Key: "user", Value: id}}); err != nil {
			return s.fail(ctx, "delete the memberships of a user", err)
		}
		return s.setMaker(ctx, bson.D{{Key: "maker", Value: id}}, "")
	})
}
