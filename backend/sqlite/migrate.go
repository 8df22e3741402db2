package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step of the schema. Steps are numbered from 1 without gaps
// and never change once they were released.
type migration struct {
	version int
	name    string
	sql     string
}

// migrations reads the steps, in their order.
func migrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []migration
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		base := strings.TrimSuffix(strings.TrimPrefix(name, "migrations/"), ".sql")
		number, title, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: want number %d", name, i+1)
		}
		all = append(all, migration{version, title, string(text)})
	}
	return all, nil
}

// migrate brings the schema up to date, each step in a transaction of its own.
// What was done before is not done again.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := migrations(migrationFiles)
	if err != nil {
		return err
	}
	return s.migrateWith(ctx, steps)
}

func (s *Store) migrateWith(ctx context.Context, steps []migration) error {
	version, err := s.schemaVersion(ctx)
	if err != nil {
		return err
	}
	if version > len(steps) {
		return newer(version, len(steps))
	}
	for _, m := range steps[version:] {
		if err := s.step(ctx, m); err != nil {
			return fmt.Errorf("migration %d %s: %w", m.version, m.name, err)
		}
	}
	return nil
}

func newer(version, known int) error {
	return fmt.Errorf("it was written by a newer Gatehouse (schema %d, this one knows %d): start that version again, or restore a backup from before the update", version, known)
}

// OutdatedError says that the schema of a database is older than this program.
type OutdatedError struct {
	Has, Needs int // versions; Has is 0 for an empty file
}

func (e *OutdatedError) Error() string {
	return fmt.Sprintf("the database has schema version %d, and this program needs %d: run gatehouse migrate", e.Has, e.Needs)
}

// checkVersion fails unless the schema is that of this program.
func (s *Store) checkVersion(ctx context.Context) error {
	steps, err := migrations(migrationFiles)
	if err != nil {
		return err
	}
	version, err := s.schemaVersion(ctx)
	switch {
	case err != nil:
		return err
	case version > len(steps):
		return newer(version, len(steps))
	case version < len(steps):
		return &OutdatedError{Has: version, Needs: len(steps)}
	}
	return nil
}

func (s *Store) step(ctx context.Context, m migration) (err error) {
	exec := func(query string, args ...any) {
		if err == nil {
			_, err = s.conn.ExecContext(ctx, query, args...)
		}
	}
	exec("BEGIN IMMEDIATE")
	exec(`CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`)
	exec(m.sql)
	exec(`INSERT INTO schema_version (version, name, applied_at) VALUES (?, ?, ?)`, m.version, m.name, time.Now().UnixMilli())
	exec("COMMIT")
	if err != nil {
		_, _ = s.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // err says more
	}
	return err
}

// schemaVersion returns the number of the newest step that was done, 0 for an
// empty file. A database of something else is refused.
func (s *Store) schemaVersion(ctx context.Context) (int, error) {
	var tables, ours, version int
	// The first access of the file: this is where another process is noticed.
	err := s.conn.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE name = 'schema_version') FROM sqlite_schema WHERE type = 'table'`).
		Scan(&tables, &ours)
	if err != nil {
		return 0, err
	}
	if ours == 0 {
		if tables > 0 {
			return 0, fmt.Errorf("it is a SQLite database of another program: point GATEHOUSE_DATABASE at another file")
		}
		return 0, nil
	}
	err = s.conn.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&version)
	return version, err
}
