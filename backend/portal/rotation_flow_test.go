package portal_test

import (
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func overlap(d time.Duration) portal.Rotation { return portal.Rotation{Overlap: &d} }

// rotated rotates a token and returns it with its new secret.
func (w *world) rotated(p person, id string, how portal.Rotation) issued {
	w.t.Helper()
	p.Session.FreshUntil = w.now.Add(time.Minute)
	v, text, err := w.RotateToken(w.ctx, p.Person, p.team, id, how)
	noError(w.t, err)
	return issued{v, text}
}

func TestRotation(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	old := w.token(ada, nil)
	w.wants(portal.OK, old.secret)
	n := len(w.events(ada.team))

	next := w.rotated(ada, old.ID, overlap(time.Hour))
	if next.ID != old.ID || next.secret == old.secret || w.generations(next.TokenView) != "1 active, 2 pending" {
		t.Errorf("got %s", w.generations(next.TokenView))
	}
	w.wantActions(ada.team, n, "token.rotation_started")
	w.now = w.now.Add(10 * day)
	w.wants(portal.OK, old.secret) // nothing ends before the first use
	d := w.wants(portal.OK, next.secret)
	if d.Generation.Number != 2 || d.Generation.Status(w.now) != portal.GenerationActive {
		t.Errorf("got %+v, want who asks to see itself as in use", d.Generation)
	}
	w.wants(portal.OK, next.secret)
	w.wantActions(ada.team, n, "token.rotation_started", "token.rotation_activated")
	w.now = w.now.Add(time.Hour - time.Millisecond)
	w.wants(portal.OK, old.secret)
	w.now = w.now.Add(time.Millisecond)
	w.wants(portal.GenerationEnded, old.secret)
	w.wants(portal.OK, next.secret)
	w.wantActions(ada.team, n, "token.rotation_started", "token.rotation_activated", "token.dead_secret_used")
}

// A refused request is no first use: the old secret would be ended by somebody
// who cannot use the new one.
func TestRotationBeginsWithASuccessfulUse(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	old := w.token(ada, nil)
	next := w.rotated(ada, old.ID, overlap(0))
	w.wants(portal.Insufficient, next.secret, "orders:write")
	w.wants(portal.OK, old.secret)
	w.wants(portal.OK, next.secret, "orders:read")
	w.wants(portal.GenerationEnded, old.secret)
}

func TestRotationNow(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	old := w.token(ada, func(in *portal.NewToken) { in.ExpiresAt = w.now.Add(time.Hour) })
	how := overlap(2 * time.Hour)
	how.Now = true
	next := w.rotated(ada, old.ID, how)
	if g := next.Generations[0]; !g.EndsAt.Equal(old.ExpiresAt) {
		t.Errorf("got an end at %v, want it clipped to that of the token", g.EndsAt)
	}
	how = overlap(0)
	how.Now = true
	w.rotated(ada, old.ID, how)
	w.wants(portal.GenerationEnded, old.secret)
	w.wants(portal.GenerationEnded, next.secret)
}

func TestSecondRotationCancelsTheFirst(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	old := w.token(ada, nil)
	w.wants(portal.OK, old.secret)
	n := len(w.events(ada.team))
	second := w.rotated(ada, old.ID, portal.Rotation{})
	third := w.rotated(ada, old.ID, portal.Rotation{})
	if got := w.generations(third.TokenView); got != "1 active, 2 cancelled, 3 pending" {
		t.Errorf("got %s", got)
	}
	w.wants(portal.GenerationEnded, second.secret)
	w.wants(portal.OK, third.secret)
	w.wants(portal.OK, old.secret) // for a day, as nobody said
	w.wantActions(ada.team, n, "token.rotation_started", "token.rotation_cancelled", "token.rotation_started", "token.dead_secret_used", "token.rotation_activated")
	w.now = w.now.Add(day)
	w.wants(portal.GenerationEnded, old.secret)
}

func TestFinishAndUndo(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	old := w.token(ada, nil)
	finish := func() (portal.TokenView, error) { return w.FinishRotation(w.ctx, stale(ada), ada.team, old.ID) }
	undo := func() (portal.TokenView, error) { return w.UndoRotation(w.ctx, stale(ada), ada.team, old.ID) }
	_, err := finish()
	refused(t, err, "conflict no-rotation")
	_, err = undo()
	refused(t, err, "conflict no-rotation")

	second := w.rotated(ada, old.ID, portal.Rotation{})
	if v := get[portal.TokenView](t)(undo()); w.generations(v) != "1 active, 2 cancelled" {
		t.Errorf("got %s", w.generations(v))
	}
	w.wants(portal.GenerationEnded, second.secret)
	_, err = undo()
	refused(t, err, "conflict no-rotation")
	_, err = finish()
	refused(t, err, "conflict no-rotation")

	third := w.rotated(ada, old.ID, portal.Rotation{})
	w.wants(portal.OK, third.secret)
	_, err = undo() // too late
	refused(t, err, "conflict no-rotation")
	if v := get[portal.TokenView](t)(finish()); w.generations(v) != "1 retired, 2 cancelled, 3 active" {
		t.Errorf("got %s", w.generations(v))
	}
	w.wants(portal.GenerationEnded, old.secret)
	w.wants(portal.OK, third.secret)

	fourth := w.rotated(ada, old.ID, overlap(0)) // not used, and no overlap
	if v := get[portal.TokenView](t)(finish()); w.generations(v) != "1 retired, 2 cancelled, 3 retired, 4 active" {
		t.Errorf("got %s", w.generations(v))
	}
	w.wants(portal.OK, fourth.secret)

	w.rotated(ada, old.ID, portal.Rotation{})
	get[portal.Receipt](t)(w.RevokeToken(w.ctx, ada.Person, ada.team, old.ID, portal.Reason{}))
	_, err = undo()
	refused(t, err, "conflict token-ended")
	_, err = finish()
	refused(t, err, "conflict token-ended")
}

func TestRotationRules(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	dev, aud := w.member(ada, "Dev", portal.Developer), w.member(ada, "Aud", portal.Auditor)
	tok := w.token(ada, nil)
	n := len(w.events(ada.team))
	for _, tt := range []struct {
		name string
		who  portal.Person
		how  portal.Rotation
		want string
	}{
		{"an auditor", aud.Person, portal.Rotation{}, "role-not-allowed"},
		{"another developer", dev.Person, portal.Rotation{}, "role-not-allowed"},
		{"an old password", stale(ada), portal.Rotation{}, "fresh-sign-in-required"},
		{"a negative overlap", ada.Person, overlap(-time.Second), "invalid #/overlap_seconds"},
		{"a long overlap", ada.Person, overlap(7*day + time.Second), "invalid #/overlap_seconds"},
		{"a broken overlap", ada.Person, overlap(time.Millisecond), "invalid #/overlap_seconds"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, text, err := w.RotateToken(w.ctx, tt.who, ada.team, tok.ID, tt.how)
			refused(t, err, tt.want)
			if text != "" {
				t.Error("got a secret with a refusal")
			}
		})
	}
	w.wantActions(ada.team, n)
	w.rotated(ada, tok.ID, overlap(7*day))
	w.now = tok.ExpiresAt
	ada.Session.FreshUntil = w.now.Add(time.Minute)
	_, _, err := w.RotateToken(w.ctx, ada.Person, ada.team, tok.ID, portal.Rotation{})
	refused(t, err, "conflict token-ended")
}

func TestSelf(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	tok := w.token(ada, func(in *portal.NewToken) {
		in.Abilities = []string{"orders:read", "token:rotate"}
		in.ExpiresAt = w.now.Add(31 * day)
	})
	d := w.wants(portal.OK, tok.secret)
	self := get[portal.Self](t)(w.WhoAmI(w.ctx, &d))
	if self.ID != tok.ID || self.TeamName != "Ada's team" || self.Token.Status(self.At) != portal.StatusActive || self.Window.Remaining != 59 ||
		len(self.Effective) != 2 || self.Generation.Number != 1 || len(self.Warnings) != 0 || self.Rev != d.Token.Rev {
		t.Errorf("got %+v", self)
	}
	for range 2 { // whoever looks at the page sees the same, and takes nothing
		if v := get[portal.TokenView](t)(w.Token(w.ctx, ada.Person, ada.team, tok.ID)); *v.Window != *self.Window {
			t.Errorf("got %+v, want %+v", *v.Window, *self.Window)
		}
	}
	team := get[portal.Membership](t)(w.Team(w.ctx, ada.Person, ada.team))
	get[portal.Membership](t)(w.RenameTeam(w.ctx, ada.Person, ada.team, new("New"), &team.Team.Rev))
	if self = get[portal.Self](t)(w.WhoAmI(w.ctx, &d)); self.TeamName != "New" {
		t.Errorf("got %q, want the new name in the process that changed it", self.TeamName)
	}

	d = w.wants(portal.OK, tok.secret, "token:rotate")
	n := len(w.events(ada.team))
	v, next, err := w.RotateSelf(w.ctx, &d, overlap(time.Hour), home)
	noError(t, err)
	if w.generations(v) != "1 active, 2 pending" {
		t.Errorf("got %s", w.generations(v))
	}
	w.wants(portal.OK, next)
	e := w.events(ada.team)[n]
	if e.Action != "token.rotation_started" || e.Actor != tok.ID || e.Data["address"] != home.Address.String() {
		t.Errorf("got %+v, want the token itself as actor", e)
	}
	w.now = w.now.Add(2 * time.Minute)
	d = w.wants(portal.OK, tok.secret)
	noError(t, w.ChangeRole(w.ctx, ada.Person, ada.team, w.member(ada, "Bob", portal.Owner).User.ID, portal.Owner))
	noError(t, w.ChangeRole(w.ctx, ada.Person, ada.team, ada.User.ID, portal.Auditor))
	w.now = w.now.Add(2 * day)
	d = w.wants(portal.OK, next)
	self = get[portal.Self](t)(w.WhoAmI(w.ctx, &d))
	if len(self.Warnings) != 2 || len(self.Effective) != 0 { // it expires soon; the role lends nothing
		t.Errorf("got %q, want two warnings", self.Warnings)
	}

	receipt := get[portal.Receipt](t)(w.RevokeSelf(w.ctx, &d, home))
	if receipt.ID != tok.ID || receipt.Status != portal.StatusRevoked || !receipt.At.Equal(w.now) {
		t.Errorf("got %+v", receipt)
	}
	w.wants(portal.Revoked, next)
	last := w.events(ada.team)[receipt.Rev-1]
	if last.Action != "token.revoked" || last.Actor != tok.ID {
		t.Errorf("got %+v, want the event of the receipt", last)
	}
	if v := get[portal.TokenView](t)(w.Token(w.ctx, ada.Person, ada.team, tok.ID)); v.Revoker != tok.Name || v.RevokedBy != tok.ID {
		t.Errorf("got %q as the revoker, want the token", v.Revoker)
	}
	_, err = w.RevokeSelf(w.ctx, &d, home) // decided before, arriving after
	refused(t, err, "conflict token-ended")
	_, _, err = w.RotateSelf(w.ctx, &d, portal.Rotation{}, home)
	refused(t, err, "conflict token-ended")
}
