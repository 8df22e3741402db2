package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gatehouse-portal/gatehouse/backend/config"
	"github.com/gatehouse-portal/gatehouse/backend/sqlite"
)

// backup is `gatehouse backup FILE`.
type backup struct {
	File string `arg:"" help:"Where the copy is written. It must not be there yet."`
}

// Run has whoever owns the SQLite file copy it. The server may have another
// working directory, so it is told the whole path.
func (b backup) Run(ctx context.Context, sh *shell) error {
	c, err := config.Load(sh.environ)
	if err != nil {
		return err
	}
	if c.SQLite == "" {
		return errNoBackup
	}
	path, err := filepath.Abs(b.File)
	if err != nil {
		return fmt.Errorf("the backup cannot be written: %w", err)
	}
	return operate(ctx, sh, "backup", path)
}

var errNoBackup = errors.New("with MongoDB a backup is made by its own tools, such as mongodump or snapshots of the volume")

func backUp(ctx context.Context, n *node, arguments []string) (string, error) {
	s, ok := n.store.(*sqlite.Store)
	if !ok {
		return "", errNoBackup
	}
	if err := s.Backup(ctx, arguments[0]); err != nil {
		return "", err
	}
	return fmt.Sprintf("Copied the database to %s. Keep a copy of the key file %s too, in another place: the one is of no use without the other.", arguments[0], n.config.Keys), nil
}
