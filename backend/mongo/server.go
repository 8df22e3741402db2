package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/x/mongo/driver"
	"go.mongodb.org/mongo-driver/x/mongo/driver/auth"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// oldestWire is the wire version of MongoDB 6.0, the oldest that is tested.
const oldestWire = 17

// hello is what a server says about itself, also to those it does not know.
type hello struct {
	SetName     string `bson:"setName"`
	Message     string `bson:"msg"`          // isdbgrid of a mongos
	Uninitiated bool   `bson:"isreplicaset"` // started with --replSet, and no more than that
	Primary     bool   `bson:"isWritablePrimary"`
	Wire        int    `bson:"maxWireVersion"`
}

const howToInitiate = "run rs.initiate() once in mongosh; a set of one member is enough to begin with"

// problem returns what is wrong with a server, in a sentence that mends it, or
// "".
func (h hello) problem() string {
	switch {
	case h.Uninitiated:
		return "the MongoDB server was started as a member of a replica set that does not exist yet: " + howToInitiate
	case h.SetName == "" && h.Message != "isdbgrid":
		return "the MongoDB server is a stand-alone server, but Gatehouse needs transactions, which only a replica set has: " +
			"start it with --replSet rs0 (or replication.replSetName in mongod.conf) and " + howToInitiate
	case h.Wire < oldestWire:
		return "the MongoDB server is older than 6.0: upgrade it"
	}
	return ""
}

// checkServer waits for the primary and refuses a server that cannot do what is
// promised. A call that was cancelled says so, and nothing of the server.
func checkServer(ctx context.Context, client *mongo.Client, uri string) error {
	asked := ctx
	ctx, cancel := context.WithTimeout(ctx, defaultDeadline)
	defer cancel()
	for try := 0; ; try++ {
		h, err := sayHello(ctx, client)
		switch {
		case err == nil && h.problem() != "":
			return errors.New(h.problem())
		case err == nil && h.Primary:
			return nil
		case err == nil: // reached without looking for the primary; it may become that
			err = fmt.Errorf("the URI names one server (directConnection=true) that is not the primary of its replica set: write replicaSet=%s in its place", h.SetName)
		case refusesUser(err):
			return fmt.Errorf("MongoDB refuses the user or the password of the URI: check both, that special characters of the password are percent-encoded, and that authSource names the database that the user was made in (mostly admin): %w", brief(err))
		default:
			if p := diagnose(ctx, uri); p != "" {
				return errors.New(p)
			}
			if !gone(err) || refusesLogin(err) {
				return fmt.Errorf("MongoDB cannot be used: %w", brief(err))
			}
		}
		if pause(ctx, try) != nil {
			if errors.Is(asked.Err(), context.Canceled) {
				return fmt.Errorf("connect to MongoDB: %w", asked.Err())
			}
			return fmt.Errorf("MongoDB cannot be reached: %w: %w", portal.ErrUnavailable, brief(err))
		}
	}
}

// refusesUser reports that the server knows no such user with this password.
func refusesUser(err error) bool {
	const authenticationFailed, atlasError = 18, 8000
	if e, ok := errors.AsType[driver.Error](err); ok {
		return e.Code == authenticationFailed || e.Code == atlasError
	}
	return false
}

// refusesLogin reports that logging in failed for a reason that time does not
// mend, such as a mechanism that the server lacks.
func refusesLogin(err error) bool {
	login, ok := errors.AsType[*auth.Error](err)
	return ok && !mongo.IsTimeout(err) && !gone(login.Inner())
}

func sayHello(ctx context.Context, client *mongo.Client) (h hello, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&h)
	return h, err
}

// longestLeftOpen is for how many seconds a server may keep a transaction open
// that nobody ends before that is worth a word. Ours take milliseconds.
const longestLeftOpen = 15

// Advice returns what a setting of the server makes worse than it need be, in a
// sentence that says the mend, or "". Of a server that does not tell this user its
// settings, as those with access control mostly do not, there is none.
func (s *Store) Advice(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	const name = "transactionLifetimeLimitSeconds"
	var set map[string]any
	err := s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "getParameter", Value: 1}, {Key: name, Value: 1}}).Decode(&set)
	if seconds, is := set[name].(int32); err == nil && is && seconds > longestLeftOpen {
		return fmt.Sprintf("the MongoDB server keeps a transaction that a crashed process left open for %d s or more, and others wait as long to "+
			"change the same records: start it with --setParameter %s=5", seconds, name)
	}
	return ""
}

// diagnose asks the servers of a URI one by one why they are no primary. It
// knows about the mistakes of a first start.
func diagnose(ctx context.Context, uri string) string {
	parsed, err := connstring.ParseAndValidate(uri)
	if err != nil || !strings.HasPrefix(uri, connstring.SchemeMongoDB+"://") {
		return ""
	}
	for _, host := range parsed.Hosts {
		o := options.Client().ApplyURI(uri).SetHosts([]string{host}).SetDirect(true)
		o.ReplicaSet, o.Auth = nil, nil
		client, err := mongo.Connect(ctx, o)
		if err != nil {
			continue
		}
		h, err := sayHello(ctx, client)
		_ = client.Disconnect(ctx)
		switch {
		case err != nil:
		case h.problem() != "":
			return h.problem()
		case parsed.ReplicaSet != "" && h.SetName != "" && h.SetName != parsed.ReplicaSet:
			return fmt.Sprintf("the MongoDB server %s belongs to the replica set %s, and the URI says replicaSet=%s: write replicaSet=%s",
				host, h.SetName, parsed.ReplicaSet, h.SetName)
		}
	}
	return ""
}
