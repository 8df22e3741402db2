// Package testskip is how a test says that it cannot run on this machine, so
// that nothing is skipped silently, and what did run.
package testskip

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// File is the environment variable that names the file which collects, one a
// line, the tests that could not run. The test command prints it last; without it
// each is named on the terminal, or past go test to whoever reads its errors.
const File = "GATEHOUSE_TEST_SKIPPED"

// RanFile is the environment variable that names the file which collects, one a
// line, what ran. The test command prints it at its end.
const RanFile = "GATEHOUSE_TEST_RAN"

// Ran notes what a test shows, such as "the store contract on SQLite", once the
// test is over and has passed. Many tests may note the same.
func Ran(t testing.TB, what string) {
	t.Helper()
	name := os.Getenv(RanFile)
	if name == "" {
		return
	}
	t.Cleanup(func() {
		if t.Failed() || t.Skipped() {
			return
		}
		if err := appendLine(name, what); err != nil {
			t.Errorf("note what ran: %v", err)
		}
	})
}

// appendLine appends to a file that other processes append to as well: one short
// write is not torn by theirs.
func appendLine(name, line string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, line)
	return errors.Join(err, f.Close())
}

// Because ends the test with the reason why it cannot run here: as a failure
// under CI=true, where everything has to run, else as a skip. A reason is a
// sentence that says what is missing and how to get it.
//
// It may be called by many tests and test binaries at once.
func Because(t testing.TB, reason string) {
	t.Helper()
	reason = strings.Join(strings.Fields(reason), " ")
	if os.Getenv("CI") == "true" {
		t.Fatalf("cannot run here, and under CI everything must run: %s", reason)
	}
	name := os.Getenv(File)
	if name == "" {
		// go test shows nothing of a package that passes, so a person at a
		// terminal is told past it, and without one whoever reads its errors.
		to, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
		if err != nil {
			to, err = stderrOf(os.Getppid())
		}
		if err == nil {
			_, _ = fmt.Fprintf(to, "not run here: %s: %s\n", t.Name(), reason)
			_ = to.Close()
		}
	} else if err := appendLine(name, t.Name()+": "+reason); err != nil {
		t.Errorf("note the skipped test: %v", err)
	}
	t.Skip(reason)
}
