package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// erasureDoc notes a team that was deleted, whose orders, calls and sums still
// have to go. It stays for a while afterwards, because processes may still hold
// calls of the team that they have not recorded yet.
type erasureDoc struct {
	Team string  `bson:"_id"`
	At   instant `bson:"at"`
}

const (
	eraseAtOnce  = 1000
	eraseWithin  = 2 * time.Second // of the call that deletes the team
	erasureKept  = time.Hour
	erasuresRead = 100 // in one round of pruning
)

func erasureCollections() []collection {
	return []collection{{name: "erasures", schema: schemaOf[erasureDoc](), indexes: []mongo.IndexModel{index("at")}}}
}

// noteErasure has the rest of a team deleted after the transaction of ctx.
func (s *Store) noteErasure(ctx context.Context, team string) error {
	t, err := need(ctx, "deleting a team")
	if err != nil {
		return err
	}
	doc := erasureDoc{Team: team, At: toInstant(time.Now())}
	if _, err := s.erasures.ReplaceOne(ctx, byID(team), doc, options.Replace().SetUpsert(true)); err != nil {
		return s.fail(ctx, "note the deletion of a team", race(err))
	}
	t.after = append(t.after, func() {
		// Not the context of the transaction: it holds the session that has ended.
		ctx, cancel := context.WithTimeout(context.Background(), eraseWithin)
		defer cancel()
		for {
			// The team is deleted; what remains when this fails, Prune deletes.
			if n, err := s.erase(ctx, team, eraseAtOnce); n == 0 || err != nil {
				return
			}
		}
	})
	return nil
}

// erase deletes at most limit documents of a team that was deleted.
func (s *Store) erase(ctx context.Context, team string, limit int) (int, error) {
	total := 0
	for _, c := range []*mongo.Collection{s.orders, s.calls, s.rollups, s.rollupLog} {
		n, err := s.remove(ctx, c, bson.D{{Key: "team", Value: team}}, limit-total)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// pruneErasures goes on with what is left of deleted teams.
func (s *Store) pruneErasures(ctx context.Context, limit int) (int, error) {
	left, err := all[erasureDoc](ctx, s, s.erasures, "Erasure", bson.D{},
		options.Find().SetSort(bson.D{{Key: "at", Value: 1}}).SetLimit(erasuresRead))
	if err != nil {
		return 0, err
	}
	total := 0
	for _, d := range left {
		n, err := s.erase(ctx, d.Team, limit-total)
		if total += n; err != nil || total == limit {
			return total, err
		}
		if time.Since(toTime(d.At)) > erasureKept {
			if _, err := s.remove(ctx, s.erasures, byID(d.Team), 1); err != nil {
				return total, err
			}
		}
	}
	return total, nil
}

func (d erasureDoc) value() (erasureDoc, error) { return d, nil }
