package portal_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// A repeat answers the receipt of the first time, and nothing happens twice.
func TestReceipts(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	dev, aud := w.member(ada, "Dev", portal.Developer), w.member(ada, "Aud", portal.Auditor)
	tok := w.token(dev, nil)
	w.wants(portal.OK, tok.secret)
	n := len(w.events(ada.team))
	why := portal.Reason{Reason: "compromised", Note: "seen in a log"}
	suspend := func(who portal.Person) (portal.Receipt, error) {
		return w.SuspendToken(w.ctx, who, ada.team, tok.ID, why)
	}
	resume := func(who portal.Person) (portal.Receipt, error) {
		return w.ResumeToken(w.ctx, who, ada.team, tok.ID, portal.Reason{})
	}
	revoke := func(who portal.Person) (portal.Receipt, error) {
		return w.RevokeToken(w.ctx, who, ada.team, tok.ID, why)
	}

	_, err := resume(dev.Person)
	refused(t, err, "conflict not-suspended")
	_, err = suspend(aud.Person)
	refused(t, err, "role-not-allowed")

	first := get[portal.Receipt](t)(suspend(stale(dev))) // stopping needs no password
	if first != (portal.Receipt{ID: tok.ID, Status: portal.StatusSuspended, At: w.now, Rev: int64(n + 1)}) {
		t.Errorf("got %+v", first)
	}
	w.wants(portal.Suspended, tok.secret)
	note, at := "x", w.now
	v := get[portal.TokenView](t)(w.Token(w.ctx, dev.Person, ada.team, tok.ID))
	get[portal.TokenView](t)(w.UpdateToken(w.ctx, dev.Person, ada.team, tok.ID, &v.Rev, portal.TokenChange{Note: &note}))
	w.now = w.now.Add(time.Minute)
	if again := get[portal.Receipt](t)(suspend(ada.Person)); again != first {
		t.Errorf("got %+v, want %+v", again, first)
	}

	_, err = resume(stale(dev))
	refused(t, err, "fresh-sign-in-required")
	resumed := get[portal.Receipt](t)(resume(dev.Person))
	if resumed != (portal.Receipt{ID: tok.ID, Status: portal.StatusActive, At: w.now, Rev: int64(n + 3)}) {
		t.Errorf("got %+v", resumed)
	}
	w.wants(portal.OK, tok.secret)
	w.now = w.now.Add(time.Minute)
	if again := get[portal.Receipt](t)(resume(stale(dev))); again != resumed { // nothing to resume: no password either
		t.Errorf("got %+v, want %+v", again, resumed)
	}

	_, err = w.RevokeToken(w.ctx, dev.Person, ada.team, tok.ID, portal.Reason{Reason: "because"})
	refused(t, err, "invalid #/reason")
	revoked := get[portal.Receipt](t)(revoke(stale(dev)))
	if revoked != (portal.Receipt{ID: tok.ID, Status: portal.StatusRevoked, At: w.now, Rev: int64(n + 4)}) {
		t.Errorf("got %+v", revoked)
	}
	w.wants(portal.Revoked, tok.secret)
	w.now = w.now.Add(400 * day)
	if again := get[portal.Receipt](t)(revoke(ada.Person)); again != revoked {
		t.Errorf("got %+v, want %+v", again, revoked)
	}
	for _, do := range []func(portal.Person) (portal.Receipt, error){suspend, resume} {
		_, err := do(ada.Person)
		refused(t, err, "conflict token-ended")
	}
	w.wantActions(ada.team, n, "token.suspended", "token.updated", "token.resumed", "token.revoked", "token.dead_secret_used")
	if e := w.events(ada.team)[n]; e.Data["reason"] != "compromised" || e.Data["note"] != "seen in a log" || !e.At.Equal(at) {
		t.Errorf("got %+v", e)
	}
}

// What has expired can still be revoked: stopping is always possible.
func TestRevokeExpired(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	tok := w.token(ada, nil)
	w.now = tok.ExpiresAt
	w.wants(portal.Expired, tok.secret)
	get[portal.Receipt](t)(w.RevokeToken(w.ctx, ada.Person, ada.team, tok.ID, portal.Reason{}))
	w.wants(portal.Revoked, tok.secret)
}

func TestRevokeAll(t *testing.T) {
	w := newWorld(t)
	w.Catalogue().Tokens.MaxPerTeam = 1000
	ada, bob := w.signedUp("Ada"), w.signedUp("Bob")
	dev := w.member(ada, "Dev", portal.Developer)
	keep, elsewhere := w.token(ada, nil), w.token(bob, nil)
	expired := w.token(dev, func(in *portal.NewToken) { in.ExpiresAt = w.now.Add(time.Second) })
	w.now = w.now.Add(time.Second)
	var theirs []issued
	for range 105 { // more than one transaction ends
		theirs = append(theirs, w.token(dev, nil))
	}
	get[portal.Receipt](t)(w.SuspendToken(w.ctx, ada.Person, ada.team, theirs[0].ID, portal.Reason{}))
	n := len(w.events(ada.team))

	_, _, err := w.RevokeAll(w.ctx, dev.Person, ada.team, dev.User.ID, portal.Reason{})
	refused(t, err, "role-not-allowed")
	_, _, err = w.RevokeAll(w.ctx, ada.Person, ada.team, "", portal.Reason{Reason: "?"})
	refused(t, err, "invalid #/reason")

	count, rev, err := w.RevokeAll(w.ctx, stale(ada), ada.team, dev.User.ID, portal.Reason{Reason: "left_team"})
	if err != nil || count != 105 || rev != int64(n+105) {
		t.Errorf("got %d, revision %d, %v, want 105, %d", count, rev, err, n+105)
	}
	for _, tok := range theirs {
		w.wants(portal.Revoked, tok.secret)
	}
	w.wants(portal.Expired, expired.secret)
	w.wants(portal.OK, keep.secret)
	head := int64(len(w.events(ada.team)))
	count, rev, err = w.RevokeAll(w.ctx, ada.Person, ada.team, dev.User.ID, portal.Reason{})
	if err != nil || count != 0 || rev != head {
		t.Errorf("again: got %d, revision %d, %v, want none, %d", count, rev, err, head)
	}
	count, _, err = w.RevokeAll(w.ctx, ada.Person, ada.team, "", portal.Reason{})
	if err != nil || count != 1 {
		t.Errorf("everybody's: got %d, %v, want 1", count, err)
	}
	w.wants(portal.OK, elsewhere.secret)
}

// The use of a dead secret is an alarm, whatever the state of its token: once
// for a token, a network and an hour.
func TestDeadSecrets(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	tok := w.token(ada, nil)
	cancelled := w.rotated(ada, tok.ID, portal.Rotation{})
	how := overlap(0)
	how.Now = true
	live := w.rotated(ada, tok.ID, how)
	other := w.token(ada, nil)
	n := len(w.events(ada.team))
	ask := func(text, from string) {
		w.Decide(w.ctx, &portal.Ask{Secret: text, Address: netip.MustParseAddr(from), UserAgent: "curl", At: w.now})
	}
	for _, tt := range []struct {
		name         string
		after        time.Duration
		secret, from string
		alarms       int
	}{
		{"a retired secret", 0, tok.secret, "203.0.113.9", 1},
		{"again", time.Second, tok.secret, "203.0.113.9", 0},
		{"another secret of the same token", 0, cancelled.secret, "::ffff:203.0.113.9", 0},
		{"from another network", 0, cancelled.secret, "203.0.113.10", 1},
		{"over IPv6", 0, tok.secret, "2001:db8::1", 1},
		{"from the same house", 0, tok.secret, "2001:db8::2:1", 0},
		{"just within the hour", time.Hour - time.Second - time.Millisecond, tok.secret, "203.0.113.9", 0},
		{"an hour later", time.Millisecond, tok.secret, "203.0.113.9", 1},
		{"the living secret, for the first time", 0, live.secret, "203.0.113.9", 1},
		{"a living token, for the first time", 0, other.secret, "203.0.113.9", 1},
		{"a living token", 0, other.secret, "203.0.113.9", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.now = w.now.Add(tt.after)
			ask(tt.secret, tt.from)
			if got := len(w.events(ada.team)) - n; got != tt.alarms {
				t.Errorf("got %d events, want %d", got, tt.alarms)
			}
			n = len(w.events(ada.team))
			if tt.name == "an hour later" {
				if got := w.events(ada.team)[n-1].Data["count"]; got != int64(4) {
					t.Errorf("got a count of %v, want this use and the three that were not told", got)
				}
			}
		})
	}

	// The same of a suspended, a revoked, an expired token.
	for i, stop := range []func(id string){
		func(id string) {
			get[portal.Receipt](t)(w.SuspendToken(w.ctx, ada.Person, ada.team, id, portal.Reason{}))
		},
		func(id string) {
			get[portal.Receipt](t)(w.RevokeToken(w.ctx, ada.Person, ada.team, id, portal.Reason{}))
		},
		func(string) { w.now = w.now.Add(365 * day) },
	} {
		stop(tok.ID)
		w.now = w.now.Add(2 * time.Hour)
		n := len(w.events(ada.team))
		ask(cancelled.secret, "203.0.113.9")
		w.wantActions(ada.team, n, "token.dead_secret_used")
		if i > 0 {
			w.now = w.now.Add(2 * time.Hour)
			ask(live.secret, "203.0.113.9") // all secrets of a revoked token are dead
			w.wantActions(ada.team, n, "token.dead_secret_used", "token.dead_secret_used")
		}
	}
	e := w.events(ada.team)[len(w.events(ada.team))-1]
	if e.Target != tok.ID || e.Actor != portal.ActorAnonymous || e.Data["address"] != "203.0.113.9" || e.Data["user_agent"] != "curl" {
		t.Errorf("got %+v", e)
	}
	w.wants(portal.Expired, other.secret) // expired, not dead: no alarm
	if last := w.events(ada.team); last[len(last)-1].Seq != e.Seq {
		t.Error("got an alarm for an expired token")
	}
}

// A second process does not repeat the alarm of the first.
func TestDeadSecretsInTwoProcesses(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	tok := w.token(ada, nil)
	get[portal.Receipt](t)(w.RevokeToken(w.ctx, ada.Person, ada.team, tok.ID, portal.Reason{}))
	n := len(w.events(ada.team))
	other := portal.New(portal.Options{
		Store: w.store, Catalogue: w.Catalogue(), Keys: w.keys, Mailer: w.mails, Now: func() time.Time { return w.now },
	})
	defer other.Close(w.ctx)
	for _, p := range []*portal.Portal{w.Portal, other, w.Portal, other} {
		if d := p.Decide(w.ctx, &portal.Ask{Secret: tok.secret, Address: home.Address, At: w.now}); d.Code != portal.Revoked {
			t.Errorf("got %s, want revoked", d.Code)
		}
	}
	w.wantActions(ada.team, n, "token.dead_secret_used")
	w.now = w.now.Add(time.Hour)
	other.Decide(w.ctx, &portal.Ask{Secret: tok.secret, Address: home.Address, At: w.now})
	w.wantActions(ada.team, n, "token.dead_secret_used", "token.dead_secret_used")
}

// A new pepper reaches each token at its next use; the secrets stay.
func TestRekeying(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	tok := w.token(ada, nil)
	second := w.rotated(ada, tok.ID, portal.Rotation{})
	w.wants(portal.OK, tok.secret)
	n := len(w.events(ada.team))
	before := w.keys.KeyID()
	after := get[string](t)(w.keys.AddPepper(time.Time{}))
	settle := func() { // re-keying goes on beside the request; closing waits for it
		t.Helper()
		noError(t, w.Close(w.ctx))
	}
	ids := func() string {
		t.Helper()
		v := get[portal.Token](t)(w.store.Token(w.ctx, ada.team, tok.ID))
		return fmt.Sprint(v.Generations[0].KeyID, " ", v.Generations[1].KeyID)
	}
	if got, want := ids(), before+" "+before; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.wants(portal.Insufficient, tok.secret, "orders:write") // refused: not worth it
	settle()
	if got, want := ids(), before+" "+before; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.wants(portal.OK, tok.secret)
	settle()
	if got, want := ids(), after+" "+before; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.wants(portal.OK, tok.secret)
	w.wants(portal.OK, second.secret)
	settle()
	if got, want := ids(), after+" "+after; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.wants(portal.OK, tok.secret)
	w.wants(portal.OK, second.secret)
	w.wantActions(ada.team, n, "token.rotation_activated") // a new hash is no event
}
