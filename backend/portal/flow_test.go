package portal_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/backend/sqlite"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

const (
	day      = 24 * time.Hour
	password = "a horse with a blue umbrella"
)

var home = portal.Origin{Address: netip.MustParseAddr("203.0.113.9"), UserAgent: "Firefox", RequestID: "req_1"}

// world is the rules over a real store, with a clock that only tests move and a
// mailbox.
type world struct {
	*portal.Portal
	t     *testing.T
	ctx   context.Context
	store *hooked
	keys  *secret.Keys
	mails *mailbox
	now   time.Time
}

// hooked is a store into which a test puts what comes between two of its calls.
type hooked struct {
	portal.Store
	before func(method string) error // of Atomically and FinishIdempotent
}

func (s *hooked) hook(method string) error {
	if s.before == nil {
		return nil
	}
	return s.before(method)
}

func (s *hooked) Atomically(ctx context.Context, do func(ctx context.Context) error) error {
	if err := s.hook("Atomically"); err != nil {
		return err
	}
	return s.Store.Atomically(ctx, do)
}

// Append holds the rules to the vocabulary of actions.
func (s *hooked) Append(ctx context.Context, e audit.Event) (audit.Event, error) {
	if !slices.Contains(audit.Actions(), e.Action) {
		return audit.Event{}, fmt.Errorf("audit.Actions does not list %q", e.Action)
	}
	return s.Store.Append(ctx, e)
}

func (s *hooked) FinishIdempotent(ctx context.Context, r portal.Idempotent) error {
	if err := s.hook("FinishIdempotent"); err != nil {
		return err
	}
	return s.Store.FinishIdempotent(ctx, r)
}

func (s *hooked) AbandonIdempotent(ctx context.Context, key string) error {
	if err := s.hook("AbandonIdempotent"); err != nil {
		return err
	}
	return s.Store.AbandonIdempotent(ctx, key)
}

type mailbox struct {
	mu   sync.Mutex
	sent []portal.Message
	full bool
}

func (m *mailbox) Send(_ context.Context, msg portal.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return errors.New("the mail queue is full")
	}
	m.sent = append(m.sent, msg)
	return nil
}

// mail returns the newest mail, which must be about something.
func (w *world) mail(subject string) portal.Message {
	w.t.Helper()
	w.mails.mu.Lock()
	defer w.mails.mu.Unlock()
	if len(w.mails.sent) == 0 {
		w.t.Fatalf("got no mail, want one about %q", subject)
	}
	m := w.mails.sent[len(w.mails.sent)-1]
	if !strings.Contains(m.Subject, subject) {
		w.t.Fatalf("got a mail about %q, want %q", m.Subject, subject)
	}
	return m
}

var link = regexp.MustCompile(`https://portal\.example/verify/([0-9A-Za-z]+)`)

// code returns the code in the newest mail.
func (w *world) code() string {
	w.t.Helper()
	m := link.FindStringSubmatch(w.mail("Confirm your address").Text)
	if m == nil {
		w.t.Fatal("the mail has no link")
	}
	return m[1]
}

// remembering is a real hasher that does nothing twice. Most of these tests are
// about what comes after a sign-in, and there are hundreds.
type remembering struct {
	portal.PasswordHasher
	hashes, verdicts sync.Map
}

var hasher = &remembering{PasswordHasher: secret.NewHasher()}

func (r *remembering) Hash(ctx context.Context, password string) (string, error) {
	if stored, ok := r.hashes.Load(password); ok {
		return stored.(string), ctx.Err()
	}
	stored, err := r.PasswordHasher.Hash(ctx, password)
	if err == nil {
		r.hashes.Store(password, stored)
	}
	return stored, err
}

func (r *remembering) Verify(ctx context.Context, stored, password string) (ok, upgrade bool, err error) {
	question := [2]string{stored, password}
	if verdict, ok := r.verdicts.Load(question); ok {
		v := verdict.([2]bool)
		return v[0], v[1], ctx.Err()
	}
	ok, upgrade, err = r.PasswordHasher.Verify(ctx, stored, password)
	if err == nil {
		r.verdicts.Store(question, [2]bool{ok, upgrade})
	}
	return ok, upgrade, err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "gatehouse.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{
		t: t, ctx: ctx, store: &hooked{Store: s}, keys: portal.NewTestKeys(t), mails: &mailbox{},
		now: time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC),
	}
	w.Portal = w.process()
	return w
}

// process returns the rules over the store, as another process has them.
func (w *world) process() *portal.Portal {
	p := portal.New(portal.Options{
		Store: w.store, Catalogue: portal.NewTestCatalogue(), Keys: w.keys, Hasher: hasher, Mailer: w.mails,
		Records: w.store.Store.(*sqlite.Store).Records(), PublicURL: "https://portal.example/", Now: func() time.Time { return w.now },
	})
	w.t.Cleanup(func() {
		if err := p.Close(w.ctx); err != nil {
			w.t.Errorf("close: %v", err)
		}
	})
	return p
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %v, want none", err)
	}
}

// get passes a value on and ends the test on an error.
func get[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		noError(t, err)
		return v
	}
}

// refused checks the kind of an error, and the code or pointer behind it if one
// is given: "conflict token-ended", "invalid #/email".
func refused(t *testing.T, err error, want string) *portal.Error {
	t.Helper()
	kind, finer, _ := strings.Cut(want, " ")
	var e *portal.Error
	if portal.KindOf(err) != portal.Kind(kind) || !asError(err, &e) {
		t.Fatalf("got %v, want %s", err, want)
	}
	if finer != "" && e.Code != finer && (len(e.Fields) == 0 || e.Fields[0].Pointer != finer) {
		t.Fatalf("got %s %v, want %s", e.Code, e.Fields, want)
	}
	return e
}

func asError(err error, e **portal.Error) bool {
	found, ok := err.(*portal.Error)
	*e = found
	return ok
}

// person is somebody signed in, with a team of their own.
type person struct {
	portal.Person
	cookie string
	team   string
}

func (w *world) account(name string) portal.NewAccount {
	return portal.NewAccount{
		Name: name, Email: strings.ToLower(name) + "@example.com", Password: password, TeamName: name + "'s team", Browser: "browser of " + name,
	}
}

// signedUp returns somebody who signed up and verified the address just now.
func (w *world) signedUp(name string) person {
	w.t.Helper()
	in := w.account(name)
	noError(w.t, w.SignUp(w.ctx, in, home))
	out := get[portal.SignedIn](w.t)(w.VerifyEmail(w.ctx, w.code(), in.Browser, home))
	p := person{Person: out.Person, cookie: out.Cookie}
	teams := get[[]portal.Membership](w.t)(w.Memberships(w.ctx, p.Person))
	if len(teams) != 1 || teams[0].Role != portal.Owner {
		w.t.Fatalf("got %+v, want one team as its owner", teams)
	}
	p.team = teams[0].Team.ID
	return p
}

// member returns somebody who is in a team of another's with a role.
func (w *world) member(owner person, name string, role portal.Role) person {
	w.t.Helper()
	p := w.signedUp(name)
	w.now = w.now.Add(time.Millisecond) // members are listed by joining
	noError(w.t, w.AddMember(w.ctx, owner.Person, owner.team, p.User.ID, role))
	p.team = owner.team
	return p
}

// stale returns a person whose password was given too long ago.
func stale(p person) portal.Person {
	who := p.Person
	who.Session.FreshUntil = time.Time{}
	return who
}

// issued is a token with its secret.
type issued struct {
	portal.TokenView
	secret string
}

// token makes a token; the password was given just now.
func (w *world) token(p person, change func(in *portal.NewToken)) issued {
	w.t.Helper()
	p.Session.FreshUntil = w.now.Add(time.Minute)
	in := portal.NewToken{Name: fmt.Sprint("token ", secret.NewLookup()), Env: portal.Live, Abilities: []string{"orders:read"}}
	if change != nil {
		change(&in)
	}
	v, text, err := w.CreateToken(w.ctx, p.Person, p.team, in)
	noError(w.t, err)
	return issued{v, text}
}

// ask presents a secret for abilities.
func (w *world) ask(text string, need ...string) portal.Decision {
	return w.askAt(w.Portal, text, need...)
}

func (w *world) askAt(p *portal.Portal, text string, need ...string) portal.Decision {
	return p.Decide(w.ctx, &portal.Ask{
		Secret: text, Need: w.Catalogue().Index().Set(need), Address: home.Address, UserAgent: "erp/1.2", At: w.now,
	})
}

// wants presents a secret and checks the outcome.
func (w *world) wants(code portal.Code, text string, need ...string) portal.Decision {
	w.t.Helper()
	d := w.ask(text, need...)
	if d.Code != code {
		w.t.Fatalf("got %s, want %s", d.Code, code)
	}
	return d
}

// generations writes the secrets of a token as "1 retired, 2 active".
func (w *world) generations(v portal.TokenView) string {
	var list []string
	for i := range v.Generations {
		list = append(list, fmt.Sprint(v.Generations[i].Number, " ", v.Generations[i].Status(w.now)))
	}
	return strings.Join(list, ", ")
}

// events returns what happened in a chain, oldest first, after verifying it.
func (w *world) events(chain string) []audit.Event {
	w.t.Helper()
	list := get[[]audit.Event](w.t)(w.store.Events(w.ctx, portal.EventFilter{Chain: chain, Limit: 1000, Oldest: true}))
	var v audit.Verifier
	for _, e := range list {
		noError(w.t, v.Add(e))
	}
	if seq, hash, err := w.store.Head(w.ctx, chain); err != nil || len(list) > 0 && (seq != v.Seq || hash != v.Hash) {
		w.t.Errorf("got head %d, %v, want %d", seq, err, v.Seq)
	}
	return list
}

// actions returns the actions of a chain from an event on.
func (w *world) actions(chain string, after int) []string {
	w.t.Helper()
	list := []string{}
	for _, e := range w.events(chain)[after:] {
		list = append(list, e.Action)
	}
	return list
}

func (w *world) wantActions(chain string, after int, want ...string) {
	w.t.Helper()
	if got := w.actions(chain, after); !slices.Equal(got, want) {
		w.t.Fatalf("got events %v, want %v", got, want)
	}
}
