package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// maxStatements is how many prepared statements are kept. Lists have a text for
// each combination of filters; then all are forgotten and made anew.
const maxStatements = 256

// take waits for the connection. The line is fair, and ends with the context.
func (s *Store) take(ctx context.Context) error {
	if s.closed.Load() {
		return errClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !s.turn.TryAcquire(1) {
		// The bound also ends what would wait for ever: a call inside of a
		// transaction with a context from outside of it.
		wait, cancel := context.WithTimeout(ctx, longestWait)
		defer cancel()
		if err := s.turn.Acquire(wait, 1); err != nil {
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return fmt.Errorf("%w: others had the database: %w", portal.ErrUnavailable, err)
		}
	}
	if s.closed.Load() {
		s.turn.Release(1)
		return errClosed
	}
	return nil
}

// txKey is the key of a store's transaction in a context.
type txKey struct{ *Store }

// tx is a transaction.
type tx struct {
	mu      sync.Mutex // of the goroutine that works in it
	ended   bool
	failed  error // why it cannot go on
	wrote   bool
	touched touched
}

var errEnded = errors.New("sqlite: the transaction of this context has ended")

// work is the connection in the hands of one goroutine.
type work struct {
	s   *Store
	ctx context.Context
	tx  *tx // nil outside of a transaction
}

// read runs do with the connection, inside the transaction of ctx if it has one.
func (s *Store) read(ctx context.Context, do func(w *work) error) error {
	if t, ok := ctx.Value(txKey{s}).(*tx); ok {
		return s.join(ctx, t, do)
	}
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.turn.Release(1)
	return do(&work{s: s, ctx: ctx})
}

// write runs do in the transaction of ctx, or in one of its own.
func (s *Store) write(ctx context.Context, do func(w *work) error) error {
	return s.Atomically(ctx, func(ctx context.Context) error { return s.read(ctx, do) })
}

func (s *Store) join(ctx context.Context, t *tx, do func(w *work) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.state(); err != nil {
		return err
	}
	return do(&work{s: s, ctx: ctx, tx: t})
}

// state says why nothing more can be done in the transaction, if so.
func (t *tx) state() error {
	if t.ended {
		return errEnded
	}
	return t.failed
}

// Atomically runs do in one transaction, as portal.Store says. Transactions run
// one after the other, so do runs once.
func (s *Store) Atomically(ctx context.Context, do func(ctx context.Context) error) error {
	if t, ok := ctx.Value(txKey{s}).(*tx); ok {
		t.mu.Lock()
		err := t.state()
		t.mu.Unlock()
		if err != nil {
			return err
		}
		return do(ctx)
	}
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.turn.Release(1)

	t := &tx{}
	w := &work{s: s, ctx: ctx, tx: t}
	defer func() { s.health.note(t) }()
	if _, err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	committed := false
	defer func() { // also when do panics
		t.mu.Lock()
		defer t.mu.Unlock()
		t.ended = true
		if !committed {
			s.undo(context.WithoutCancel(ctx))
		}
	}()
	if s.copied {
		if _, err := w.exec("SAVEPOINT unchanged"); err != nil {
			return err
		}
	}
	if err := do(context.WithValue(ctx, txKey{s}, t)); err != nil {
		return err
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true // no straggler writes past this point
	if t.failed != nil {
		return t.failed
	}
	changed, err := w.changedRecords()
	if err != nil {
		return err
	}
	if _, err := w.exec("COMMIT"); err != nil {
		return err
	}
	committed = true
	s.records.apply(changed)
	return nil
}

// undo rolls back the transaction that is open. Because that would start a backup
// over, the transaction goes back to its beginning while one is made, and commits
// what was there before.
func (s *Store) undo(ctx context.Context) {
	if s.copied {
		if _, err := s.conn.ExecContext(ctx, "ROLLBACK TO unchanged"); err == nil {
			if _, err := s.conn.ExecContext(ctx, "COMMIT"); err == nil {
				return
			}
		}
	}
	// SQLite may have rolled back by itself; then this says so and is fine.
	_, _ = s.conn.ExecContext(ctx, "ROLLBACK")
}

// exec runs one statement that writes and returns how many rows it changed. It
// ends with the context only before it began: an interrupted write would roll
// back the whole transaction under the feet of its owner.
func (w *work) exec(query string, args ...any) (int64, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	st, err := w.s.prepared(w.ctx, query)
	if err != nil {
		return 0, w.failed(err)
	}
	r, err := st.ExecContext(context.WithoutCancel(w.ctx), args...)
	if err != nil {
		return 0, w.failed(err)
	}
	n, err := r.RowsAffected()
	if w.tx != nil && n > 0 {
		w.tx.wrote = true
	}
	return n, w.failed(err)
}

// failed translates an error. One that is no refusal by a constraint ends the
// transaction, because SQLite may have rolled it back.
func (w *work) failed(err error) error {
	if err == nil {
		return nil
	}
	err = w.s.translate(w.ctx, err)
	if w.tx != nil && !isConstraint(err) {
		w.tx.failed = err
	}
	return err
}

// scanner reads the columns of one row.
type scanner func(dest ...any) error

// rows runs a query and calls each for every row. each may not use the
// connection: there is one.
func (w *work) rows(query string, args []any, each func(scan scanner) error) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	st, err := w.s.prepared(w.ctx, query)
	if err != nil {
		return w.failed(err)
	}
	rows, err := st.QueryContext(w.ctx, args...)
	if err != nil {
		return w.readFailed(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return fmt.Errorf("read a row: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return w.readFailed(err)
	}
	return rows.Close()
}

// readFailed translates the error of a query. One that the context interrupted
// leaves the transaction as it is.
func (w *work) readFailed(err error) error {
	if ended := w.ctx.Err(); ended != nil {
		return ended
	}
	return w.failed(err)
}

// row runs a query for one row and reports whether there is one.
func (w *work) row(query string, args []any, dest ...any) (bool, error) {
	found := false
	err := w.rows(query, args, func(scan scanner) error {
		found = true
		return scan(dest...)
	})
	return found, err
}

// list runs a query and returns its rows.
func list[T any](w *work, query string, args []any, read func(scan scanner) (T, error)) ([]T, error) {
	var all []T
	err := w.rows(query, args, func(scan scanner) error {
		row, err := read(scan)
		all = append(all, row)
		return err
	})
	return all, err
}

// one runs a query for one row, NotFound if there is none.
func one[T any](w *work, noun, query string, args []any, read func(scan scanner) (T, error)) (T, error) {
	all, err := list(w, query, args, read)
	if err != nil || len(all) == 0 {
		var none T
		if err == nil {
			err = portal.ErrNotFound(noun)
		}
		return none, err
	}
	return all[0], nil
}

// readOne and readList are a whole read: the turn, the query, the rows.
func readOne[T any](ctx context.Context, s *Store, noun, query string, args []any, read func(scan scanner) (T, error)) (v T, err error) {
	err = s.read(ctx, func(w *work) error {
		v, err = one(w, noun, query, args, read)
		return err
	})
	return v, err
}

func readList[T any](ctx context.Context, s *Store, query string, args []any, read func(scan scanner) (T, error)) (all []T, err error) {
	err = s.read(ctx, func(w *work) error {
		all, err = list(w, query, args, read)
		return err
	})
	return all, err
}

// writeOne runs one statement that must change a row, NotFound if it does not.
func (s *Store) writeOne(ctx context.Context, noun, query string, args ...any) error {
	return s.write(ctx, func(w *work) error { return w.execOne(noun, query, args...) })
}

func (w *work) execOne(noun, query string, args ...any) error {
	n, err := w.exec(query, args...)
	if err == nil && n == 0 {
		return portal.ErrNotFound(noun)
	}
	return err
}

// prepared returns the statement of a text.
func (s *Store) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.stmts[query]; ok {
		return st, nil
	}
	if len(s.stmts) >= maxStatements {
		s.forgetStatements()
	}
	st, err := s.conn.PrepareContext(context.WithoutCancel(ctx), query)
	if err != nil {
		return nil, err
	}
	s.stmts[query] = st
	return st, nil
}

func (s *Store) forgetStatements() {
	for _, st := range s.stmts {
		_ = st.Close() // it was read to its end; there is nothing to lose
	}
	clear(s.stmts)
}

// marks returns n question marks in brackets, (?,?).
func marks(n int) string { return "(" + strings.Repeat("?,", n-1) + "?)" }

// anyOf returns what stands after "IN" and its one argument. Several values are
// passed as one list in JSON: SQLite takes 32,766 arguments, and a person may have
// made more tokens. One value is found faster, and in order, without a list.
func anyOf(values []string) (string, any) {
	if len(values) == 1 {
		return "(?)", values[0]
	}
	return "(SELECT value FROM json_each(?))", asJSON{&values}
}

// chunks calls do with parts of rows whose lengths are powers of two, at most
// limit, so that few texts of statements come about.
func chunks[T any](rows []T, limit int, do func(part []T) error) error {
	for len(rows) > 0 {
		n := 1
		for n*2 <= min(len(rows), limit) {
			n *= 2
		}
		if err := do(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// idle is a read of nothing: it fails where a read would.
func (s *Store) idle(ctx context.Context) error {
	return s.read(ctx, func(*work) error { return nil })
}
