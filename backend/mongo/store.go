package mongo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/readconcern"
	"go.mongodb.org/mongo-driver/mongo/readpref"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const (
	defaultDatabase = "gatehouse"
	defaultDeadline = 10 * time.Second // longer than an election with the server's default settings mostly takes
	selectWithin    = 5 * time.Second  // of which one attempt waits this long for a primary
	connectWithin   = 3 * time.Second
	heartbeatEvery  = 5 * time.Second // a server that says nothing is noticed after this and connectWithin
	mostConnections = 32              // each is a thread and a stack in mongod; a query takes well under a millisecond
)

// Store keeps everything in one database of a replica set. It is safe for use
// by many goroutines, and many processes may have one each on the same database.
type Store struct {
	client   *mongo.Client
	db       *mongo.Database
	deadline time.Duration
	closed   atomic.Bool
	locks    locks
	slot     int32        // of this process's rollups, see rollupDoc
	logged   atomic.Int64 // batches of sums since they were last settled
	trips    trips
	decoded  *decoded     // of tokens
	failed   atomic.Int64 // writes

	abandoned abandoned

	users, addresses, signups, sessions   *mongo.Collection
	teams, singles, members               *mongo.Collection
	tokens, tokenNames                    *mongo.Collection
	orders, events                        *mongo.Collection
	calls, rollups, rollupLog             *mongo.Collection
	once, counters, idempotents, erasures *mongo.Collection
	meta                                  *mongo.Collection
}

var _ portal.Store = (*Store)(nil)

// Option changes how [Open] opens a store.
type Option func(*settings)

type settings struct {
	deadline  time.Duration
	noMigrate bool
}

// WithDeadline bounds how long a call, or a whole transaction with its
// repetitions, waits for the database when its context allows longer. Without
// it that is ten seconds.
func WithDeadline(d time.Duration) Option { return func(s *settings) { s.deadline = d } }

// WithoutMigration makes [Open] refuse a database whose schema is older than
// this program, instead of migrating it.
func WithoutMigration() Option { return func(s *settings) { s.noMigrate = true } }

// Open connects to the database that a mongodb:// or mongodb+srv:// URI names
// ("gatehouse" if it names none), checks that it is a replica set or a sharded
// cluster of MongoDB 6.0 or later, and brings its schema up to date. Many
// processes may open one database at once; one of them migrates it.
//
// The error is a sentence for the operator and never holds the password.
func Open(ctx context.Context, uri string, opts ...Option) (*Store, error) {
	set := settings{deadline: defaultDeadline}
	for _, o := range opts {
		o(&set)
	}
	client, database, err := connect(ctx, uri)
	if err != nil {
		return nil, err
	}
	s := newStore(client, database, set)
	if err := s.prepare(ctx, uri, set); err != nil {
		_ = s.Close()
		return nil, mayNot(database, err)
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context, uri string, set settings) error {
	if err := checkServer(ctx, s.client, uri); err != nil {
		return err
	}
	if set.noMigrate {
		return s.checkVersion(ctx)
	}
	return s.Migrate(ctx)
}

// connect makes the client; it does not talk to the server yet.
func connect(ctx context.Context, uri string) (*mongo.Client, string, error) {
	parsed, err := connstring.ParseAndValidate(uri)
	if err != nil {
		return nil, "", uriError(uri, err)
	}
	for name := range parsed.UnknownOptions { // which the driver ignores
		return nil, "", fmt.Errorf("the MongoDB URI has the option %s, which there is not: correct its name or leave it out", name)
	}
	database := parsed.Database
	if database == "" {
		database = defaultDatabase
	}
	journaled := true
	o := options.Client().ApplyURI(uri).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary()).
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journaled}).
		SetRetryReads(true).SetRetryWrites(true)
	if parsed.AppName == "" {
		o.SetAppName("gatehouse") // how the server lists the connections
	}
	if !parsed.MaxPoolSizeSet {
		o.SetMaxPoolSize(mostConnections)
	}
	if !parsed.ServerSelectionTimeoutSet {
		o.SetServerSelectionTimeout(selectWithin)
	}
	if !parsed.ConnectTimeoutSet {
		o.SetConnectTimeout(connectWithin)
	}
	if !parsed.HeartbeatIntervalSet {
		o.SetHeartbeatInterval(heartbeatEvery)
	}
	client, err := mongo.Connect(ctx, o)
	if err != nil {
		return nil, "", uriError(uri, err)
	}
	return client, database, nil
}

// uriError tells what is wrong with a URI. The driver's text may quote the URI,
// so it is left out where there may be a password in it.
func uriError(uri string, err error) error {
	if strings.Contains(uri, "@") {
		return errors.New("the MongoDB URI cannot be used; check its form: mongodb://user:password@host:port/database?replicaSet=rs0, with special characters of the password percent-encoded")
	}
	return fmt.Errorf("the MongoDB URI cannot be used: %w", err)
}

func newStore(client *mongo.Client, database string, set settings) *Store {
	db := client.Database(database)
	return &Store{
		client: client, db: db, deadline: set.deadline, slot: rand.Int32N(rollupSlots), locks: newLocks(),
		decoded: newDecoded(),
		users:   db.Collection("users"), addresses: db.Collection("addresses"),
		signups: db.Collection("signups"), sessions: db.Collection("sessions"),
		teams: db.Collection("teams"), singles: db.Collection("singles"), members: db.Collection("members"),
		tokens: db.Collection("tokens"), tokenNames: db.Collection("token_names"),
		orders: db.Collection("orders"), calls: db.Collection("calls"),
		rollups: db.Collection("rollups"), rollupLog: db.Collection("rollup_log"), events: db.Collection("events"),
		once: db.Collection("once"), counters: db.Collection("counters"),
		idempotents: db.Collection("idempotents"), erasures: db.Collection("erasures"),
		meta: db.Collection("meta"),
	}
}

// Ready reports that the primary answers and has the schema of this program.
func (s *Store) Ready(ctx context.Context) error { return s.checkVersion(ctx) }

// FailedWrites returns how many writes and transactions the database did not take
// since the start, because it was out of reach or could not.
func (s *Store) FailedWrites() int64 { return s.failed.Load() }

// Close ends the connections, waiting at most two seconds for calls that are
// under way. Afterwards every method fails. Closing twice is fine.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := s.client.Disconnect(ctx); err != nil {
		return fmt.Errorf("close the connections to MongoDB: %w", err)
	}
	return nil
}
