package mongo

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
)

// unmigrated returns a store whose database is as it was found.
func unmigrated(t *testing.T, uri string) *Store {
	t.Helper()
	set := settings{deadline: defaultDeadline}
	client, database, err := connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(client, database, set)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func setSchema(t *testing.T, s *Store, fields bson.D) {
	t.Helper()
	if _, err := s.meta.UpdateOne(t.Context(), byID(schemaID), set(fields), options.Update().SetUpsert(true)); err != nil {
		t.Fatal(err)
	}
}

func TestManyNodesMigrateOnce(t *testing.T) {
	uri := mongotest.Start(t)
	var runs, under atomic.Int32
	slow := func(context.Context, *Store) error {
		if under.Add(1) > 1 {
			t.Error("two nodes migrate at once")
		}
		defer under.Add(-1)
		runs.Add(1)
		time.Sleep(50 * time.Millisecond) // the others come to the lease meanwhile
		return nil
	}
	steps := append(append([]migration{}, migrations...), slow, slow)
	var nodes sync.WaitGroup
	for range 8 {
		s := unmigrated(t, uri)
		nodes.Go(func() {
			if err := s.migrate(t.Context(), steps); err != nil {
				t.Error(err)
			}
			if v, err := s.version(t.Context()); err != nil || v != len(steps) {
				t.Errorf("got version %d and %v, want %d", v, err, len(steps))
			}
		})
	}
	nodes.Wait()
	if n := runs.Load(); n != 2 {
		t.Errorf("got %d runs of the two steps, want 2", n)
	}
}

func TestManyNodesStartAtOnce(t *testing.T) {
	uri := mongotest.Start(t)
	var nodes sync.WaitGroup
	for range 8 {
		nodes.Go(func() {
			s, err := Open(t.Context(), uri)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
}

func TestCrashedMigratorBlocksOnlyForItsLease(t *testing.T) {
	s := unmigrated(t, mongotest.Start(t))
	const left = time.Second
	setSchema(t, s, bson.D{{Key: "version", Value: 0}, {Key: "owner", Value: primitive.NewObjectID()}, {Key: "lease_until", Value: time.Now().Add(left)}})
	short, cancel := context.WithTimeout(t.Context(), left/4)
	defer cancel()
	if err := s.Migrate(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the lease lasts: got %v, want that it waits", err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInterruptedStepRunsAgain(t *testing.T) {
	s := unmigrated(t, mongotest.Start(t))
	broken, runs := errors.New("power cut"), 0
	steps := append(append([]migration{}, migrations...), func(context.Context, *Store) error {
		if runs++; runs == 1 {
			return broken
		}
		return nil
	})
	if err := s.migrate(t.Context(), steps); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if v, err := s.version(t.Context()); err != nil || v != len(migrations) {
		t.Errorf("got version %d and %v, want %d", v, err, len(migrations))
	}
	if err := s.migrate(t.Context(), steps); err != nil || runs != 2 {
		t.Errorf("got %v after %d runs, want none after 2", err, runs)
	}
}

// A migrator that stood still for longer than its lease must not go on.
func TestLostLeaseEndsTheMigration(t *testing.T) {
	s := unmigrated(t, mongotest.Start(t))
	steal := func(ctx context.Context, s *Store) error {
		setSchema(t, s, bson.D{{Key: "owner", Value: primitive.NewObjectID()}})
		return nil
	}
	if err := s.migrate(t.Context(), []migration{steal}); !errors.Is(err, errLeaseLost) {
		t.Errorf("got %v, want %v", err, errLeaseLost)
	}
	if v, err := s.version(t.Context()); err != nil || v != 0 {
		t.Errorf("got version %d and %v, want 0", v, err)
	}
}

func TestOtherVersionsAreRefused(t *testing.T) {
	uri := mongotest.Start(t)
	s := openAt(t, uri)
	setSchema(t, s, bson.D{{Key: "version", Value: len(migrations) + 1}})
	_, err := Open(t.Context(), uri)
	for what, err := range map[string]error{"Open": err, "Migrate": s.Migrate(t.Context()), "Ready": s.Ready(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "start the release of Gatehouse that made it") {
			t.Errorf("%s of a newer schema: got %v, want the sentence that mends it", what, err)
		}
	}
	setSchema(t, s, bson.D{{Key: "version", Value: len(migrations) - 1}})
	_, err = Open(t.Context(), uri, WithoutMigration())
	for what, err := range map[string]error{"Open": err, "Ready": s.Ready(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "run gatehouse migrate") {
			t.Errorf("%s of an older schema: got %v, want the sentence that mends it", what, err)
		}
	}
}

func TestStartMendsIndexesAndKeepsValidators(t *testing.T) {
	uri := mongotest.Start(t)
	s := openAt(t, uri)
	if _, err := s.events.Indexes().DropOne(t.Context(), "chain_1_seq_1"); err != nil {
		t.Fatal(err)
	}
	openAt(t, uri)
	doc := bson.D{
		{Key: "v", Value: 1},
		{Key: "chain", Value: "tea"},
		{Key: "seq", Value: 1},
		{Key: "at", Value: time.Now()},
		{Key: "actor", Value: ""},
		{Key: "action", Value: "x"},
		{Key: "target", Value: ""},
		{Key: "data", Value: "{}"},
		{Key: "prev", Value: ""},
		{Key: "hash", Value: ""},
	}
	if _, err := s.events.InsertOne(t.Context(), doc); err != nil {
		t.Fatal(err)
	}
	if _, err := s.events.InsertOne(t.Context(), doc); !mongo.IsDuplicateKeyError(err) {
		t.Errorf("a fork: got %v, want a duplicate key", err)
	}
	for _, c := range collections() {
		_, err := s.db.Collection(c.name).InsertOne(t.Context(), bson.D{{Key: "_id", Value: bson.D{{Key: "$date", Value: 1}}}})
		if err == nil {
			t.Errorf("%s takes any document", c.name)
		}
		_, err = s.db.Collection(c.name).InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1.5}})
		if err == nil || !strings.Contains(err.Error(), "failed validation") {
			t.Errorf("%s: got %v, want that a document fails validation", c.name, err)
		}
	}
}
