package httpapi_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// Strangers who ask for mail to an address can use its limit up, but keep nobody
// from signing up with it. What they ask for without effect costs nothing.
func TestMailThrottle(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		stranger := w.browser(nextAddress())
		again := func(b *client) {
			t.Helper()
			b.call("POST", "/portal/v1/verify-email/resend", api.ResendVerification{Email: "ada@example.com"}).want(t, 202)
		}
		for range 8 { // of nothing
			again(stranger)
		}
		in := api.SignUp{Name: "Ada", Email: "ada@example.com", Password: password, TeamName: "Acme"}
		w.browser(nextAddress()).call("POST", "/portal/v1/sign-up", in).want(t, 202)
		if n := w.mails.sentTo(in.Email); n != 1 {
			t.Fatalf("got %d mails, want that of the sign-up", n)
		}
		for range 8 {
			again(stranger)
		}
		if n := w.mails.sentTo(in.Email); n != 6 {
			t.Fatalf("got %d mails within an hour, want 6", n)
		}
		ada := w.browser(nextAddress())
		in.TeamName = "Ada's own"
		ada.call("POST", "/portal/v1/sign-up", in).want(t, 202)
		again(ada)
		if n := w.mails.sentTo(in.Email); n != 6 {
			t.Errorf("got %d mails within an hour, want 6", n)
		}
		ada.call("POST", "/portal/v1/verify-email", api.VerifyEmail{Code: w.mails.code(t, in.Email)}).want(t, 200) // of a stranger's mail
		s := into[api.Session](t, ada.call("GET", "/portal/v1/session", nil).want(t, 200))
		if s.Teams[0].Team.Name != "Ada's own" {
			t.Errorf("got the team %q, want what she signed up for", s.Teams[0].Team.Name)
		}
		in.Name = "Eve"
		stranger.call("POST", "/portal/v1/sign-up", in).want(t, 202) // taken, and the limit used up
		if n := w.mails.sentTo(in.Email); n != 6 {
			t.Errorf("got %d mails within an hour, want 6", n)
		}
	})
}

// What comes too late for the limit can be asked for when it allows.
func TestSignUpBeyondTheLimitWaits(t *testing.T) {
	w := onOneStore(t, nil)
	in := api.SignUp{Name: "Ada", Email: "ada@example.com", Password: password, TeamName: "Acme"}
	for range 7 {
		w.browser(nextAddress()).call("POST", "/portal/v1/sign-up", in).want(t, 202)
	}
	in.Password = "what only the last one knows"
	late := w.browser(nextAddress())
	late.call("POST", "/portal/v1/sign-up", in).want(t, 202)
	w.clock.advance(time.Hour + time.Second)
	w.browser(nextAddress()).call("POST", "/portal/v1/verify-email/resend", api.ResendVerification{Email: in.Email}).want(t, 202)
	w.browser(nextAddress()).call("POST", "/portal/v1/verify-email", api.VerifyEmail{Code: w.mails.code(t, in.Email)}).want(t, 200)
	late.call("POST", "/portal/v1/sessions", api.SignIn{Email: in.Email, Password: in.Password}).want(t, 200)
}

func TestSignUpThrottle(t *testing.T) {
	w := onOneStore(t, nil)
	b := w.browser(nextAddress())
	for i := range 61 {
		a := b.call("POST", "/portal/v1/sign-up", api.SignUp{Name: "Ada", Email: fmt.Sprint("ada", i, "@example.com"), Password: "qwertyuiop123", TeamName: "Acme"})
		if i < 60 {
			a.want(t, 422) // too common: nothing is hashed
		} else if p := a.problem(t, 429, "too-many-requests"); p.Detail != "There were too many sign-ups from your network." {
			t.Errorf("got %q", p.Detail)
		}
	}
}

// The cookie of sign-up tells whose password it is that a sign-in gives.
func TestSignInUnverifiedAmongStrangers(t *testing.T) {
	w := onOneStore(t, nil)
	ada, eve := w.browser(nextAddress()), w.browser(nextAddress())
	in := api.SignUp{Name: "Ada", Email: "ada@example.com", Password: password, TeamName: "Acme"}
	ada.call("POST", "/portal/v1/sign-up", in).want(t, 202)
	in.Password = "what only a stranger knows"
	w.clock.advance(time.Second)
	eve.call("POST", "/portal/v1/sign-up", in).want(t, 202)
	got := into[api.SignInResult](t, ada.call("POST", "/portal/v1/sessions", api.SignIn{Email: in.Email, Password: password}).want(t, 200))
	if got.Status != api.VerifyEmailDue {
		t.Errorf("got %q, want %q", got.Status, api.VerifyEmailDue)
	}
}
