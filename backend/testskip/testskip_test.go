package testskip

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorder stands in for a test that ends by Skip or Fatal.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()                           {}
func (r *recorder) Name() string                      { return "TestStore/mongo" }
func (r *recorder) Skip(args ...any)                  { r.skipped = args[0].(string) }
func (r *recorder) Errorf(format string, args ...any) { r.failed = format }
func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = args[0].(string)
	panic(r)
}

func TestSkipIsNoted(t *testing.T) {
	list := filepath.Join(t.TempDir(), "skipped")
	t.Setenv("CI", "")
	t.Setenv(File, list)
	for range 2 {
		r := &recorder{TB: t}
		if Because(r, "No mongod\n  is here."); r.skipped != "No mongod is here." || r.failed != "" {
			t.Fatalf("got skip %q and failure %q", r.skipped, r.failed)
		}
	}
	got, err := os.ReadFile(list)
	if want := strings.Repeat("TestStore/mongo: No mongod is here.\n", 2); err != nil || string(got) != want {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
}

func TestSkipWithoutAList(t *testing.T) {
	t.Setenv("CI", "")
	t.Setenv(File, "")
	r := &recorder{TB: t}
	const reason = "Nothing is missing: this is the test of this very line." // which somebody reads
	if Because(r, reason); r.skipped != reason || r.failed != "" {
		t.Errorf("got skip %q and failure %q", r.skipped, r.failed)
	}
}

func TestSkipThatCannotBeNotedFails(t *testing.T) {
	t.Setenv("CI", "")
	t.Setenv(File, filepath.Join(t.TempDir(), "absent", "list"))
	r := &recorder{TB: t}
	if Because(r, "No browser."); r.failed == "" {
		t.Error("the skip was neither noted nor reported")
	}
}

func TestUnderCIItFails(t *testing.T) {
	t.Setenv("CI", "true")
	r := &recorder{TB: t}
	func() {
		defer func() { _ = recover() }()
		Because(r, "No browser.")
	}()
	if r.failed != "No browser." || r.skipped != "" {
		t.Errorf("got skip %q and failure %q, want a failure", r.skipped, r.failed)
	}
}
