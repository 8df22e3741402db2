package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Backup writes the whole database, as it is at one instant, into a new file that
// only its owner may read. Everybody else waits meanwhile: there is one
// connection. The error is a sentence for the operator.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // SQLite fills an empty one
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the file %s is there already: name a new one", path)
	}
	if err != nil {
		return fmt.Errorf("the backup cannot be written: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(fmt.Errorf("the backup %s was not made: %w", path, err), os.Remove(path))
		}
	}()
	err = s.read(ctx, func(w *work) error {
		_, err := w.exec("VACUUM INTO ?", path)
		return err
	})
	if err != nil {
		return err
	}
	return f.Sync() // of the file, whoever wrote it
}
