package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/config"
	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/web"
)

const (
	// shutdownWithin bounds everything between the signal and the end.
	shutdownWithin = 10 * time.Second
	// noticeWithin is how long the server still answers after it has said that it
	// is not ready, so that what balances the load can notice. Somebody at a
	// terminal does not wait for it.
	noticeWithin = time.Second
	// requestsWithin is how much of that the requests under way may take; the
	// rest is for the calls and mails that wait.
	requestsWithin = 6 * time.Second
)

// serve is `gatehouse serve`.
type serve struct {
	Demo bool `help:"Fill an empty store with demo data while it is served, and print whom to sign in as."`
}

// Run serves until a signal comes. What goes wrong before is one sentence each,
// as lines of the log when nobody is there to read.
func (v serve) Run(ctx context.Context, sh *shell) error {
	log := newLog(sh.err, sh.terminal)
	err := v.untilTold(ctx, sh, log)
	if err == nil || sh.terminal {
		return err
	}
	for _, s := range sentences(err) {
		log.Error(s)
	}
	return errSilent
}

func (v serve) untilTold(ctx context.Context, sh *shell, log *slog.Logger) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	c, err := config.Load(sh.environ, config.KeyFile, config.CatalogueFile)
	if err != nil {
		return err
	}
	opening, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan struct{})
	go func() { // a start that waits for its database can be told to stop too
		for {
			select {
			case s := <-signals:
				if s != syscall.SIGHUP { // no keys are loaded yet that could be loaded again
					cancel()
				}
			case <-stopped:
				return
			}
		}
	}()
	n, err := open(opening, c, log)
	close(stopped)
	if errors.Is(err, context.Canceled) && opening.Err() != nil && ctx.Err() == nil {
		log.Info("told to stop before the start was over")
		return nil
	}
	if err != nil {
		return err
	}
	var access io.Writer // requests are for machines to read
	if !sh.terminal {
		access = sh.err
	}
	s, err := start(n, access)
	if err != nil {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWithin)
		defer cancel()
		return errors.Join(err, n.close(ending))
	}
	if v.Demo {
		s.alongside(func(ctx context.Context) { serveDemo(ctx, n, sh.out) })
	}
	if opening.Err() == nil {
		err = s.wait(ctx, signals)
	}
	told := time.Now()
	go func() { // whoever says it twice means it; a supervisor may repeat itself
		for again := range signals {
			if meant(again, time.Since(told), sh.terminal) {
				log.Warn("told to stop again; ending at once")
				os.Exit(exitFailed)
			}
		}
	}()
	return errors.Join(err, s.stop(sh.terminal))
}

// sameWish is how long after the first signal another one repeats it: a process
// group gets one from the terminal and one from its parent.
const sameWish = time.Second

// meant reports whether a signal during the shutdown is to end it at once: from
// somebody at a terminal, or after a while.
func meant(again os.Signal, after time.Duration, terminal bool) bool {
	return again != syscall.SIGHUP && (after > sameWish || terminal && again == syscall.SIGINT)
}

// server is a node that serves.
type server struct {
	*node
	http    *httpapi.Server
	metrics *http.Server // nil: off
	control *control     // nil: not to be had
	failed  chan error   // what ended a listener
	// alongside starts work in the background, whose context ends when the server
	// is told to stop.
	alongside func(work func(ctx context.Context))
	cancel    context.CancelFunc // of that work
	working   sync.WaitGroup     // on that work
}

// start serves in the background, and writes a line for each request to access
// unless that is nil. Its errors are sentences for the operator.
func start(n *node, access io.Writer) (_ *server, err error) {
	s := &server{node: n, failed: make(chan error, 2)}
	l, err := listen("GATEHOUSE_LISTEN", n.config.Listen)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	measured := httpapi.NewMetrics(n.measured())
	if n.config.MetricsListen == "" {
		measured = nil
	} else if s.metrics, err = s.serveMetrics(measured); err != nil {
		return nil, err
	}
	options := httpapi.Options{
		Portal: n.portal, Keys: n.keys, PublicURL: n.config.PublicURL, TrustedProxies: n.config.TrustedProxies,
		Web: web.Dist(), Log: n.log, AccessLog: access, Metrics: measured, Version: programVersion(),
	}
	if n.outbox != nil {
		options.Outbox = shownOutbox{n.outbox}
	}
	if s.http, err = httpapi.New(options); err != nil {
		return nil, errors.Join(err, s.stopMetrics())
	}
	if s.control, err = listenControl(n, socketOf(n.config)); err != nil {
		n.log.Warn("no socket for the operator: "+withoutSocket(n.config), "error", err)
	}
	background, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.alongside = func(work func(ctx context.Context)) { s.working.Go(func() { work(background) }) }
	s.alongside(n.pruneHourly)
	go n.watchKeys(background, keysEvery)
	go func() {
		if err := s.http.Serve(l); err != nil {
			s.failed <- fmt.Errorf("the listener failed: %w", err)
		}
	}()
	s.tell(l.Addr())
	s.alongside(n.advise)
	return s, nil
}

// tell says where it serves, with what.
func (s *server) tell(at net.Addr) {
	store := "sqlite:" + s.config.SQLite
	if s.config.MongoDB != "" {
		store = "mongodb"
	}
	mails := "outbox:" + s.config.Outbox
	if s.config.Outbox == "" {
		mails = s.config.SMTP.String()
	}
	attributes := []any{
		"url", s.config.PublicURL, "listen", at.String(), "store", store, "mail", mails, "keys", s.config.Keys,
		"version", programVersion(),
	}
	if s.metrics != nil {
		attributes = append(attributes, "metrics", s.metrics.Addr)
	}
	if _, err := web.ReadManifest(web.Dist()); err != nil {
		attributes = append(attributes, "portal", err.Error())
	}
	s.log.Info("serving", attributes...)
}

// serveMetrics serves the metrics on a listener of their own.
func (s *server) serveMetrics(m *httpapi.Metrics) (*http.Server, error) {
	l, err := listen("GATEHOUSE_METRICS_LISTEN", s.config.MetricsListen)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>Gatehouse</title><p>The metrics of Gatehouse are at <a href=\"/metrics\">/metrics</a>.\n")
	})
	h := &http.Server{Addr: l.Addr().String(), Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute}
	go func() {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("the listener of the metrics failed: %w", err)
		}
	}()
	return h, nil
}

func (s *server) stopMetrics() error {
	if s.metrics == nil {
		return nil
	}
	return s.metrics.Close()
}

// withoutSocket says what a server lacks that its operator cannot talk to.
func withoutSocket(c config.Config) string {
	if c.MongoDB != "" { // commands open the database themselves
		return "gatehouse keys rotate does not count this server, which notices its new key file all the same"
	}
	return "commands such as gatehouse admin need the server stopped"
}

// takenError says that another process listens at an address.
type takenError struct{ setting, address string }

func (e *takenError) Error() string {
	return fmt.Sprintf("%s is %s: another process listens there; stop it, or choose another port", e.setting, e.address)
}

// listen opens a TCP listener, and says in a sentence why it cannot.
func listen(setting, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &takenError{setting, address}
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s is %s: this user may not listen there; choose a port from 1024 on", setting, address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s is %s: this machine does not have that address", setting, address)
	case err != nil:
		return nil, fmt.Errorf("%s is %s: %s", setting, address, strings.TrimPrefix(err.Error(), "listen tcp: "))
	}
	return l, nil
}

// wait returns when the server is told to stop, or a listener failed. SIGHUP
// loads the key file again.
func (s *server) wait(ctx context.Context, signals <-chan os.Signal) error {
	for {
		select {
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				s.log.Info("stopping", "signal", sig.String())
				return nil
			}
			if _, err := reloadKeys(ctx, s.node, nil); err != nil {
				s.log.Error("the keys stay as they are", "error", err)
			}
		case err := <-s.failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// stop ends the server: it is not ready any more, requests under way are
// answered, their calls recorded, mails sent, the store closed. An error says
// what was lost.
func (s *server) stop(atOnce bool) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownWithin)
	defer cancel()
	s.cancel()
	s.http.Drain()
	notice := time.After(noticeWithin)
	if s.control != nil { // the time is the requests', not the operator's
		operator, done := context.WithTimeout(ctx, noticeWithin)
		s.control.close(operator)
		done()
	}
	if !atOnce {
		<-notice
	}
	requests, done := context.WithTimeout(ctx, requestsWithin)
	defer done()
	var err error
	if wrong := s.http.Shutdown(requests); wrong != nil {
		err = fmt.Errorf("some requests were still under way at the end: %w", wrong)
	}
	idle := make(chan struct{})
	go func() { s.working.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-requests.Done():
	}
	err = errors.Join(err, s.close(ctx), s.stopMetrics())
	s.log.Info("stopped", "after", time.Since(began).Round(time.Millisecond).String())
	return err
}
