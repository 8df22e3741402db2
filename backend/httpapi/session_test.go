package httpapi_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func TestCrossSiteCheck(t *testing.T) {
	w := onOneStore(t, nil)
	ada := w.signUp("Ada")
	path := "/portal/v1/teams"
	body := api.CreateTeam{Name: "another"}
	tests := []struct {
		name    string
		headers []string
		ok      bool
	}{
		{"the portal's own page", []string{"Sec-Fetch-Site", "same-origin"}, true},
		{"the person", []string{"Sec-Fetch-Site", "none"}, true},
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"a sibling", []string{"Sec-Fetch-Site", "same-site"}, false},
		{"Sec-Fetch-Site wins over Origin", []string{"Sec-Fetch-Site", "cross-site", "Origin", w.url}, false},
		{"our origin", []string{"Sec-Fetch-Site", "", "Origin", w.url}, true},
		{"another origin", []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, false},
		{"another scheme", []string{"Sec-Fetch-Site", "", "Origin", strings.Replace(w.url, "http:", "https:", 1)}, false},
		{"another port", []string{"Sec-Fetch-Site", "", "Origin", w.url + "1"}, false},
		{"no origin to speak of", []string{"Sec-Fetch-Site", "", "Origin", "null"}, false},
		{"Origin wins over Referer", []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example", "Referer", w.url + "/"}, false},
		{"our referer", []string{"Sec-Fetch-Site", "", "Referer", w.url + "/teams?x=1"}, true},
		{"another referer", []string{"Sec-Fetch-Site", "", "Referer", "https://evil.example/" + w.url}, false},
		{"nothing at all", []string{"Sec-Fetch-Site", ""}, false},
		{"no token", []string{"X-CSRF-Token", ""}, false},
		{"a wrong token", []string{"X-CSRF-Token", "x.y"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := ada.call("POST", path, body, tt.headers...)
			if tt.ok {
				a.want(t, 201)
			} else {
				a.problem(t, 403, "cross-site-request")
			}
		})
	}
	t.Run("another session's token", func(t *testing.T) {
		bob := w.signUp("Bob")
		ada.call("POST", path, body, "X-CSRF-Token", bob.header.Get("X-CSRF-Token")).problem(t, 403, "cross-site-request")
	})
	t.Run("sign-in rests on the check alone", func(t *testing.T) {
		b := w.browser(nextAddress())
		in := api.SignIn{Email: "ada@example.com", Password: password}
		b.call("POST", "/portal/v1/sessions", in, "Sec-Fetch-Site", "cross-site").problem(t, 403, "cross-site-request")
		b.call("POST", "/portal/v1/sessions", in).want(t, 200)
	})
	t.Run("without a session 401 comes first", func(t *testing.T) {
		w.browser(nextAddress()).call("POST", path, body, "Sec-Fetch-Site", "cross-site").problem(t, 401, "signed-out")
	})
}

func TestSessionCookie(t *testing.T) {
	tests := []struct {
		name   string
		change func(*httpapi.Options)
		cookie string
		secure bool
	}{
		{"http", nil, "gatehouse", false},
		{"https", func(o *httpapi.Options) { o.PublicURL = strings.Replace(o.PublicURL, "http:", "https:", 1) }, "__Host-gatehouse", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := onOneStore(t, tt.change)
			b := w.browser(nextAddress())
			a := b.call("POST", "/portal/v1/sign-up", api.SignUp{Name: "Ada", Email: "ada@example.com", Password: password, TeamName: "Acme"}).want(t, 202)
			cookies := (&http.Response{Header: a.header}).Cookies()
			if len(cookies) != 1 || cookies[0].Name != tt.cookie+"-signup" || !cookies[0].HttpOnly || cookies[0].MaxAge != 24*3600 {
				t.Fatalf("got %v", a.header["Set-Cookie"])
			}
			known := cookies[0].Name + "=" + cookies[0].Value
			for path, body := range map[string]any{
				"/portal/v1/verify-email/resend": api.ResendVerification{Email: "ada@example.com"},
				"/portal/v1/sessions":            api.SignIn{Email: "ada@example.com", Password: password},
			} {
				a := b.call("POST", path, body, "Cookie", known)
				again := (&http.Response{Header: a.header}).Cookies()
				if len(again) != 1 || again[0].Value != cookies[0].Value || again[0].MaxAge != 24*3600 {
					t.Errorf("%s: got %d and %v, want the cookie to live on with the sign-up", path, a.status, a.header["Set-Cookie"])
				}
			}
			a = b.call("POST", "/portal/v1/verify-email", api.VerifyEmail{Code: w.mails.code(t, "ada@example.com")},
				"Cookie", known).want(t, 200)
			var found bool
			for _, ck := range (&http.Response{Header: a.header}).Cookies() {
				if ck.Name != tt.cookie {
					continue
				}
				found = true
				if ck.Secure != tt.secure || !ck.HttpOnly || ck.SameSite != http.SameSiteLaxMode || ck.Path != "/" || ck.Domain != "" || len(ck.Value) < 22 {
					t.Errorf("got %v", ck)
				}
			}
			if !found {
				t.Errorf("no session cookie in %v", a.header["Set-Cookie"])
			}
		})
	}
}

func TestSignOut(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		u, _ := url.Parse(w.url)
		before := ada.http.Jar.Cookies(u)
		a := ada.call("DELETE", "/portal/v1/session", nil).want(t, 204)
		if got := a.header.Get("Clear-Site-Data"); got != `"cache", "cookies", "storage"` {
			t.Errorf("got Clear-Site-Data %q", got)
		}
		ada.call("GET", "/portal/v1/session", nil).problem(t, 401, "signed-out")
		ada.http.Jar.SetCookies(u, before) // a stolen copy of the cookie
		ada.call("GET", "/portal/v1/session", nil).problem(t, 401, "signed-out")
	})
}

// A browser has one session: to sign in again ends the one before, so that a
// copy of its cookie is worth nothing.
func TestSigningInAgainEndsTheSessionBefore(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada, other := w.signUp("Ada"), w.browser(nextAddress())
		in := api.SignIn{Email: "ada@example.com", Password: password}
		other.call("POST", "/portal/v1/sessions", in).want(t, 200)
		thief := ada.copied()
		thief.call("GET", "/portal/v1/session", nil).want(t, 200)
		ada.call("POST", "/portal/v1/sessions", in).want(t, 200)
		ada.call("GET", "/portal/v1/session", nil).want(t, 200)
		thief.call("GET", "/portal/v1/session", nil).problem(t, 401, "signed-out")
		other.call("GET", "/portal/v1/session", nil).want(t, 200) // another browser's is left alone
	})
}

func TestSignIn(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.signUp("Ada")
		b := w.browser(nextAddress())
		wrong := b.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: "not the password"})
		unknown := b.call("POST", "/portal/v1/sessions", api.SignIn{Email: "nobody@example.com", Password: "not the password"})
		p, q := wrong.problem(t, 422, "invalid"), unknown.problem(t, 422, "invalid")
		if len(p.Errors) != 1 || p.Errors[0].Pointer != "#/email" || len(q.Errors) != 1 || p.Errors[0] != q.Errors[0] || p.Detail != q.Detail {
			t.Errorf("the answers tell who has an account:\n%s\n%s", wrong.body, unknown.body)
		}
		b.call("POST", "/portal/v1/sessions", api.SignIn{Email: " ADA@example.com", Password: password}).want(t, 200)
		s := into[api.Session](t, b.call("GET", "/portal/v1/session", nil).want(t, 200))
		if s.User.Name != "Ada" || len(s.Teams) != 1 || s.Teams[0].Role != "owner" || s.FreshUntil.IsZero() || s.CSRFToken == "" {
			t.Errorf("got %+v", s)
		}
		events := into[api.List[api.Event]](t, b.call("GET", "/portal/v1/account/events", nil).want(t, 200))
		var actions []string
		for _, e := range events.Data {
			actions = append(actions, e.Action)
		}
		if got := strings.Join(actions, " "); got != "user.signed_in user.sign_in_refused user.signed_in user.signed_up" {
			t.Errorf("got %s", got)
		}
	})
}

// A queue of mails that is full is not a fault of the request, and says the same
// about every address.
func TestSignUpWhenNoMailCanBeSent(t *testing.T) {
	w := onOneStore(t, nil)
	w.signUp("Ada")
	b := w.browser(nextAddress())
	signUp := func(email string) answer {
		return b.call("POST", "/portal/v1/sign-up", api.SignUp{Name: "Eve", Email: email, Password: password + "2", TeamName: "Eve Ltd"})
	}
	signUp("waits@example.com").want(t, 202)
	w.mails.mu.Lock()
	w.mails.full = true
	w.mails.mu.Unlock()
	for name, a := range map[string]answer{
		"free": signUp("eve@example.com"), "taken": signUp("ada@example.com"),
		"again": b.call("POST", "/portal/v1/verify-email/resend", api.ResendVerification{Email: "waits@example.com"}),
	} {
		p := into[api.Problem](t, a.want(t, 503))
		if p.Code != "mail-busy" || p.RetryAfterSeconds != 60 || a.header.Get("Retry-After") != "60" {
			t.Errorf("%s: got %+v and Retry-After %q", name, p, a.header.Get("Retry-After"))
		}
	}
	w.mails.mu.Lock()
	w.mails.full = false
	w.mails.mu.Unlock()
	signUp("eve@example.com").want(t, 202)
}

func TestSignUpTellsNothing(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.signUp("Ada")
		b := w.browser(nextAddress())
		in := api.SignUp{Name: "Eve", Email: "ada@example.com", Password: password + "2", TeamName: "Eve Ltd"}
		taken := b.call("POST", "/portal/v1/sign-up", in).want(t, 202)
		in.Email = "eve@example.com"
		free := b.call("POST", "/portal/v1/sign-up", in).want(t, 202)
		if string(taken.body) != "{}" || string(free.body) != "{}" || taken.header.Get("Set-Cookie") == "" {
			t.Errorf("got %s and %s", taken.body, free.body)
		}
		b.call("POST", "/portal/v1/verify-email/resend", api.ResendVerification{Email: "eve@example.com"}).want(t, 202)
		b.call("POST", "/portal/v1/verify-email/resend", api.ResendVerification{Email: "nobody@example.com"}).want(t, 202)
		got := into[api.SignInResult](t, b.call("POST", "/portal/v1/sessions", api.SignIn{Email: "eve@example.com", Password: password + "2"}).want(t, 200))
		if got.Status != api.VerifyEmailDue {
			t.Errorf("got %q, want %q", got.Status, api.VerifyEmailDue)
		}
		b.call("GET", "/portal/v1/session", nil).problem(t, 401, "signed-out")
		code := w.mails.code(t, "eve@example.com")
		elsewhere := w.browser(nextAddress())
		verified := into[api.SignInResult](t, elsewhere.call("POST", "/portal/v1/verify-email", api.VerifyEmail{Code: code}).want(t, 200))
		if verified.Status != api.Verified {
			t.Errorf("in another browser: got %q, want %q", verified.Status, api.Verified)
		}
		p := elsewhere.call("POST", "/portal/v1/verify-email", api.VerifyEmail{Code: code}).problem(t, 422, "invalid")
		if p.Errors[0].Pointer != "#/code" {
			t.Errorf("got %+v", p.Errors)
		}
	})
}

func TestSignInThrottle(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.signUp("Ada")
		b := w.browser("2001:db8:0:1::1")
		try := func(from, password string) answer {
			return b.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: password}, "X-Forwarded-For", from)
		}
		for range 5 {
			try("2001:db8:0:1::1", "wrong password").want(t, 422)
		}
		a := try("2001:db8:0:1::2", password) // the same /64, and the right password
		if p := a.problem(t, 429, "too-many-requests"); p.RetryAfterSeconds < 1 || p.RetryAfterSeconds > 61 || a.header.Get("Retry-After") == "" {
			t.Errorf("got %s", a.body)
		}
		try("2001:db8:0:2::1", password).want(t, 200) // another network is not shut out
		w.clock.advance(61 * time.Second)
		for range 5 {
			try("2001:db8:0:1::1", "wrong password").want(t, 422)
		}
		w.clock.advance(61 * time.Second) // the second window is twice as long
		if p := try("2001:db8:0:1::1", password).problem(t, 429, "too-many-requests"); p.RetryAfterSeconds < 50 {
			t.Errorf("got a wait of %d s, want about a minute more", p.RetryAfterSeconds)
		}
		w.clock.advance(62 * time.Second)
		try("2001:db8:0:1::1", password).want(t, 200)
		for range 5 {
			try("2001:db8:0:1::1", "wrong password").want(t, 422) // forgotten with the right one
		}
	})
}

func TestNetworkThrottle(t *testing.T) {
	w := onOneStore(t, nil)
	b := w.browser(nextAddress())
	for i := range 31 {
		a := b.call("POST", "/portal/v1/sessions", api.SignIn{Email: strings.Repeat("x", i+1) + "@example.com", Password: "wrong password"})
		if i < 30 {
			a.want(t, 422)
		} else {
			a.problem(t, 429, "too-many-requests")
		}
	}
}

// sentTo returns how many mails went to an address.
func (m *mailbox) sentTo(to string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, msg := range m.sent {
		if msg.To == to {
			n++
		}
	}
	return n
}

// Whoever knows the password of a sign-up that waits can have the mail sent
// again, but not fill a mailbox with it. The newest mail that went out works.
func TestSigningInUnverifiedSendsFewMails(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		in := api.SignUp{Name: "Ada", Email: "ada@example.com", Password: password, TeamName: "Acme"}
		b := w.browser(nextAddress())
		b.call("POST", "/portal/v1/sign-up", in).want(t, 202)
		for i := range 12 {
			elsewhere := w.browser(nextAddress())
			a := elsewhere.call("POST", "/portal/v1/sessions", api.SignIn{Email: in.Email, Password: password}).want(t, 200)
			if got := into[api.SignInResult](t, a); got.Status != api.VerifyEmailDue {
				t.Fatalf("try %d: got %q, want %q", i, got.Status, api.VerifyEmailDue)
			}
		}
		if n := w.mails.sentTo(in.Email); n != 6 {
			t.Errorf("got %d mails within an hour, want 6", n)
		}
		w.clock.advance(time.Hour)
		w.browser(nextAddress()).call("POST", "/portal/v1/sessions", api.SignIn{Email: in.Email, Password: password}).want(t, 200)
		if n := w.mails.sentTo(in.Email); n != 7 {
			t.Errorf("got %d mails an hour later, want 7", n)
		}
		b.call("POST", "/portal/v1/verify-email", api.VerifyEmail{Code: w.mails.code(t, in.Email)}).want(t, 200)
	})
}

// A right password that opens no session is a try like any other.
func TestSigningInUnverifiedIsATry(t *testing.T) {
	w := onOneStore(t, nil)
	b := w.browser(nextAddress())
	b.call("POST", "/portal/v1/sign-up", api.SignUp{Name: "Ada", Email: "ada@example.com", Password: password, TeamName: "Acme"}).want(t, 202)
	for range 5 {
		b.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: password}).want(t, 200)
	}
	b.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: password}).problem(t, 429, "too-many-requests")
}

// One network has so many mails sent, by whatever request and to whomever.
func TestSigningInUnverifiedCountsForTheNetwork(t *testing.T) {
	w := onOneStore(t, nil)
	w.browser(nextAddress()).call("POST", "/portal/v1/sign-up", api.SignUp{Name: "Ada", Email: "ada@example.com", Password: password, TeamName: "Acme"}).want(t, 202)
	b := w.browser(nextAddress())
	for range 60 {
		b.call("POST", "/portal/v1/verify-email/resend", api.ResendVerification{Email: rand.Text() + "@example.com"}).want(t, 202)
	}
	b.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: password}).want(t, 200)
	if n := w.mails.sentTo("ada@example.com"); n != 1 {
		t.Errorf("got %d mails, want only that of the sign-up", n)
	}
	p := b.call("POST", "/portal/v1/verify-email/resend", api.ResendVerification{Email: "ada@example.com"}).problem(t, 429, "too-many-requests")
	if p.Detail != "Too many mails were asked for from your network." || p.RetryAfterSeconds < 1 || p.RetryAfterSeconds > 3601 {
		t.Errorf("got %+v", p)
	}
}

// What a password earns is not for whoever has a copy of the cookie before.
func TestConfirmPassword(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		w.clock.advance(20 * time.Minute)
		if s := ada.session(); !s.FreshUntil.IsZero() {
			t.Errorf("got fresh until %v after 20 minutes", s.FreshUntil)
		}
		ada.call("POST", ada.path("tokens"), newToken("x")).problem(t, 403, "fresh-sign-in-required")
		p := ada.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: "not the password"}).problem(t, 422, "invalid")
		if p.Errors[0].Pointer != "#/password" {
			t.Errorf("got %+v", p.Errors)
		}
		copied := ada.copied()
		fresh := into[api.Fresh](t, ada.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: password}).want(t, 200))
		copied.call("GET", "/portal/v1/session", nil).problem(t, 401, "signed-out")
		if fresh.FreshUntil.Before(w.clock.now()) {
			t.Errorf("got %v", fresh)
		}
		ada.token("x")
	})
}

func TestAccount(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		u := into[api.User](t, ada.call("PATCH", "/portal/v1/account", `{"name":"Ada King"}`).want(t, 200))
		if u.Name != "Ada King" || u.Email != "ada@example.com" {
			t.Errorf("got %+v", u)
		}
		ada.call("PATCH", "/portal/v1/account", `{"email":"x@example.com"}`).problem(t, 422, "invalid")
		ada.call("PATCH", "/portal/v1/account", `{"platform_admin":true}`).problem(t, 422, "invalid")

		other := w.browser(nextAddress())
		other.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: password}).want(t, 200)
		p := ada.call("POST", "/portal/v1/account/password", api.ChangePassword{Current: "not the password", Password: "another good phrase"}).problem(t, 422, "invalid")
		if p.Errors[0].Pointer != "#/current" {
			t.Errorf("got %+v", p.Errors)
		}
		p = ada.call("POST", "/portal/v1/account/password", api.ChangePassword{Current: password, Password: "ada@example.com1"}).problem(t, 422, "invalid")
		if p.Errors[0].Pointer != "#/password" {
			t.Errorf("got %+v", p.Errors)
		}
		copied := ada.copied()
		ada.call("POST", "/portal/v1/account/password", api.ChangePassword{Current: password, Password: "another good phrase"}).want(t, 204)
		ada.call("GET", "/portal/v1/session", nil).want(t, 200)
		copied.call("GET", "/portal/v1/session", nil).problem(t, 401, "signed-out")
		other.call("GET", "/portal/v1/session", nil).problem(t, 401, "signed-out")
		b := w.browser(nextAddress())
		b.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: password}).problem(t, 422, "invalid")
		b.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: "another good phrase"}).want(t, 200)
	})
}

// Whoever still has the old password, or another session, is out when the
// change of the password is answered, however many requests were under way.
func TestChangingThePasswordAmongManyRequests(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada, thief := w.signUp("Ada"), w.browser(nextAddress())
		in := api.SignIn{Email: "ada@example.com", Password: password}
		thief.call("POST", "/portal/v1/sessions", in).want(t, 200)
		stolen := &someone{client: thief, name: "thief"}
		stolen.session()

		var work sync.WaitGroup
		intruders := make([]*client, 6)
		for i := range intruders {
			intruders[i] = w.browser(nextAddress())
			work.Go(func() { intruders[i].call("POST", "/portal/v1/sessions", in) })
		}
		work.Go(func() {
			for thief.call("PATCH", "/portal/v1/account", fmt.Sprintf(`{"name":"Eve %s"}`, rand.Text())).status == 200 {
			}
		})
		ada.call("POST", "/portal/v1/account/password", api.ChangePassword{Current: password, Password: "another good phrase"}).want(t, 204)
		name := ada.session().User.Name
		work.Wait()
		thief.call("GET", "/portal/v1/session", nil).problem(t, 401, "signed-out")
		for _, b := range intruders {
			b.call("GET", "/portal/v1/session", nil).problem(t, 401, "signed-out")
		}
		if got := ada.session().User.Name; got != name {
			t.Errorf("got the name %q, want %q: it was changed after the answer", got, name)
		}
	})
}

// A right password uses up no tries: not of the account that is signed in, nor of
// its sign-ins.
func TestRightPasswordsAreNotLimited(t *testing.T) {
	w := onOneStore(t, nil)
	ada := w.signUp("Ada")
	now, next := password, "another horse with a red umbrella"
	for i := range 7 {
		ada.call("POST", "/portal/v1/account/password", api.ChangePassword{Current: now, Password: next}).want(t, 204)
		now, next = next, now
		if i%2 == 0 {
			ada.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: now}).want(t, 200)
		}
	}
	for range 5 {
		ada.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: "not this one at all"}).problem(t, 422, "invalid")
	}
	ada.call("POST", "/portal/v1/account/password", api.ChangePassword{Current: now, Password: next}).problem(t, 429, "too-many-requests")
	ada.call("POST", "/portal/v1/sessions", api.SignIn{Email: "ada@example.com", Password: now}).problem(t, 429, "too-many-requests")
}
