package mongo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

type eventDoc struct {
	V      int     `bson:"v"`
	Chain  string  `bson:"chain"`
	Seq    int64   `bson:"seq"`
	At     instant `bson:"at"`
	Actor  string  `bson:"actor"`
	Action string  `bson:"action"`
	Target string  `bson:"target"`
	Data   string  `bson:"data"` // JSON text, see the package comment
	Prev   string  `bson:"prev"`
	Hash   string  `bson:"hash"`
}

func eventCollections() []collection {
	return []collection{{
		name:    "events",
		schema:  schemaOf[eventDoc](),
		indexes: []mongo.IndexModel{unique("chain", "seq"), index("chain", "target", "-seq"), index("at", "_id")},
	}}
}

func toEventDoc(e audit.Event) (eventDoc, error) {
	// The very text that was hashed: encoding/json would write a nil list as
	// null, and the hash says [].
	var hashed struct {
		Data json.RawMessage `json:"data"`
	}
	text, err := e.Canonical()
	if err == nil {
		err = json.Unmarshal(text, &hashed)
	}
	if err != nil {
		return eventDoc{}, fmt.Errorf("write the data of an event: %w", err)
	}
	return eventDoc{
		V: e.V, Chain: e.Chain, Seq: e.Seq, At: toInstant(e.At), Actor: e.Actor, Action: e.Action, Target: e.Target, Data: string(hashed.Data),
		Prev: e.Prev, Hash: e.Hash,
	}, nil
}

func (d eventDoc) value() (audit.Event, error) {
	e := audit.Event{
		V: d.V, Chain: d.Chain, Seq: d.Seq, At: toTime(d.At), Actor: d.Actor, Action: d.Action, Target: d.Target, Prev: d.Prev, Hash: d.Hash,
	}
	decoder := json.NewDecoder(strings.NewReader(d.Data))
	decoder.UseNumber()
	if err := decoder.Decode(&e.Data); err != nil {
		return audit.Event{}, fmt.Errorf("read the data of event %d of %s: %w", d.Seq, d.Chain, err)
	}
	for key, v := range e.Data {
		e.Data[key] = plain(v)
	}
	return e, nil
}

// plain turns the numbers of decoded JSON into int64.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		return v
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return v
}

// Append implements [portal.EventStore]. Of two transactions that both append
// to a chain, the unique index lets one pass; the other runs again and sees what
// the first did.
func (s *Store) Append(ctx context.Context, e audit.Event) (audit.Event, error) {
	t, err := need(ctx, "appending an event")
	if err != nil {
		return audit.Event{}, err
	}
	if err := s.fail(ctx, "wait for the chain", t.lock(e.Chain)); err != nil {
		return audit.Event{}, err
	}
	seq, hash, err := s.Head(ctx, e.Chain)
	if err != nil {
		return audit.Event{}, err
	}
	if e, err = e.Seal(seq, hash); err != nil {
		return audit.Event{}, err
	}
	doc, err := toEventDoc(e)
	if err != nil {
		return audit.Event{}, err
	}
	if _, err := s.events.InsertOne(ctx, doc); err != nil {
		return audit.Event{}, s.fail(ctx, "append an event", race(err))
	}
	return e, nil
}

// Head implements [portal.EventStore].
func (s *Store) Head(ctx context.Context, chain string) (seq int64, hash string, err error) {
	err = s.read(ctx, "read the head of a chain", func(ctx context.Context) error {
		var d eventDoc
		err := s.events.FindOne(ctx, bson.D{{Key: "chain", Value: chain}}, options.FindOne().
			SetSort(bson.D{{Key: "seq", Value: -1}}).SetProjection(bson.D{{Key: "seq", Value: 1}, {Key: "hash", Value: 1}})).Decode(&d)
		if errors.Is(err, mongo.ErrNoDocuments) {
			d, err = eventDoc{Hash: audit.Genesis}, nil
		}
		seq, hash = d.Seq, d.Hash
		return err
	})
	return seq, hash, err
}

// Events implements [portal.EventStore].
func (s *Store) Events(ctx context.Context, f portal.EventFilter) ([]audit.Event, error) {
	if f.Targets != nil && len(f.Targets) == 0 {
		return nil, nil
	}
	order := -1
	if f.Oldest {
		order = 1
	}
	return all[eventDoc](ctx, s, s.events, "Event", eventsFilter(f), options.Find().SetSort(bson.D{{Key: "seq", Value: order}}).
		SetLimit(int64(f.Limit)).SetBatchSize(int32(f.Limit)+1).SetMaxTime(s.deadline))
}

func eventsFilter(f portal.EventFilter) bson.D {
	filter := bson.D{{Key: "chain", Value: f.Chain}}
	if f.After != 0 {
		beyond := "$lt"
		if f.Oldest {
			beyond = "$gt"
		}
		filter = append(filter, bson.E{Key: "seq", Value: bson.D{{Key: beyond, Value: f.After}}})
	}
	if len(f.Actions) > 0 {
		either := bson.A{}
		for _, a := range f.Actions {
			either = append(either, bson.D{{Key: "action", Value: actions(a)}})
		}
		filter = append(filter, bson.E{Key: "$or", Value: either})
	}
	if f.Actor != "" {
		filter = append(filter, bson.E{Key: "actor", Value: f.Actor})
	}
	if f.Targets != nil {
		filter = append(filter, bson.E{Key: "target", Value: in(f.Targets)})
	}
	if at := during(f.From, f.To); len(at) > 0 {
		filter = append(filter, bson.E{Key: "at", Value: at})
	}
	return filter
}

// actions selects an action, or all that begin with "token.": a range, because
// "/" is what follows "." in the order of bytes.
func actions(action string) any {
	if before, ok := strings.CutSuffix(action, "."); ok {
		return bson.D{{Key: "$gte", Value: action}, {Key: "$lt", Value: before + "/"}}
	}
	return action
}
