package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// writers is how many race for one thing.
const writers = 32

// now is the present of these tests, with a millisecond that rounding would
// lose. It lies ahead of the clock, so that a database that forgets by itself
// what has ended does not do so during a test.
var now = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1).Add(time.Hour + 2*time.Minute + 3457*time.Millisecond)

// begin returns a context that ends long before the test binary is killed, so
// that a hang is a failure with a name.
func begin(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// newID returns an id that nothing else has.
func newID(prefix string) string { return prefix + "_" + rand.Text() }

// newTokenID returns 12 characters, as the lookup part of a secret has.
func newTokenID() string { return rand.Text()[:12] }

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %v, want none", err)
	}
}

// get returns a function that passes a value on and ends the test on an error:
// get[portal.Token](t)(s.Token(ctx, team, id)).
func get[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		noError(t, err)
		return v
	}
}

func wantKind(t *testing.T, err error, want portal.Kind) {
	t.Helper()
	if got := portal.KindOf(err); got != want {
		t.Errorf("got error %v of kind %q, want kind %q", err, got, want)
	}
}

// kind checks the error of a call whose value does not matter.
func kind[T any](t *testing.T, want portal.Kind) func(T, error) {
	return func(_ T, err error) {
		t.Helper()
		wantKind(t, err, want)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// whole fails if v, a type of portal, has a field that nothing sets, and so a
// store could forget it unnoticed. but names those that cannot be set.
func whole(t *testing.T, v any, but ...string) {
	t.Helper()
	for _, field := range unset("", []reflect.Value{reflect.ValueOf(v)}) {
		if !slices.Contains(but, field) {
			t.Errorf("%T.%s is not set, so this test does not see whether it is stored", v, field)
		}
	}
}

// unset returns the fields that none of the values, all of one type, has set.
func unset(path string, values []reflect.Value) (fields []string) {
	switch of := values[0].Type(); {
	case of.Kind() == reflect.Struct && of.PkgPath() == reflect.TypeFor[portal.Token]().PkgPath():
		for i := range of.NumField() {
			var part []reflect.Value
			for _, v := range values {
				part = append(part, v.Field(i))
			}
			fields = append(fields, unset(strings.TrimPrefix(path+"."+of.Field(i).Name, "."), part)...)
		}
		return fields
	case of.Kind() == reflect.Slice:
		var elements []reflect.Value
		for _, v := range values {
			for i := range v.Len() {
				elements = append(elements, v.Index(i))
			}
		}
		if len(elements) > 0 {
			return unset(path, elements)
		}
	case slices.ContainsFunc(values, func(v reflect.Value) bool { return !v.IsZero() }):
		return nil
	}
	return []string{path}
}

// ids returns the ids of rows, in their order.
func ids[T any](rows []T, id func(T) string) []string {
	out := make([]string, 0, len(rows))
	for _, r := range rows {
		out = append(out, id(r))
	}
	return out
}

// sorted returns the ids of rows whose order is free.
func sorted[T any](rows []T, id func(T) string) []string {
	out := ids(rows, id)
	slices.Sort(out)
	return out
}

func tokenID(t portal.Token) string { return t.ID }

// race runs do n times at once and returns the errors.
func race(n int, do func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// oneWins checks that exactly one of many writers succeeded and the others were
// refused with the kind.
func oneWins(t *testing.T, errs []error, refused portal.Kind) (winner int) {
	t.Helper()
	winner = -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("writers %d and %d both succeeded", winner, i)
		case err == nil:
			winner = i
		default:
			wantKind(t, err, refused)
		}
	}
	if winner < 0 {
		t.Fatal("got no winner, want one")
	}
	return winner
}

// tenant is a team with its owner, stored.
type tenant struct {
	team  portal.Team
	owner portal.User
}

func newUser() portal.User {
	id := newID("usr")
	email := strings.ToLower(id) + "@example.com"
	return portal.User{
		ID: id, Name: "Ada", Email: email, EmailKey: email, PasswordHash: "$argon2id$x",
		CreatedAt: now, VerifiedAt: now.Add(time.Minute), Version: 1,
	}
}

func newTeam() portal.Team {
	return portal.Team{ID: newID("tea"), Name: "Acme", CreatedAt: now, Rev: 1}
}

func storeUser(t *testing.T, s portal.Store) portal.User {
	t.Helper()
	u := newUser()
	noError(t, s.InsertUser(begin(t), u))
	return u
}

func storeTeam(t *testing.T, s portal.Store) tenant {
	t.Helper()
	x := tenant{newTeam(), storeUser(t, s)}
	noError(t, s.InsertTeam(begin(t), x.team))
	storeMember(t, s, x.team.ID, x.owner.ID, portal.Owner)
	return x
}

func storeMember(t *testing.T, s portal.Store, team, user string, role portal.Role) {
	t.Helper()
	noError(t, s.SaveMember(begin(t), portal.Member{Team: team, User: user, Role: role, JoinedAt: now}))
}

// newToken returns a token of the tenant, made by its owner, with every field
// set that a living token can have.
func (x tenant) newToken() portal.Token {
	return portal.Token{
		ID: newTokenID(), Team: x.team.ID, Name: newID("name"), Note: "for the ERP", Env: portal.Live,
		Abilities: []string{"orders:read", "orders:write"},
		Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")},
		RateLimit: portal.RateLimit{Quota: 100, Window: time.Minute},
		Maker:     x.owner.ID, CreatedAt: now, ExpiresAt: now.AddDate(0, 0, 90), NotBefore: now.Add(-time.Hour),
		Generations: []portal.Generation{{
			Number: 1, KeyID: "k1", MAC: [32]byte{1, 2, 3, 0, 255}, CreatedAt: now, ActivatedAt: now.Add(time.Millisecond),
			Overlap: 36 * time.Hour,
		}},
		Rev: 7, Standing: portal.Standing{MakerRole: portal.Owner},
	}
}

// storeToken stores a token of the tenant after change was made to it.
func (x tenant) storeToken(t *testing.T, s portal.Store, change func(*portal.Token)) portal.Token {
	t.Helper()
	tok := x.newToken()
	if change != nil {
		change(&tok)
	}
	noError(t, s.InsertToken(begin(t), tok))
	return tok
}

// same compares tokens, where no abilities, addresses or generations may be nil
// or empty.
func same(t *testing.T, what string, got, want portal.Token) {
	t.Helper()
	for _, tok := range []*portal.Token{&got, &want} {
		if len(tok.Abilities) == 0 {
			tok.Abilities = nil
		}
		if len(tok.Addresses) == 0 {
			tok.Addresses = nil
		}
		if len(tok.Generations) == 0 {
			tok.Generations = nil
		}
	}
	equal(t, what, got, want)
}

func (x tenant) newOrder() portal.Order {
	return portal.Order{
		ID: newID("ord"), Team: x.team.ID, Env: portal.Live, Reference: "PO-1", Currency: "EUR", AmountMinor: 1250,
		Lines:     []portal.OrderLine{{SKU: "A-1", Description: "Box", Quantity: 2, AmountMinor: 625}},
		CreatedAt: now, UpdatedAt: now, Version: 1,
	}
}

func (x tenant) storeOrder(t *testing.T, s portal.Store, change func(*portal.Order)) portal.Order {
	t.Helper()
	o := x.newOrder()
	if change != nil {
		change(&o)
	}
	noError(t, s.InsertOrder(begin(t), o))
	return o
}

func (x tenant) newCall(token string, at time.Time) portal.Call {
	return portal.Call{
		ID: newID("call"), Team: x.team.ID, At: at, Token: token, Generation: 1, Method: "GET", Route: "/api/v1/orders/:id",
		Status: 200, Code: portal.OK, Duration: 1234 * time.Microsecond, Bytes: 512, Address: netip.MustParseAddr("192.0.2.7"),
		UserAgent: "curl/8", RequestID: "req-1",
	}
}

func (x tenant) newRollup(token string, at time.Time) portal.Rollup {
	r := portal.Rollup{
		Team: x.team.ID, Step: portal.Hour, At: at.Truncate(time.Hour), Token: token, Route: "GET /api/v1/orders/:id",
		Status: 200, Calls: 1,
	}
	r.Bucket[3] = 1
	return r
}

// appendEvent appends one event in a transaction of its own.
func appendEvent(ctx context.Context, s portal.Store, chain, action string, data map[string]any) (e audit.Event, err error) {
	err = s.Atomically(ctx, func(ctx context.Context) error {
		e, err = s.Append(ctx, audit.Event{
			Chain: chain, At: now, Actor: "usr_ada", Action: action, Target: "7Hq2LmZx9RtB", Data: data,
		})
		return err
	})
	return e, err
}

// verify reads a whole chain and checks that it has n events, without gaps or
// forks.
func verify(t *testing.T, s portal.Store, chain string, n int) []audit.Event {
	t.Helper()
	ctx := begin(t)
	v := audit.Verifier{Chain: chain}
	var all []audit.Event
	for {
		page := get[[]audit.Event](t)(s.Events(ctx, portal.EventFilter{Chain: chain, After: v.Seq, Limit: 7, Oldest: true}))
		for _, e := range page {
			noError(t, v.Add(e))
		}
		all = append(all, page...)
		if len(page) < 7 {
			break
		}
	}
	if len(all) != n {
		t.Errorf("chain %s: got %d events, want %d", chain, len(all), n)
	}
	seq, hash, err := s.Head(ctx, chain)
	noError(t, err)
	if last := len(all); last > 0 && (seq != all[last-1].Seq || hash != all[last-1].Hash) {
		t.Errorf("head: got %d %s, want that of %+v", seq, hash, all[last-1])
	}
	return all
}

// page lists all pages and checks that no row comes twice and that no page is
// longer than asked.
func paged[T any](t *testing.T, limit int, id func(T) string, page func(after *T, limit int) ([]T, error)) []T {
	t.Helper()
	var all []T
	var after *T
	seen := map[string]bool{}
	for {
		rows, err := page(after, limit)
		noError(t, err)
		if len(rows) > limit {
			t.Fatalf("got a page of %d rows, want at most %d", len(rows), limit)
		}
		for _, r := range rows {
			if seen[id(r)] {
				t.Fatalf("got row %s twice", id(r))
			}
			seen[id(r)] = true
		}
		all = append(all, rows...)
		if len(rows) < limit {
			return all
		}
		last := rows[len(rows)-1]
		after = &last
		if len(all) > 10_000 {
			t.Fatal("paging does not end")
		}
	}
}

func label(format string, args ...any) string { return fmt.Sprintf(format, args...) }
