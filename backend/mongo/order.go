package mongo

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

type orderDoc struct {
	ID          string         `bson:"_id"`
	Team        string         `bson:"team"`
	Env         portal.Env     `bson:"env"`
	Reference   string         `bson:"reference"`
	Currency    string         `bson:"currency"`
	AmountMinor int64          `bson:"amount_minor"`
	Lines       []orderLineDoc `bson:"lines"`
	CreatedAt   instant        `bson:"created_at,omitempty"`
	UpdatedAt   instant        `bson:"updated_at,omitempty"`
	CancelledAt instant        `bson:"cancelled_at,omitempty"`
	Version     int64          `bson:"version"`
}

type orderLineDoc struct {
	SKU         string `bson:"sku"`
	Description string `bson:"description"`
	Quantity    int64  `bson:"quantity"`
	AmountMinor int64  `bson:"amount_minor"`
}

func orderCollections() []collection {
	return []collection{{
		name:    "orders",
		schema:  schemaOf[orderDoc](),
		indexes: []mongo.IndexModel{index("team", "env", "-_id")},
	}}
}

func toOrderDoc(o portal.Order) orderDoc {
	d := orderDoc{
		ID: o.ID, Team: o.Team, Env: o.Env, Reference: o.Reference, Currency: o.Currency, AmountMinor: o.AmountMinor,
		CreatedAt: toInstant(o.CreatedAt), UpdatedAt: toInstant(o.UpdatedAt), CancelledAt: toInstant(o.CancelledAt), Version: o.Version,
	}
	for _, l := range o.Lines {
		d.Lines = append(d.Lines, orderLineDoc(l))
	}
	return d
}

func (d orderDoc) value() (portal.Order, error) {
	o := portal.Order{
		ID: d.ID, Team: d.Team, Env: d.Env, Reference: d.Reference, Currency: d.Currency, AmountMinor: d.AmountMinor,
		CreatedAt: toTime(d.CreatedAt), UpdatedAt: toTime(d.UpdatedAt), CancelledAt: toTime(d.CancelledAt), Version: d.Version,
	}
	for _, l := range d.Lines {
		o.Lines = append(o.Lines, portal.OrderLine(l))
	}
	return o, nil
}

func orderAt(team string, env portal.Env, id string) bson.D {
	return bson.D{{Key: "_id", Value: id}, {Key: "team", Value: team}, {Key: "env", Value: env}}
}

// InsertOrder implements [portal.OrderStore].
func (s *Store) InsertOrder(ctx context.Context, o portal.Order) error {
	return s.insert(ctx, s.orders, "insert an order", toOrderDoc(o), idTaken)
}

// ReplaceOrder implements [portal.OrderStore].
func (s *Store) ReplaceOrder(ctx context.Context, o portal.Order) error {
	return s.inTransaction(ctx, "replace an order", func(ctx context.Context) error {
		if err := s.lock(ctx, o.ID); err != nil {
			return err
		}
		filter := orderAt(o.Team, o.Env, o.ID)
		var has struct {
			Version int64 `bson:"version"`
		}
		err := s.orders.FindOne(ctx, filter, options.FindOne().SetProjection(bson.D{{Key: "version", Value: 1}})).Decode(&has)
		switch {
		case errors.Is(err, mongo.ErrNoDocuments):
			return portal.ErrNotFound("Order")
		case err != nil:
			return s.fail(ctx, "read an order", err)
		case has.Version != o.Version-1:
			return &portal.Error{Kind: portal.Changed, Detail: "The order changed since it was read.", Fix: "Read it again and repeat the change."}
		}
		_, err = s.orders.ReplaceOne(ctx, filter, toOrderDoc(o))
		return s.fail(ctx, "replace an order", err)
	})
}

// Order implements [portal.OrderStore].
func (s *Store) Order(ctx context.Context, team string, env portal.Env, id string) (portal.Order, error) {
	return one[orderDoc](ctx, s, s.orders, "Order", orderAt(team, env, id))
}

// Orders implements [portal.OrderStore].
func (s *Store) Orders(ctx context.Context, team string, env portal.Env, after string, limit int) ([]portal.Order, error) {
	filter := bson.D{{Key: "team", Value: team}, {Key: "env", Value: env}}
	if after != "" {
		filter = append(filter, bson.E{Key: "_id", Value: bson.D{{Key: "$lt", Value: after}}})
	}
	return all[orderDoc](ctx, s, s.orders, "Order", filter, newestByID(limit))
}

func newestByID(limit int) *options.FindOptions {
	return options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}).SetLimit(int64(limit))
}
