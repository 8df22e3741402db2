package demo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// The integrations, by the names of their tokens.
const (
	orderSync = "Order sync (SAP)"
	checkout  = "Webshop checkout"
	scanners  = "Warehouse scanners"
	reporting = "BI export"
	feed      = "Carrier feed"
	importer  = "Legacy importer"
	courier   = "Courier app"
	peakLoad  = "Peak season load"
	customs   = "Customs desk"
	staging   = "Staging tests"
	agent     = "Night agent"
	globexERP = "Globex ERP"
	globexTry = "Globex sandbox"
	edge      = "Edge gateway"

	// shownToken can be called from anywhere, so it is the one to try.
	shownToken = orderSync
)

// held is a token in the hands of an integration.
type held struct {
	team, id string
	env      portal.Env
	secret   string // the newest that the integration knows
	old      string // the one before, while a rotation moves over
	agent    string // user agent
	client   *http.Client
	elsewhere,
	abroad *http.Client // a second deployment, and a place that it should not be called from
}

// plan is a token that somebody wants to make.
type plan struct {
	maker, team string
	env         portal.Env
	abilities   []string
	lives       time.Duration // from its making; 0: 90 days; less if the catalogue says so
	waits       time.Duration // from its making until it becomes valid
	addresses   []string
	limit       int // a minute; 0: the default
	note        string
	agent       string
	from        netip.Addr
}

// create makes a token, and hands its secret to the integration.
func (s *stage) create(ctx context.Context, name string, p plan) error {
	who, err := s.as(ctx, p.maker)
	if err != nil {
		return err
	}
	now, rules := s.clock.now(), s.portal.Catalogue().Tokens
	lives := cmp.Or(p.lives, 90*day)
	if rules.MaxLifetime > 0 {
		lives = min(lives, rules.MaxLifetime)
	}
	in := portal.NewToken{
		Name: name, Note: p.note, Env: p.env, Abilities: p.abilities, Addresses: p.addresses, ExpiresAt: now.Add(lives),
	}
	if p.limit > 0 {
		most := float64(rules.MaxLimit.Quota) * float64(time.Minute) / float64(rules.MaxLimit.Window)
		in.RateLimit = &portal.RateLimit{Quota: max(1, min(p.limit, rules.MaxLimit.Quota, int(most))), Window: time.Minute}
	}
	if p.waits > 0 {
		in.NotBefore = now.Add(p.waits)
	}
	t, secret, err := s.portal.CreateToken(ctx, who, s.teams[p.team], in)
	if err != nil {
		return fmt.Errorf("create the token %q: %w", name, err)
	}
	s.tokens[name] = &held{
		team: t.Team, id: t.ID, env: p.env, secret: secret, old: secret, agent: p.agent, client: s.wire.client(p.from),
		elsewhere: s.wire.client(p.from.Next()), abroad: s.wire.client(address("198.18.44.7")),
	}
	return nil
}

// change runs a change of a token by somebody.
func (s *stage) change(ctx context.Context, by, name string, do func(who portal.Person, t *held) error) error {
	who, err := s.as(ctx, by)
	if err != nil {
		return err
	}
	if err := do(who, s.tokens[name]); err != nil {
		return fmt.Errorf("change the token %q: %w", name, err)
	}
	return nil
}

// update changes what a token is.
func (s *stage) update(ctx context.Context, by, name string, c portal.TokenChange) error {
	return s.change(ctx, by, name, func(who portal.Person, t *held) error {
		v, err := s.portal.Token(ctx, who, t.team, t.id)
		if err != nil {
			return err
		}
		_, err = s.portal.UpdateToken(ctx, who, t.team, t.id, &v.Rev, c)
		return err
	})
}

// rotate makes the next secret of a token; what uses it moves over later.
func (s *stage) rotate(ctx context.Context, by, name string, overlap time.Duration) error {
	return s.change(ctx, by, name, func(who portal.Person, t *held) error {
		overlap = min(overlap, s.portal.Catalogue().Tokens.MaxOverlap)
		_, secret, err := s.portal.RotateToken(ctx, who, t.team, t.id, portal.Rotation{Overlap: &overlap})
		t.old, t.secret = t.secret, secret
		return err
	})
}

// reply is what an integration remembers of an answer.
type reply struct {
	status   int
	etag     string
	location string
	body     []byte
}

// request is one call of an integration.
type request struct {
	method, path string
	match        string // If-Match
	body         any
	old          bool // with the secret before the newest, from the second deployment
	abroad       bool
}

// call sends a request as an integration. Any answer is fine but a failure of
// the server's own: that would be a bug.
func (s *stage) call(ctx context.Context, name string, r request) (reply, error) {
	t := s.tokens[name]
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return reply{}, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, "http://gatehouse"+r.path, body)
	if err != nil {
		return reply{}, err
	}
	credential, client := t.secret, t.client
	if r.old {
		credential, client = t.old, t.elsewhere
	}
	if r.abroad {
		client = t.abroad
	}
	req.Header.Set("Authorization", "Bearer "+credential)
	req.Header.Set("User-Agent", t.agent)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.match != "" {
		req.Header.Set("If-Match", r.match)
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, fmt.Errorf("call of %q: %w", name, err)
	}
	defer resp.Body.Close()
	out := reply{status: resp.StatusCode, etag: resp.Header.Get("ETag"), location: resp.Header.Get("Location")}
	if out.body, err = io.ReadAll(resp.Body); err != nil {
		return reply{}, fmt.Errorf("call of %q: %w", name, err)
	}
	s.calls++
	if out.status == http.StatusInternalServerError {
		return out, fmt.Errorf("%s %s by %q: got status 500: %s", r.method, r.path, name, out.body)
	}
	return out, nil
}

// rotateItself has a token replace its own secret, as unattended ones do.
func (s *stage) rotateItself(ctx context.Context, name string) error {
	seconds := 3600
	got, err := s.call(ctx, name, request{method: http.MethodPost, path: "/api/v1/token/rotate", body: api.RotateToken{OverlapSeconds: &seconds}})
	if err != nil {
		return err
	}
	var issued api.IssuedToken
	if err := json.Unmarshal(got.body, &issued); err != nil || issued.Secret == "" {
		return fmt.Errorf("%q rotates itself: got status %d", name, got.status)
	}
	t := s.tokens[name]
	t.old, t.secret = t.secret, issued.Secret
	return nil
}
