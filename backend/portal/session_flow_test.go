package portal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func TestSessions(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []time.Duration // between requests
		want  bool            // of the last
	}{
		{"used at once", []time.Duration{0}, true},
		{"idle for just under twelve hours", []time.Duration{12*time.Hour - time.Millisecond}, true},
		{"idle for twelve hours", []time.Duration{12 * time.Hour}, false},
		{"used again and again", []time.Duration{11 * time.Hour, 11 * time.Hour, 11 * time.Hour}, true},
		{"idle after a use that was not written, within the minute", []time.Duration{59 * time.Second, 12 * time.Hour}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			ada := w.signedUp("Ada")
			for i, step := range tt.steps {
				w.now = w.now.Add(step)
				_, err := w.Authenticate(w.ctx, ada.cookie, home)
				if last := i == len(tt.steps)-1; last && !tt.want {
					refused(t, err, "signed-out")
				} else {
					noError(t, err)
				}
			}
		})
	}
	t.Run("fourteen days at most", func(t *testing.T) {
		w := newWorld(t)
		ada, began := w.signedUp("Ada"), w.now
		for w.now.Sub(began) < 14*day-time.Hour {
			w.now = w.now.Add(time.Hour)
			get[portal.Person](t)(w.Authenticate(w.ctx, ada.cookie, home))
		}
		w.now = began.Add(14*day - time.Millisecond)
		get[portal.Person](t)(w.Authenticate(w.ctx, ada.cookie, home))
		w.now = began.Add(14 * day)
		_, err := w.Authenticate(w.ctx, ada.cookie, home)
		refused(t, err, "signed-out")
	})
}

func TestCookiesThatAreNone(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	for _, cookie := range []string{"", "x", ada.cookie + "x", ada.cookie[1:], ada.Session.ID, ada.Session.Hash, strings.ToUpper(ada.cookie)} {
		_, err := w.Authenticate(w.ctx, cookie, home)
		refused(t, err, "signed-out")
	}
	s := get[[]portal.Session](t)(w.store.Sessions(w.ctx, ada.User.ID))
	if strings.Contains(fmt.Sprintf("%+v", s), ada.cookie) {
		t.Error("the cookie is stored as it is")
	}
}

func TestFresh(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	again := func() portal.Person {
		t.Helper()
		return get[portal.Person](t)(w.Authenticate(w.ctx, ada.cookie, home))
	}
	w.now = w.now.Add(15*time.Minute - time.Millisecond)
	if !again().Fresh(w.now) {
		t.Error("not fresh within a quarter of an hour")
	}
	w.now = w.now.Add(time.Millisecond)
	who := again()
	if who.Fresh(w.now) {
		t.Error("fresh after a quarter of an hour")
	}
	_, err := w.ConfirmPassword(w.ctx, who, "not the password at all")
	refused(t, err, "invalid #/password")
	if again().Fresh(w.now) {
		t.Error("fresh by a wrong password")
	}
	renewed := get[portal.Renewal](t)(w.ConfirmPassword(w.ctx, who, password))
	w.wantRenewed(&ada, renewed)
	if until := renewed.Session.FreshUntil; !until.Equal(w.now.Add(15*time.Minute)) || !again().Fresh(w.now) {
		t.Errorf("got fresh until %v, want a quarter of an hour from now", until)
	}
	w.wantActions(ada.User.ID, 2, "user.sign_in_refused")
	_, err = w.ConfirmPassword(w.ctx, who, password) // with the cookie before
	refused(t, err, "signed-out")
	noError(t, w.SignOut(w.ctx, who))
	_, err = w.ConfirmPassword(w.ctx, ada.Person, password) // a session that ended meanwhile
	refused(t, err, "signed-out")
}

// wantRenewed checks that a session goes on under another cookie, and that a copy
// of the one before opens nothing. From here on it is the person's.
func (w *world) wantRenewed(who *person, r portal.Renewal) {
	w.t.Helper()
	_, err := w.Authenticate(w.ctx, who.cookie, home)
	refused(w.t, err, "signed-out")
	now := get[portal.Person](w.t)(w.Authenticate(w.ctx, r.Cookie, home))
	before := who.Session
	if now.Session.ID != before.ID || !now.Session.ExpiresAt.Equal(before.ExpiresAt) || !w.CheckCSRF(now, w.CSRFToken(who.Person)) {
		w.t.Errorf("got the session %+v, want %+v to go on", now.Session, before)
	}
	who.cookie, who.Session = r.Cookie, now.Session
}

// Two requests of one session at once do not undo what the other did.
func TestSessionChangesDoNotUndoEachOther(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	w.now = w.now.Add(time.Hour)
	who := get[portal.Person](t)(w.Authenticate(w.ctx, ada.cookie, home))
	w.now = w.now.Add(time.Hour)
	var renewed portal.Renewal
	w.meanwhile(func() (err error) { // after Authenticate has read the session
		renewed, err = w.ConfirmPassword(w.ctx, who, password)
		return err
	})
	_, err := w.Authenticate(w.ctx, ada.cookie, home) // the browser has another cookie by now
	refused(t, err, "signed-out")
	if !get[portal.Person](t)(w.Authenticate(w.ctx, renewed.Cookie, home)).Fresh(w.now) {
		t.Error("the confirmed password was forgotten")
	}
}

func TestSignOut(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	other := get[portal.SignedIn](t)(w.SignIn(w.ctx, "ada@example.com", password, home))
	noError(t, w.SignOut(w.ctx, ada.Person))
	noError(t, w.SignOut(w.ctx, ada.Person)) // again is fine, and no event
	_, err := w.Authenticate(w.ctx, ada.cookie, home)
	refused(t, err, "signed-out")
	get[portal.Person](t)(w.Authenticate(w.ctx, other.Cookie, home))
	w.wantActions(ada.User.ID, 2, "user.signed_in", "user.signed_out")
}

func TestCSRF(t *testing.T) {
	w := newWorld(t)
	ada, bob := w.signedUp("Ada"), w.signedUp("Bob")
	token := w.CSRFToken(ada.Person)
	for _, tt := range []struct {
		who   person
		token string
		want  bool
	}{{ada, token, true}, {bob, token, false}, {ada, "", false}, {ada, token + "0", false}, {ada, w.CSRFToken(bob.Person), false}} {
		if got := w.CheckCSRF(tt.who.Person, tt.token); got != tt.want {
			t.Errorf("%q for %s: got %v, want %v", tt.token, tt.who.User.Name, got, tt.want)
		}
	}
}
