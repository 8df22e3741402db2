// Package testskip is how a test says that it cannot run on this machine, so
// that nothing is skipped silently.
package testskip

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// File is the environment variable that names the file which collects, one a
// line, the tests that could not run. The test command prints it last; without it
// each is named on the terminal, or past go test to whoever reads its errors.
const File = "GATEHOUSE_TEST_SKIPPED"

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
	} else {
		// One short write in append mode is not torn by those of other processes.
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = fmt.Fprintf(f, "%s: %s\n", t.Name(), reason)
			err = firstOf(err, f.Close())
		}
		if err != nil {
			t.Errorf("note the skipped test: %v", err)
		}
	}
	t.Skip(reason)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
