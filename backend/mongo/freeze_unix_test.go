//go:build unix

package mongo

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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
	// One thread takes the signal and then stops the others: on a busy machine they
	// go on answering until it comes to run.
	for began := time.Now(); !stopped(int(status.PID)); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the server does not stop")
		}
	}
	return thaw
}

// stopped reports whether every thread of a process has stopped, where the system
// tells, which is Linux.
func stopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, file := range threads {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		_, state, _ := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')'):]), " ")
		if !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}
