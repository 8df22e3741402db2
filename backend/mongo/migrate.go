package mongo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// migration brings a database from one version to the next. It may be run again
// after it was interrupted anywhere, so each of its steps can be repeated.
type migration func(ctx context.Context, s *Store) error

// migrations bring an empty database to the schema of this program: the first
// one from version 0 to 1, and so on. They are only ever appended to.
var migrations = []migration{
	align, // the first schema
	align, // users.last_team
	packCalls,
	align, // the key mark in meta
	align, // logged sums are of hours alone: an earlier program would lose their days
}

// align is the step of a change that only adds: collections, indexes, fields.
func align(ctx context.Context, s *Store) error { return s.ensure(ctx, true) }

// schemaDoc is a document of the collection meta, beside the key mark. Whoever migrates holds
// its lease, by the clock of the server.
type schemaDoc struct {
	ID         string             `bson:"_id"`
	Version    int                `bson:"version"`
	Owner      primitive.ObjectID `bson:"owner,omitempty"`
	LeaseUntil instant            `bson:"lease_until,omitempty"`
}

const (
	schemaID    = "schema"
	leaseFor    = 15 * time.Second // after which a migrator that says nothing counts as dead
	lookAgainIn = 100 * time.Millisecond
)

func metaCollections() []collection {
	return []collection{{name: "meta", schema: object("_id", text, "?version", number, "?lease_until", date, "?ring", text, "?pepper", text)}}
}

// Migrate brings the schema up to date, unless another process does: then it
// waits for that one, for as long as ctx lasts. A schema that is newer than this
// program is refused. It may be called at any time, by many processes at once.
func (s *Store) Migrate(ctx context.Context) error { return s.migrate(ctx, migrations) }

func (s *Store) migrate(ctx context.Context, steps []migration) error {
	err := s.write(ctx, "prepare the schema", func(ctx context.Context) error {
		_, err := s.meta.UpdateOne(ctx, byID(schemaID), bson.D{{Key: "$setOnInsert", Value: bson.D{{Key: "version", Value: 0}}}}, options.Update().SetUpsert(true))
		if mongo.IsDuplicateKeyError(err) {
			return nil // another process was faster
		}
		return err
	})
	if err != nil {
		return err
	}
	for {
		version, err := s.version(ctx)
		switch {
		case err != nil:
			return err
		case version > len(steps):
			return newer(version, len(steps))
		case version == len(steps):
			return s.ensure(ctx, false)
		}
		owner := primitive.NewObjectID()
		held, err := s.lease(ctx, owner, true)
		if err != nil {
			return err
		}
		if held {
			return s.migrateAlone(ctx, owner, steps)
		}
		select {
		case <-time.After(lookAgainIn):
		case <-ctx.Done():
			return fmt.Errorf("another process is migrating the database: %w", ctx.Err())
		}
	}
}

func newer(version, known int) error {
	return fmt.Errorf("the database has schema version %d, but this program knows only up to %d: "+
		"start the release of Gatehouse that made it, or a later one", version, known)
}

// checkVersion fails unless the schema is that of this program.
func (s *Store) checkVersion(ctx context.Context) error {
	version, err := s.version(ctx)
	switch {
	case err != nil:
		return err
	case version > len(migrations):
		return newer(version, len(migrations))
	case version < len(migrations):
		return &OutdatedError{Has: version, Needs: len(migrations)}
	}
	return nil
}

// OutdatedError says that the schema of a database is older than this program.
type OutdatedError struct {
	Has, Needs int // versions; Has is 0 for a new database
}

func (e *OutdatedError) Error() string {
	return fmt.Sprintf("the database has schema version %d, and this program needs %d: run gatehouse migrate", e.Has, e.Needs)
}

func (s *Store) version(ctx context.Context) (int, error) {
	var d schemaDoc
	err := s.read(ctx, "read the schema version", func(ctx context.Context) error {
		err := s.meta.FindOne(ctx, byID(schemaID)).Decode(&d)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return nil
		}
		return err
	})
	return d.Version, err
}

// lease takes the lease if it has ended, or prolongs it for its owner, and
// reports whether the owner has it now.
func (s *Store) lease(ctx context.Context, owner primitive.ObjectID, take bool) (bool, error) {
	filter := bson.D{{Key: "_id", Value: schemaID}, {Key: "owner", Value: owner}}
	if take {
		ended := bson.D{{Key: "$expr", Value: bson.D{{Key: "$lte", Value: bson.A{"$lease_until", "$$NOW"}}}}}
		filter[1] = bson.E{Key: "$or", Value: bson.A{ended, bson.D{filter[1]}}}
	}
	until := bson.D{{Key: "$add", Value: bson.A{"$$NOW", leaseFor.Milliseconds()}}}
	var held bool
	err := s.write(ctx, "lease the schema", func(ctx context.Context) error {
		r, err := s.meta.UpdateOne(ctx, filter, mongo.Pipeline{set(bson.D{{Key: "owner", Value: owner}, {Key: "lease_until", Value: until}})})
		held = err == nil && r.MatchedCount == 1
		return err
	})
	return held, err
}

var errLeaseLost = errors.New("the lease on the schema was lost: this process stood still for too long; start it again")

// migrateAlone runs the steps that are missing while it holds the lease.
func (s *Store) migrateAlone(ctx context.Context, owner primitive.ObjectID, steps []migration) error {
	version, err := s.version(ctx) // again: another may have migrated before the lease
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		s.renew(ctx, owner, cancel)
	}()
	defer func() {
		cancel(nil)
		<-renewed
		_ = s.write(context.WithoutCancel(ctx), "end the lease", func(ctx context.Context) error { // else it ends by itself
			_, err := s.meta.UpdateOne(ctx, bson.D{{Key: "_id", Value: schemaID}, {Key: "owner", Value: owner}},
				bson.D{{Key: "$unset", Value: bson.D{{Key: "owner", Value: ""}, {Key: "lease_until", Value: ""}}}})
			return err
		})
	}()
	for ; version < len(steps); version++ {
		if err := steps[version](ctx, s); err != nil {
			return fmt.Errorf("migrate the database to version %d: %w", version+1, errors.Join(err, context.Cause(ctx)))
		}
		err := s.write(ctx, "note the schema version", func(ctx context.Context) error {
			r, err := s.meta.UpdateOne(ctx, bson.D{{Key: "_id", Value: schemaID}, {Key: "owner", Value: owner}}, set(bson.D{{Key: "version", Value: version + 1}}))
			if err == nil && r.MatchedCount == 0 {
				return errLeaseLost
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// renew prolongs the lease until ctx ends, and ends ctx when it is lost.
func (s *Store) renew(ctx context.Context, owner primitive.ObjectID, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(leaseFor / 5)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		held, err := s.lease(ctx, owner, false)
		switch {
		case held:
			last = time.Now()
		case err == nil || time.Since(last) > leaseFor*4/5:
			cancel(errLeaseLost)
			return
		}
	}
}

// ensure makes the collections and indexes that are missing. With alter it also
// brings the validators of collections that are there up to date.
func (s *Store) ensure(ctx context.Context, alter bool) error {
	have, err := s.validators(ctx)
	if err != nil {
		return err
	}
	for _, c := range collections() {
		validator := bson.D{{Key: "$jsonSchema", Value: c.schema}}
		old, exists := have[c.name]
		switch want, err := bson.Marshal(validator); {
		case err != nil:
			return fmt.Errorf("write the validator of %s: %w", c.name, err)
		case !exists:
			err := s.db.CreateCollection(ctx, c.name, options.CreateCollection().SetValidator(validator))
			var server mongo.ServerError
			if err != nil && !(errors.As(err, &server) && server.HasErrorCode(48)) { // NamespaceExists: another process was faster
				return s.fail(ctx, "make the collection "+c.name, err)
			}
		case alter && !bytes.Equal(old, want):
			if err := s.db.RunCommand(ctx, bson.D{{Key: "collMod", Value: c.name}, {Key: "validator", Value: validator}}).Err(); err != nil {
				return s.fail(ctx, "alter the collection "+c.name, err)
			}
		}
		if c.ends != "" {
			c.indexes = append(c.indexes, index(c.ends))
		}
		if len(c.indexes) == 0 {
			continue
		}
		if _, err := s.db.Collection(c.name).Indexes().CreateMany(ctx, c.indexes, options.CreateIndexes().SetCommitQuorumMajority()); err != nil {
			return s.fail(ctx, "make the indexes of "+c.name, err)
		}
	}
	return nil
}

// validators returns the validators of the collections that there are.
func (s *Store) validators(ctx context.Context) (map[string]bson.Raw, error) {
	have := map[string]bson.Raw{}
	err := s.read(ctx, "list the collections", func(ctx context.Context) error {
		found, err := s.db.ListCollectionSpecifications(ctx, bson.D{})
		for _, c := range found {
			var o struct {
				Validator bson.Raw `bson:"validator"`
			}
			if c.Options != nil {
				if err := bson.Unmarshal(c.Options, &o); err != nil {
					return err
				}
			}
			have[c.Name] = o.Validator
		}
		return err
	})
	return have, err
}
