package mongo

import (
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// stages returns the names of all stages of a plan.
func stages(v any) (names []string) {
	switch v := v.(type) {
	case bson.M:
		if name, ok := v["stage"].(string); ok {
			names = append(names, name)
		}
		for _, inner := range v {
			names = append(names, stages(inner)...)
		}
	case bson.A:
		for _, inner := range v {
			names = append(names, stages(inner)...)
		}
	}
	return names
}

// Every list reads along an index, in the order in which it answers.
func TestListsUseIndexes(t *testing.T) {
	s := openAt(t, mongotest.Start(t))
	now := time.Now()
	tests := []struct {
		name   string
		c      *mongo.Collection
		filter bson.D
		sort   bson.D
	}{
		{"calls", s.calls, blocksFilter(portal.CallFilter{Team: "tea"}), newestBlocks},
		{"a page of calls", s.calls, blocksFilter(portal.CallFilter{Team: "tea", After: &portal.CallCursor{At: now, ID: "x"}}), newestBlocks},
		{"calls of a token", s.calls, blocksFilter(portal.CallFilter{Team: "tea", Token: "tok", Status: 4, From: now}), newestBlocks},
		{"rollups", s.rollups, rollupsFilter(portal.RollupFilter{Team: "tea", Step: portal.Hour, From: now, To: now}), nil},
		{"rollups of tokens", s.rollups, rollupsFilter(portal.RollupFilter{Team: "tea", Step: portal.Day, Tokens: []string{"a"}}), nil},
		{"events", s.events, eventsFilter(portal.EventFilter{Chain: "tea", After: 7, Actions: []string{"token."}}), bson.D{{Key: "seq", Value: -1}}},
		{"events, oldest first", s.events, eventsFilter(portal.EventFilter{Chain: "tea", After: 7}), bson.D{{Key: "seq", Value: 1}}},
		{"events of a target", s.events, eventsFilter(portal.EventFilter{Chain: "tea", Targets: []string{"tok"}}), bson.D{{Key: "seq", Value: -1}}},
		{"orders", s.orders, bson.D{{Key: "team", Value: "tea"}, {Key: "env", Value: "live"}}, bson.D{{Key: "_id", Value: -1}}},
		{"sessions", s.sessions, bson.D{{Key: "user", Value: "usr"}}, bson.D{{Key: "created_at", Value: -1}, {Key: "id", Value: -1}}},
		{"sign-ups", s.signups, bson.D{{Key: "email_key", Value: "a"}}, bson.D{{Key: "created_at", Value: -1}, {Key: "_id", Value: -1}}},
		{"sign-up by code", s.signups, bson.D{{Key: "code_hash", Value: "a"}}, nil},
		{"teams by name", s.teams, bson.D{{Key: "name", Value: "a"}}, nil},
		{"members", s.members, membership("tea", "usr"), nil},
		{"memberships", s.members, bson.D{{Key: "user", Value: "usr"}}, nil},
		{"tokens of a maker", s.tokens, bson.D{{Key: "maker", Value: "usr"}}, nil},
		{"calls to remove", s.calls, blocksBefore(primitive.NewDateTimeFromTime(now)), nil},
		{"calls of a team to remove", s.calls, bson.D{{Key: "team", Value: "tea"}}, nil},
		{"logged sums", s.rollupLog, bson.D{{Key: "team", Value: "tea"}}, nil},
		{"logged sums to settle", s.rollupLog, bson.D{{Key: "slot", Value: 7}}, bson.D{{Key: "slot", Value: 1}, {Key: "team", Value: 1}}},
		{"all logged sums to settle", s.rollupLog, bson.D{}, bson.D{{Key: "slot", Value: 1}, {Key: "team", Value: 1}}},
		{"sums to remove", s.rollups, bson.D{{Key: "step", Value: portal.Hour}, {Key: "at", Value: bson.D{{Key: "$lt", Value: now}}}}, nil},
		{
			"events to remove", s.events,
			bson.D{{Key: "at", Value: bson.D{{Key: "$lt", Value: now}}}},
			bson.D{{Key: "at", Value: 1}, {Key: "_id", Value: 1}},
		},
		{"names of a team", s.tokenNames, bson.D{{Key: "_id.team", Value: "tea"}}, nil},
	}
	for _, c := range []struct {
		c     *mongo.Collection
		field string
	}{
		{s.sessions, "expires_at"},
		{s.signups, "expires_at"},
		{s.once, "until"},
		{s.counters, "ends"},
		{s.idempotents, "expires_at"},
		{s.tokenNames, "ends_at"},
		{s.tokens, "expires_at"},
		{s.tokens, "revoked_at"},
	} {
		tests = append(tests, struct {
			name   string
			c      *mongo.Collection
			filter bson.D
			sort   bson.D
		}{c.c.Name() + " past their time", c.c, bson.D{{Key: c.field, Value: bson.D{{Key: "$lt", Value: now}}}}, nil})
	}
	for _, sort := range []portal.TokenSort{portal.NewestFirst, portal.ByName, portal.ByLastUse, portal.ByExpiry} {
		order, err := orderOf(sort)
		if err != nil {
			t.Fatal(err)
		}
		full := portal.TokenFilter{
			Team: "tea", Query: "a", Env: portal.Live, Ability: "a", Status: []portal.TokenStatus{portal.StatusActive}, Now: now,
			After: &portal.TokenCursor{Time: now, Name: "n", ID: "i"},
		}
		for _, f := range []portal.TokenFilter{{Team: "tea"}, full} {
			tests = append(tests, struct {
				name   string
				c      *mongo.Collection
				filter bson.D
				sort   bson.D
			}{"tokens " + string(sort), s.tokens, tokensFilter(f, order), order.sort()})
		}
	}
	for _, tt := range tests {
		find := bson.D{{Key: "find", Value: tt.c.Name()}, {Key: "filter", Value: tt.filter}}
		if tt.sort != nil {
			find = append(find, bson.E{Key: "sort", Value: tt.sort})
		}
		var plan struct {
			Planner struct {
				Winner bson.M `bson:"winningPlan"`
			} `bson:"queryPlanner"`
		}
		if err := s.db.RunCommand(t.Context(), bson.D{{Key: "explain", Value: find}}).Decode(&plan); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		got := stages(plan.Planner.Winner)
		if !slices.Contains(got, "IXSCAN") || slices.Contains(got, "COLLSCAN") {
			t.Errorf("%s: the plan %v uses no index", tt.name, got)
		}
		if slices.Contains(got, "SORT") {
			t.Errorf("%s: the plan %v sorts in memory", tt.name, got)
		}
	}
}

// An _id that is asked for must not become a scan, whatever its type.
func TestRecordsAreReadByID(t *testing.T) {
	s := openAt(t, mongotest.Start(t))
	for _, ids := range [][]string{{"a"}, {"a", "b"}} {
		var plan struct {
			Planner struct {
				Winner bson.M `bson:"winningPlan"`
			} `bson:"queryPlanner"`
		}
		find := bson.D{{Key: "find", Value: "tokens"}, {Key: "filter", Value: recordsFilter(ids)}}
		if err := s.db.RunCommand(t.Context(), bson.D{{Key: "explain", Value: find}}).Decode(&plan); err != nil {
			t.Fatal(err)
		}
		if got := stages(plan.Planner.Winner); !slices.Contains(got, "IDHACK") && !slices.Contains(got, "IXSCAN") {
			t.Errorf("%d ids: got plan %v, want one by _id", len(ids), got)
		}
	}
}
