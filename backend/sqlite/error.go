package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var errClosed = fmt.Errorf("%w: the database is closed", portal.ErrUnavailable)

// code returns SQLite's extended result code of an error, 0 if it has none.
func code(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code()
	}
	return 0
}

// isConstraint reports that a constraint refused a statement. The transaction
// goes on.
func isConstraint(err error) bool { return code(err)&0xff == lib.SQLITE_CONSTRAINT }

// isTaken reports that a unique key is taken.
func isTaken(err error) bool {
	c := code(err)
	return c == lib.SQLITE_CONSTRAINT_UNIQUE || c == lib.SQLITE_CONSTRAINT_PRIMARYKEY
}

// explain says in a sentence what an error of the file means and what to do, ""
// if it is another sort of error.
func explain(path string, err error) string {
	switch code(err) & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Sprintf("the database %s is in use by another process: stop that one first, or point GATEHOUSE_DATABASE at another file (one process owns a SQLite file; several share MongoDB)", path)
	case lib.SQLITE_FULL:
		return fmt.Sprintf("the disk of the database %s is full: free some space; nothing was half written", path)
	case lib.SQLITE_NOTADB:
		return fmt.Sprintf("the file %s is not a SQLite database: point GATEHOUSE_DATABASE at another file, or move this one away", path)
	case lib.SQLITE_CORRUPT:
		return fmt.Sprintf("the database %s is damaged: stop Gatehouse and restore the file from a backup", path)
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM, lib.SQLITE_AUTH:
		return fmt.Sprintf("the database %s cannot be written: check the owner and the mode of the file and of its folder", path)
	case lib.SQLITE_IOERR, lib.SQLITE_NOMEM:
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o200 == 0 {
			return fmt.Sprintf("the database %s cannot be written (mode %04o): run chmod 600 %s", path, info.Mode().Perm(), path)
		}
		return fmt.Sprintf("the database %s cannot be read or written: check its disk", path)
	default:
		return ""
	}
}

// openError is an error of Open, with the file's name in it.
func openError(path string, err error) error {
	if s := explain(path, err); s != "" {
		if of, ok := errors.AsType[*driver.Error](err); ok { // which may be explained already
			err = of
		}
		return fmt.Errorf("%s (%w)", s, err)
	}
	return fmt.Errorf("open the database %s: %w", path, err)
}

// translate says what an error of the connection means to the rules. Refusals by
// constraints stay as they are, for whoever knows what they mean.
func (s *Store) translate(ctx context.Context, err error) error {
	switch {
	case code(err) == lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return &portal.Error{Kind: portal.NotFound, Detail: "What the record belongs to is not there any more."}
	case isConstraint(err):
		return err
	case code(err)&0xff == lib.SQLITE_INTERRUPT && ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, sql.ErrConnDone):
		return errClosed
	}
	why := explain(s.path, err)
	switch {
	case why == "":
		return err
	case isLock(err):
		return fmt.Errorf("%w: %s (%w)", portal.ErrUnavailable, why, err)
	default:
		return fmt.Errorf("%w: %s (%w)", portal.ErrStorageFailing, why, err)
	}
}

// isLock reports that another process has the file.
func isLock(err error) bool {
	c := code(err) & 0xff
	return c == lib.SQLITE_BUSY || c == lib.SQLITE_LOCKED
}

var errIDTaken = &portal.Error{Kind: portal.Conflict, Detail: "A record with this id is there already."}

// idTaken turns the refusal of a unique key into a Conflict.
func idTaken(err error) error {
	if isTaken(err) {
		return errIDTaken
	}
	return err
}
