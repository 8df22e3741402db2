package mongo

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

type teamDoc struct {
	ID        string    `bson:"_id"`
	Name      string    `bson:"name"`
	Platform  bool      `bson:"platform"`
	CreatedAt instant   `bson:"created_at,omitempty"`
	Policy    policyDoc `bson:"policy"`
	Rev       int64     `bson:"rev"`
}

type policyDoc struct {
	Abilities []string `bson:"abilities"` // null: all
}

// singleDoc names the one team that has a part only one can have: the part is
// the _id.
type singleDoc struct {
	Part string `bson:"_id"`
	Team string `bson:"team"`
}

const platformPart = "platform_team"

func teamCollections() []collection {
	return []collection{
		{
			name:    "teams",
			schema:  schemaOf[teamDoc](),
			indexes: []mongo.IndexModel{index("name")},
		},
		{name: "singles", schema: schemaOf[singleDoc]()},
	}
}

func toTeamDoc(t portal.Team) teamDoc {
	return teamDoc{
		ID: t.ID, Name: t.Name, Platform: t.Platform, CreatedAt: toInstant(t.CreatedAt),
		Policy: policyDoc{Abilities: t.Policy.Abilities}, Rev: t.Rev,
	}
}

func (d teamDoc) value() (portal.Team, error) {
	return portal.Team{
		ID: d.ID, Name: d.Name, Platform: d.Platform, CreatedAt: toTime(d.CreatedAt),
		Policy: portal.TeamPolicy{Abilities: d.Policy.Abilities}, Rev: d.Rev,
	}, nil
}

func (d singleDoc) value() (string, error) { return d.Team, nil }

// InsertTeam implements [portal.TeamStore]. A second platform team is a
// Conflict.
func (s *Store) InsertTeam(ctx context.Context, t portal.Team) error {
	return s.inTransaction(ctx, "insert a team", func(ctx context.Context) error {
		if t.Platform {
			if err := s.claimPlatform(ctx, t.ID); err != nil {
				return err
			}
		}
		return s.insert(ctx, s.teams, "insert a team", toTeamDoc(t), idTaken)
	})
}

func (s *Store) claimPlatform(ctx context.Context, team string) error {
	has, err := one[singleDoc](ctx, s, s.singles, "Platform team", byID(platformPart))
	switch {
	case err == nil && has == team:
		return nil
	case err == nil:
		return &portal.Error{
			Kind: portal.Conflict, Other: has, Detail: "There is a platform team already.", Fix: "Take the mark from the other team first.",
		}
	case portal.KindOf(err) != portal.NotFound:
		return err
	}
	_, err = s.singles.InsertOne(ctx, singleDoc{Part: platformPart, Team: team})
	return s.fail(ctx, "mark the platform team", race(err))
}

func (s *Store) releasePlatform(ctx context.Context, team string) error {
	_, err := s.singles.DeleteOne(ctx, bson.D{{Key: "_id", Value: platformPart}, {Key: "team", Value: team}})
	return s.fail(ctx, "unmark the platform team", err)
}

// ReplaceTeam implements [portal.TeamStore].
func (s *Store) ReplaceTeam(ctx context.Context, t portal.Team) error {
	return s.inTransaction(ctx, "replace a team", func(ctx context.Context) error {
		if err := s.lock(ctx, t.ID); err != nil {
			return err
		}
		var old teamDoc
		err := s.teams.FindOneAndReplace(ctx, byID(t.ID), toTeamDoc(t), options.FindOneAndReplace().SetReturnDocument(options.Before)).Decode(&old)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return portal.ErrNotFound("Team")
		}
		if err != nil {
			return s.fail(ctx, "replace a team", err)
		}
		switch {
		case t.Platform && !old.Platform:
			err = s.claimPlatform(ctx, t.ID)
		case old.Platform && !t.Platform:
			err = s.releasePlatform(ctx, t.ID)
		}
		if err != nil {
			return err
		}
		a, b := old.Policy.Abilities, t.Policy.Abilities
		if old.Platform == t.Platform && slices.Equal(a, b) && (a == nil) == (b == nil) {
			return nil // a new name need not touch every token
		}
		_, err = s.tokens.UpdateMany(ctx, bson.D{{Key: "team", Value: t.ID}}, set(bson.D{
			{Key: "standing.platform_team", Value: t.Platform}, {Key: "standing.team_abilities", Value: t.Policy.Abilities},
		}))
		return s.fail(ctx, "bring the tokens of a team in step", err)
	})
}

// Team implements [portal.TeamStore].
func (s *Store) Team(ctx context.Context, id string) (portal.Team, error) {
	return one[teamDoc](ctx, s, s.teams, "Team", byID(id))
}

// Teams implements [portal.TeamStore].
func (s *Store) Teams(ctx context.Context, ids []string) ([]portal.Team, error) {
	return byIDs[teamDoc](ctx, s, s.teams, "Team", ids)
}

// TeamsNamed implements [portal.TeamStore].
func (s *Store) TeamsNamed(ctx context.Context, name string) ([]portal.Team, error) {
	return all[teamDoc](ctx, s, s.teams, "Team", bson.D{{Key: "name", Value: name}}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
}

// PlatformTeam implements [portal.TeamStore].
func (s *Store) PlatformTeam(ctx context.Context) (portal.Team, error) {
	id, err := one[singleDoc](ctx, s, s.singles, "Platform team", byID(platformPart))
	if err != nil {
		return portal.Team{}, err
	}
	return one[teamDoc](ctx, s, s.teams, "Platform team", byID(id))
}

// DeleteTeam implements [portal.TeamStore]. Orders, calls and sums may be more
// than one transaction can delete. What is deleted there is noted instead, the
// rest goes after it, and [Store.Prune] finishes what is interrupted.
func (s *Store) DeleteTeam(ctx context.Context, id string, at time.Time) error {
	return s.inTransaction(ctx, "delete a team", func(ctx context.Context) error {
		r, err := s.teams.DeleteOne(ctx, byID(id))
		if err != nil {
			return s.fail(ctx, "delete a team", err)
		}
		if r.DeletedCount == 0 {
			return portal.ErrNotFound("Team")
		}
		if err := s.releasePlatform(ctx, id); err != nil {
			return err
		}
		if _, err := s.members.DeleteMany(ctx, bson.D{{Key: "team", Value: id}}); err != nil {
			return s.fail(ctx, "delete the members of a team", err)
		}
		if _, err := s.tokenNames.DeleteMany(ctx, bson.D{{Key: "_id.team", Value: id}}); err != nil {
			return s.fail(ctx, "delete the names of a team", err)
		}
		living := bson.D{{Key: "team", Value: id}, {Key: "revoked_at", Value: nil}}
		if _, err := s.tokens.UpdateMany(ctx, living, set(bson.D{{Key: "revoked_at", Value: toInstant(at)}})); err != nil {
			return s.fail(ctx, "revoke the tokens of a team", err)
		}
		if _, err := s.tokens.UpdateMany(ctx, bson.D{{Key: "team", Value: id}}, set(bson.D{{Key: "standing.maker_role", Value: ""}})); err != nil {
			return s.fail(ctx, "take the makers from the tokens of a team", err)
		}
		return s.noteErasure(ctx, id)
	})
}
