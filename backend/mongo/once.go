package mongo

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// onceDoc says until when a key is not new.
type onceDoc struct {
	Key   string             `bson:"_id"`
	Until instant            `bson:"until,omitempty"`
	By    primitive.ObjectID `bson:"by"` // the call for which it was new
}

// counterDoc counts until its window ends.
type counterDoc struct {
	Key   string  `bson:"_id"`
	Count int64   `bson:"count"`
	Ends  instant `bson:"ends,omitempty"`
}

func onceCollections() []collection {
	return []collection{
		{name: "once", schema: schemaOf[onceDoc](), ends: "until"},
		{name: "counters", schema: schemaOf[counterDoc](), ends: "ends"},
	}
}

// Once implements [portal.OnceStore]: one upsert that returns what was there
// before it, so of many at once one sees nothing, or, when it had to be
// repeated, itself.
func (s *Store) Once(ctx context.Context, key string, now, until time.Time) (bool, error) {
	var fresh bool
	by := primitive.NewObjectID()
	err := s.write(ctx, "note what happens once", func(ctx context.Context) error {
		var before onceDoc
		err := s.once.FindOneAndUpdate(ctx, byID(key), mongo.Pipeline{set(bson.D{
			{Key: "until", Value: unlessEnded("$until", now, "$until", literal(toInstant(until)))},
			{Key: "by", Value: unlessEnded("$until", now, "$by", literal(by))},
		})}, options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.Before)).Decode(&before)
		if errors.Is(err, mongo.ErrNoDocuments) {
			fresh = true
			return nil
		}
		fresh = before.Until == nil || !before.Until.Time().After(now) || before.By == by
		return race(err)
	})
	return fresh && err == nil, err
}

// Hit implements [portal.OnceStore]. A hit that an election interrupts more than
// once may count twice: a limit then holds a little early, or, if it was taken
// back, a little late.
func (s *Store) Hit(ctx context.Context, key string, n int64, window time.Duration, now time.Time) (int64, time.Time, error) {
	if n == 0 {
		return s.look(ctx, key, window, now)
	}
	var after counterDoc
	err := s.write(ctx, "count", func(ctx context.Context) error {
		return race(s.counters.FindOneAndUpdate(ctx, byID(key), mongo.Pipeline{set(bson.D{
			{Key: "count", Value: unlessEnded("$ends", now, bson.D{{Key: "$add", Value: bson.A{"$count", n}}}, literal(n))},
			{Key: "ends", Value: unlessEnded("$ends", now, "$ends", literal(toInstant(now.Add(window))))},
		})}, options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)).Decode(&after))
	})
	return after.Count, toTime(after.Ends), err
}

// look reads a counter without making one.
func (s *Store) look(ctx context.Context, key string, window time.Duration, now time.Time) (count int64, ends time.Time, err error) {
	err = s.read(ctx, "look at a counter", func(ctx context.Context) error {
		var d counterDoc
		err := s.counters.FindOne(ctx, byID(key)).Decode(&d)
		if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
			return err
		}
		count, ends = d.Count, toTime(d.Ends)
		if !ends.After(now) {
			count, ends = 0, toTime(toInstant(now.Add(window)))
		}
		return nil
	})
	return count, ends, err
}

// ForgetCounter implements [portal.OnceStore].
func (s *Store) ForgetCounter(ctx context.Context, key string) error {
	return s.write(ctx, "forget a counter", func(ctx context.Context) error {
		_, err := s.counters.DeleteOne(ctx, byID(key))
		return err
	})
}

// unlessEnded is an expression: kept while the field is later than now, else
// fresh. A field that is absent is earlier than every date.
func unlessEnded(field string, now time.Time, kept, fresh any) bson.D {
	later := bson.D{{Key: "$gt", Value: bson.A{field, literal(toInstant(now))}}}
	return bson.D{{Key: "$cond", Value: bson.A{later, kept, fresh}}}
}

func literal(v any) bson.D { return bson.D{{Key: "$literal", Value: v}} }
