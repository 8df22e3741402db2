package mongo

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// instant is a time as it is stored: nil for the zero time, which is left out.
type instant = *primitive.DateTime

func toInstant(t time.Time) instant {
	if t.IsZero() {
		return nil
	}
	at := primitive.NewDateTimeFromTime(t)
	return &at
}

func toTime(at instant) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.Time().UTC()
}

// document is what a collection holds: D, which is read as a T of the portal.
type document[T any] interface{ value() (T, error) }

// one reads the document that a filter selects. Without one it answers NotFound
// with the noun.
func one[D document[T], T any](ctx context.Context, s *Store, c *mongo.Collection, noun string, filter bson.D, opts ...*options.FindOneOptions) (T, error) {
	var found T
	err := s.read(ctx, "read a "+noun, func(ctx context.Context) error {
		var d D
		err := c.FindOne(ctx, filter, opts...).Decode(&d)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return portal.ErrNotFound(noun)
		}
		if err == nil {
			found, err = d.value()
		}
		return err
	})
	return found, err
}

// all reads the documents that a filter selects.
func all[D document[T], T any](ctx context.Context, s *Store, c *mongo.Collection, noun string, filter bson.D, opts ...*options.FindOptions) ([]T, error) {
	var found []T
	err := s.read(ctx, "list "+noun+"s", func(ctx context.Context) error {
		found = nil
		cursor, err := c.Find(ctx, filter, opts...)
		if err != nil {
			return err
		}
		defer cursor.Close(context.WithoutCancel(ctx))
		for cursor.Next(ctx) {
			var d D
			if err := cursor.Decode(&d); err != nil {
				return err
			}
			v, err := d.value()
			if err != nil {
				return err
			}
			found = append(found, v)
		}
		return cursor.Err()
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// mostListed is how many ids one query names. Longer lists are read in parts.
const mostListed = 1000

// byIDs reads the documents with these ids, in no order.
func byIDs[D document[T], T any](ctx context.Context, s *Store, c *mongo.Collection, noun string, ids []string) ([]T, error) {
	var found []T
	for len(ids) > 0 {
		n := min(len(ids), mostListed)
		part, err := all[D](ctx, s, c, noun, bson.D{{Key: "_id", Value: in(ids[:n])}})
		if err != nil {
			return nil, err
		}
		found, ids = append(found, part...), ids[n:]
	}
	return found, nil
}

// insert adds a document. When its _id, or what else is unique, is there
// already, it fails with taken, and a transaction it is part of has ended.
func (s *Store) insert(ctx context.Context, c *mongo.Collection, step string, doc any, taken error) error {
	return s.inTransaction(ctx, step, func(ctx context.Context) error {
		_, err := c.InsertOne(ctx, doc)
		if mongo.IsDuplicateKeyError(err) {
			return transactionOf(ctx).refuse(taken)
		}
		return s.fail(ctx, step, err)
	})
}

// race turns a duplicate key into a reason to run the transaction again: it was
// not there when the transaction looked.
func race(err error) error {
	if mongo.IsDuplicateKeyError(err) {
		return errAgain
	}
	return err
}

func byID(id string) bson.D { return bson.D{{Key: "_id", Value: id}} }

func set(fields bson.D) bson.D { return bson.D{{Key: "$set", Value: fields}} }

func in(ids []string) bson.D { return bson.D{{Key: "$in", Value: ids}} }

// during selects From <= at < To; zero times do not bound.
func during(from, to time.Time) bson.D {
	var d bson.D
	if !from.IsZero() {
		d = append(d, bson.E{Key: "$gte", Value: toInstant(from)})
	}
	if !to.IsZero() {
		d = append(d, bson.E{Key: "$lt", Value: toInstant(to)})
	}
	return d
}
