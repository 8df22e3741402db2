package portal

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// now is the present of these tests.
var now = time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)

const (
	ms  = time.Millisecond
	day = 24 * time.Hour
)

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// testCatalogue has four abilities: developers may not write, and verifying is
// only for the platform team.
func testCatalogue() *Catalogue {
	all := []string{"orders:read", "orders:write", "token:rotate", "tokens:verify"}
	c := &Catalogue{
		Defaults: []string{"orders:read"},
		Grants: map[Role][]string{
			Owner: all, Admin: all, Developer: {"orders:read", "token:rotate"}, Auditor: {},
		},
		Tokens: TokenRules{
			DefaultLifetime: 90 * day, MaxLifetime: 365 * day, MaxPerTeam: 3,
			DefaultLimit: RateLimit{60, time.Minute}, MaxLimit: RateLimit{600, time.Minute}, MaxOverlap: 7 * day,
		},
		Retention: Retention{Calls: 30 * day, Events: 400 * day, EndedTokens: 90 * day},
	}
	for _, name := range all {
		c.Abilities = append(c.Abilities, Ability{Name: name, Title: name, Platform: name == "tokens:verify"})
	}
	return c.Prepare()
}

func testKeys(t testing.TB) *secret.Keys {
	t.Helper()
	keys, err := secret.InitKeys(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// noStore is a store that only takes calls, and panics for everything else: a
// rule that should not ask storage does not get away with it.
type noStore struct {
	Store

	mu      sync.Mutex
	batches []CallBatch
	fail    func(n int) error  // of the nth try to record, from 1
	refuse  func(c *Call) bool // whether a batch with this call is refused
	forget  bool
	tries   int
}

func (s *noStore) RecordCalls(ctx context.Context, b CallBatch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if s.fail != nil {
		if err := s.fail(s.tries); err != nil {
			return err
		}
	}
	for i := range b.Calls {
		if s.refuse != nil && s.refuse(&b.Calls[i]) {
			return errors.New("the call breaks a rule of the database")
		}
	}
	if !s.forget {
		s.batches = append(s.batches, CallBatch{
			Calls: slices.Clone(b.Calls), Rollups: slices.Clone(b.Rollups), Uses: slices.Clone(b.Uses),
		})
	}
	return ctx.Err()
}

func (s *noStore) recorded() (calls []Call, rollups []Rollup, uses []Use) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.batches {
		calls, rollups, uses = append(calls, b.Calls...), append(rollups, b.Rollups...), append(uses, b.Uses...)
	}
	return calls, rollups, uses
}

// memoryRecords reads token records from a map.
type memoryRecords map[string]*Token

func (m memoryRecords) Record(_ context.Context, id string) (*Token, error) { return m[id], nil }
func (m memoryRecords) Changed(context.Context, ...string) error            { return nil }

// failingRecords is a database that does not answer.
type failingRecords struct{}

func (failingRecords) Record(context.Context, string) (*Token, error) { return nil, ErrUnavailable }
func (failingRecords) Changed(context.Context, ...string) error       { return nil }

// newPortal returns the rules without a database, whose decisions read records.
func newPortal(t testing.TB, records RecordReader) *Portal {
	t.Helper()
	p := New(Options{
		Store: &noStore{}, Catalogue: testCatalogue(), Keys: testKeys(t), Records: records,
		Now: func() time.Time { return now },
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p
}

// newToken returns a token in use, made by an owner, and its secret.
func newToken(p *Portal, change func(*Token)) (*Token, string) {
	text := secret.NewToken(secret.Live)
	parsed, _ := secret.ParseToken(text)
	kid, mac := p.keys.NewestMAC(secret.Digest(text))
	t := &Token{
		ID: strings.Clone(parsed.Lookup), Team: "tea_1", Name: "ERP", Env: Live, Abilities: []string{"orders:read"},
		Maker: "usr_1", CreatedAt: now.Add(-day), ExpiresAt: now.Add(day), FirstUsedAt: now.Add(-time.Hour),
		Generations: []Generation{{Number: 1, KeyID: kid, MAC: mac, CreatedAt: now.Add(-day), ActivatedAt: now.Add(-day)}},
		Standing:    Standing{MakerRole: Owner},
	}
	if change != nil {
		change(t)
	}
	return t, text
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, s := range texts {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}
