package mongo

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

type callDoc struct {
	ID         string        `bson:"_id"`
	Team       string        `bson:"team"`
	At         instant       `bson:"at"`
	Token      string        `bson:"token"`
	Generation int           `bson:"generation"`
	Method     string        `bson:"method"`
	Route      string        `bson:"route"`
	Status     int           `bson:"status"`
	Code       portal.Code   `bson:"code"`
	Duration   time.Duration `bson:"duration_ns"`
	Bytes      int64         `bson:"bytes"`
	Address    []byte        `bson:"address,omitempty"` // 4 or 16 bytes, so that networks are ranges
	Zone       string        `bson:"zone,omitempty"`    // of a link-local IPv6 address
	UserAgent  string        `bson:"user_agent"`
	RequestID  string        `bson:"request_id"`
}

func callCollections() []collection {
	return []collection{{
		name: "calls",
		schema: object("_id", text, "team", text, "at", orNullDate, "token", text, "generation", number, "method", text, "route", text,
			"status", number, "code", text, "duration_ns", number, "bytes", number, "?address", binary, "?zone", text,
			"user_agent", text, "request_id", text),
		// Each index is written once more for every call, so there are no more
		// than lists need: the rarer filters read along one of these.
		indexes: []mongo.IndexModel{index("team", "-at", "-_id"), index("team", "token", "-at", "-_id"), index("at")},
	}}
}

func toCallDoc(c *portal.Call) callDoc {
	return callDoc{
		ID: c.ID, Team: c.Team, At: toInstant(c.At), Token: c.Token, Generation: c.Generation, Method: c.Method, Route: c.Route,
		Status: c.Status, Code: c.Code, Duration: c.Duration, Bytes: c.Bytes, Address: c.Address.AsSlice(), Zone: c.Address.Zone(),
		UserAgent: c.UserAgent, RequestID: c.RequestID,
	}
}

func (d callDoc) value() (portal.Call, error) {
	address, _ := netip.AddrFromSlice(d.Address) // of no bytes: the zero address
	if d.Zone != "" {
		address = address.WithZone(d.Zone)
	}
	return portal.Call{
		ID: d.ID, Team: d.Team, At: toTime(d.At), Token: d.Token, Generation: d.Generation, Method: d.Method, Route: d.Route,
		Status: d.Status, Code: d.Code, Duration: d.Duration, Bytes: d.Bytes, Address: address, UserAgent: d.UserAgent, RequestID: d.RequestID,
	}, nil
}

// RecordCalls implements [portal.CallStore]. A batch is known by its calls: if
// any of them is stored, all of it is, because it was written whole.
func (s *Store) RecordCalls(ctx context.Context, b portal.CallBatch) error {
	look := transactionOf(ctx) != nil // a duplicate would end the transaction of others
	return s.inTransaction(ctx, "record calls", func(ctx context.Context) error {
		t, err := need(ctx, "recording")
		if err != nil {
			return err
		}
		// One recorder a process is enough; more would only meet at the sums.
		if err := t.lock("recorder"); err != nil {
			return s.fail(ctx, "wait for another recorder", err)
		}
		if len(b.Calls) > 0 {
			if look {
				if stored, err := s.callsStored(ctx, b.Calls); stored || err != nil {
					return err
				}
			}
			err := s.insertCalls(ctx, b.Calls)
			look = look || mongo.IsDuplicateKeyError(err)
			if err := s.fail(ctx, "insert calls", race(err)); err != nil {
				return err
			}
		}
		if err := s.addUses(ctx, b.Uses); err != nil {
			return err
		}
		return s.addRollups(ctx, b.Rollups)
	})
}

func (s *Store) insertCalls(ctx context.Context, calls []portal.Call) error {
	docs := make([]any, len(calls))
	for i := range calls {
		docs[i] = toCallDoc(&calls[i])
	}
	_, err := s.calls.InsertMany(ctx, docs)
	return err
}

func (s *Store) callsStored(ctx context.Context, calls []portal.Call) (bool, error) {
	ids := make([]string, len(calls))
	for i := range calls {
		ids[i] = calls[i].ID
	}
	n, err := s.calls.CountDocuments(ctx, bson.D{{Key: "_id", Value: in(ids)}}, options.Count().SetLimit(1))
	return n > 0, s.fail(ctx, "look for calls", err)
}

// addUses notes the newest use of tokens and of their generations.
func (s *Store) addUses(ctx context.Context, uses []portal.Use) error {
	if len(uses) == 0 {
		return nil
	}
	var updates []mongo.WriteModel
	for _, u := range uses {
		at := toInstant(u.At)
		earlier := bson.D{{Key: "$not", Value: bson.D{{Key: "$gte", Value: at}}}} // or absent
		token := bson.D{{Key: "_id", Value: u.Token}, {Key: "team", Value: u.Team}}
		updates = append(updates,
			mongo.NewUpdateOneModel().SetFilter(append(token, bson.E{Key: "last_used_at", Value: earlier})).
				SetUpdate(set(bson.D{{Key: "last_used_at", Value: at}, {Key: "last_used_from", Value: u.Address}})),
			mongo.NewUpdateOneModel().SetFilter(append(token[:2:2], bson.E{Key: "generations", Value: bson.D{{Key: "$elemMatch", Value: bson.D{
				{Key: "number", Value: u.Generation}, {Key: "last_used_at", Value: earlier},
			}}}})).SetUpdate(set(bson.D{
				{Key: "generations.$.last_used_at", Value: at},
				{Key: "generations.$.last_used_from", Value: u.Address},
				{Key: "generations.$.last_client", Value: u.Client},
			})))
	}
	_, err := s.tokens.BulkWrite(ctx, updates)
	return s.fail(ctx, "note the uses of tokens", err)
}

// Calls implements [portal.CallStore].
func (s *Store) Calls(ctx context.Context, f portal.CallFilter) ([]portal.Call, error) {
	return all[callDoc](ctx, s, s.calls, "Call", callsFilter(f),
		options.Find().SetSort(bson.D{{Key: "at", Value: -1}, {Key: "_id", Value: -1}}).SetLimit(int64(f.Limit)).
			SetBatchSize(int32(f.Limit)+1).SetMaxTime(s.deadline))
}

func callsFilter(f portal.CallFilter) bson.D {
	filter := bson.D{{Key: "team", Value: f.Team}}
	if f.Token != "" {
		filter = append(filter, bson.E{Key: "token", Value: f.Token})
	}
	switch {
	case f.Status >= 1 && f.Status <= 9:
		filter = append(filter, bson.E{Key: "status", Value: bson.D{{Key: "$gte", Value: 100 * f.Status}, {Key: "$lt", Value: 100*f.Status + 100}}})
	case f.Status != 0:
		filter = append(filter, bson.E{Key: "status", Value: f.Status})
	}
	if method, route, both := strings.Cut(f.Route, " "); both {
		filter = append(filter, bson.E{Key: "route", Value: route}, bson.E{Key: "method", Value: method})
	} else if f.Route != "" {
		filter = append(filter, bson.E{Key: "route", Value: f.Route})
	}
	if f.Address.IsValid() {
		first, last := bounds(f.Address)
		filter = append(filter, bson.E{Key: "address", Value: bson.D{{Key: "$gte", Value: first}, {Key: "$lte", Value: last}}})
	}
	at := during(f.From, f.To)
	if f.After != nil {
		at = append(at, bson.E{Key: "$lte", Value: toInstant(f.After.At)})
		filter = append(filter, bson.E{Key: "$or", Value: bson.A{
			bson.D{{Key: "at", Value: bson.D{{Key: "$lt", Value: toInstant(f.After.At)}}}},
			bson.D{{Key: "at", Value: toInstant(f.After.At)}, {Key: "_id", Value: bson.D{{Key: "$lt", Value: f.After.ID}}}},
		}})
	}
	if len(at) > 0 {
		filter = append(filter, bson.E{Key: "at", Value: at})
	}
	return filter
}

// bounds returns the first and the last address of a network, as many bytes as
// its addresses have: binary values of different lengths never compare as near.
func bounds(p netip.Prefix) (first, last []byte) {
	first = p.Masked().Addr().AsSlice()
	last = make([]byte, len(first))
	copy(last, first)
	for bit := p.Bits(); bit < 8*len(last); bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	return first, last
}
