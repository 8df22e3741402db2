package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/backend/mongo"
	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/backend/sqlite"
	"github.com/gatehouse-portal/gatehouse/backend/testskip"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// stores are what every test of this package that needs storage runs on.
var stores = []struct {
	name string
	open func(t testing.TB) (portal.Store, portal.RecordReader)
}{
	{"SQLite", func(t testing.TB) (portal.Store, portal.RecordReader) {
		s, err := sqlite.Open(t.Context(), t.TempDir()+"/gatehouse.db")
		if err != nil {
			t.Fatal(err)
		}
		return s, s.Records()
	}},
	{"MongoDB", func(t testing.TB) (portal.Store, portal.RecordReader) {
		s, err := mongo.Open(t.Context(), mongotest.Start(t))
		if err != nil {
			t.Fatal(err)
		}
		return s, nil
	}},
}

// onEachStore runs a test in a world of its own on each store.
func onEachStore(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			store, records := s.open(t)
			testskip.Ran(t, "HTTP on "+s.name)
			test(t, newWorld(t, store, records, nil))
		})
	}
}

// onOneStore runs a test that is not about storage on the first store.
func onOneStore(t testing.TB, change func(*httpapi.Options)) *world {
	t.Helper()
	store, records := stores[0].open(t)
	return newWorld(t, store, records, change)
}

// world is a server on a real listener with everything behind it.
type world struct {
	t      testing.TB
	url    string
	store  portal.Store
	portal *portal.Portal
	server *httpapi.Server
	clock  *clock
	mails  *mailbox
	log    *logBuffer
}

// clock is real time, moved ahead by tests.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// mailbox keeps what was sent.
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

var codeLink = regexp.MustCompile(`/verify/([0-9A-Za-z_-]+)`)

// code returns the code of the newest mail to an address that has one.
func (m *mailbox) code(t testing.TB, to string) string {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.sent) - 1; i >= 0; i-- {
		if found := codeLink.FindStringSubmatch(m.sent[i].Text); found != nil && m.sent[i].To == to {
			return found[1]
		}
	}
	t.Fatalf("no mail with a code to %s", to)
	return ""
}

// logBuffer is a log that tests look into.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// forget empties the log, of errors that were wanted.
func (l *logBuffer) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

var hasher = secret.NewHasher()

func testCatalogue() *portal.Catalogue {
	all := []string{"orders:read", "orders:write", "usage:read", "token:rotate"}
	c := &portal.Catalogue{
		Defaults: []string{"orders:read"},
		Grants:   map[portal.Role][]string{portal.Owner: all, portal.Admin: all, portal.Developer: all},
		Tokens: portal.TokenRules{
			DefaultLifetime: 90 * 24 * time.Hour, MaxLifetime: 365 * 24 * time.Hour, MaxPerTeam: 200,
			DefaultLimit: portal.RateLimit{Quota: 600, Window: time.Minute}, MaxLimit: portal.RateLimit{Quota: 1_000_000, Window: time.Minute},
			MaxOverlap: 7 * 24 * time.Hour,
		},
		Retention: portal.Retention{Calls: 30 * 24 * time.Hour, Events: 400 * 24 * time.Hour, EndedTokens: 90 * 24 * time.Hour},
	}
	for _, name := range all {
		c.Abilities = append(c.Abilities, portal.Ability{Name: name, Title: name, Description: name + ".", Risk: ability.Low})
	}
	return c.Prepare()
}

func newWorld(t testing.TB, store portal.Store, records portal.RecordReader, change func(*httpapi.Options)) *world {
	t.Helper()
	keys, err := secret.InitKeys(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	return newNode(t, store, records, keys, change)
}

// newNode is one server among several that share keys and a database.
func newNode(t testing.TB, store portal.Store, records portal.RecordReader, keys *secret.Keys, change func(*httpapi.Options)) *world {
	t.Helper()
	w := &world{t: t, store: store, clock: &clock{}, mails: &mailbox{}, log: &logBuffer{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	log := slog.New(slog.NewJSONHandler(w.log, nil))
	w.portal = portal.New(portal.Options{
		Store: store, Catalogue: testCatalogue(), Keys: keys, Hasher: hasher, Mailer: w.mails, Records: records,
		PublicURL: w.url, Now: w.clock.now, Log: log,
	})
	o := httpapi.Options{
		Portal: w.portal, Keys: keys, PublicURL: w.url, Log: log, AccessLog: w.log, Now: w.clock.now, Version: "test",
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	if change != nil {
		change(&o)
	}
	if w.server, err = httpapi.New(o); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		if err := w.server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		if err := w.portal.Close(ctx); err != nil {
			t.Errorf("close the portal: %v", err)
		}
		if err := w.store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
		if s := w.log.String(); strings.Contains(s, `"level":"ERROR"`) || strings.Contains(s, "panic") {
			t.Errorf("the log has errors:\n%s", s)
		}
	})
	return w
}

// answer is one response, read.
type answer struct {
	status int
	header http.Header
	body   []byte
	closes bool // the connection
}

// decode reads a JSON body.
func into[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("decode %d %q: %v", a.status, a.body, err)
	}
	return v
}

// want fails unless the answer has a status, and shows its body.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// problem fails unless the answer is a problem of a status and kind.
func (a answer) problem(t testing.TB, status int, kind string) api.Problem {
	t.Helper()
	a.want(t, status)
	if got := a.header.Get("Content-Type"); got != api.ProblemType {
		t.Errorf("got content type %q, want %q", got, api.ProblemType)
	}
	p := into[api.Problem](t, a)
	if p.Kind() != kind || p.Status != status {
		t.Errorf("got the problem %d %s (%s), want %d %s", p.Status, p.Kind(), p.Detail, status, kind)
	}
	if p.Title == "" || p.Fix == "" || p.RequestID == "" || p.Instance == "" || p.Detail == "" {
		t.Errorf("the problem says too little: %s", a.body)
	}
	return p
}

// client calls the server, as a browser or as an integration.
type client struct {
	w      *world
	http   *http.Client
	header http.Header
}

// integration returns a client with a bearer token, "" for none.
func (w *world) integration(token string) *client {
	c := &client{w: w, http: &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}, header: http.Header{}}
	if token != "" {
		c.header.Set("Authorization", "Bearer "+token)
	}
	w.t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// browser returns a client that keeps cookies and comes from the portal's own
// pages, from an address of its own.
func (w *world) browser(address string) *client {
	c := w.integration("")
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	c.http.Jar = jar
	c.header.Set("Sec-Fetch-Site", "same-origin")
	c.header.Set("X-Forwarded-For", address)
	return c
}

// copied returns another browser with a copy of the cookies, as a thief has them.
func (c *client) copied() *client {
	thief := c.w.browser(nextAddress())
	u, err := url.Parse(c.w.url)
	if err != nil {
		c.w.t.Fatal(err)
	}
	thief.http.Jar.SetCookies(u, c.http.Jar.Cookies(u))
	return thief
}

// call sends a request. A body is sent as JSON; a string as it is. Headers come
// in pairs; an empty value takes one away.
func (c *client) call(method, path string, body any, headers ...string) answer {
	c.w.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	case []byte:
		r = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			c.w.t.Fatal(err)
		}
		r = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, c.w.url+path, r)
	if err != nil {
		c.w.t.Fatal(err)
	}
	req.Header = c.header.Clone()
	if r != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if req.Header.Del(headers[i]); headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.w.t.Fatalf("%s %s: %v", method, path, err)
	}
	a := answer{resp.StatusCode, resp.Header, text, resp.Close}
	if a.status >= 500 && a.status != http.StatusServiceUnavailable {
		c.w.t.Errorf("%s %s made a %d: %s", method, path, a.status, a.body)
	}
	return a
}

// also is the same client with more fields, which may stand on several lines.
func (c *client) also(fields http.Header) *client {
	other := *c
	other.header = c.header.Clone()
	maps.Copy(other.header, fields)
	return &other
}

const password = "correct-horse-battery-staple"

var addresses struct {
	sync.Mutex
	n int
}

func nextAddress() string {
	addresses.Lock()
	defer addresses.Unlock()
	addresses.n++
	return fmt.Sprintf("198.51.%d.%d", 100+addresses.n/250, 1+addresses.n%250)
}

// someone is a person signed in with a browser.
type someone struct {
	*client
	id   string
	name string
	team string // made at sign-up
}

// signUp makes an account through the API and leaves it signed in, and fresh.
func (w *world) signUp(name string) *someone {
	w.t.Helper()
	b := w.browser(nextAddress())
	email := strings.ToLower(name) + "@example.com"
	b.call("POST", "/portal/v1/sign-up", api.SignUp{Name: name, Email: email, Password: password, TeamName: name + " Ltd"}).want(w.t, 202)
	got := into[api.SignInResult](w.t, b.call("POST", "/portal/v1/verify-email", api.VerifyEmail{Code: w.mails.code(w.t, email)}).want(w.t, 200))
	if got.Status != api.SignedIn {
		w.t.Fatalf("verification: got %q, want %q", got.Status, api.SignedIn)
	}
	p := &someone{client: b, name: name}
	s := p.session()
	p.id, p.team = s.User.ID, s.Teams[0].Team.ID
	return p
}

// session reads the session and takes over its token for unsafe requests.
func (p *someone) session() api.Session {
	p.w.t.Helper()
	s := into[api.Session](p.w.t, p.call("GET", "/portal/v1/session", nil).want(p.w.t, 200))
	p.header.Set("X-CSRF-Token", s.CSRFToken)
	return s
}

// join makes a person a member of somebody else's team.
func (p *someone) join(owner *someone, role portal.Role) {
	p.w.t.Helper()
	who := owner.principal()
	if err := p.w.portal.AddMember(context.Background(), who, owner.team, p.id, role); err != nil {
		p.w.t.Fatal(err)
	}
}

// principal is the person as the rules know them.
func (p *someone) principal() portal.Person {
	p.w.t.Helper()
	ctx := context.Background()
	u, err := p.w.store.User(ctx, p.id)
	if err != nil {
		p.w.t.Fatal(err)
	}
	list, err := p.w.store.Sessions(ctx, p.id)
	if err != nil || len(list) == 0 {
		p.w.t.Fatalf("%s has no session: %v", p.name, err)
	}
	session := list[0]
	session.FreshUntil = p.w.clock.now().Add(time.Hour)
	return portal.Person{User: u, Session: session}
}

func (p *someone) path(parts ...string) string {
	return "/portal/v1/teams/" + p.team + strings.Join(append([]string{""}, parts...), "/")
}

// newToken is a body that makes a token.
func newToken(name string, abilities ...string) api.CreateToken {
	if abilities == nil {
		abilities = []string{}
	}
	return api.CreateToken{Name: name, Env: "live", Abilities: &abilities}
}

// token makes a token in the person's own team.
func (p *someone) token(name string, abilities ...string) api.IssuedToken {
	p.w.t.Helper()
	return into[api.IssuedToken](p.w.t, p.call("POST", p.path("tokens"), newToken(name, abilities...)).want(p.w.t, 201))
}

// eventually waits for something that happens in the background.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
	}
}
