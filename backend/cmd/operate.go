package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse-portal/gatehouse/backend/config"
)

// operation is something that an operator asks of whoever has the store open.
type operation struct {
	needs int // arguments, at least
	// do returns what is told, lines of text.
	do func(ctx context.Context, n *node, arguments []string) (told string, err error)
}

// operations is every operation by its name on the socket.
func operations() map[string]operation {
	return map[string]operation{
		"admin-grant":         {1, grantAdmin},
		"admin-platform-team": {1, markPlatformTeam},
		"backup":              {1, backUp},
		"demo":                {0, fillDemo},
		"keys-reload":         {0, reloadKeys},
		"keys-save":           {1, saveKeys},
		"keys-rotate":         {1, rotateKeys},
		"prune":               {0, pruneStore},
		"status":              {0, showStatus},
	}
}

// operate has an operation done by the server that owns the SQLite file, or
// here if none runs, and prints what is told.
func operate(ctx context.Context, sh *shell, name string, arguments ...string) error {
	c, err := config.Load(sh.environ, config.KeyFile, config.CatalogueFile)
	if err != nil {
		return err
	}
	told, err := operateWith(ctx, sh, c, name, arguments)
	if told != "" {
		fmt.Fprintln(sh.out, strings.TrimRight(told, "\n"))
	}
	return err
}

func operateWith(ctx context.Context, sh *shell, c config.Config, name string, arguments []string) (string, error) {
	if c.SQLite != "" {
		if told, served, err := ask(ctx, socketOf(c), name, arguments); served || err != nil {
			return told, err
		}
	}
	n, err := open(ctx, c, newLog(sh.err, sh.terminal))
	if err != nil {
		return "", err
	}
	told, err := operations()[name].do(ctx, n, arguments)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWithin)
	defer cancel()
	if wrong := n.close(ending); err == nil {
		err = wrong
	}
	return told, err
}

// showStatus says where the server serves, so that gatehouse check knows whose
// listener it met.
func showStatus(ctx context.Context, n *node, _ []string) (string, error) {
	return servingAt(n.config), n.store.Ready(ctx)
}

func servingAt(c config.Config) string { return "serving at " + c.Listen }
