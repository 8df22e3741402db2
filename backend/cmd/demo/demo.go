// Package demo fills an empty store with something to look around in: teams,
// people of every role, tokens of every status, and thirty days of calls.
//
// Nothing is inserted. People sign up and follow the link of their mail, tokens
// are made, rotated and revoked through the rules, and integrations send real
// requests to a real server inside this process; only the clock is set back. So
// what is seen is what real use leaves behind, and the demo is also a test that
// all of it works together.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// Options are what a demo is filled with. All but Records, Log and Progress are
// needed.
type Options struct {
	Store     portal.Store
	Records   portal.RecordReader // nil: a coalescer over Store
	Catalogue *portal.Catalogue
	Keys      *secret.Keys
	Hasher    *secret.Hasher
	PublicURL string
	Now       time.Time // when the thirty days end
	Log       *slog.Logger
	Progress  func(done float64) // called often with the part that is done; nil: nobody waits
}

// Result is what there is to try.
type Result struct {
	Calls  int    // that were made
	Token  string // name of a live token
	Secret string // of that token
}

// State is what a store holds, as far as a demo is concerned.
type State int

// The states of a store.
const (
	Empty  State = iota
	Filled       // by a demo, whole
	Torn         // by a demo that did not come to its end
	Used         // by people
)

// marker counts the beginning and the end of a demo in the store.
const marker = "demo"

const markedFor = 100 * 365 * 24 * time.Hour

// StateOf says what the store holds.
func StateOf(ctx context.Context, s portal.Store, now time.Time) (State, error) {
	marks, _, err := s.Hit(ctx, marker, 0, markedFor, now)
	switch {
	case err != nil:
		return Used, err
	case marks == 1:
		return Torn, nil
	case marks > 1:
		return Filled, nil
	}
	empty, err := s.Empty(ctx)
	if err != nil || !empty {
		return Used, err
	}
	return Empty, nil
}

// ErrNotEmpty says that there was something in the store, so nothing was done.
var ErrNotEmpty = errors.New("the store is not empty")

// days is how long calls are made for.
const days = 30

// Fill fills an empty store; another gives [ErrNotEmpty]. It takes some ten
// seconds with SQLite, and two minutes with MongoDB.
func Fill(ctx context.Context, o Options) (_ Result, err error) {
	switch state, err := StateOf(ctx, o.Store, o.Now); {
	case err != nil:
		return Result{}, err
	case state != Empty:
		return Result{}, ErrNotEmpty
	}
	if err := fits(o.Catalogue); err != nil {
		return Result{}, err
	}
	if marks, _, err := o.Store.Hit(ctx, marker, 1, markedFor, o.Now); err != nil || marks != 1 {
		return Result{}, errors.Join(ErrNotEmpty, err)
	}
	s, err := newStage(o)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	steps := s.story()
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	for i, next := range steps {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		if o.Progress != nil {
			o.Progress(float64(i) / float64(len(steps)))
		}
		s.clock.advance(next.at)
		if err := next.do(ctx); err != nil {
			return Result{}, fmt.Errorf("the demo of %s: %w", next.at.Format(time.DateTime), err)
		}
	}
	if err := s.close(ctx); err != nil { // all calls are stored
		return Result{}, err
	}
	if _, _, err := o.Store.Hit(ctx, marker, 1, markedFor, o.Now); err != nil {
		return Result{}, err
	}
	shown := s.tokens[shownToken]
	return Result{Calls: s.calls, Token: shownToken, Secret: shown.secret}, nil
}

// fits refuses a catalogue that the tokens of the demo could not be made with.
func fits(c *portal.Catalogue) error {
	for _, role := range []portal.Role{portal.Owner, portal.Admin, portal.Developer} {
		for _, name := range []string{"orders:read", "orders:write", "usage:read", "token:rotate"} {
			if !c.MayGrant(role, name) {
				return fmt.Errorf("the demo is made for a catalogue like the example, in which the role %s may grant %s", role, name)
			}
		}
	}
	for _, name := range []string{"tokens:verify", "tokens:introspect"} {
		if !c.MayGrant(portal.Owner, name) {
			return fmt.Errorf("the demo is made for a catalogue like the example, in which the role owner may grant %s", name)
		}
	}
	if most := c.Tokens.MaxLifetime; most != 0 && most < minLifetime {
		return fmt.Errorf("the demo is made for a catalogue like the example, in which tokens may live %d days", minLifetime/day)
	}
	return nil
}

// minLifetime keeps the tokens of the demo alive until the present.
const minLifetime = (days + 7) * day

// step is something that happens at a time.
type step struct {
	at time.Time
	do func(ctx context.Context) error
}

// stage is where a demo plays: the rules and the server over the store, with a
// clock of its own, and who is there.
type stage struct {
	now    time.Time // the present
	clock  *clock
	rand   *rand.Rand
	store  *flaky
	portal *portal.Portal
	http   *httpapi.Server
	wire   *wire
	mails  *inbox
	closed bool

	people map[string]*person // by address
	teams  map[string]string  // id by name
	tokens map[string]*held   // by name
	orders map[string][]known // by team and environment, newest last
	placed int                // orders that were asked for
	calls  int
}

func newStage(o Options) (*stage, error) {
	s := &stage{
		now: o.Now.UTC(), clock: &clock{}, rand: rand.New(rand.NewPCG(1, 2)), store: &flaky{Store: o.Store},
		wire: newWire(), mails: &inbox{}, people: map[string]*person{}, teams: map[string]string{}, tokens: map[string]*held{},
		orders: map[string][]known{},
	}
	s.portal = portal.New(portal.Options{
		Store: s.store, Records: o.Records, Catalogue: o.Catalogue, Keys: o.Keys, Hasher: o.Hasher, Mailer: s.mails,
		PublicURL: o.PublicURL, Now: s.clock.now, Log: o.Log,
	})
	var err error
	s.http, err = httpapi.New(httpapi.Options{
		Portal: s.portal, Keys: o.Keys, PublicURL: o.PublicURL, Now: s.clock.now, Log: o.Log,
	})
	if err != nil {
		return nil, err
	}
	go func() { _ = s.http.Serve(s.wire) }() // ends with close
	return s, nil
}

// close waits until everything is stored.
func (s *stage) close(ctx context.Context) error {
	if s.closed {
		return nil
	}
	s.closed = true
	for _, t := range s.tokens {
		t.client.CloseIdleConnections()
	}
	return errors.Join(s.http.Shutdown(ctx), s.portal.Close(ctx))
}

// flaky is a store that reads no orders while it is down, for an outage.
type flaky struct {
	portal.Store
	down bool // changed and read by one request at a time
}

// Order implements [portal.OrderStore].
func (f *flaky) Order(ctx context.Context, team string, env portal.Env, id string) (portal.Order, error) {
	if f.down {
		return portal.Order{}, portal.ErrUnavailable
	}
	return f.Store.Order(ctx, team, env, id)
}

// Orders implements [portal.OrderStore].
func (f *flaky) Orders(ctx context.Context, team string, env portal.Env, after string, limit int) ([]portal.Order, error) {
	if f.down {
		return nil, portal.ErrUnavailable
	}
	return f.Store.Orders(ctx, team, env, after, limit)
}

// Tell writes what there is to try, for people.
func Tell(w io.Writer, r Result, publicURL string) {
	fmt.Fprintf(w, "Sign in at %s/sign-in with the password %q:\n", publicURL, Password)
	for _, p := range cast {
		fmt.Fprintf(w, "  %-18s %s\n", p.email, p.part)
	}
	if r.Secret != "" {
		fmt.Fprintf(w, "Call the API as the integration %q:\n  curl -H \"Authorization: Bearer %s\" %s/api/v1/orders\n", r.Token, r.Secret, publicURL)
	}
}

func address(text string) netip.Addr { return netip.MustParseAddr(text) }
