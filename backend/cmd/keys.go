package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/config"
	"github.com/gatehouse-portal/gatehouse/backend/mongo"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// keysInit is `gatehouse keys init`.
type keysInit struct{}

// Run makes the key file, unless there is one, or the database has data that
// other keys protect: no start would take the new file.
func (keysInit) Run(ctx context.Context, sh *shell) error {
	c, err := config.Load(sh.environ)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(c.Keys); errors.Is(err, fs.ErrNotExist) {
		if err := refuseFilled(ctx, c, sh.err); err != nil {
			return err
		}
	}
	if _, err := secret.InitKeys(c.Keys); err != nil {
		return err
	}
	fmt.Fprintf(sh.out, "Made %s. Keep a copy apart from the database, and give every node the same file.\n", c.Keys)
	return nil
}

// refuseFilled refuses new keys for a database with data. One that cannot be
// asked is named to the operator: it may come later than the keys, and a start
// looks again.
func refuseFilled(ctx context.Context, c config.Config, notes io.Writer) error {
	if c.SQLite != "" {
		if !mayMakeKeys(c) {
			return errKeysMissing(c)
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	filled, err := mongo.Filled(ctx, c.MongoDB)
	if err != nil {
		fmt.Fprintf(notes, "gatehouse: note: the database was not asked whether it has keys already: %s\n", strings.Join(sentences(err), " "))
	}
	if filled {
		return fmt.Errorf("the database has data already, which keys other than new ones protect: put the key file of a running node, or a copy of it, at %s, or name an empty database to start anew", c.Keys)
	}
	return nil
}

// keysSave is `gatehouse keys save FILE`.
type keysSave struct {
	File string `arg:"" help:"Where the keys are written. It must not be there yet."`
}

// Run has a server of this machine write down its keys.
func (k keysSave) Run(ctx context.Context, sh *shell) error {
	c, err := config.Load(sh.environ)
	if err != nil {
		return err
	}
	path, err := filepath.Abs(k.File) // the server may have another working directory
	if err != nil {
		return fmt.Errorf("the keys cannot be written: %w", err)
	}
	servers, err := sockets(c)
	if err != nil {
		return err
	}
	for _, socket := range servers {
		if told, served, err := ask(ctx, socket, "keys-save", []string{path}); served || err != nil {
			fmt.Fprint(sh.out, told)
			return err
		}
	}
	return errors.New("no server of these settings runs on this machine, so nobody has the keys in memory")
}

func saveKeys(_ context.Context, n *node, arguments []string) (string, error) {
	if err := n.keys.Save(arguments[0]); err != nil {
		return "", err
	}
	return fmt.Sprintf("Wrote the keys of the running server to %s.\n", arguments[0]), nil
}

// rotationNotice is how long a new pepper waits with MongoDB unless told
// otherwise: time to give every node the file.
const rotationNotice = 10 * time.Minute

// keysRotate is `gatehouse keys rotate`.
type keysRotate struct {
	ActiveIn *time.Duration `help:"How long the new pepper is only accepted, before it is used: by then every node needs the file. 10m with MongoDB; with SQLite one process owns everything, so at once." placeholder:"DURATION"`
}

// Run adds a pepper and tells the servers of this machine.
//
// A server on SQLite adds it itself. With MongoDB there may be several, each
// with a socket of its own beside the key file that they share; those on other
// machines notice when their file changes.
func (r keysRotate) Run(ctx context.Context, sh *shell) error {
	c, err := config.Load(sh.environ, config.KeyFile)
	if err != nil {
		return err
	}
	wait := time.Duration(0)
	switch {
	case r.ActiveIn != nil:
		wait = *r.ActiveIn
	case c.MongoDB != "":
		wait = rotationNotice
	}
	if wait < 0 {
		return misuse("--active-in is a duration such as 10m or 24h, or 0")
	}
	if c.SQLite != "" {
		if told, served, err := ask(ctx, socketOf(c), "keys-rotate", []string{wait.String()}); served || err != nil {
			fmt.Fprint(sh.out, told)
			return err
		}
	}
	keys, err := secret.LoadKeys(c.Keys)
	if err != nil {
		return err
	}
	told, err := addPepper(keys, c.Keys, wait)
	if err != nil {
		return err
	}
	fmt.Fprint(sh.out, told)
	if c.MongoDB == "" {
		return nil
	}
	loaded, err := tellServers(ctx, c)
	if err != nil {
		return err
	}
	fmt.Fprintf(sh.out, "Servers on this machine that have loaded it: %d. Copy the file to the other nodes now; they load it within seconds, or on SIGHUP.\n", loaded)
	return nil
}

// addPepper adds a pepper that is used after a while, and says so.
func addPepper(keys *secret.Keys, path string, wait time.Duration) (string, error) {
	var from time.Time
	if wait > 0 {
		from = time.Now().UTC().Add(wait).Truncate(time.Second)
	}
	id, err := keys.AddPepper(from)
	if err != nil {
		return "", err
	}
	const after = "Tokens are re-keyed at their next use; older peppers stay for those that were not used yet.\n"
	if wait == 0 {
		return fmt.Sprintf("Added the pepper %s to %s. %s", id, path, after), nil
	}
	return fmt.Sprintf("Added the pepper %s to %s. It is accepted from now on, and used from %s on: by then every node needs this file. %s",
		id, path, from.Format(time.RFC3339), after), nil
}

// tellServers has the servers of this machine load the key file, and returns how
// many have.
func tellServers(ctx context.Context, c config.Config) (loaded int, err error) {
	servers, err := sockets(c)
	if err != nil {
		return 0, err
	}
	for _, socket := range servers {
		switch _, served, err := ask(ctx, socket, "keys-reload", nil); {
		case err != nil:
			return loaded, fmt.Errorf("the server at %s did not load the new pepper: %w", socket, err)
		case served:
			loaded++
		default: // left by a server that was killed
			_ = os.Remove(socket)
		}
	}
	return loaded, nil
}

// rotateKeys adds a pepper; its argument is how long that waits.
func rotateKeys(ctx context.Context, n *node, arguments []string) (string, error) {
	wait, err := time.ParseDuration(arguments[0])
	if err != nil {
		return "", fmt.Errorf("a duration is needed: %w", err)
	}
	told, err := addPepper(n.keys, n.config.Keys, wait)
	if err != nil {
		return "", err
	}
	n.tellOfPeppers("pepper added")
	if err := portal.MarkKeys(ctx, n.store, n.keys); err != nil { // the watch tries again
		n.log.Error("the database could not be told of a new pepper", "error", err)
	}
	return told + "The running server has it.\n", nil
}

func reloadKeys(_ context.Context, n *node, _ []string) (string, error) {
	before := n.keys.KeyIDs()
	if err := n.keys.Reload(); err != nil {
		return "", err
	}
	if !slices.Equal(before, n.keys.KeyIDs()) {
		n.tellOfPeppers("key file loaded again")
	}
	return "Loaded the key file.\n", nil
}

// tellOfPeppers logs which pepper is used, and which one waits.
func (n *node) tellOfPeppers(message string) {
	attributes := []any{"key_id", n.keys.KeyID()}
	if id, from := n.keys.Waiting(); id != "" {
		attributes = append(attributes, "next_key_id", id, "active_from", from)
	}
	n.log.Info(message, attributes...)
}
