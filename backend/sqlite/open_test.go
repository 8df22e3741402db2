package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// wantSentence checks that an error tells the operator which file it is about
// and each of the words.
func wantSentence(t *testing.T, err error, path string, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("got no error")
	}
	for _, w := range append(words, path) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got %q, want %q in it", err, w)
		}
	}
	if half := err.Error()[:len(err.Error())/3]; strings.Count(err.Error(), half) > 1 {
		t.Errorf("got %q, which says things twice", err)
	}
}

func TestOpenMakesFileForOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "deep")
	for _, name := range []string{"gatehouse.db", "with space ?#%41&mode=ro.db", "ünïcode.db"} {
		path := filepath.Join(dir, name)
		s := open(t, path)
		if err := s.InsertTeam(t.Context(), portal.Team{ID: "tea_1"}); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{path, path + "-wal"} {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != 0o600 {
				t.Errorf("%s: got mode %o, want 600", file, got)
			}
		}
		if _, err := os.Stat(path + "-shm"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got a shared memory file (%v), want an exclusive lock without one", err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 6 {
		t.Errorf("got files %v %v, want three databases and their logs", entries, err)
	}
}

func TestOpenTightensMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v %v, want 600", info.Mode(), err)
	}
}

func TestPragmas(t *testing.T) {
	s := openNew(t)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "locking_mode": "exclusive", "synchronous": "2", "foreign_keys": "1", "trusted_schema": "0",
	} {
		if got, err := readOne(t.Context(), s, pragma, "PRAGMA "+pragma, nil, scanText); err != nil || got != want {
			t.Errorf("%s: got %q %v, want %q", pragma, got, err, want)
		}
	}
}

// otherProcess is the variable that makes this test binary the other process.
const otherProcess = "GATEHOUSE_TEST_OPEN_DATABASE"

func TestMain(m *testing.M) {
	if path := os.Getenv(otherProcess); path != "" {
		_, err := Open(context.Background(), path)
		fmt.Println(err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	s := open(t, path)
	team := portal.Team{ID: "tea_1", Name: "Acme", CreatedAt: time.UnixMilli(1).UTC()}
	if err := s.InsertTeam(t.Context(), team); err != nil {
		t.Fatal(err)
	}

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := exec.CommandContext(t.Context(), self)
	other.Env = append(os.Environ(), otherProcess+"="+path)
	out, err := other.Output()
	if err != nil {
		t.Fatal(err)
	}
	wantSentence(t, errors.New(string(out)), path, "in use by another process", "stop that one first")

	_, err = Open(t.Context(), path) // the same holds inside of one process
	wantSentence(t, err, path, "in use by another process")

	// Neither attempt took the lock away from its owner.
	out, err = func() ([]byte, error) {
		again := exec.CommandContext(t.Context(), self)
		again.Env = other.Env
		return again.Output()
	}()
	if err != nil {
		t.Fatal(err)
	}
	wantSentence(t, errors.New(string(out)), path, "in use by another process")
	if got, err := s.Team(t.Context(), team.ID); err != nil || got.ID != team.ID {
		t.Errorf("got %+v %v, want the team", got, err)
	}

	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path) // free again
}

func TestOpenRefuses(t *testing.T) {
	garbage := []byte(strings.Repeat("not a database, but long enough to be one. ", 200))
	tests := []struct {
		name  string
		make  func(t *testing.T, path string)
		words []string
	}{
		{"a file that is no database", func(t *testing.T, path string) { writeFile(t, path, garbage) }, []string{"not a SQLite database", "GATEHOUSE_DATABASE"}},
		{"a folder", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, []string{"not a regular file"}},
		{"a database of another program", func(t *testing.T, path string) { alter(t, path, "CREATE TABLE theirs (x)") }, []string{"another program", "GATEHOUSE_DATABASE"}},
		{"a newer schema", func(t *testing.T, path string) {
			if err := open(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			alter(t, path, "INSERT INTO schema_version VALUES (999, 'later', 1)")
		}, []string{"newer Gatehouse", "schema 999", "restore a backup"}},
		{"a damaged file", func(t *testing.T, path string) {
			s := open(t, path)
			for i := range 200 {
				if err := s.InsertToken(t.Context(), portal.Token{ID: fmt.Sprint(i), Team: "tea", Note: strings.Repeat("x", 1000)}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := len(text) / 3; i < len(text); i++ {
				text[i] = 0xa5
			}
			writeFile(t, path, text)
		}, []string{"damaged", "backup"}},
		{"a file cut short", func(t *testing.T, path string) {
			if err := open(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, 5000); err != nil {
				t.Fatal(err)
			}
		}, []string{"damaged", "backup"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gatehouse.db")
			tt.make(t, path)
			s, err := Open(t.Context(), path)
			if err == nil {
				_ = s.Close()
			}
			wantSentence(t, err, path, tt.words...)
		})
	}
}

func TestFileThatItsOwnerMayNotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path)
	if os.Geteuid() == 0 { // root may
		if err != nil || s.Close() != nil {
			t.Errorf("as root: got %v, want none", err)
		}
		return
	}
	wantSentence(t, err, path, "cannot be written", "mode 0400", "chmod 600")
}

func TestOpenOfFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, nil)
	path := filepath.Join(file, "gatehouse.db")
	_, err := Open(t.Context(), path)
	wantSentence(t, err, path, "folder")
}

func TestOpenEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, filepath.Join(t.TempDir(), "gatehouse.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

func writeFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// alter changes a file behind the back of the store.
func alter(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestMigrate(t *testing.T) {
	s := openNew(t)
	steps, err := migrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	next := func(sql string) []migration {
		return append(slices.Clip(steps), migration{len(steps) + 1, "next", sql})
	}
	version := func() int {
		v, err := s.schemaVersion(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	// A step that fails half way leaves nothing behind.
	err = s.migrateWith(t.Context(), next("CREATE TABLE half (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1)"))
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("migration %d next", len(steps)+1)) {
		t.Errorf("got error %v, want it to name the step", err)
	}
	if got := version(); got != len(steps) {
		t.Errorf("got version %d, want %d", got, len(steps))
	}
	for range 2 { // once and no more
		if err := s.migrateWith(t.Context(), next("CREATE TABLE half (x INTEGER) STRICT")); err != nil {
			t.Fatal(err)
		}
		if got := version(); got != len(steps)+1 {
			t.Errorf("got version %d, want %d", got, len(steps)+1)
		}
	}
}

// To look at an old file changes nothing in it.
func TestOpenWithoutMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	steps, err := migrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	look := func() error {
		t.Helper()
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), path, WithoutMigration())
		if err == nil {
			err = errors.Join(s.Ready(t.Context()), s.Close())
		}
		if after, failed := os.ReadFile(path); failed != nil || !bytes.Equal(after, before) {
			t.Errorf("the file was changed (%v)", failed)
		}
		return err
	}
	if err := look(); err != nil {
		t.Errorf("a file of this version: got %v", err)
	}
	alter(t, path, fmt.Sprintf("DELETE FROM schema_version WHERE version = %d", len(steps)))
	outdated, is := errors.AsType[*OutdatedError](look())
	if !is || outdated.Has != len(steps)-1 || outdated.Needs != len(steps) {
		t.Errorf("an older file: got %v, want from which version to which", outdated)
	}
}

func TestTablesAreStrict(t *testing.T) {
	loose, err := readList(t.Context(), openNew(t), `SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND NOT strict`, nil, scanText)
	if err != nil || len(loose) > 0 {
		t.Errorf("got %q %v, want every table strict", loose, err)
	}
}

func TestDiskFull(t *testing.T) {
	ctx, s := t.Context(), openNew(t)
	limit := func(pages string) {
		if _, err := s.conn.ExecContext(ctx, "PRAGMA max_page_count = "+pages); err != nil {
			t.Fatal(err)
		}
	}
	insert := func(id string) error {
		return s.Atomically(ctx, func(ctx context.Context) error {
			_, err := s.Append(ctx, audit.Event{Chain: "tea_1", At: time.UnixMilli(1), Action: "token.created", Target: id})
			if err != nil {
				return err
			}
			return s.InsertToken(ctx, portal.Token{ID: id, Team: "tea_1", Note: strings.Repeat("x", 3000)})
		})
	}
	if err := insert("first"); err != nil {
		t.Fatal(err)
	}
	limit("1") // that is: no more than there are
	var err error
	made := 1
	for ; made < 100; made++ {
		if err = insert(fmt.Sprint(made)); err != nil {
			break
		}
	}
	wantSentence(t, err, s.path, "disk", "full")
	if portal.KindOf(err) != portal.Busy || !errors.Is(err, portal.ErrStorageFailing) {
		t.Errorf("got %v, want that storage is failing", err)
	}
	for range 2 { // it can be read, which is not enough
		if err := s.Ready(ctx); !errors.Is(err, portal.ErrStorageFailing) {
			t.Errorf("ready: got %v, want that storage is failing", err)
		}
		if _, err := s.Team(ctx, "none"); portal.KindOf(err) != portal.NotFound {
			t.Errorf("a read: got %v, want an answer", err)
		}
	}
	if n := s.FailedWrites(); n != 3 {
		t.Errorf("got %d failed writes, want that of the change and of two probes", n)
	}
	check := func() {
		t.Helper()
		events, err := s.Events(ctx, portal.EventFilter{Chain: "tea_1", Limit: 1001, Oldest: true})
		if err != nil || len(events) != made {
			t.Errorf("got %d events %v, want %d", len(events), err, made)
		}
		var v audit.Verifier
		for _, e := range events {
			if err := v.Add(e); err != nil {
				t.Error(err)
			}
		}
		tokens, err := s.Tokens(ctx, portal.TokenFilter{Team: "tea_1", Limit: 101})
		if err != nil || len(tokens) != made {
			t.Errorf("got %d tokens %v, want %d", len(tokens), err, made)
		}
		if got, err := s.Records().Record(ctx, fmt.Sprint(made)); err != nil || got != nil {
			t.Errorf("got record %+v %v, want none of the token that found no room", got, err)
		}
	}
	check()
	// A transaction that swallows the error is not committed either.
	err = s.Atomically(ctx, func(ctx context.Context) error {
		for i := range 20 {
			_ = s.InsertToken(ctx, portal.Token{ID: fmt.Sprint("swallowed", i), Team: "tea_1", Note: strings.Repeat("x", 3000)})
		}
		return nil
	})
	if portal.KindOf(err) != portal.Busy {
		t.Errorf("got %v, want that storage is unavailable", err)
	}
	check()
	limit("1000000")
	if err := s.Ready(ctx); err != nil {
		t.Errorf("ready with room again: got %v", err)
	}
	if err := insert(fmt.Sprint(made)); err != nil {
		t.Errorf("with room again: got error %v", err)
	}
}
