package mongo

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/block"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const (
	// batchesLogged is how many batches of sums a process logs before it adds
	// them to those that are stored: many batches add to the same sums.
	batchesLogged = 128
	// settledAtOnce is from how many sums of hours on a transaction adds no further
	// batch.
	settledAtOnce = 3000
)

// rollupLogDoc holds the sums of one team in one batch, until they are added to
// those in rollups.
type rollupLogDoc struct {
	ID   primitive.ObjectID `bson:"_id,omitempty" schema:"-"` // the driver makes one
	Team string             `bson:"team"`
	Slot int32              `bson:"slot"`                   // of the process
	Data []byte             `bson:"data" schema:"required"` // as backend/block packs it
}

func rollupLogCollection() collection {
	return collection{
		name:    "rollup_log",
		schema:  schemaOf[rollupLogDoc](),
		indexes: []mongo.IndexModel{index("team"), index("slot", "team")},
	}
}

func (d rollupLogDoc) value() (rollupLogDoc, error) { return d, nil }

// logRollups stores sums to be added later.
func (s *Store) logRollups(ctx context.Context, sums []portal.Rollup) error {
	if len(sums) == 0 {
		return nil
	}
	teams := map[string][]portal.Rollup{}
	for _, r := range sums {
		teams[r.Team] = append(teams[r.Team], r)
	}
	var docs []any
	for team, sums := range teams {
		docs = append(docs, rollupLogDoc{Team: team, Slot: s.slot, Data: block.PackSums(sums)})
	}
	_, err := s.rollupLog.InsertMany(ctx, docs)
	return s.fail(ctx, "log the sums of calls", err)
}

// addLogged adds what is logged of the sums that a filter selects.
func (s *Store) addLogged(ctx context.Context, f portal.RollupFilter, sums *block.Sums) error {
	logged, err := all[rollupLogDoc](ctx, s, s.rollupLog, "logged sum", bson.D{{Key: "team", Value: f.Team}}, options.Find().SetMaxTime(s.deadline))
	if err != nil {
		return err
	}
	for _, d := range logged {
		err := block.UnpackSums(d.Data, func(r *portal.Rollup) {
			if f.Step == portal.Day {
				day := r.OfDay()
				r = &day
			}
			if (f.From.IsZero() || !r.At.Before(f.From)) && (f.To.IsZero() || r.At.Before(f.To)) &&
				(f.Tokens == nil || slices.Contains(f.Tokens, r.Token)) {
				sums.Add(r)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// settleSome adds some of what this process logged, if that is much. What fails
// is left to a later call, and to Prune, which says why.
func (s *Store) settleSome(ctx context.Context) {
	if s.logged.Add(1) < batchesLogged {
		return
	}
	more, err := s.settle(ctx, bson.D{{Key: "slot", Value: s.slot}})
	if err != nil || !more {
		s.logged.Store(0)
	}
}

// settleAll adds what all processes logged, because sums are about to be
// removed.
func (s *Store) settleAll(ctx context.Context, before portal.PruneTimes) error {
	more := !before.Rollups.IsZero() || !before.Events.IsZero()
	for more {
		var err error
		if more, err = s.settle(ctx, bson.D{}); err != nil {
			return err
		}
	}
	return nil
}

// settle adds logged sums to those that are stored, those of one team after the
// other, and tells whether more may be logged.
func (s *Store) settle(ctx context.Context, which bson.D) (more bool, err error) {
	err = s.inTransaction(ctx, "settle sums", func(ctx context.Context) error {
		t, err := need(ctx, "settling")
		if err != nil {
			return err
		}
		if err := t.lock("settle"); err != nil {
			return s.fail(ctx, "wait for another to settle", err)
		}
		var sums block.Sums
		var ids []primitive.ObjectID
		cursor, err := s.rollupLog.Find(ctx, which, options.Find().SetSort(bson.D{{Key: "slot", Value: 1}, {Key: "team", Value: 1}}))
		if err != nil {
			return s.fail(ctx, "read logged sums", err)
		}
		defer cursor.Close(ctx)
		for more = false; !more && cursor.Next(ctx); more = len(sums.List()) >= settledAtOnce {
			var d rollupLogDoc
			if err := cursor.Decode(&d); err != nil {
				return err
			}
			if err := block.UnpackSums(d.Data, sums.Add); err != nil {
				return err
			}
			ids = append(ids, d.ID)
		}
		if err := cursor.Err(); err != nil || len(ids) == 0 {
			return s.fail(ctx, "read logged sums", err)
		}
		if _, err := s.rollupLog.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}); err != nil {
			return s.fail(ctx, "remove logged sums", err)
		}
		sums.AddDays()
		return s.addRollups(ctx, sums.List())
	})
	return more, err
}
