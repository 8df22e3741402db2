package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// gone is a store whose database does not answer once down is set.
type gone struct {
	portal.Store
	down bool
}

func (g *gone) err() error {
	if g.down {
		return errors.Join(errors.New("no route to host"), portal.ErrUnavailable)
	}
	return nil
}

func (g *gone) TokenRecords(ctx context.Context, ids []string) ([]*portal.Token, error) {
	if err := g.err(); err != nil {
		return nil, err
	}
	return g.Store.TokenRecords(ctx, ids)
}

func (g *gone) SessionByHash(ctx context.Context, hash string) (portal.Session, error) {
	if err := g.err(); err != nil {
		return portal.Session{}, err
	}
	return g.Store.SessionByHash(ctx, hash)
}

func (g *gone) Hit(ctx context.Context, key string, n int64, window time.Duration, now time.Time) (int64, time.Time, error) {
	if err := g.err(); err != nil {
		return 0, time.Time{}, err
	}
	return g.Store.Hit(ctx, key, n, window, now)
}

// A database that does not answer closes every door, with a time to come back
// and not a word about the database.
func TestStorageDoesNotAnswer(t *testing.T) {
	inner, _ := stores[0].open(t)
	store := &gone{Store: inner}
	w := newWorld(t, store, nil, func(*httpapi.Options) {})
	ada := w.signUp("Ada")
	c := w.integration(ada.token("x", "orders:read").Secret)
	c.call("GET", "/api/v1/orders", nil).want(t, 200)
	store.down = true
	for name, a := range map[string]answer{
		"token":   c.call("GET", "/api/v1/orders", nil),
		"session": ada.call("GET", "/portal/v1/session", nil),
		"sign-in": ada.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: password}),
	} {
		a.want(t, 503)
		p := into[api.Problem](t, a)
		if p.Type != "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity" || a.header.Get("Retry-After") == "" || a.header.Get("Content-Type") != api.ProblemType {
			t.Errorf("%s: got %v %s", name, a.header, a.body)
		}
	}
	c.call("GET", "/healthz", nil).want(t, 200)
	for _, route := range []string{"/portal/v1/session", "/portal/v1/sessions"} { // the operator is told why
		told := false
		for line := range strings.SplitSeq(w.log.String(), "\n") {
			told = told || strings.Contains(line, `"route":"`+route+`","error":`) && strings.Contains(line, "no route to host")
		}
		if !told {
			t.Errorf("%s: the log does not say why:\n%s", route, w.log)
		}
	}
	store.down = false
	c.call("GET", "/api/v1/orders", nil).want(t, 200)
}

// A server with another key file than the one that made a token says that its
// keys are the matter, not the token and not the database.
func TestUnknownKey(t *testing.T) {
	store, records := stores[0].open(t)
	tok := newWorld(t, store, records, nil).signUp("Ada").token("x", "orders:read")
	var m *httpapi.Metrics
	w := newWorld(t, store, records, func(o *httpapi.Options) {
		m = httpapi.NewMetrics(httpapi.MetricsOptions{Portal: o.Portal})
		o.Metrics = m
	})
	a := w.integration(tok.Secret).call("GET", "/api/v1/orders", nil)
	a.want(t, 503)
	p := into[api.Problem](t, a)
	if p.Code != "unknown-key" || !strings.Contains(p.Detail, "does not have the key") || a.header.Get("Retry-After") == "" {
		t.Errorf("got %v %s, want that the key is unknown", a.header, a.body)
	}
	if !strings.Contains(w.log.String(), `"key_id":"k1-`) {
		t.Errorf("the log does not name the key:\n%s", w.log)
	}
	w.log.forget()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`gatehouse_decisions_total{code="unknown-key"} 1`, `gatehouse_failures_total{cause="keys"} 1`} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// A server whose keys the database does not belong to, or not any more, is not
// sent any requests.
func TestReadyWantsFittingKeys(t *testing.T) {
	store, records := stores[0].open(t)
	keys, err := secret.InitKeys(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	w := newNode(t, store, records, keys, nil)
	c := w.integration("")
	for _, tt := range []struct {
		name string
		mark portal.KeyMark
		want int
	}{
		{"its own", portal.KeyMark{Ring: keys.Fingerprint(), Pepper: keys.KeyID()}, 200},
		{"another deployment's", portal.KeyMark{Ring: "other", Pepper: keys.KeyID()}, 503},
		{"a newer pepper on another node", portal.KeyMark{Ring: keys.Fingerprint(), Pepper: "k2-elsewhere"}, 503},
	} {
		if err := store.SaveKeyMark(t.Context(), tt.mark); err != nil {
			t.Fatal(err)
		}
		a := c.call("GET", "/readyz", nil)
		a.want(t, tt.want)
		if tt.want != 200 && !strings.Contains(string(a.body), "The keys of this server do not fit the database.") {
			t.Errorf("%s: got %s, want that the keys are the matter", tt.name, a.body)
		}
	}
}

func TestReadyTellsOfFullStorage(t *testing.T) {
	inner, _ := stores[0].open(t)
	w := newWorld(t, &full{Store: inner}, nil, nil)
	a := w.integration("").call("GET", "/readyz", nil)
	a.want(t, 503)
	if !strings.Contains(string(a.body), "storage of the database is full or failing") {
		t.Errorf("got %s, want that storage is the matter", a.body)
	}
}

// What a token's first use meets is what the portal would meet.
func TestAFirstUseTellsOfFullStorage(t *testing.T) {
	inner, _ := stores[0].open(t)
	store := &full{Store: inner}
	w := newWorld(t, store, nil, nil)
	secret := w.signUp("Ada").token("x").Secret
	store.writes.Store(true)
	a := w.integration(secret).call("GET", "/api/v1/token", nil)
	p := into[api.Problem](t, a.want(t, 503))
	if p.Detail != portal.ErrStorageFailing.Detail || a.header.Get("Retry-After") != "10" {
		t.Errorf("got %+v and Retry-After %s, want that storage is the matter", p, a.header.Get("Retry-After"))
	}
	store.writes.Store(false)
	w.integration(secret).call("GET", "/api/v1/token", nil).want(t, 200)
}

// full is a store whose disk is full: it is never ready, and takes nothing once
// writes is set.
type full struct {
	portal.Store
	writes atomic.Bool
}

func (f *full) Append(ctx context.Context, e audit.Event) (audit.Event, error) {
	if f.writes.Load() {
		return audit.Event{}, fmt.Errorf("%w: the disk is full", portal.ErrStorageFailing)
	}
	return f.Store.Append(ctx, e)
}

func (*full) Ready(context.Context) error {
	return fmt.Errorf("%w: the disk is full", portal.ErrStorageFailing)
}
