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

type memberDoc struct {
	Team     string      `bson:"team"`
	User     string      `bson:"user"`
	Role     portal.Role `bson:"role"`
	JoinedAt instant     `bson:"joined_at,omitempty"`
}

func memberCollections() []collection {
	return []collection{{
		name:    "members",
		schema:  schemaOf[memberDoc](),
		indexes: []mongo.IndexModel{unique("team", "user"), index("user")},
	}}
}

func (d memberDoc) value() (portal.Member, error) {
	return portal.Member{Team: d.Team, User: d.User, Role: d.Role, JoinedAt: toTime(d.JoinedAt)}, nil
}

func membership(team, user string) bson.D {
	return bson.D{{Key: "team", Value: team}, {Key: "user", Value: user}}
}

func madeBy(team, user string) bson.D {
	return bson.D{{Key: "team", Value: team}, {Key: "maker", Value: user}}
}

// setMaker brings what the selected tokens say about their maker in step.
func (s *Store) setMaker(ctx context.Context, tokens bson.D, role portal.Role) error {
	_, err := s.tokens.UpdateMany(ctx, tokens, set(bson.D{{Key: "standing.maker_role", Value: role}}))
	return s.fail(ctx, "bring the tokens of a maker in step", err)
}

// hold makes every other transaction that changes or holds the document that
// the filter selects run before or after this one, and returns the document: a
// snapshot alone lets two transactions each read what the other changes.
func hold(ctx context.Context, c *mongo.Collection, filter bson.D, found any) error {
	return c.FindOneAndUpdate(ctx, filter, set(bson.D{{Key: "held", Value: primitive.NewObjectID()}})).Decode(found)
}

// SaveMember implements [portal.MemberStore].
func (s *Store) SaveMember(ctx context.Context, m portal.Member) error {
	return s.inTransaction(ctx, "save a member", func(ctx context.Context) error {
		if err := s.lock(ctx, m.Team); err != nil {
			return err
		}
		doc := memberDoc{Team: m.Team, User: m.User, Role: m.Role, JoinedAt: toInstant(m.JoinedAt)}
		if _, err := s.members.ReplaceOne(ctx, membership(m.Team, m.User), doc, options.Replace().SetUpsert(true)); err != nil {
			return s.fail(ctx, "save a member", race(err))
		}
		role, err := s.roleOfMaker(ctx, m.User, m.Role)
		if err != nil {
			return err
		}
		return s.setMaker(ctx, madeBy(m.Team, m.User), role)
	})
}

// roleOfMaker returns the role that counts for the tokens of a member: none of
// somebody who is disabled.
func (s *Store) roleOfMaker(ctx context.Context, user string, role portal.Role) (portal.Role, error) {
	var u userDoc
	err := hold(ctx, s.users, byID(user), &u)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments), err == nil && u.DisabledAt != nil:
		return "", nil
	case err != nil:
		return "", s.fail(ctx, "read the maker of tokens", err)
	}
	return role, nil
}

// DeleteMember implements [portal.MemberStore].
func (s *Store) DeleteMember(ctx context.Context, team, user string) error {
	return s.inTransaction(ctx, "delete a member", func(ctx context.Context) error {
		if err := s.lock(ctx, team); err != nil {
			return err
		}
		r, err := s.members.DeleteOne(ctx, membership(team, user))
		if err != nil {
			return s.fail(ctx, "delete a member", err)
		}
		if r.DeletedCount == 0 {
			return portal.ErrNotFound("Member")
		}
		return s.setMaker(ctx, madeBy(team, user), "")
	})
}

// Member implements [portal.MemberStore].
func (s *Store) Member(ctx context.Context, team, user string) (portal.Member, error) {
	return one[memberDoc](ctx, s, s.members, "Member", membership(team, user))
}

// Members implements [portal.MemberStore].
func (s *Store) Members(ctx context.Context, team string) ([]portal.Member, error) {
	return all[memberDoc](ctx, s, s.members, "Member", bson.D{{Key: "team", Value: team}}, byJoining("user"))
}

// Memberships implements [portal.MemberStore].
func (s *Store) Memberships(ctx context.Context, user string) ([]portal.Member, error) {
	return all[memberDoc](ctx, s, s.members, "Member", bson.D{{Key: "user", Value: user}}, byJoining("team"))
}

func byJoining(then string) *options.FindOptions {
	return options.Find().SetSort(bson.D{{Key: "joined_at", Value: 1}, {Key: then, Value: 1}})
}
