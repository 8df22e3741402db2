package mongo

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// maxRecords is how many records one reply holds: the first batch of a find is
// 101 documents, and a second would be a second round trip.
const maxRecords = 100

// TokenRecords implements [portal.TokenStore]: one query of the primary with
// read concern majority, answered in one reply. It fails for more than 100 ids.
func (s *Store) TokenRecords(ctx context.Context, ids []string) ([]*portal.Token, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if len(ids) > maxRecords {
		return nil, fmt.Errorf("read token records: %d ids, at most %d may be asked for at once", len(ids), maxRecords)
	}
	filter := recordsFilter(ids)
	var found []*portal.Token
	err := s.read(ctx, "read token records", func(ctx context.Context) error {
		began := time.Now()
		// A negative limit asks for one batch and no cursor.
		cursor, err := s.tokens.Find(ctx, filter, options.Find().SetLimit(-int64(len(ids))))
		if err != nil {
			return err
		}
		defer cursor.Close(ctx) // no I/O: there is no cursor on the server
		s.trips.add(time.Since(began))
		found = make([]*portal.Token, 0, cursor.RemainingBatchLength())
		for cursor.Next(ctx) {
			t, err := s.decoded.token(cursor.Current)
			if err != nil {
				return err
			}
			found = append(found, t)
		}
		return cursor.Err()
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func recordsFilter(ids []string) bson.Raw {
	if len(ids) == 1 { // the server has a faster way for one _id
		return bson.Raw(bsoncore.BuildDocument(nil, bsoncore.AppendStringElement(nil, "_id", ids[0])))
	}
	doc, filter := bsoncore.AppendDocumentStart(make([]byte, 0, 32+24*len(ids)))
	id, filter := bsoncore.AppendDocumentElementStart(filter, "_id")
	list, filter := bsoncore.AppendArrayElementStart(filter, "$in")
	for i, text := range ids {
		filter = bsoncore.AppendStringElement(filter, indexText[i], text)
	}
	filter, _ = bsoncore.AppendArrayEnd(filter, list)
	filter, _ = bsoncore.AppendDocumentEnd(filter, id)
	filter, _ = bsoncore.AppendDocumentEnd(filter, doc)
	return filter
}

// indexText holds the numbers of the elements of an array, as BSON names them.
var indexText = func() (texts [maxRecords]string) {
	for i := range texts {
		texts[i] = fmt.Sprint(i)
	}
	return texts
}()

// trips is a moving average of how long queries take.
type trips struct{ average atomic.Int64 } // nanoseconds

// add counts a query. One that another overtakes is left out: an average of
// many does not miss it.
func (t *trips) add(took time.Duration) {
	old := t.average.Load()
	next := int64(took)
	if old != 0 {
		next = old + (next-old)/16
	}
	t.average.CompareAndSwap(old, next)
}

// RoundTrip returns how long [Store.TokenRecords] took of late, a moving average
// over about 16 queries, or 0 before the first. Queries that failed do not
// count.
func (s *Store) RoundTrip() time.Duration { return time.Duration(s.trips.average.Load()) }
