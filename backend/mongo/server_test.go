package mongo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/testskip"
)

func TestServerProblems(t *testing.T) {
	tests := []struct {
		name  string
		hello hello
		want  string
	}{
		{"replica set", hello{SetName: "rs0", Wire: oldestWire}, ""},
		{"sharded cluster", hello{Message: "isdbgrid", Wire: oldestWire}, ""},
		{"stand-alone", hello{Wire: oldestWire}, "--replSet rs0"},
		{"not initiated", hello{Uninitiated: true, Wire: oldestWire}, "rs.initiate()"},
		{"old", hello{SetName: "rs0", Wire: 13}, "older than 6.0"},
	}
	for _, tt := range tests {
		if got := tt.hello.problem(); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want it to say %q", tt.name, got, tt.want)
		}
	}
}

func TestStandaloneIsRefused(t *testing.T) {
	if os.Getenv(mongotest.URI) != "" {
		testskip.Because(t, "a server was given, so none is started.")
	}
	uri := mongotest.StartStandalone(t)
	for _, uri := range []string{uri, uri + "?replicaSet=rs0"} {
		_, err := Open(t.Context(), uri)
		if err == nil || !strings.Contains(err.Error(), "--replSet rs0") || !strings.Contains(err.Error(), "rs.initiate()") {
			t.Errorf("got %v, want the sentence that mends it", err)
		}
	}
}

func TestAdvice(t *testing.T) {
	s := openAt(t, mongotest.WithDatabase(mongotest.StartReplicaSet(t, 1).URI, "gatehouse"))
	for _, tt := range []struct {
		seconds int
		want    string // part of the sentence, or "" for none
	}{{60, "for 60 s or more"}, {longestLeftOpen + 1, "transactionLifetimeLimitSeconds=5"}, {longestLeftOpen, ""}, {5, ""}} {
		set := bson.D{{Key: "setParameter", Value: 1}, {Key: "transactionLifetimeLimitSeconds", Value: tt.seconds}}
		if err := s.client.Database("admin").RunCommand(t.Context(), set).Err(); err != nil {
			t.Fatal(err)
		}
		got := s.Advice(t.Context())
		if (got != "") != (tt.want != "") || !strings.Contains(got, tt.want) {
			t.Errorf("a limit of %d s: got %q, want %q", tt.seconds, got, tt.want)
		}
	}
}

func TestOpenWithoutServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	began := time.Now()
	_, err := Open(ctx, "mongodb://127.0.0.1:1/gatehouse?replicaSet=rs0")
	if !errors.Is(err, portal.ErrUnavailable) {
		t.Errorf("got %v, want that it is unavailable", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v, want its deadline of 2s kept", took)
	}
}

func TestWrongURIsTellNoPassword(t *testing.T) {
	for _, uri := range []string{
		"", "localhost", "http://localhost", "mongodb://", "mongodb://a:b:c/x", "mongodb://h/?w=x&replicaSet",
		"mongodb://user:hunter2@@host/db", "mongodb://user:hunter2%zz@host/db", "mongodb://user:hunter2@host/db?authMechanism=NONE",
		"mongodb://user:hunter2@host:port/db", "mongodb://user:hunter2/x@host/db",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := Open(ctx, uri)
		cancel()
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got %v, want an error without the password", uri, err)
		}
	}
}

// Each mistake in a URI is told at once, with what to write.
func TestMistakesInTheURI(t *testing.T) {
	if os.Getenv(mongotest.URI) != "" {
		testskip.Because(t, "a server was given, so none is started.")
	}
	set := mongotest.StartReplicaSet(t, 2)
	primary := set.Primary(t)
	host, secondary := set.Addr(primary), set.Addr(1-primary)
	tests := []struct {
		name, uri string
		at        time.Duration // when it is told
		want      string
	}{
		{"a wrong password", "mongodb://ada:hunter2hunter2@" + host + "/gatehouse?replicaSet=rs0&authSource=admin", 3 * time.Second, "refuses the user or the password"},
		{"another replica set", "mongodb://" + host + "/gatehouse?replicaSet=rs1", 8 * time.Second, "belongs to the replica set rs0, and the URI says replicaSet=rs1: write replicaSet=rs0"},
		{"a misspelt option", "mongodb://" + host + "/gatehouse?replicaset=rs0&retryWrite=true", time.Second, "has the option retrywrite, which there is not"},
		{"a secondary", "mongodb://" + secondary + "/gatehouse?directConnection=true", 12 * time.Second, "directConnection=true) that is not the primary of its replica set: write replicaSet=rs0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := Open(t.Context(), tt.uri)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") || len(err.Error()) > 700 {
				t.Errorf("got %v, want %q and no password", err, tt.want)
			}
			if took := time.Since(began); took > 2*tt.at {
				t.Errorf("it took %v, want about %v", took, tt.at)
			}
		})
	}
}

func TestUserWithoutRights(t *testing.T) {
	err := mayNot("orders", fmt.Errorf("prepare the schema: %w", mongo.CommandError{Code: 13, Message: "not authorized on orders to execute command { … }"}))
	if !strings.Contains(err.Error(), "work in the database orders: give it the roles readWrite and dbAdmin") {
		t.Errorf("got %v, want what to grant", err)
	}
	if other := errors.New("other"); mayNot("orders", other) != other {
		t.Error("another error was changed")
	}
}

// Whoever cancels an attempt does not read that the server cannot be reached.
func TestOpenIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	_, err := Open(ctx, "mongodb://127.0.0.1:1/gatehouse?replicaSet=rs0")
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func TestOutagesAreToldBriefly(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := Open(ctx, "mongodb://127.0.0.1:1,127.0.0.1:2,127.0.0.1:3/gatehouse?replicaSet=rs0")
	if err == nil || strings.Contains(err.Error(), "current topology") || !strings.Contains(err.Error(), "connection refused") || len(err.Error()) > 700 {
		t.Errorf("got %d bytes: %v, want what each server says and no more", len(fmt.Sprint(err)), err)
	}
}
