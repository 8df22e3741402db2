package mongo

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

type idempotentDoc struct {
	Key         string      `bson:"_id"`
	Fingerprint string      `bson:"fingerprint"`
	Done        bool        `bson:"done"`
	Status      int         `bson:"status"`
	Header      []headerDoc `bson:"header"` // a list: what is outside is never a field name
	Body        []byte      `bson:"body"`
	LeaseUntil  instant     `bson:"lease_until,omitempty"`
	ExpiresAt   instant     `bson:"expires_at,omitempty"`
}

type headerDoc struct {
	Name  string `bson:"name"`
	Value string `bson:"value"`
}

func idempotentCollections() []collection {
	return []collection{{
		name:   "idempotents",
		schema: schemaOf[idempotentDoc](),
		ends:   "expires_at",
	}}
}

func toIdempotentDoc(r portal.Idempotent) idempotentDoc {
	d := idempotentDoc{
		Key: r.Key, Fingerprint: r.Fingerprint, Done: r.Done, Status: r.Status, Body: r.Body,
		LeaseUntil: toInstant(r.LeaseUntil), ExpiresAt: toInstant(r.ExpiresAt),
	}
	if r.Header != nil {
		d.Header = []headerDoc{}
	}
	for name, value := range r.Header {
		d.Header = append(d.Header, headerDoc{name, value})
	}
	slices.SortFunc(d.Header, func(a, b headerDoc) int { return strings.Compare(a.Name, b.Name) })
	return d
}

func (d idempotentDoc) value() (portal.Idempotent, error) {
	r := portal.Idempotent{
		Key: d.Key, Fingerprint: d.Fingerprint, Done: d.Done, Status: d.Status, Body: d.Body,
		LeaseUntil: toTime(d.LeaseUntil), ExpiresAt: toTime(d.ExpiresAt),
	}
	if d.Header != nil {
		r.Header = make(map[string]string, len(d.Header))
	}
	for _, h := range d.Header {
		r.Header[h.Name] = h.Value
	}
	return r, nil
}

// over reports whether a request no longer stands in the way of its repetition:
// answered and forgotten, or under way in a process that died.
func (d idempotentDoc) over(now time.Time) bool {
	ends := d.LeaseUntil
	if d.Done {
		ends = d.ExpiresAt
	}
	return ends == nil || !ends.Time().After(now)
}

// BeginIdempotent implements [portal.IdempotentStore].
func (s *Store) BeginIdempotent(ctx context.Context, r portal.Idempotent, now time.Time) (stored *portal.Idempotent, err error) {
	err = s.inTransaction(ctx, "begin a request that is answered once", func(ctx context.Context) error {
		stored = nil
		var has idempotentDoc
		err := s.idempotents.FindOne(ctx, byID(r.Key)).Decode(&has)
		if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
			return s.fail(ctx, "read a request", err)
		}
		if err == nil && !has.over(now) {
			found, err := has.value()
			stored = &found
			return err
		}
		_, err = s.idempotents.ReplaceOne(ctx, byID(r.Key), toIdempotentDoc(r), options.Replace().SetUpsert(true))
		return s.fail(ctx, "begin a request", race(err))
	})
	return stored, err
}

// FinishIdempotent implements [portal.IdempotentStore]. A request that was answered
// already is a Conflict: it was taken for dead, and another did the change.
func (s *Store) FinishIdempotent(ctx context.Context, r portal.Idempotent) error {
	return s.inTransaction(ctx, "finish a request that is answered once", func(ctx context.Context) error {
		has, err := one[idempotentDoc](ctx, s, s.idempotents, "Request", byID(r.Key))
		if err == nil && has.Done {
			return &portal.Error{Kind: portal.Conflict, Detail: "The request was answered already.", Fix: "Repeat it to get that answer."}
		}
		if err != nil && portal.KindOf(err) != portal.NotFound {
			return err
		}
		_, err = s.idempotents.ReplaceOne(ctx, byID(r.Key), toIdempotentDoc(r), options.Replace().SetUpsert(true))
		return s.fail(ctx, "store the answer of a request", race(err))
	})
}

// AbandonIdempotent implements [portal.IdempotentStore].
func (s *Store) AbandonIdempotent(ctx context.Context, key string) error {
	return s.write(ctx, "abandon a request", func(ctx context.Context) error {
		_, err := s.idempotents.DeleteOne(ctx, bson.D{{Key: "_id", Value: key}, {Key: "done", Value: false}})
		return err
	})
}
