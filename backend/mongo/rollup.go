package mongo

import (
	"context"
	"strconv"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/block"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// rollupSlots is among how many documents one sum may be spread. Each process
// adds to those of one slot, chosen by chance, because transactions of many
// processes that add to the same documents undo each other.
const rollupSlots = 32

// rollupDoc is the share of one slot in a sum.
type rollupDoc struct {
	Team   string           `bson:"team"`
	At     instant          `bson:"at"`
	Step   portal.Step      `bson:"step"`
	Token  string           `bson:"token"`
	Route  string           `bson:"route"`
	Status int              `bson:"status"`
	Slot   int32            `bson:"slot"`
	Calls  int64            `bson:"calls"`
	Bucket map[string]int64 `bson:"bucket,omitempty"` // by number; those of zero are left out
}

func rollupCollections() []collection {
	return []collection{{
		name:   "rollups",
		schema: schemaOf[rollupDoc](),
		indexes: []mongo.IndexModel{
			unique("team", "at", "step", "token", "route", "status", "slot"),
			index("team", "step", "at"), index("step", "at"),
		},
	}, rollupLogCollection()}
}

// addRollups adds sums, each of another kind, to those that are stored.
func (s *Store) addRollups(ctx context.Context, sums []portal.Rollup) error {
	if len(sums) == 0 {
		return nil
	}
	var updates []mongo.WriteModel
	for _, r := range sums {
		add := bson.D{{Key: "calls", Value: r.Calls}}
		for b, calls := range r.Bucket {
			if calls != 0 {
				add = append(add, bson.E{Key: "bucket." + strconv.Itoa(b), Value: calls})
			}
		}
		updates = append(updates, mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(bson.D{
			{Key: "team", Value: r.Team},
			{Key: "at", Value: toInstant(r.At)},
			{Key: "step", Value: r.Step},
			{Key: "token", Value: r.Token},
			{Key: "route", Value: r.Route},
			{Key: "status", Value: r.Status},
			{Key: "slot", Value: s.slot},
		}).SetUpdate(bson.D{{Key: "$inc", Value: add}}))
	}
	_, err := s.rollups.BulkWrite(ctx, updates)
	return s.fail(ctx, "add up calls", race(err))
}

func (d rollupDoc) value() (portal.Rollup, error) {
	r := portal.Rollup{
		Team: d.Team, Step: d.Step, At: toTime(d.At), Token: d.Token, Route: d.Route, Status: d.Status, Calls: d.Calls,
	}
	for text, calls := range d.Bucket {
		if b, err := strconv.Atoi(text); err == nil && b >= 0 && b < portal.Buckets {
			r.Bucket[b] = calls
		}
	}
	return r, nil
}

// Rollups implements [portal.CallStore].
func (s *Store) Rollups(ctx context.Context, f portal.RollupFilter) ([]portal.Rollup, error) {
	if f.Tokens != nil && len(f.Tokens) == 0 {
		return nil, nil
	}
	var sums block.Sums
	// In one snapshot: what is logged is also among the stored sums later, or now.
	err := s.inTransaction(ctx, "list sums", func(ctx context.Context) error {
		sums = block.Sums{}
		shares, err := all[rollupDoc](ctx, s, s.rollups, "Sum", rollupsFilter(f), options.Find().SetMaxTime(s.deadline))
		for i := range shares {
			sums.Add(&shares[i])
		}
		if err != nil {
			return err
		}
		return s.addLogged(ctx, f, &sums)
	})
	return sums.List(), err
}

func rollupsFilter(f portal.RollupFilter) bson.D {
	filter := bson.D{{Key: "team", Value: f.Team}, {Key: "step", Value: f.Step}}
	if at := during(f.From, f.To); len(at) > 0 {
		filter = append(filter, bson.E{Key: "at", Value: at})
	}
	if f.Tokens != nil {
		filter = append(filter, bson.E{Key: "token", Value: in(f.Tokens)})
	}
	return filter
}
