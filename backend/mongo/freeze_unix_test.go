//go:build unix

package mongo

import (
	"syscall"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
)

// freeze stops the primary of a store as a machine that hangs does: connections
// stay open and nothing answers. It goes on when thaw is called, or the test
// ends.
func freeze(t testing.TB, s *Store) (thaw func()) {
	t.Helper()
	var status struct {
		PID int64 `bson:"pid"`
	}
	if err := s.client.Database("admin").RunCommand(t.Context(), bson.D{{Key: "serverStatus", Value: 1}}).Decode(&status); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(int(status.PID), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw = func() { _ = syscall.Kill(int(status.PID), syscall.SIGCONT) }
	t.Cleanup(thaw)
	return thaw
}
