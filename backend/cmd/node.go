package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/config"
	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/backend/mail"
	"github.com/gatehouse-portal/gatehouse/backend/mongo"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/backend/sqlite"
)

// node is what a process needs to work on a store: the server, or a command
// that has the store for itself.
type node struct {
	config    config.Config
	log       *slog.Logger
	keys      *secret.Keys
	catalogue *portal.Catalogue
	store     portal.Store
	records   portal.RecordReader // nil: a coalescer over the store
	hasher    *secret.Hasher
	mails     *mail.Queue
	outbox    *mail.Outbox // nil with SMTP
	portal    *portal.Portal
	filling   atomic.Bool // with demo data
}

// open opens everything that the settings name. Its errors are sentences for
// the operator.
func open(ctx context.Context, c config.Config, log *slog.Logger) (_ *node, err error) {
	n := &node{config: c, log: log, hasher: secret.NewHasher()}
	if n.catalogue, err = c.LoadCatalogue(); err != nil {
		return nil, err
	}
	if n.keys, err = loadKeys(c, log); err != nil {
		return nil, err
	}
	if n.store, n.records, err = openStore(ctx, c); err != nil {
		return nil, err
	}
	if err := portal.MarkKeys(ctx, n.store, n.keys); err != nil {
		return nil, errors.Join(err, n.store.Close())
	}
	if err := n.openMail(); err != nil {
		return nil, errors.Join(err, n.store.Close())
	}
	n.portal = portal.New(portal.Options{
		Store: n.store, Catalogue: n.catalogue, Keys: n.keys, Hasher: n.hasher, Mailer: n.mails, Records: n.records,
		PublicURL: c.PublicURL, Log: log,
	})
	return n, nil
}

// close drains what waits, calls before mails, for as long as ctx lasts, and
// closes the store.
func (n *node) close(ctx context.Context) error {
	// A third of what is left at most for the mails: a person can ask for a mail
	// again, a call that was not recorded is gone.
	calls, cancel := ctx, context.CancelFunc(func() {})
	if ends, ok := ctx.Deadline(); ok {
		calls, cancel = context.WithDeadline(ctx, ends.Add(-time.Until(ends)/3))
	}
	defer cancel()
	var err error
	if wrong := n.portal.Close(calls); wrong != nil {
		err = fmt.Errorf("some calls could not be recorded before the end: %w", wrong)
	}
	if wrong := n.mails.Close(ctx); wrong != nil {
		err = errors.Join(err, fmt.Errorf("some mails could not be sent before the end: %w", wrong))
	}
	return errors.Join(err, n.store.Close())
}

// measured is what the metrics read.
func (n *node) measured() httpapi.MetricsOptions {
	o := httpapi.MetricsOptions{
		Portal: n.portal, Version: programVersion(), PasswordsQueue: n.hasher.Waiting,
		MailsQueue: n.mails.Waiting, MailsDelivered: n.mails.Delivered, MailsFailed: n.mails.Failed,
	}
	if s, ok := n.store.(interface{ FailedWrites() int64 }); ok {
		o.FailedWrites = s.FailedWrites
	}
	return o
}

// advise logs what the database's settings make worse than it need be.
func (n *node) advise(ctx context.Context) {
	if s, ok := n.store.(*mongo.Store); ok {
		if advice := s.Advice(ctx); advice != "" {
			n.log.Warn(advice)
		}
	}
}

// openStore opens the database, and returns how records are read exactly where
// the store knows better than a coalescer.
func openStore(ctx context.Context, c config.Config) (portal.Store, portal.RecordReader, error) {
	if c.MongoDB != "" {
		s, err := mongo.Open(ctx, c.MongoDB)
		if err != nil {
			return nil, nil, err
		}
		return s, nil, nil
	}
	s, err := sqlite.Open(ctx, c.SQLite)
	if err != nil {
		return nil, nil, err
	}
	return s, s.Records(), nil
}

// loadKeys reads the key file. With SQLite the first start makes it; later a
// missing one is refused, because with other keys no token and no session of the
// database would hold.
func loadKeys(c config.Config, log *slog.Logger) (*secret.Keys, error) {
	keys, err := secret.LoadKeys(c.Keys)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if !mayMakeKeys(c) {
		return nil, errKeysMissing(c)
	}
	if keys, err = secret.InitKeys(c.Keys); err != nil {
		return nil, err
	}
	log.Info("key file made; keep a copy of it apart from the database", "file", c.Keys)
	return keys, nil
}

// mayMakeKeys reports whether a start may make the key file: with SQLite, as
// long as there is nothing that other keys would have protected.
func mayMakeKeys(c config.Config) bool {
	if c.MongoDB != "" {
		return false
	}
	info, err := os.Stat(c.SQLite)
	if errors.Is(err, syscall.ENOTDIR) { // whoever opens the database says it better
		return true
	}
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}

func errKeysMissing(c config.Config) error {
	if c.MongoDB != "" {
		return fmt.Errorf("there is no key file %s, and with MongoDB it is not made by itself, because all nodes must share it: run gatehouse keys init once, and give every node the same file", c.Keys)
	}
	return fmt.Errorf("the database %s is there, but its key file %s is not: put back a copy of it, because without its keys no token and no session holds, or move the database away to start anew", c.SQLite, c.Keys)
}

func (n *node) openMail() error {
	var to mail.Deliverer = mail.NewSMTP(n.config.SMTP, n.config.MailFrom)
	if n.config.Outbox != "" {
		outbox, err := mail.OpenOutbox(n.config.Outbox, n.config.MailFrom)
		if err != nil {
			return fmt.Errorf("the outbox %s cannot be used: %w", n.config.Outbox, err)
		}
		n.outbox, to = outbox, outbox
	}
	n.mails = mail.NewQueue(to, n.log)
	return nil
}
