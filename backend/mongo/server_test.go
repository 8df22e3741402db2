package mongo

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

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
