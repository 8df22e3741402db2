package portal_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// strangers are sign-ups of somebody else with the address of Ada, more of them
// than a store lists.
func (w *world) strangers() []portal.NewAccount {
	in := w.account("Ada")
	in.Name, in.Password, in.TeamName, in.Browser = "Eve", "a second horse, without umbrella", "Eve's team", "browser of Eve"
	return slices.Repeat([]portal.NewAccount{in}, 21)
}

// Somebody who waits for the mail of their own sign-up may open that of a
// stranger's for the same address. In their browser they get their own account,
// not one with a password that the stranger knows.
func TestAStrangersMailInOnesOwnBrowser(t *testing.T) {
	for _, tt := range []struct {
		name, browser, team, password, status string
	}{
		{"in one's own", "browser of Ada", "Ada's team", password, api.SignedIn},
		{"in the stranger's", "browser of Eve", "Eve's team", "a second horse, without umbrella", api.SignedIn},
		{"in a third", "browser of Bob", "Eve's team", "a second horse, without umbrella", api.Verified},
		{"without a cookie", "", "Eve's team", "a second horse, without umbrella", api.Verified},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			again := w.account("Ada")
			again.TeamName, again.Password = "no team of Ada's", "what she typed first"
			for _, in := range append([]portal.NewAccount{again, w.account("Ada")}, w.strangers()...) {
				w.now = w.now.Add(time.Second)
				noError(t, w.SignUp(w.ctx, in, home))
			}
			out := get[portal.SignedIn](t)(w.VerifyEmail(w.ctx, w.code(), tt.browser, home))
			if out.Status != tt.status {
				t.Errorf("got %s, want %s", out.Status, tt.status)
			}
			in := get[portal.SignedIn](t)(w.SignIn(w.ctx, "ada@example.com", tt.password, home))
			if teams := get[[]portal.Membership](t)(w.Memberships(w.ctx, in.Person)); teams[0].Team.Name != tt.team {
				t.Errorf("got %s, want %s", teams[0].Team.Name, tt.team)
			}
		})
	}
}

// The newest mail that was sent is one whose link works, also when another was
// asked for and could not or may not be sent.
func TestTheNewestMailWorks(t *testing.T) {
	limited := home
	limited.MayMail = func(context.Context, string) (bool, error) { return false, nil }
	for _, tt := range []struct {
		name string
		full bool
		do   func(w *world) error
		want string
	}{
		{"asked for beyond the limit", false, func(w *world) error { return w.ResendVerification(w.ctx, "ada@example.com", "", limited) }, ""},
		{"signed in beyond the limit", false, func(w *world) error {
			out, err := w.SignIn(w.ctx, "ada@example.com", password, limited)
			if out.Status != api.VerifyEmailDue {
				w.t.Errorf("got %q, want %q", out.Status, api.VerifyEmailDue)
			}
			return err
		}, ""},
		{"asked for while the queue is full", true, func(w *world) error { return w.ResendVerification(w.ctx, "ada@example.com", "", home) }, "busy mail-busy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			noError(t, w.SignUp(w.ctx, w.account("Ada"), home))
			w.mails.full = tt.full
			if err := tt.do(w); tt.want == "" {
				noError(t, err)
			} else {
				refused(t, err, tt.want)
			}
			if len(w.mails.sent) != 1 {
				t.Errorf("got %d mails, want only that of the sign-up", len(w.mails.sent))
			}
			get[portal.SignedIn](t)(w.VerifyEmail(w.ctx, w.code(), "", home))
		})
	}
}

// A mail that is asked for while the address is verified makes no sign-up anew.
func TestVerifiedWhileAMailIsAskedFor(t *testing.T) {
	w := newWorld(t)
	noError(t, w.SignUp(w.ctx, w.account("Ada"), home))
	code := w.code()
	w.meanwhile(func() error {
		_, err := w.VerifyEmail(w.ctx, code, "", home)
		return err
	})
	noError(t, w.ResendVerification(w.ctx, "ada@example.com", "", home))
	if list := get[[]portal.Signup](t)(w.store.Signups(w.ctx, "ada@example.com", "")); len(list) != 0 || len(w.mails.sent) != 1 {
		t.Errorf("got %d sign-ups and %d mails, want none that waits and the one of the sign-up", len(list), len(w.mails.sent))
	}
}

// A stranger's sign-up with one's address does not make one's own password wrong
// in the browser that signed up, and the mail is about one's own.
func TestSignInUnverifiedAmongStrangers(t *testing.T) {
	for _, tt := range []struct {
		name, browser, password, team string // no team: refused
	}{
		{"one's own", "browser of Ada", password, "Ada's team"},
		{"the stranger's password in one's own browser", "browser of Ada", "a second horse, without umbrella", ""},
		{"the stranger", "browser of Eve", "a second horse, without umbrella", "Eve's team"},
		{"another browser compares with the newest", "browser of Bob", "a second horse, without umbrella", "Eve's team"},
		{"and with no other", "browser of Bob", password, ""},
		{"no cookie", "", password, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			for _, in := range append([]portal.NewAccount{w.account("Ada")}, w.strangers()...) {
				w.now = w.now.Add(time.Second)
				noError(t, w.SignUp(w.ctx, in, home))
			}
			from := home
			from.Browser = tt.browser
			out, err := w.SignIn(w.ctx, "ada@example.com", tt.password, from)
			if tt.team == "" {
				refused(t, err, "invalid #/email")
				return
			}
			noError(t, err)
			if m := w.mail("Confirm your address"); out.Status != api.VerifyEmailDue || len(w.mails.sent) != 23 || !strings.Contains(m.Text, tt.team) {
				t.Errorf("got %+v and %d mails, the newest %s", out, len(w.mails.sent), m.Text)
			}
		})
	}
}
