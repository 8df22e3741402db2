package mongotest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/gatehouse-portal/gatehouse/backend/testskip"
)

// Set is a replica set that one test has to itself, to stop and start its
// members. Members are numbered from 0.
type Set struct {
	URI     string // of all members, without the name of a database
	members []*daemon
	dismiss func()
}

// StartReplicaSet starts a replica set of n members, 1 to 7, that ends with the
// test. An election in it takes about two seconds.
func StartReplicaSet(t testing.TB, n int) *Set {
	t.Helper()
	dir, err := os.MkdirTemp(fastDir(), "gatehouse-mongod-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(t, dir) })
	set, err := runSet(t.Context(), dir, n, true)
	var none *notFoundError
	if errors.As(err, &none) {
		testskip.Because(t, "MongoDB is not to be had: "+err.Error()+".")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Stop)
	return set
}

// notFoundError says that there is no mongod to start, and why.
type notFoundError struct{ error }

// runSet starts n members with their data under dir and waits until one of them
// is primary. With sweep, dir is removed even if this process does not come to
// do it.
func runSet(ctx context.Context, dir string, n int, sweep bool) (_ *Set, err error) {
	program, err := find(ctx)
	if err != nil {
		return nil, &notFoundError{err}
	}
	set := &Set{dismiss: func() {}}
	defer func() {
		if err != nil {
			set.Stop()
		}
	}()
	members, addrs, pids := bson.A{}, []string{}, []int{}
	for i := range n {
		d := &daemon{program: program, dir: filepath.Join(dir, strconv.Itoa(i)), set: "rs0"}
		if err := d.start(ctx); err != nil {
			return nil, err
		}
		set.members = append(set.members, d)
		members = append(members, bson.D{{Key: "_id", Value: i}, {Key: "host", Value: d.addr}})
		addrs, pids = append(addrs, d.addr), append(pids, d.pid())
	}
	if sweep {
		if set.dismiss, err = janitor(dir, pids); err != nil {
			return nil, err
		}
	}
	set.URI = "mongodb://" + strings.Join(addrs, ",") + "/?replicaSet=rs0"
	config := bson.D{
		{Key: "_id", Value: "rs0"},
		{Key: "members", Value: members},
		{Key: "settings", Value: bson.D{
			{Key: "heartbeatIntervalMillis", Value: 200},
			{Key: "electionTimeoutMillis", Value: 2000},
		}},
	}
	var result bson.M
	if err := set.members[0].admin(ctx, bson.D{{Key: "replSetInitiate", Value: config}}, &result); err != nil {
		// Run may be given a directory whose set was initiated before; its
		// configuration then holds the old port.
		return nil, fmt.Errorf("initiate the replica set (in a new, empty directory): %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if _, err := set.primary(ctx); err != nil {
		return nil, err
	}
	return set, nil
}

// Primary waits until one member is the writable primary and returns its number.
func (s *Set) Primary(t testing.TB) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	i, err := s.primary(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func (s *Set) primary(ctx context.Context) (int, error) {
	for {
		for i, d := range s.members {
			if d.stopped() {
				continue
			}
			var hello struct {
				Writable bool `bson:"isWritablePrimary"`
			}
			if err := d.admin(ctx, bson.D{{Key: "hello", Value: 1}}, &hello); err == nil && hello.Writable {
				return i, nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("the replica set has no primary: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Kill ends a member as a power cut would.
func (s *Set) Kill(member int) { s.members[member].kill() }

// Restart starts a member that was killed, at the address it had. The janitor
// does not know the new process, but it still dies with this one.
func (s *Set) Restart(t testing.TB, member int) {
	t.Helper()
	if err := s.members[member].start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Addr returns the host:port of a member.
func (s *Set) Addr(member int) string { return s.members[member].addr }

// PID returns the id of the process of a member, or 0 if it was never started.
func (s *Set) PID(member int) int { return s.members[member].pid() }

// Stop ends all members. Tests need not call it.
func (s *Set) Stop() {
	s.dismiss()
	for _, d := range s.members {
		d.kill()
	}
}
