package storetest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// everyCall calls each method of a store once and returns their errors by name.
func everyCall(ctx context.Context, s portal.Store) map[string]error {
	x := tenant{newTeam(), newUser()}
	tok := x.newToken()
	errs := map[string]error{}
	second := func(_ any, err error) error { return err }
	errs["InsertUser"] = s.InsertUser(ctx, x.owner)
	errs["ReplaceUser"] = s.ReplaceUser(ctx, x.owner)
	errs["User"] = second(s.User(ctx, x.owner.ID))
	errs["UserByEmail"] = second(s.UserByEmail(ctx, x.owner.EmailKey))
	errs["Users"] = second(s.Users(ctx, []string{x.owner.ID}))
	errs["SaveSignup"] = s.SaveSignup(ctx, newSignup("key"))
	errs["SignupByCode"] = second(s.SignupByCode(ctx, "code"))
	errs["Signups"] = second(s.Signups(ctx, "key", ""))
	errs["DeleteSignups"] = s.DeleteSignups(ctx, "key")
	errs["InsertSession"] = s.InsertSession(ctx, portal.Session{ID: newID("ses"), Hash: newID("hash"), User: x.owner.ID})
	errs["SessionByHash"] = second(s.SessionByHash(ctx, "hash"))
	errs["HoldSession"] = second(s.HoldSession(ctx, x.owner.ID, "hash"))
	errs["ReplaceSession"] = s.ReplaceSession(ctx, portal.Session{Hash: "hash"})
	errs["Sessions"] = second(s.Sessions(ctx, x.owner.ID))
	errs["DeleteSession"] = s.DeleteSession(ctx, x.owner.ID, "ses")
	errs["DeleteSessions"] = second(s.DeleteSessions(ctx, x.owner.ID, ""))
	errs["InsertTeam"] = s.InsertTeam(ctx, x.team)
	errs["ReplaceTeam"] = s.ReplaceTeam(ctx, x.team)
	errs["Team"] = second(s.Team(ctx, x.team.ID))
	errs["Teams"] = second(s.Teams(ctx, []string{x.team.ID}))
	errs["TeamsNamed"] = second(s.TeamsNamed(ctx, "Acme"))
	errs["PlatformTeam"] = second(s.PlatformTeam(ctx))
	errs["SaveMember"] = s.SaveMember(ctx, portal.Member{Team: x.team.ID, User: x.owner.ID, Role: portal.Owner, JoinedAt: now})
	errs["Member"] = second(s.Member(ctx, x.team.ID, x.owner.ID))
	errs["Members"] = second(s.Members(ctx, x.team.ID))
	errs["Memberships"] = second(s.Memberships(ctx, x.owner.ID))
	errs["DeleteMember"] = s.DeleteMember(ctx, x.team.ID, x.owner.ID)
	errs["InsertToken"] = s.InsertToken(ctx, tok)
	errs["ReplaceToken"] = s.ReplaceToken(ctx, tok)
	errs["Token"] = second(s.Token(ctx, x.team.ID, tok.ID))
	errs["Tokens"] = second(s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Limit: 1, Now: now}))
	errs["LivingTokens"] = second(s.LivingTokens(ctx, x.team.ID, now))
	errs["TokenRecords"] = second(s.TokenRecords(ctx, []string{tok.ID}))
	errs["ClaimName"] = s.ClaimName(ctx, portal.NameClaim{Team: x.team.ID, Name: "ERP", Token: tok.ID}, now)
	errs["ReleaseName"] = s.ReleaseName(ctx, x.team.ID, "ERP", tok.ID)
	errs["InsertOrder"] = s.InsertOrder(ctx, x.newOrder())
	errs["ReplaceOrder"] = s.ReplaceOrder(ctx, x.newOrder())
	errs["Order"] = second(s.Order(ctx, x.team.ID, portal.Live, "ord"))
	errs["Orders"] = second(s.Orders(ctx, x.team.ID, portal.Live, "", 1))
	errs["RecordCalls"] = s.RecordCalls(ctx, portal.CallBatch{
		Calls:   []portal.Call{x.newCall(tok.ID, now)},
		Rollups: []portal.Rollup{x.newRollup(tok.ID, now)},
		Uses:    []portal.Use{{Team: x.team.ID, Token: tok.ID, Generation: 1, At: now}},
	})
	errs["Calls"] = second(s.Calls(ctx, portal.CallFilter{Team: x.team.ID, Limit: 1}))
	errs["Rollups"] = second(s.Rollups(ctx, portal.RollupFilter{Team: x.team.ID, Step: portal.Hour, From: now, To: now.Add(time.Hour)}))
	_, _, errs["Head"] = s.Head(ctx, x.team.ID)
	errs["Events"] = second(s.Events(ctx, portal.EventFilter{Chain: x.team.ID, Limit: 1}))
	errs["Once"] = second(s.Once(ctx, newID("key"), now, now.Add(time.Hour)))
	_, _, errs["Hit"] = s.Hit(ctx, newID("key"), 1, time.Hour, now)
	errs["ForgetCounter"] = s.ForgetCounter(ctx, "key")
	errs["BeginIdempotent"] = second(s.BeginIdempotent(ctx, newIdempotent(), now))
	errs["FinishIdempotent"] = s.FinishIdempotent(ctx, newIdempotent())
	errs["AbandonIdempotent"] = s.AbandonIdempotent(ctx, "key")
	errs["Atomically"] = s.Atomically(ctx, func(ctx context.Context) error {
		_, err := s.Append(ctx, audit.Event{Chain: x.team.ID, At: now, Action: "team.created"})
		return err
	})
	errs["DeleteTeam"] = s.DeleteTeam(ctx, x.team.ID, now)
	errs["DeleteUser"] = s.DeleteUser(ctx, x.owner.ID)
	errs["Prune"] = second(s.Prune(ctx, portal.PruneTimes{Now: time.UnixMilli(1)}, 10))
	errs["Empty"] = second(s.Empty(ctx))
	errs["KeyMark"] = second(s.KeyMark(ctx))
	errs["SomeToken"] = second(s.SomeToken(ctx))
	errs["SaveKeyMark"] = s.SaveKeyMark(ctx, portal.KeyMark{Ring: "ring", Pepper: "k1"})
	errs["Ready"] = s.Ready(ctx)
	return errs
}

var contextTests = []test{
	{"every method is called by these tests", func(t *testing.T, s portal.Store) {
		called := everyCall(begin(t), s)
		called["Append"] = nil // inside of Atomically
		called["Close"] = nil  // by testClosed
		for m := range reflect.TypeFor[portal.Store]().Methods() {
			if _, ok := called[m.Name]; !ok {
				t.Errorf("portal.Store has %s, which everyCall does not call", m.Name)
			}
		}
	}},
	{"every method works with a context that lasts", func(t *testing.T, s portal.Store) {
		missing := map[string]bool{ // for want of a record
			"SignupByCode": true, "SessionByHash": true, "HoldSession": true, "ReplaceSession": true, "DeleteSession": true, "PlatformTeam": true,
			"Order": true, "ReplaceOrder": true, "KeyMark": true, "SomeToken": true,
		}
		for method, err := range everyCall(begin(t), s) {
			if got := portal.KindOf(err); err != nil && !(missing[method] && (got == portal.NotFound || got == portal.Changed)) {
				t.Errorf("%s: got error %v, want none", method, err)
			}
		}
	}},
	{"a context that has ended ends every method", func(t *testing.T, s portal.Store) {
		canceled, cancel := context.WithCancel(context.Background())
		cancel()
		late, cancelLate := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		defer cancelLate()
		for name, ctx := range map[string]context.Context{"cancelled": canceled, "deadline over": late} {
			for method, err := range everyCall(ctx, s) {
				switch {
				case err == nil:
					t.Errorf("%s, %s: got no error", name, method)
				case !errors.Is(err, context.Cause(ctx)) && portal.KindOf(err) != portal.Busy:
					t.Errorf("%s, %s: got error %v, want that of the context or that storage is unavailable", name, method, err)
				}
			}
		}
	}},
	{"a deadline ends the wait for another writer", func(t *testing.T, s portal.Store) {
		x := storeTeam(t, s)
		tok := x.storeToken(t, s, func(tok *portal.Token) { tok.Rev = 0 })
		held, release := make(chan struct{}), make(chan struct{})
		done := make(chan error, 1)
		long := begin(t)
		go func() {
			first := true
			done <- s.Atomically(long, func(ctx context.Context) error {
				changed := tok
				changed.Rev++
				if err := s.ReplaceToken(ctx, changed); err != nil {
					return err
				}
				if first {
					first = false
					close(held)
				}
				<-release
				return nil
			})
		}()
		<-held
		short, cancel := context.WithTimeout(long, 200*time.Millisecond)
		defer cancel()
		began := time.Now()
		err := s.Atomically(short, func(ctx context.Context) error {
			changed := tok
			changed.Rev = 100
			return s.ReplaceToken(ctx, changed)
		})
		if err == nil {
			t.Error("got no error from a write that had to wait for longer than its deadline")
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v, want about 200ms", took)
		}
		close(release)
		noError(t, <-done)
		if got := get[portal.Token](t)(s.Token(long, x.team.ID, tok.ID)); got.Rev != 1 {
			t.Errorf("got rev %d, want that of the first writer", got.Rev)
		}
	}},
}

// testClosed calls every method of a closed store.
func testClosed(t *testing.T, s portal.Store) {
	x := storeTeam(t, s)
	var kept context.Context
	noError(t, s.Atomically(begin(t), func(ctx context.Context) error { kept = ctx; return nil }))
	noError(t, s.Close())
	done := make(chan map[string]error, 1)
	go func() { done <- everyCall(begin(t), s) }()
	select {
	case errs := <-done:
		for method, err := range errs {
			if err == nil {
				t.Errorf("%s: got no error from a closed store", method)
			}
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a call to a closed store hangs")
	}
	if err := s.InsertToken(kept, x.newToken()); err == nil {
		t.Error("got no error from a closed store in an old transaction")
	}
	_ = s.Close() // may complain, must not hang or panic
}

// testUnreachable calls a method of each sort while the database does not
// answer; every method would take a minute.
func testUnreachable(t *testing.T, s portal.Store, opts Options) {
	x := storeTeam(t, s)
	mend := opts.Break(t, s)
	for _, method := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"Team", func(ctx context.Context) error { _, err := s.Team(ctx, x.team.ID); return err }},
		{"TokenRecords", func(ctx context.Context) error { _, err := s.TokenRecords(ctx, []string{"none"}); return err }},
		{"InsertToken", func(ctx context.Context) error { return s.InsertToken(ctx, x.newToken()) }},
		{"Atomically", func(ctx context.Context) error {
			_, err := appendEvent(ctx, s, x.team.ID, "team.renamed", nil)
			return err
		}},
		{"Ready", s.Ready},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		began := time.Now()
		err := method.do(ctx)
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("%s: it took %v, want its deadline of 2s kept", method.name, took)
		}
		if portal.KindOf(err) != portal.Busy {
			t.Errorf("%s: got error %v, want that storage is unavailable", method.name, err)
		}
		cancel()
	}
	mend()
	deadline := time.Now().Add(time.Minute)
	for {
		if _, err := appendEvent(begin(t), s, x.team.ID, "team.renamed", nil); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("a minute after it was mended: got error %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if seq, _, err := s.Head(begin(t), x.team.ID); err != nil || seq < 1 {
		t.Errorf("got head %d %v, want at least 1", seq, err)
	}
}
