package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// partSuffix ends the name of a backup that is not whole yet.
const partSuffix = ".part"

// maxRestarts is how often a backup starts over before it is given up.
const maxRestarts = 8

// pace is how a backup gives way to everybody else.
type pace struct {
	pages int32         // of a step
	turn  time.Duration // after which the step is the last one of its turn
	sync  int           // pages after which the copy is synced
	rest  func()        // what comes between two turns, nil for nothing
}

// backupPace has the connection for some milliseconds at a time. What it wrote is
// synced often, because a file system may make the sync of one file, here of the
// log after each commit, wait for what was written to others.
var backupPace = pace{pages: 64, turn: 4 * time.Millisecond, sync: 4096}

// Backup writes the whole database, as it is when the last page is copied, into a
// new file that only its owner may read. Others use the store meanwhile: the
// backup waits in line for the connection again and again, and has it for some
// milliseconds each time. It ends with ctx and when the store is closed, and one
// comes after the other. The error is a sentence for the operator.
//
// The copy is made under the name of path with .part at its end, and gets its
// own name when it is whole and on the disk. A .part that is there already was
// left by a process that was killed, and is replaced.
//
// The road not taken is VACUUM INTO, which packs the copy but has the one
// connection from its beginning to its end, as does a read transaction.
func (s *Store) Backup(ctx context.Context, path string) error {
	return s.backUp(ctx, path, backupPace)
}

func (s *Store) backUp(ctx context.Context, path string, p pace) error {
	if ctx.Value(txKey{s}) != nil {
		return errors.New("sqlite: a backup is made outside of transactions only")
	}
	if err := s.backups.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.backups.Release(1)
	if err := absent(path); err != nil {
		return err
	}
	part := path + partSuffix
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the backup cannot be written: %w", err)
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // SQLite fills an empty one
	if err != nil {
		return fmt.Errorf("the backup cannot be written: %w", err)
	}
	err = s.copyInto(ctx, f, p)
	if err == nil {
		err = f.Sync() // whoever wrote it
	}
	made, wrong := f.Stat()
	if err = errors.Join(err, wrong, f.Close()); err == nil {
		err = finish(made, part, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the backup %s was not made: %w", path, err), os.Remove(part))
	}
	return nil
}

// absent fails if there is a file at path.
func absent(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return fmt.Errorf("the file %s is there already: name a new one", path)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the backup cannot be written: %w", err)
	}
	return nil
}

// finish gives a whole copy its name.
func finish(made fs.FileInfo, part, path string) error {
	if now, err := os.Lstat(part); err != nil {
		return err
	} else if !os.SameFile(now, made) {
		return fmt.Errorf("a backup of another database is being written to %s too", path)
	}
	if err := absent(path); err != nil { // it may have been made meanwhile
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	if d, err := os.Open(filepath.Dir(path)); err == nil {
		_ = d.Sync() // not every file system can
		_ = d.Close()
	}
	return nil
}

// copyInto copies every page into the empty file f.
func (s *Store) copyInto(ctx context.Context, f *os.File, p pace) (err error) {
	c, err := s.startCopy(ctx, f.Name())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.end(err != nil)) }()
	synced, restarts := 0, 0
	for {
		before := c.copied
		if err := s.read(ctx, func(w *work) error { return c.take(w, p) }); err != nil {
			return err
		}
		if c.whole {
			return nil
		}
		if c.copied <= before {
			// A rollback starts the copy over, so changes that are refused again and
			// again would keep it from its end; but while it is made, Atomically
			// rolls back without one (undo). What is left is the rollback of SQLite
			// itself, when the disk fails. Nothing else can: whatever is committed
			// comes from the same connection, and is carried over into the copy.
			if restarts++; restarts > maxRestarts {
				return errors.New("the database could not be written meanwhile, and the backup had to start over each time")
			}
			synced = 0
		}
		if c.copied-synced >= p.sync {
			if err := f.Sync(); err != nil {
				return err
			}
			synced = c.copied
		}
		if p.rest != nil {
			p.rest()
		}
	}
}

// copying is a copy of the database while it is made. Whoever calls its methods
// has the turn, but for end.
type copying struct {
	s      *Store
	backup *driver.Backup
	copied int // pages, of those that there are
	whole  bool
}

// startCopy begins a copy into the empty file at path.
//
// The copy needs no journal, because it is removed if it fails, and no sync by
// SQLite, which would have the connection wait for a whole copy to reach the disk.
func (s *Store) startCopy(ctx context.Context, path string) (*copying, error) {
	c := &copying{s: s}
	err := s.read(ctx, func(w *work) error {
		err := s.conn.Raw(func(conn any) (err error) {
			// Only a backup of the very connection that writes goes on when something
			// is written, instead of starting over.
			source := conn.(interface {
				NewBackup(uri string) (*driver.Backup, error)
			})
			c.backup, err = source.NewBackup(uri(path) + "?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)")
			return err
		})
		s.copied = err == nil
		return err
	})
	return c, err
}

// take copies pages for one turn, in which no transaction is under way.
func (c *copying) take(w *work, p pace) error {
	err := c.s.conn.Raw(func(any) error {
		for began := time.Now(); ; {
			more, err := c.backup.Step(p.pages)
			if err != nil {
				return err
			}
			c.copied, c.whole = c.backup.PageCount()-c.backup.Remaining(), !more
			if c.whole || time.Since(began) >= p.turn || w.ctx.Err() != nil {
				return nil
			}
		}
	})
	switch code(err) & 0xff {
	case lib.SQLITE_FULL: // not that of the database, which is only read
		return errors.New("the disk that it is on is full")
	case lib.SQLITE_IOERR:
		return fmt.Errorf("its disk or that of the database failed (%w)", err)
	}
	return w.failed(err)
}

// end waits for the turn, also when the store is closing, and lets go of the copy.
func (c *copying) end(failed bool) error {
	if err := c.s.turn.Acquire(context.Background(), 1); err != nil {
		return err
	}
	defer c.s.turn.Release(1)
	c.s.copied = false
	err := c.s.conn.Raw(func(any) error { return c.backup.Finish() })
	if failed { // it only says so again
		return nil
	}
	return err
}
