package cmd

import (
	"context"
	"fmt"
	"os"

	"github.com/gatehouse-portal/gatehouse/backend/config"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// keysInit is `gatehouse keys init`.
type keysInit struct{}

// Run makes the key file.
func (keysInit) Run(sh *shell) error {
	c, err := config.Load(sh.environ)
	if err != nil {
		return err
	}
	if _, err := secret.InitKeys(c.Keys); err != nil {
		return err
	}
	fmt.Fprintf(sh.out, "Made %s. Keep a copy apart from the database, and give every node the same file.\n", c.Keys)
	return nil
}

// keysRotate is `gatehouse keys rotate`.
type keysRotate struct{}

// Run adds a pepper and tells the servers of this machine.
//
// A server on SQLite adds it itself. With MongoDB there may be several, each
// with a socket of its own beside the key file that they share; those on other
// machines notice when their file changes.
func (keysRotate) Run(ctx context.Context, sh *shell) error {
	c, err := config.Load(sh.environ, config.KeyFile)
	if err != nil {
		return err
	}
	if c.SQLite != "" {
		if told, served, err := ask(ctx, socketOf(c), "keys-rotate", nil); served || err != nil {
			fmt.Fprint(sh.out, told)
			return err
		}
	}
	keys, err := secret.LoadKeys(c.Keys)
	if err != nil {
		return err
	}
	id, err := keys.AddPepper()
	if err != nil {
		return err
	}
	fmt.Fprintf(sh.out, "Added the pepper %s to %s. Tokens are re-keyed at their next use; older peppers stay for those that were not used yet.\n", id, c.Keys)
	if c.MongoDB == "" {
		return nil
	}
	servers, err := sockets(c)
	if err != nil {
		return err
	}
	told := 0
	for _, socket := range servers {
		switch _, served, err := ask(ctx, socket, "keys-reload", nil); {
		case err != nil:
			return fmt.Errorf("the server at %s did not load the new pepper: %w", socket, err)
		case served:
			told++
		default: // left by a server that was killed
			_ = os.Remove(socket)
		}
	}
	fmt.Fprintf(sh.out, "Servers on this machine that have loaded it: %d. Copy the file to the other nodes; they load it within seconds, or on SIGHUP.\n", told)
	return nil
}

func rotateKeys(_ context.Context, n *node, _ []string) (string, error) {
	id, err := n.keys.AddPepper()
	if err != nil {
		return "", err
	}
	n.log.Info("pepper added", "key_id", id)
	return fmt.Sprintf("Added the pepper %s to %s, and the running server uses it. Tokens are re-keyed at their next use; older peppers stay for those that were not used yet.\n", id, n.config.Keys), nil
}

func reloadKeys(_ context.Context, n *node, _ []string) (string, error) {
	before := n.keys.KeyID()
	if err := n.keys.Reload(); err != nil {
		return "", err
	}
	if id := n.keys.KeyID(); id != before {
		n.log.Info("key file loaded again", "key_id", id)
	}
	return "Loaded the key file.\n", nil
}
