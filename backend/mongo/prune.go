package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Prune implements [portal.Store]. Several processes may prune at once; each
// counts what it removed itself.
func (s *Store) Prune(ctx context.Context, before portal.PruneTimes, limit int) (int, error) {
	if s.closed.Load() {
		return 0, errClosed
	}
	total := 0
	steps := []func(limit int) (int, error){func(limit int) (int, error) { return s.pruneErasures(ctx, limit) }}
	for _, c := range collections() {
		if c.ends != "" {
			steps = append(steps, s.past(ctx, s.db.Collection(c.name), before.Now, c.ends))
		}
	}
	for _, step := range append(steps,
		func(limit int) (int, error) { return s.pruneCalls(ctx, before.Calls, limit) },
		func(int) (int, error) { return 0, s.settleAll(ctx, before) },
		s.past(ctx, s.rollups, before.Rollups, "at", bson.E{Key: "step", Value: portal.Hour}),
		s.past(ctx, s.rollups, before.Events, "at", bson.E{Key: "step", Value: portal.Day}),
		s.past(ctx, s.tokens, before.EndedTokens, "revoked_at"),
		s.past(ctx, s.tokens, before.EndedTokens, "expires_at"),
		func(limit int) (int, error) { return s.pruneEvents(ctx, before.Events, limit) },
	) {
		if total >= limit {
			break
		}
		n, err := step(limit - total)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// past removes what has a time before the given one. The zero time removes
// nothing.
func (s *Store) past(ctx context.Context, c *mongo.Collection, before time.Time, field string, and ...bson.E) func(limit int) (int, error) {
	return func(limit int) (int, error) {
		if before.IsZero() {
			return 0, nil
		}
		filter := append(bson.D{}, and...)
		return s.remove(ctx, c, append(filter, bson.E{Key: field, Value: bson.D{{Key: "$lt", Value: toInstant(before)}}}), limit)
	}
}

// remove deletes at most limit of the documents that a filter selects.
func (s *Store) remove(ctx context.Context, c *mongo.Collection, filter bson.D, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	var ids bson.A
	err := s.read(ctx, "find what to remove", func(ctx context.Context) error {
		ids = nil
		cursor, err := c.Find(ctx, filter, options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(min(limit, eraseAtOnce))))
		if err != nil {
			return err
		}
		var found []struct {
			ID bson.RawValue `bson:"_id"`
		}
		if err := cursor.All(ctx, &found); err != nil {
			return err
		}
		for _, d := range found {
			ids = append(ids, d.ID)
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return s.removeAll(ctx, c, append(bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, filter...))
}

func (s *Store) removeAll(ctx context.Context, c *mongo.Collection, filter bson.D) (n int, err error) {
	err = s.write(ctx, "remove what is past its time", func(ctx context.Context) error {
		r, err := c.DeleteMany(ctx, filter)
		if r != nil {
			n = int(r.DeletedCount)
		}
		return err
	})
	return n, err
}

// pruneEvents removes the oldest events of each chain up to the first that is
// not past its time, and never the newest: what is left of a chain has no gaps,
// and goes on where it was.
func (s *Store) pruneEvents(ctx context.Context, before time.Time, limit int) (int, error) {
	if before.IsZero() {
		return 0, nil
	}
	total := 0
	seen := map[string]bool{}
	var last *eventPlace
	for {
		places, err := s.eventsBefore(ctx, before, last)
		if err != nil || len(places) == 0 {
			return total, err
		}
		for _, p := range places {
			if seen[p.Chain] {
				continue
			}
			seen[p.Chain] = true
			n, err := s.pruneChain(ctx, p.Chain, before, limit-total)
			if total += n; err != nil || total >= limit {
				return total, err
			}
		}
		last = &places[len(places)-1]
	}
}

// eventPlace is where an event stands among those past their time.
type eventPlace struct {
	ID    primitive.ObjectID `bson:"_id"`
	At    instant            `bson:"at"`
	Chain string             `bson:"chain"`
}

func (p eventPlace) value() (eventPlace, error) { return p, nil }

// eventsBefore lists events before a time, oldest first, after the given one.
// Chains at rest keep an old event for ever, so there may be many of them.
func (s *Store) eventsBefore(ctx context.Context, before time.Time, after *eventPlace) ([]eventPlace, error) {
	filter := bson.D{{Key: "at", Value: bson.D{{Key: "$lt", Value: toInstant(before)}}}}
	if after != nil {
		filter = append(filter, bson.E{Key: "$or", Value: bson.A{
			bson.D{{Key: "at", Value: bson.D{{Key: "$gt", Value: after.At}}}},
			bson.D{{Key: "at", Value: after.At}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: after.ID}}}},
		}})
	}
	return all[eventPlace](ctx, s, s.events, "event", filter, options.Find().SetSort(bson.D{{Key: "at", Value: 1}, {Key: "_id", Value: 1}}).
		SetProjection(bson.D{{Key: "at", Value: 1}, {Key: "chain", Value: 1}}).SetLimit(eraseAtOnce))
}

// pruneChain removes at most limit events from the beginning of a chain.
func (s *Store) pruneChain(ctx context.Context, chain string, before time.Time, limit int) (int, error) {
	end, err := s.firstKept(ctx, chain, before)
	if err != nil {
		return 0, err
	}
	total := 0
	for total < limit {
		var n int
		// In one transaction, so that no interruption leaves a gap.
		err := s.inTransaction(ctx, "remove events", func(ctx context.Context) error {
			var oldest eventDoc
			err := s.events.FindOne(ctx, bson.D{{Key: "chain", Value: chain}}, options.FindOne().SetSort(bson.D{{Key: "seq", Value: 1}})).Decode(&oldest)
			if err != nil {
				return s.fail(ctx, "find the oldest event", err)
			}
			until := min(end, oldest.Seq+int64(min(limit-total, eraseAtOnce)))
			r, err := s.events.DeleteMany(ctx, bson.D{{Key: "chain", Value: chain}, {Key: "seq", Value: bson.D{{Key: "$lt", Value: until}}}})
			if err == nil {
				n = int(r.DeletedCount)
			}
			return s.fail(ctx, "remove events", err)
		})
		if total += n; err != nil || n == 0 {
			return total, err
		}
	}
	return total, nil
}

// firstKept returns the seq of the first event of a chain that stays.
func (s *Store) firstKept(ctx context.Context, chain string, before time.Time) (int64, error) {
	head, _, err := s.Head(ctx, chain)
	if err != nil {
		return 0, err
	}
	kept, err := all[eventDoc](ctx, s, s.events, "Event",
		bson.D{{Key: "chain", Value: chain}, {Key: "at", Value: bson.D{{Key: "$gte", Value: toInstant(before)}}}},
		options.Find().SetSort(bson.D{{Key: "seq", Value: 1}}).SetLimit(1))
	if err != nil || len(kept) == 0 {
		return head, err
	}
	return kept[0].Seq, nil
}
