package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/config"
	"github.com/gatehouse-portal/gatehouse/backend/mail"
	"github.com/gatehouse-portal/gatehouse/backend/mongo"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/web"
)

// checkWithin bounds each check that asks another machine.
const checkWithin = 15 * time.Second

// check is `gatehouse check`.
type check struct{}

// finding is the outcome of one check: what was found, or what is wrong. A
// warning does not keep a server from starting.
type finding struct {
	what    string
	found   string
	wrong   error
	warning bool
}

// Run makes the checks of a start, prints each with a mark, and fails if one
// does. It changes nothing, but that to open an old SQLite file brings its
// schema up to date.
func (check) Run(ctx context.Context, sh *shell) error {
	c, err := config.Load(sh.environ)
	if err != nil { // the checks that ask others would guess
		_, err = config.Load(sh.environ, config.KeyFile, config.CatalogueFile)
		tell(sh, finding{what: "settings", wrong: err})
		return errSilent
	}
	served := servedAt(ctx, c)
	failed := false
	for _, look := range []func(context.Context, config.Config, []string) finding{
		checkSettings, checkKeys, checkCatalogue, checkDatabase, checkMail, checkListen, checkPortal,
	} {
		f := look(ctx, c, served)
		tell(sh, f)
		failed = failed || f.wrong != nil && !f.warning
	}
	if failed {
		return errSilent
	}
	return nil
}

// servedAt returns what the servers of these settings on this machine say of
// themselves.
func servedAt(ctx context.Context, c config.Config) []string {
	list, _ := sockets(c)
	var served []string
	for _, socket := range list {
		if told, is, _ := ask(ctx, socket, "status", nil); is {
			served = append(served, told)
		}
	}
	return served
}

func tell(sh *shell, f finding) {
	mark, lines := "ok", []string{f.found}
	if f.wrong != nil {
		mark, lines = "FAILED", sentences(f.wrong)
		if f.warning {
			mark = "note"
		}
	}
	for _, line := range lines {
		fmt.Fprintf(sh.out, "%-7s %-10s %s\n", mark, f.what, line)
	}
}

func checkSettings(_ context.Context, c config.Config, _ []string) finding {
	found := "the public URL is " + c.PublicURL
	if c.Loopback {
		found += ", for this machine only"
	}
	return finding{what: "settings", found: found}
}

func checkKeys(_ context.Context, c config.Config, _ []string) finding {
	f := finding{what: "keys"}
	keys, err := secret.LoadKeys(c.Keys)
	switch {
	case err == nil:
		f.found = fmt.Sprintf("%s has %s; in use is %s", c.Keys, counted(len(keys.KeyIDs()), "pepper"), keys.KeyID())
		if id, from := keys.Waiting(); id != "" {
			f.found += fmt.Sprintf(", and %s from %s on", id, from.UTC().Format(time.RFC3339))
		}
	case errors.Is(err, fs.ErrNotExist) && mayMakeKeys(c):
		f.found, f.wrong = c.Keys+" is made at the first start", writable(filepath.Dir(c.Keys))
	case errors.Is(err, fs.ErrNotExist):
		f.wrong = errKeysMissing(c)
	default:
		f.wrong = err
	}
	return f
}

func checkCatalogue(_ context.Context, c config.Config, _ []string) finding {
	f := finding{what: "catalogue"}
	catalogue, err := c.LoadCatalogue()
	if f.wrong = err; err == nil {
		from := "the embedded example"
		if c.Catalogue != "" {
			from = c.Catalogue
		}
		f.found = fmt.Sprintf("%s has %d abilities", from, len(catalogue.Abilities))
	}
	return f
}

func checkDatabase(ctx context.Context, c config.Config, served []string) finding {
	f := finding{what: "database"}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	if c.MongoDB != "" {
		s, err := mongo.Open(ctx, c.MongoDB, mongo.WithoutMigration())
		var outdated *mongo.OutdatedError
		if errors.As(err, &outdated) {
			f.found = fmt.Sprintf("MongoDB is a replica set and answers; a start brings it from schema version %d to %d", outdated.Has, outdated.Needs)
			return f
		}
		if f.wrong = err; err == nil {
			f.found = "MongoDB is a replica set, answers, and is at the version of this program"
			f.wrong = errors.Join(fitting(ctx, c, s), s.Close())
		}
		return f
	}
	if len(served) > 0 {
		f.found = c.SQLite + " is open in a running server, which says that it is ready"
		_, _, f.wrong = ask(ctx, socketOf(c), "status", nil)
		return f
	}
	if info, err := os.Stat(c.SQLite); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		f.found, f.wrong = c.SQLite+" is made at the first start", writable(filepath.Dir(c.SQLite))
		return f
	}
	s, _, err := openStore(ctx, c)
	if f.wrong = err; err == nil {
		f.found = c.SQLite + " opens and is at the version of this program"
		f.wrong = errors.Join(s.Ready(ctx), fitting(ctx, c, s), s.Close())
	}
	return f
}

// fitting fails if the key file can be read and does not belong to the database.
func fitting(ctx context.Context, c config.Config, s portal.Store) error {
	keys, err := secret.LoadKeys(c.Keys)
	if err != nil {
		return nil // told already
	}
	return portal.CheckKeys(ctx, s, keys)
}

func checkMail(ctx context.Context, c config.Config, _ []string) finding {
	if c.Outbox != "" {
		return finding{what: "mail", found: "mails stay in " + c.Outbox + " and are shown to this machine at " + c.PublicURL + "/outbox", wrong: writable(c.Outbox)}
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	f := finding{what: "mail", found: c.SMTP.String() + " answers and takes mail from us"}
	if err := mail.NewSMTP(c.SMTP, c.MailFrom).Reach(ctx); err != nil {
		f.wrong = fmt.Errorf("the mail server cannot be used: %w", err)
	}
	return f
}

func checkListen(_ context.Context, c config.Config, served []string) finding {
	f := finding{what: "listen", found: c.Listen + " is free"}
	if slices.Contains(served, servingAt(c)) {
		f.found = "a running server of these settings listens at " + c.Listen
		return f
	}
	for setting, address := range map[string]string{"GATEHOUSE_LISTEN": c.Listen, "GATEHOUSE_METRICS_LISTEN": c.MetricsListen} {
		if address == "" {
			continue
		}
		var l net.Listener
		if l, f.wrong = listen(setting, address); f.wrong != nil {
			return f
		}
		f.wrong = l.Close()
	}
	return f
}

func checkPortal(context.Context, config.Config, []string) finding {
	m, err := web.ReadManifest(web.Dist())
	return finding{what: "portal", found: "built in, version " + m.Version, wrong: err, warning: true}
}

// counted writes a number of things.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// writable reports whether a directory, or the nearest one above it that is
// there, lets this user make files.
func writable(dir string) error {
	for {
		info, err := os.Stat(dir)
		switch {
		case err == nil && !info.IsDir():
			return fmt.Errorf("%s is not a directory", dir)
		case err == nil:
			f, err := os.CreateTemp(dir, ".gatehouse-check-*")
			if err != nil {
				return fmt.Errorf("nothing can be written to the directory %s: %s", dir, reason(err))
			}
			return errors.Join(f.Close(), os.Remove(f.Name()))
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("the directory %s cannot be used: %s", dir, reason(err))
		}
		dir = filepath.Dir(dir)
	}
}

// reason is what the system says, without the names that a sentence has already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return strings.TrimSpace(err.Error())
}
