package mongo

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/block"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// RecordCalls implements [portal.CallStore]. A batch is known by its blocks: if
// any of them is stored, all of it is, because it was written whole.
func (s *Store) RecordCalls(ctx context.Context, b portal.CallBatch) error {
	look := transactionOf(ctx) != nil // a duplicate would end the transaction of others
	var blocks []any
	var ids []string
	for _, calls := range block.Of(b.Calls) {
		blocks, ids = append(blocks, toBlockDoc(calls)), append(ids, calls.FirstID)
	}
	err := s.inTransaction(ctx, "record calls", func(ctx context.Context) error {
		t, err := need(ctx, "recording")
		if err != nil {
			return err
		}
		// One recorder a process is enough; more would only meet at the uses.
		if err := t.lock("recorder"); err != nil {
			return s.fail(ctx, "wait for another recorder", err)
		}
		if len(blocks) > 0 {
			if look {
				if stored, err := s.blocksStored(ctx, ids); stored || err != nil {
					return err
				}
			}
			_, err := s.calls.InsertMany(ctx, blocks)
			look = look || mongo.IsDuplicateKeyError(err)
			if err := s.fail(ctx, "insert calls", race(err)); err != nil {
				return err
			}
		}
		if err := s.addUses(ctx, b.Uses); err != nil {
			return err
		}
		return s.logRollups(ctx, b.Rollups)
	})
	if err == nil && transactionOf(ctx) == nil {
		s.settleSome(ctx)
	}
	return err
}

func (s *Store) blocksStored(ctx context.Context, ids []string) (bool, error) {
	n, err := s.calls.CountDocuments(ctx, bson.D{{Key: "_id", Value: in(ids)}}, options.Count().SetLimit(1))
	return n > 0, s.fail(ctx, "look for calls", err)
}

// addUses notes the newest use of tokens and of their generations. Nearly always
// a use is the newest of both, and one update notes it.
func (s *Store) addUses(ctx context.Context, uses []portal.Use) error {
	for part := range slices.Chunk(uses, usesAtOnce) {
		updates := make([]mongo.WriteModel, len(part))
		for i := range part {
			u := newUse(&part[i])
			updates[i] = mongo.NewUpdateOneModel().
				SetFilter(bson.D{u.id, u.team, u.ofToken, u.ofGeneration}).
				SetUpdate(set(append(u.token, u.generation...)))
		}
		noted, err := s.tokens.BulkWrite(ctx, updates)
		if err == nil && noted.MatchedCount < int64(len(part)) {
			err = s.addUsesApart(ctx, part)
		}
		if err != nil {
			return s.fail(ctx, "note the uses of tokens", err)
		}
	}
	return nil
}

// usesAtOnce is how many uses are noted apart because of one among them.
const usesAtOnce = 50

// addUsesApart notes uses of tokens, and those of generations, each unless there
// is a newer one.
func (s *Store) addUsesApart(ctx context.Context, uses []portal.Use) error {
	var updates []mongo.WriteModel
	for i := range uses {
		u := newUse(&uses[i])
		updates = append(updates,
			mongo.NewUpdateOneModel().SetFilter(bson.D{u.id, u.team, u.ofToken}).SetUpdate(set(u.token)),
			mongo.NewUpdateOneModel().SetFilter(bson.D{u.id, u.team, u.ofGeneration}).SetUpdate(set(u.generation)))
	}
	_, err := s.tokens.BulkWrite(ctx, updates)
	return err
}

// use is what finds the token and the generation that a use is the newest of,
// and what it sets there.
type use struct {
	id, team, ofToken, ofGeneration bson.E
	token, generation               bson.D
}

func newUse(u *portal.Use) use {
	at := toInstant(u.At)
	earlier := bson.E{Key: "last_used_at", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$gte", Value: at}}}}} // or absent
	return use{
		id: bson.E{Key: "_id", Value: u.Token}, team: bson.E{Key: "team", Value: u.Team}, ofToken: earlier,
		ofGeneration: bson.E{Key: "generations", Value: bson.D{{Key: "$elemMatch", Value: bson.D{{Key: "number", Value: u.Generation}, earlier}}}},
		token:        bson.D{{Key: "last_used_at", Value: at}, {Key: "last_used_from", Value: u.Address}},
		generation: bson.D{
			{Key: "generations.$.last_used_at", Value: at},
			{Key: "generations.$.last_used_from", Value: u.Address},
			{Key: "generations.$.last_client", Value: u.Client},
		},
	}
}

// blocksFirst is how many blocks the first answer to a list holds. One is
// enough where calls are many; where they are few, blocks are small.
const blocksFirst = 8

// Calls implements [portal.CallStore].
func (s *Store) Calls(ctx context.Context, f portal.CallFilter) (calls []portal.Call, err error) {
	err = s.read(ctx, "list calls", func(ctx context.Context) error {
		page := block.NewPage(f)
		cursor, err := s.calls.Find(ctx, blocksFilter(f), options.Find().SetSort(newestBlocks).
			SetProjection(bson.D{{Key: "at", Value: 1}, {Key: "data", Value: 1}}).SetBatchSize(blocksFirst).SetMaxTime(s.deadline))
		if err != nil {
			return err
		}
		defer cursor.Close(context.WithoutCancel(ctx))
		cursor.SetBatchSize(int32(f.Limit))
		for cursor.Next(ctx) {
			var b blockDoc
			if err := cursor.Decode(&b); err != nil {
				return err
			}
			if page.Full(int64(b.NewestAt)) {
				break
			}
			if err := page.Add(b.Data); err != nil {
				return err
			}
		}
		calls = page.Calls()
		return cursor.Err()
	})
	return calls, err
}
