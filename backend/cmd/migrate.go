package cmd

import (
	"context"
	"fmt"

	"github.com/gatehouse-portal/gatehouse/backend/config"
)

// migrate is `gatehouse migrate`.
type migrate struct{}

// Run opens the database, which brings it up to date.
func (migrate) Run(ctx context.Context, sh *shell) error {
	c, err := config.Load(sh.environ)
	if err != nil {
		return err
	}
	if c.SQLite != "" {
		if _, served, err := ask(ctx, socketOf(c), "status", nil); served && err == nil {
			fmt.Fprintln(sh.out, "The database is open in a server of this version or later, which has migrated it.")
			return nil
		}
	}
	s, _, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	fmt.Fprintln(sh.out, "The database is at the version of this program.")
	return nil
}
