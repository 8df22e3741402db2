package mongo

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func TestCallsOfVersion1ArePacked(t *testing.T) {
	uri := mongotest.Start(t)
	s := openAt(t, uri)
	const calls = 2*packedAtOnce + 7
	var docs []any
	var want []portal.Call
	for i := range calls {
		c := portal.Call{
			ID: fmt.Sprintf("call%06d", i), Team: "tea", At: testTime.Add(time.Duration(i) * time.Second), Token: fmt.Sprintf("tok%d", i%3), Generation: 2,
			Method: "GET", Route: "/api/v1/orders", Status: 404, Code: portal.OK, Duration: time.Duration(i), Bytes: 1 << 40,
			Address: netip.MustParseAddr("fe80::7%eth0"), UserAgent: "erp", RequestID: "req",
		}
		want = append(want, c)
		docs = append(docs, callDoc{
			c.ID, c.Team, toInstant(c.At), c.Token, c.Generation, c.Method, c.Route, c.Status, c.Code, c.Duration, c.Bytes,
			c.Address.AsSlice(), c.Address.Zone(), c.UserAgent, c.RequestID,
		})
	}
	if err := s.db.RunCommand(t.Context(), bson.D{{Key: "collMod", Value: "calls"}, {Key: "validator", Value: bson.D{}}}).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.calls.InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	if _, err := s.calls.Indexes().CreateOne(t.Context(), index("at")); err != nil {
		t.Fatal(err)
	}
	setSchema(t, s, bson.D{{Key: "version", Value: 1}})
	for range 2 { // the second time as after an interruption
		s = openAt(t, uri)
		for _, f := range []portal.CallFilter{{}, {Token: "tok1"}} {
			f.Team, f.Limit = "tea", calls
			got, err := s.Calls(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for i := len(want) - 1; i >= 0; i-- {
				if f.Token != "" && want[i].Token != f.Token {
					continue
				}
				if len(got) == 0 || !reflect.DeepEqual(got[0], want[i]) {
					t.Fatalf("%+v: got %d calls from here on, want %+v next", f, len(got), want[i])
				}
				got = got[1:]
			}
			if len(got) > 0 {
				t.Errorf("%+v: got %d calls too many", f, len(got))
			}
		}
		setSchema(t, s, bson.D{{Key: "version", Value: 1}})
	}
	if n, err := s.calls.CountDocuments(t.Context(), bson.D{}); err != nil || n > calls/100 {
		t.Errorf("got %d documents and %v, want few", n, err)
	}
	indexes, err := s.calls.Indexes().ListSpecifications(t.Context())
	if err != nil || len(indexes) != 1+len(callCollections()[0].indexes) {
		t.Errorf("got %d indexes and %v, want only those that are declared", len(indexes), err)
	}
}
