package mongo

import (
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// The server's profiler shows what it was really asked for.
func TestConcerns(t *testing.T) {
	s := openAt(t, mongotest.Start(t))
	team, owner := storeTeam(t, s)
	profile := func(level int) {
		t.Helper()
		if err := s.db.RunCommand(t.Context(), bson.D{{Key: "profile", Value: level}, {Key: "slowms", Value: 100}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	profile(2)
	tok := storeToken(t, s, team, owner)
	_, _, hitErr := s.Hit(t.Context(), "key", 1, time.Minute, testTime)
	ses := portal.Session{ID: newID("ses"), Hash: newID("hash"), User: owner, CreatedAt: testTime}
	_, err := s.TokenRecords(t.Context(), []string{tok.ID})
	for _, err := range []error{err, hitErr, s.InsertSession(t.Context(), ses)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.SessionByHash(t.Context(), ses.Hash); err != nil {
		t.Fatal(err)
	}
	profile(0)
	tests := []struct {
		name   string
		filter bson.D
		want   bson.D
	}{
		{"reading records", bson.D{{Key: "command.find", Value: "tokens"}}, bson.D{{Key: "command.readConcern.level", Value: "majority"}}},
		{"reading a session", bson.D{{Key: "command.find", Value: "sessions"}}, bson.D{{Key: "command.readConcern.level", Value: "majority"}}},
		{
			"a transaction",
			bson.D{{Key: "command.startTransaction", Value: true}, {Key: "command.findAndModify", Value: "teams"}},
			bson.D{{Key: "command.readConcern.level", Value: "snapshot"}},
		},
		{
			"a write of one document",
			bson.D{{Key: "command.findAndModify", Value: "counters"}},
			bson.D{{Key: "command.writeConcern.w", Value: "majority"}, {Key: "command.writeConcern.j", Value: true}},
		},
	}
	for _, tt := range tests {
		found, err := s.db.Collection("system.profile").CountDocuments(t.Context(), tt.filter)
		if err != nil || found == 0 {
			t.Errorf("%s: got %d commands and %v, want at least one", tt.name, found, err)
		}
		right, err := s.db.Collection("system.profile").CountDocuments(t.Context(), bson.D{{Key: "$and", Value: bson.A{tt.filter, tt.want}}})
		if err != nil || right != found {
			t.Errorf("%s: got %d of %d commands and %v with %v, want all", tt.name, right, found, err, tt.want)
		}
	}
}
