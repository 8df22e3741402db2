package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// smallSteps makes a backup of many turns, and calls rest between them.
func smallSteps(rest func()) pace { return pace{pages: 16, sync: 512, rest: rest} }

// openFat opens a store of a team in a file of at least twelve megabytes.
func openFat(t *testing.T) *Store {
	t.Helper()
	s := openNew(t)
	storeTeam(t, s, "tea_0", "usr_0")
	err := s.write(t.Context(), func(w *work) error {
		_, err := w.exec(`WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)
			INSERT INTO calls (team, newest_at, oldest_at, first_id, count, tokens, data)
			SELECT 'tea_0', i, i, i, 0, x'', zeroblob(1 << 20) FROM n`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// change makes a token and its event, and records some calls.
func change(t *testing.T, s *Store, n int) {
	t.Helper()
	tok := newToken("tea_0", "usr_0", n)
	err := s.Atomically(t.Context(), func(ctx context.Context) error {
		if _, err := s.Append(ctx, audit.Event{Chain: "tea_0", At: at0, Action: "token.created", Target: tok.ID}); err != nil {
			return err
		}
		return s.InsertToken(ctx, tok)
	})
	if err = errors.Join(err, s.RecordCalls(t.Context(), newBatch(n, 1, 100))); err != nil {
		t.Fatal(err)
	}
}

// wantCopy opens a backup and checks that it is whole and that its tokens and
// events are those of the same moment. It returns the events' number and last hash.
func wantCopy(t *testing.T, path string) (seq int64, hash string) {
	t.Helper()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("got %v %v, want a file of mode 0600", info, err)
	}
	for _, beside := range []string{partSuffix, partSuffix + "-journal", partSuffix + "-wal", "-wal"} {
		wantNone(t, path+beside)
	}
	c := open(t, path)
	got, err := readOne(t.Context(), c, "Check", "PRAGMA integrity_check", nil, scanText)
	if err != nil || got != "ok" {
		t.Errorf("got %q %v, want a whole copy", got, err)
	}
	tokens, err := readOne(t.Context(), c, "Count", "SELECT count(*) FROM tokens", nil, scanInt)
	if err != nil {
		t.Fatal(err)
	}
	if seq, hash, err = c.Head(t.Context(), "tea_0"); err != nil || seq != tokens {
		t.Errorf("got %d events of %d tokens (%v), want one of each", seq, tokens, err)
	}
	change(t, c, 1_000_000)
	return seq, hash
}

func wantNone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: got %v, want no such file", filepath.Base(path), err)
	}
}

// What is written between the steps of a backup is in it, whether its page was
// copied before or not.
func TestBackupCarriesChangesOver(t *testing.T) {
	s, path, turns := openFat(t), filepath.Join(t.TempDir(), "copy.db"), 0
	err := s.backUp(t.Context(), path, smallSteps(func() {
		if turns++; turns%10 == 1 {
			change(t, s, turns)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if turns < 100 {
		t.Errorf("got %d turns, want many", turns)
	}
	wantSeq, wantHash, err := s.Head(t.Context(), "tea_0")
	if err != nil {
		t.Fatal(err)
	}
	if seq, hash := wantCopy(t, path); seq != wantSeq || hash != wantHash {
		t.Errorf("got event %d with %s, want %d with %s", seq, hash, wantSeq, wantHash)
	}
}

// A rollback starts a copy of SQLite over, and a server that refuses changes all
// the time would never get its backup.
func TestBackupGoesOnWhenChangesAreRefused(t *testing.T) {
	s, path, turns := openFat(t), filepath.Join(t.TempDir(), "copy.db"), 0
	refused := errors.New("refused")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := s.backUp(ctx, path, smallSteps(func() {
		if turns++; turns > 5000 {
			cancel()
		}
		tok := newToken("tea_0", "usr_0", turns)
		err := s.Atomically(t.Context(), func(ctx context.Context) error {
			return errors.Join(s.InsertToken(ctx, tok), refused)
		})
		if !errors.Is(err, refused) {
			t.Errorf("got error %v, want %v", err, refused)
		}
		err = s.Atomically(t.Context(), func(ctx context.Context) error {
			return errors.Join(s.InsertToken(ctx, tok), s.SaveMember(ctx, portal.Member{Team: "tea_none", User: "usr_0", Role: portal.Owner}))
		})
		if portal.KindOf(err) != portal.NotFound { // the commit was refused
			t.Errorf("got error %v, want that the team is not found", err)
		}
		if got, err := s.Records().Record(t.Context(), tok.ID); got != nil || err != nil {
			t.Errorf("got record %+v %v, want none", got, err)
		}
	}))
	if err != nil {
		t.Fatalf("after %d turns: %v", turns, err)
	}
	if seq, _ := wantCopy(t, path); seq != 0 {
		t.Errorf("got %d events, want none", seq)
	}
	change(t, s, 1)
}

// Nobody waits for a backup but for its turn.
func TestBackupLetsOthersWork(t *testing.T) {
	s, path := openFat(t), filepath.Join(t.TempDir(), "copy.db")
	first := make(chan struct{})
	done := make(chan error, 1)
	var turns int
	go func() {
		done <- s.backUp(t.Context(), path, smallSteps(func() {
			if turns++; turns == 1 {
				close(first)
			}
		}))
	}()
	<-first
	longest, n := time.Duration(0), 0
	for running := true; running; n++ {
		began := time.Now()
		if err := s.RecordCalls(t.Context(), newBatch(n, 1, 100)); err != nil {
			t.Fatal(err)
		}
		longest, began = max(longest, time.Since(began)), time.Now()
		if _, err := s.Team(t.Context(), "tea_0"); err != nil {
			t.Fatal(err)
		}
		longest = max(longest, time.Since(began))
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
	}
	if n < 10 || longest > 400*time.Millisecond {
		t.Errorf("got %d rounds, the longest wait %v, want many, and never to wait for the backup", n, longest)
	}
	wantCopy(t, path)
}

func TestBackupCutOffLeavesNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		cut  func(s *Store, cancel context.CancelFunc) (ended <-chan error)
		want error
	}{
		{"the context ends", func(_ *Store, cancel context.CancelFunc) <-chan error { cancel(); return nil }, context.Canceled},
		{"the store closes", func(s *Store, _ context.CancelFunc) <-chan error {
			closed := make(chan error, 1)
			go func() { closed <- s.Close() }()
			for !s.closed.Load() {
				time.Sleep(time.Millisecond)
			}
			return closed
		}, errClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, path, turns := openFat(t), filepath.Join(t.TempDir(), "copy.db"), 0
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var began time.Time
			var ended <-chan error
			err := s.backUp(ctx, path, smallSteps(func() {
				if turns++; turns == 20 {
					if _, err := os.Stat(path + partSuffix); err != nil {
						t.Error(err)
					}
					began = time.Now()
					ended = tt.cut(s, cancel)
				}
			}))
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), path) || turns != 20 {
				t.Errorf("got error %v after %d turns, want %v after 20", err, turns, tt.want)
			}
			wantNone(t, path)
			wantNone(t, path+partSuffix)
			if ended != nil {
				if err := <-ended; err != nil || time.Since(began) > 2*time.Second {
					t.Errorf("got closed after %v with %v, want soon and well", time.Since(began), err)
				}
				return
			}
			change(t, s, 1)
			if err := s.Backup(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			wantCopy(t, path)
		})
	}
}

func TestBackupNames(t *testing.T) {
	s, path := openNew(t), filepath.Join(t.TempDir(), "with space ?#%41.db")
	storeTeam(t, s, "tea_0", "usr_0")
	// A process that was killed left half a copy.
	if err := os.WriteFile(path+partSuffix, []byte("half a copy"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	wantCopy(t, path)

	taken := filepath.Join(t.TempDir(), "taken.db")
	take := func() {
		if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
			t.Error(err)
		}
	}
	for _, p := range []pace{{pages: 1, sync: 1, rest: take}, backupPace} { // taken meanwhile, taken before
		wantSentence(t, s.backUp(t.Context(), taken, p), taken, "is there already")
		if got, err := os.ReadFile(taken); err != nil || string(got) != "precious" {
			t.Errorf("got %q %v, want the file as it was", got, err)
		}
		wantNone(t, taken+partSuffix)
	}
	nowhere := filepath.Join(t.TempDir(), "none", "copy.db")
	wantSentence(t, s.Backup(t.Context(), nowhere), nowhere, "cannot be written")
	err := s.Atomically(t.Context(), func(ctx context.Context) error { return s.Backup(ctx, nowhere) })
	if err == nil || !strings.Contains(err.Error(), "outside of transactions") {
		t.Errorf("got error %v, want that a backup is made outside of transactions", err)
	}
}
