package mongo

import (
	"context"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/block"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// blockDoc is a block of calls. A document for each call would cost the server
// ten times as much: its indexes and its log take each one by itself.
type blockDoc struct {
	ID       string             `bson:"_id"` // of its first call
	Team     string             `bson:"team"`
	NewestAt primitive.DateTime `bson:"at"` // stays when calls are cut out: it is part of the shard key
	OldestAt primitive.DateTime `bson:"oldest_at"`
	Count    int                `bson:"count"`
	Tokens   []string           `bson:"tokens" schema:"required"` // of its calls, each once; anyToken if they are too many
	Data     []byte             `bson:"data" schema:"required"`   // as backend/block packs it
}

func callCollections() []collection {
	return []collection{{
		name:   "calls",
		schema: schemaOf[blockDoc](),
		// The rarer filters read along one of the first two.
		indexes: []mongo.IndexModel{index("team", "-at", "-_id"), index("team", "tokens", "-at", "-_id"), index("at", "oldest_at")},
	}}
}

// anyToken stands for the tokens of a block that has calls of too many.
const anyToken = ""

func toBlockDoc(b *block.Block) blockDoc {
	tokens := b.Tokens()
	if tokens == nil {
		tokens = []string{anyToken}
	}
	return blockDoc{
		ID: b.FirstID, Team: b.Team, NewestAt: primitive.DateTime(b.NewestAt), OldestAt: primitive.DateTime(b.OldestAt),
		Count: len(b.Calls), Tokens: tokens, Data: b.Pack(),
	}
}

func (d blockDoc) value() (blockDoc, error) { return d, nil }

var newestBlocks = bson.D{{Key: "at", Value: -1}, {Key: "_id", Value: -1}}

// blocksFilter selects the blocks that may hold calls of a list.
func blocksFilter(f portal.CallFilter) bson.D {
	filter := bson.D{{Key: "team", Value: f.Team}}
	if f.Token != "" {
		filter = append(filter, bson.E{Key: "tokens", Value: in([]string{f.Token, anyToken})})
	}
	at := during(f.From, time.Time{})
	var last []int64 // the calls are at or before all of these
	if !f.To.IsZero() {
		last = append(last, f.To.UnixMilli()-1)
	}
	if f.After != nil {
		last = append(last, f.After.At.UnixMilli())
	}
	if len(last) > 0 {
		ms := slices.Min(last)
		at = append(at, bson.E{Key: "$lt", Value: primitive.DateTime(block.HourEnd(ms))})
		filter = append(filter, bson.E{Key: "oldest_at", Value: bson.D{{Key: "$lte", Value: primitive.DateTime(ms)}}})
	}
	if len(at) > 0 {
		filter = append(filter, bson.E{Key: "at", Value: at})
	}
	return filter
}

// blocksBefore selects the blocks that have calls before a time.
func blocksBefore(past primitive.DateTime) bson.D {
	return bson.D{
		{Key: "at", Value: bson.D{{Key: "$lt", Value: primitive.DateTime(block.HourEnd(int64(past)))}}},
		{Key: "oldest_at", Value: bson.D{{Key: "$lt", Value: past}}},
	}
}

// pruneCalls removes calls block by block. A block that is not past its time as
// a whole, or is more than may go at once, is cut.
func (s *Store) pruneCalls(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	if before.IsZero() || limit <= 0 {
		return 0, nil
	}
	past := primitive.NewDateTimeFromTime(before)
	old, err := all[blockDoc](ctx, s, s.calls, "block of call", blocksBefore(past), options.Find().
		SetProjection(bson.D{{Key: "team", Value: 1}, {Key: "at", Value: 1}, {Key: "count", Value: 1}}).SetLimit(int64(min(limit, eraseAtOnce))))
	if err != nil {
		return 0, err
	}
	var whole []string
	var rest []blockDoc
	calls := 0
	for _, b := range old {
		if b.NewestAt < past && calls+b.Count <= limit {
			whole, calls = append(whole, b.ID), calls+b.Count
		} else {
			rest = append(rest, b)
		}
	}
	if len(whole) > 0 {
		n, err := s.removeAll(ctx, s.calls, append(blocksBefore(past), bson.E{Key: "_id", Value: in(whole)}))
		if err != nil {
			return 0, err
		}
		removed = n // when another process was faster with some: at least a call each
		if n == len(whole) {
			removed = calls
		}
	}
	for _, b := range rest {
		if removed >= limit {
			break
		}
		n, err := s.cutBlock(ctx, b, before, limit-removed)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// cutBlock removes at most limit calls before a time from a block, and none if
// another process cuts it at the same time.
func (s *Store) cutBlock(ctx context.Context, b blockDoc, before time.Time, limit int) (removed int, err error) {
	same := bson.D{{Key: "team", Value: b.Team}, {Key: "at", Value: b.NewestAt}, {Key: "_id", Value: b.ID}}
	found, err := all[blockDoc](ctx, s, s.calls, "block of call", same)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	b = found[0]
	same = append(same, bson.E{Key: "count", Value: b.Count})
	left, n, err := block.Cut(&block.Block{Team: b.Team, FirstID: b.ID, NewestAt: int64(b.NewestAt)}, b.Data, before, limit)
	if err != nil || n == 0 {
		return 0, err
	}
	err = s.write(ctx, "cut a block of calls", func(ctx context.Context) error {
		removed = 0
		if len(left.Calls) == 0 {
			r, err := s.calls.DeleteOne(ctx, same)
			if err == nil && r.DeletedCount > 0 {
				removed = n
			}
			return err
		}
		d := toBlockDoc(left)
		r, err := s.calls.UpdateOne(ctx, same, set(bson.D{
			{Key: "oldest_at", Value: d.OldestAt}, {Key: "count", Value: d.Count}, {Key: "tokens", Value: d.Tokens}, {Key: "data", Value: d.Data},
		}))
		if err == nil && r.MatchedCount > 0 {
			removed = n
		}
		return err
	})
	return removed, err
}
