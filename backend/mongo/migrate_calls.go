package mongo

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/block"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// callDoc is a call as versions 1 and 2 of the schema stored it: by itself.
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
	Address    []byte        `bson:"address,omitempty"` // 4 or 16 bytes
	Zone       string        `bson:"zone,omitempty"`    // of a link-local IPv6 address
	UserAgent  string        `bson:"user_agent"`
	RequestID  string        `bson:"request_id"`
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

const packedAtOnce = 1000

// packCalls puts the calls of earlier versions into blocks. A process of such a version that
// still runs cannot add any: the validator refuses them.
func packCalls(ctx context.Context, s *Store) error {
	if err := s.ensure(ctx, true); err != nil {
		return err
	}
	for packed := packedAtOnce; packed == packedAtOnce; {
		err := s.inTransaction(ctx, "pack calls", func(ctx context.Context) error {
			calls, err := all[callDoc](ctx, s, s.calls, "Call", bson.D{{Key: "data", Value: bson.D{{Key: "$exists", Value: false}}}},
				options.Find().SetSort(bson.D{{Key: "team", Value: 1}, {Key: "at", Value: -1}, {Key: "_id", Value: -1}}).SetLimit(packedAtOnce))
			if packed = len(calls); err != nil || packed == 0 {
				return err
			}
			ids, blocks := make([]string, len(calls)), []any{}
			for i := range calls {
				ids[i] = calls[i].ID
			}
			for _, b := range block.Of(calls) {
				blocks = append(blocks, toBlockDoc(b))
			}
			if _, err := s.calls.DeleteMany(ctx, bson.D{{Key: "_id", Value: in(ids)}}); err != nil {
				return s.fail(ctx, "remove packed calls", err)
			}
			_, err = s.calls.InsertMany(ctx, blocks)
			return s.fail(ctx, "insert packed calls", err)
		})
		if err != nil {
			return err
		}
	}
	for _, name := range []string{"team_1_token_1_at_-1__id_-1", "at_1"} {
		var server mongo.ServerError
		_, err := s.calls.Indexes().DropOne(ctx, name)
		if err != nil && !(errors.As(err, &server) && server.HasErrorCode(27)) { // IndexNotFound
			return s.fail(ctx, "drop an index of calls", err)
		}
	}
	return nil
}
