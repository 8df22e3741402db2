// Package sqlite keeps everything in one SQLite file: the embedded default of
// Gatehouse, with nothing to install. It satisfies portal.Store.
//
// One process owns the file, with one connection. Whoever needs it waits in
// line, for as long as their context lasts; a transaction has it from begin to
// commit, so transactions run one after the other and never conflict. That
// process alone writes, so the records that decisions read are held in memory
// and changed in the same critical section as the file ([Records]).
//
// The road not taken is a pool of readers beside one writer: it needs a shared
// memory file, lets another process in, and a reader could see the file ahead
// of or behind the records.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	_ "modernc.org/sqlite" // registers the driver

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const (
	// busyWait is how long Open waits for a process that is just ending.
	busyWait = 2 * time.Second
	// longestWait bounds the wait for the connection where a context does not.
	longestWait = 30 * time.Second
	// closeWait bounds the wait of Close for what is under way.
	closeWait = 10 * time.Second
)

// Store keeps everything in one SQLite file. It is safe for use by many
// goroutines.
type Store struct {
	path    string
	db      *sql.DB
	conn    *sql.Conn
	turn    *semaphore.Weighted // who holds it has the connection; first come, first served
	backups *semaphore.Weighted // who holds it makes a backup
	copied  bool                // a backup is under way; of whoever has the turn
	closed  atomic.Bool
	stmts   map[string]*sql.Stmt // prepared, by their text; of whoever has the turn
	records *Records
	health  health
}

var _ portal.Store = (*Store)(nil)

// pragmas are set before anything is read. The lock is exclusive: the first
// access takes it and only Close gives it back, and WAL needs no shared memory.
var pragmas = []string{
	fmt.Sprintf("PRAGMA busy_timeout = %d", busyWait.Milliseconds()),
	"PRAGMA locking_mode = EXCLUSIVE",
	"PRAGMA journal_mode = WAL",
	"PRAGMA synchronous = FULL", // a commit that was answered survives a power cut
	"PRAGMA foreign_keys = ON",
	"PRAGMA trusted_schema = OFF",
	"PRAGMA cell_size_check = ON",
	"PRAGMA temp_store = MEMORY",
	"PRAGMA cache_size = -32768",           // 32 MiB
	"PRAGMA journal_size_limit = 67108864", // 64 MiB
}

// Option changes how [Open] opens a store.
type Option func(*settings)

type settings struct{ look bool }

// WithoutMigration makes [Open] refuse a file whose schema is older than this
// program with [OutdatedError], instead of migrating it, and write nothing to it.
func WithoutMigration() Option { return func(s *settings) { s.look = true } }

// Open opens the database in the file at path, or makes it, readable only by
// its owner, and brings its schema up to date. Its folder is made too.
//
// An error is a sentence for the operator: the file is in use by another
// process, is not a database of Gatehouse, is damaged, was written by a newer
// Gatehouse, or cannot be written because its disk is full.
func Open(ctx context.Context, path string, opts ...Option) (_ *Store, err error) {
	var set settings
	for _, o := range opts {
		o(&set)
	}
	if !set.look {
		if err := prepareFile(path); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open("sqlite", uri(path)+"?_dqs=0")
	if err != nil {
		return nil, openError(path, err)
	}
	s := &Store{
		path: path, db: db, turn: semaphore.NewWeighted(1), backups: semaphore.NewWeighted(1),
		stmts: map[string]*sql.Stmt{}, records: newRecords(),
	}
	defer func() {
		if err != nil {
			_ = s.Close() // the error before it says more
		}
	}()
	if s.conn, err = db.Conn(ctx); err != nil {
		return nil, openError(path, err)
	}
	for _, p := range pragmas {
		if _, err := s.conn.ExecContext(ctx, p); err != nil {
			return nil, openError(path, err)
		}
	}
	if set.look {
		err = s.checkVersion(ctx)
	} else {
		err = s.migrate(ctx)
	}
	if outdated, is := errors.AsType[*OutdatedError](err); is {
		return nil, outdated
	} else if err != nil {
		return nil, openError(path, err)
	}
	if err := s.loadRecords(ctx); err != nil {
		return nil, openError(path, err)
	}
	if set.look {
		return s, nil
	}
	if err := s.probe(ctx); err != nil {
		return nil, openError(path, err)
	}
	return s, nil
}

// uri returns the name of a file as SQLite takes options with.
func uri(path string) string {
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}
	return name.String()
}

// prepareFile makes the file with mode 0600, which SQLite also gives to the
// files beside it, and tightens that of an existing one.
//
// It never opens an existing file: closing it again would drop the locks that
// this process may hold on it (POSIX).
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("the folder of the database %s cannot be made: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the database %s cannot be made: %w", path, err)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("the database %s cannot be opened: %w", path, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("the database %s is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		if err := os.Chmod(path, 0o600); err != nil {
			return fmt.Errorf("the database %s is readable by others, and that cannot be changed: %w", path, err)
		}
	}
	return nil
}

// Close ends the store. What is under way is waited for, up to ten seconds, but
// for a backup, which is cut off; every later call gets an error. Closing twice is
// fine.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.records.closed.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	if err := s.backups.Acquire(ctx, 1); err != nil { // it has to let go of the connection
		return fmt.Errorf("close %s: a backup is still under way after %v", s.path, closeWait)
	}
	defer s.backups.Release(1)
	if err := s.turn.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("close %s: a transaction is still under way after %v", s.path, closeWait)
	}
	defer s.turn.Release(1)
	s.forgetStatements()
	var err error
	if s.conn != nil {
		err = s.conn.Close()
	}
	return errors.Join(err, s.db.Close())
}

// Records returns what decisions read tokens with.
func (s *Store) Records() *Records { return s.records }
