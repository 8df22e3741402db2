package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
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
	"github.com/gatehouse-portal/gatehouse/backend/sqlite"
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

// surroundings are what the checks look at.
type surroundings struct {
	config config.Config
	wrong  error    // mistakes in the settings
	served []string // what the servers of these settings on this machine say of themselves
}

// Run makes the checks of a start, prints each with a mark, and fails if one
// does. What is wrong with a setting hides no other check. It changes nothing:
// an old schema stays as it is.
func (check) Run(ctx context.Context, sh *shell) error {
	s := surroundings{}
	s.config, s.wrong = config.Load(sh.environ)
	s.served = servedAt(ctx, s.config)
	failed := false
	for _, look := range []func(context.Context, surroundings) []finding{
		checkSettings, checkKeys, checkCatalogue, checkDatabase, checkMail, checkListeners, checkPortal,
	} {
		for _, f := range look(ctx, s) {
			tell(sh, f)
			failed = failed || f.wrong != nil && !f.warning
		}
	}
	if failed {
		return errSilent
	}
	return nil
}

// understood reports that a setting has no mistake, so that what it names can be
// looked at.
func (s surroundings) understood(setting string) bool {
	var wrong config.Mistakes
	errors.As(s.wrong, &wrong)
	return !slices.ContainsFunc(wrong, func(m config.Mistake) bool {
		return m.Where == setting || m.Where == setting+"_FILE"
	})
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

func checkSettings(_ context.Context, s surroundings) []finding {
	found := "the public URL is " + s.config.PublicURL
	if s.config.Loopback {
		found += ", for this machine only"
	}
	return []finding{{what: "settings", found: found, wrong: s.wrong}}
}

func checkKeys(_ context.Context, s surroundings) []finding {
	c, f := s.config, finding{what: "keys"}
	keys, err := secret.LoadKeys(c.Keys)
	switch {
	case err == nil:
		f.found = fmt.Sprintf("%s has %s; in use is %s", c.Keys, counted(len(keys.KeyIDs()), "pepper", "peppers"), keys.KeyID())
		if id, from := keys.Waiting(); id != "" {
			f.found += fmt.Sprintf(", and %s from %s on", id, from.UTC().Format(time.RFC3339))
		}
	case errors.Is(err, fs.ErrNotExist) && !s.understood("GATEHOUSE_DATABASE"):
		f.found = c.Keys + " is not there yet"
	case errors.Is(err, fs.ErrNotExist) && mayMakeKeys(c):
		f.found, f.wrong = c.Keys+" is made at the first start", writable(filepath.Dir(c.Keys))
	case errors.Is(err, fs.ErrNotExist):
		f.wrong = errKeysMissing(c)
	default:
		f.wrong = err
	}
	return []finding{f}
}

func checkCatalogue(_ context.Context, s surroundings) []finding {
	f := finding{what: "catalogue"}
	catalogue, err := s.config.LoadCatalogue()
	if f.wrong = err; err == nil {
		from := "the embedded example"
		if s.config.Catalogue != "" {
			from = s.config.Catalogue
		}
		f.found = fmt.Sprintf("%s has %s", from, counted(len(catalogue.Abilities), "ability", "abilities"))
	}
	return []finding{f}
}

func checkDatabase(ctx context.Context, s surroundings) []finding {
	if !s.understood("GATEHOUSE_DATABASE") {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	if s.config.MongoDB != "" {
		return checkMongoDB(ctx, s.config)
	}
	return []finding{checkSQLite(ctx, s)}
}

func checkMongoDB(ctx context.Context, c config.Config) []finding {
	f := finding{what: "database"}
	s, err := mongo.Open(ctx, c.MongoDB, mongo.WithoutMigration())
	if outdated, is := errors.AsType[*mongo.OutdatedError](err); is {
		f.found = fmt.Sprintf("MongoDB is a replica set and answers; a start brings it from schema version %d to %d", outdated.Has, outdated.Needs)
		return []finding{f}
	}
	if err != nil {
		f.wrong = err
		return []finding{f}
	}
	advice := s.Advice(ctx)
	f.found = "MongoDB is a replica set, answers, and is at the version of this program"
	f.wrong = errors.Join(fitting(ctx, c, s), s.Close())
	if advice == "" {
		return []finding{f}
	}
	return []finding{f, {what: f.what, wrong: errors.New(advice), warning: true}}
}

func checkSQLite(ctx context.Context, s surroundings) finding {
	c, f := s.config, finding{what: "database"}
	if len(s.served) > 0 {
		f.found = c.SQLite + " is open in a running server, which says that it is ready"
		_, _, f.wrong = ask(ctx, socketOf(c), "status", nil)
		return f
	}
	folder := writable(filepath.Dir(c.SQLite))
	if info, err := os.Stat(c.SQLite); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		f.found, f.wrong = c.SQLite+" is made at the first start", folder
		return f
	}
	store, err := sqlite.Open(ctx, c.SQLite, sqlite.WithoutMigration())
	if outdated, is := errors.AsType[*sqlite.OutdatedError](err); is {
		f.found = fmt.Sprintf("%s opens; a start brings it from schema version %d to %d", c.SQLite, outdated.Has, outdated.Needs)
		f.wrong = folder
		return f
	}
	if f.wrong = err; err == nil {
		f.found = c.SQLite + " opens and is at the version of this program"
		f.wrong = errors.Join(folder, store.Ready(ctx), fitting(ctx, c, store), store.Close())
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

func checkMail(ctx context.Context, s surroundings) []finding {
	c := s.config
	switch {
	case !s.understood("GATEHOUSE_MAIL"):
		return nil
	case c.Outbox != "":
		return []finding{{what: "mail", found: "mails stay in " + c.Outbox + " and are shown to this machine at " + c.PublicURL + "/outbox", wrong: writable(c.Outbox)}}
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	f := finding{what: "mail", found: c.SMTP.String() + " answers and takes mail from us"}
	if err := mail.NewSMTP(c.SMTP, c.MailFrom).Reach(ctx); err != nil {
		f.wrong = fmt.Errorf("the mail server cannot be used: %w", err)
	}
	return []finding{f}
}

func checkListeners(ctx context.Context, s surroundings) []finding {
	c := s.config
	serves := slices.Contains(s.served, servingAt(c)) || sameDeployment(ctx, c)
	var all []finding
	for _, l := range []struct{ setting, address string }{
		{"GATEHOUSE_LISTEN", c.Listen}, {"GATEHOUSE_METRICS_LISTEN", c.MetricsListen},
	} {
		if l.address == "" || !s.understood(l.setting) {
			continue
		}
		f := finding{what: "listen", found: l.address + " is free"}
		free, err := listen(l.setting, l.address)
		_, taken := errors.AsType[*takenError](err)
		switch {
		case err == nil:
			f.wrong = free.Close()
		case taken && serves:
			f.found = "a running server of these settings listens at " + l.address
		default:
			f.wrong = err
		}
		all = append(all, f)
	}
	return all
}

// sameDeployment reports that a Gatehouse of the same public URL serves where the
// settings say. In a container, beside a key file that it only may read, it has
// no socket to ask at.
func sameDeployment(ctx context.Context, c config.Config) bool {
	status, body, err := getFrom(ctx, c.Listen, "/.well-known/oauth-protected-resource")
	var about struct {
		Resource string `json:"resource"`
		Name     string `json:"resource_name"`
	}
	return err == nil && status == http.StatusOK && json.Unmarshal(body, &about) == nil &&
		about.Resource == c.PublicURL && about.Name == "Gatehouse"
}

func checkPortal(context.Context, surroundings) []finding {
	m, err := web.ReadManifest(web.Dist())
	return []finding{{what: "portal", found: "built in, version " + m.Version, wrong: err, warning: true}}
}

// counted writes a number of things.
func counted(n int, singular, plural string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %s", n, plural)
}

const someRoom = 64 << 10 // bytes; a full disk has less

// writable reports whether a directory, or the nearest one above it that is
// there, lets this user make files, and has room for one.
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
			_, err = f.Write(make([]byte, someRoom))
			if err = errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
				return fmt.Errorf("nothing can be written to the directory %s: %s", dir, reason(err))
			}
			return nil
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
