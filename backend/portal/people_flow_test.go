package portal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func TestSignUp(t *testing.T) {
	for _, tt := range []struct {
		name    string
		browser string
		after   time.Duration
		want    string
	}{
		{"in the same browser", "browser of Ada", time.Minute, api.SignedIn},
		{"just within the hour", "browser of Ada", time.Hour - time.Millisecond, api.SignedIn},
		{"an hour later", "browser of Ada", time.Hour, api.Verified},
		{"in another browser", "another", time.Minute, api.Verified},
		{"in a browser without cookies", "", time.Minute, api.Verified},
		{"on the last occasion", "another", day - time.Millisecond, api.Verified},
		{"too late", "browser of Ada", day, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			noError(t, w.SignUp(w.ctx, w.account("Ada"), home))
			m := w.mail("Confirm your address")
			if m.To != "ada@example.com" || !strings.Contains(m.Text, "Ada's team") {
				t.Errorf("got %+v, want a mail to Ada about her team", m)
			}
			code := w.code()
			w.now = w.now.Add(tt.after)
			out, err := w.VerifyEmail(w.ctx, code, tt.browser, home)
			if tt.want == "" {
				refused(t, err, "invalid #/code")
				return
			}
			noError(t, err)
			if out.Status != tt.want || (out.Cookie != "") != (tt.want == api.SignedIn) {
				t.Errorf("got %s with cookie %q, want %s", out.Status, out.Cookie, tt.want)
			}
			if tt.want == api.SignedIn && !out.Person.Fresh(w.now) {
				t.Error("the session is not fresh")
			}
			_, err = w.VerifyEmail(w.ctx, code, tt.browser, home) // a second use
			refused(t, err, "invalid #/code")
			in := get[portal.SignedIn](t)(w.SignIn(w.ctx, " ADA@example.com ", password, home))
			if in.Status != api.SignedIn || in.Cookie == "" || in.Cookie == out.Cookie {
				t.Errorf("got %+v, want a new session", in)
			}
		})
	}
}

func TestSignUpRules(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name   string
		change func(in *portal.NewAccount)
		want   string
	}{
		{"no name", func(in *portal.NewAccount) { in.Name = " " }, "#/name"},
		{"a control character", func(in *portal.NewAccount) { in.Name = "Ada\r\nBcc: x@y.z" }, "#/name"},
		{"no address", func(in *portal.NewAccount) { in.Email = "ada" }, "#/email"},
		{"two addresses", func(in *portal.NewAccount) { in.Email = "ada@example.com,eve@example.com" }, "#/email"},
		{"a long address", func(in *portal.NewAccount) { in.Email = strings.Repeat("a", 250) + "@example.com" }, "#/email"},
		{"a short password", func(in *portal.NewAccount) { in.Password = "elevenchars" }, "#/password"},
		{"a common password", func(in *portal.NewAccount) { in.Password = "Qwertyuiop123" }, "#/password"},
		{"the name in it", func(in *portal.NewAccount) { in.Name, in.Password = "Lovelace", "my name is lovelace" }, "#/password"},
		{"no team", func(in *portal.NewAccount) { in.TeamName = "" }, "#/team_name"},
	} {
		in := w.account("Ada")
		tt.change(&in)
		t.Run(tt.name, func(t *testing.T) { refused(t, w.SignUp(w.ctx, in, home), "invalid "+tt.want) })
	}
	if len(w.mails.sent) != 0 {
		t.Errorf("got %d mails, want none", len(w.mails.sent))
	}
	e := refused(t, w.SignUp(w.ctx, portal.NewAccount{}, home), "invalid")
	if len(e.Fields) != 4 {
		t.Errorf("got %v, want every mistake at once", e.Fields)
	}
}

// A name that somebody typed never becomes a link in a mail to somebody else.
func TestNamesInMails(t *testing.T) {
	for _, tt := range []struct {
		name string
		told bool
	}{
		{"Ada L. Byron", true},
		{"Acme Inc.", true},
		{"Ørsted & Søn: Skive", true},
		{"win at evil.example", false},
		{"https://evil", false},
		{"tel:123", false},
		{"me@evil", false},
		{"<b>Ada</b>", false},
	} {
		w := newWorld(t)
		in := w.account("Ada")
		in.Name, in.TeamName = tt.name, tt.name
		noError(t, w.SignUp(w.ctx, in, home))
		if got := strings.Contains(w.mail("Confirm").Text, tt.name); got != tt.told {
			t.Errorf("%q: got %v in the mail, want %v", tt.name, got, tt.told)
		}
	}
}

// Nothing in the answer tells that an address is taken; the mail and the
// person's own log do.
func TestSignUpWithATakenAddress(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	n := len(w.events(ada.User.ID))
	in := w.account("Eve")
	in.Email = "Ada@Example.com"
	noError(t, w.SignUp(w.ctx, in, home))
	if m := w.mail("You already have"); m.To != ada.User.Email || strings.Contains(m.Text, "Eve") {
		t.Errorf("got %+v, want a mail to Ada without what Eve typed", m)
	}
	w.wantActions(ada.User.ID, n, "user.signed_up_again")
	_, err := w.SignIn(w.ctx, in.Email, "another horse with a red umbrella", home)
	refused(t, err, "invalid #/email")
}

// Whoever follows a mail gets the account that this mail's sign-up asked for.
func TestTwoSignUpsForOneAddress(t *testing.T) {
	w := newWorld(t)
	first, second := w.account("Ada"), w.account("Ada")
	second.Password, second.Browser, second.TeamName = "a second horse, without umbrella", "browser of Eve", "Eve's team"
	noError(t, w.SignUp(w.ctx, first, home))
	code := w.code()
	noError(t, w.SignUp(w.ctx, second, home))
	late := w.code()
	noError(t, w.ResendVerification(w.ctx, first.Email, first.Browser, home)) // by the browser that signed up first
	if again := w.code(); again == code || again == late {
		t.Fatal("got an old code, want a new one")
	}
	out := get[portal.SignedIn](t)(w.VerifyEmail(w.ctx, w.code(), first.Browser, home))
	teams := get[[]portal.Membership](t)(w.Memberships(w.ctx, out.Person))
	if teams[0].Team.Name != "Ada's team" {
		t.Errorf("got %s, want the team of the first", teams[0].Team.Name)
	}
	for _, dead := range []string{code, late} { // replaced by the resend; overtaken
		_, err := w.VerifyEmail(w.ctx, dead, second.Browser, home)
		refused(t, err, "invalid #/code")
	}
	get[portal.SignedIn](t)(w.SignIn(w.ctx, first.Email, first.Password, home))
	_, err := w.SignIn(w.ctx, first.Email, second.Password, home)
	refused(t, err, "invalid #/email")
}

func TestResendToNobody(t *testing.T) {
	w := newWorld(t)
	noError(t, w.ResendVerification(w.ctx, "nobody@example.com", "", home))
	noError(t, w.SignUp(w.ctx, w.account("Ada"), home))
	w.now = w.now.Add(day)
	noError(t, w.ResendVerification(w.ctx, "ada@example.com", "", home)) // too late
	if len(w.mails.sent) != 1 {
		t.Errorf("got %d mails, want only that of the sign-up", len(w.mails.sent))
	}
}

func TestSignInUnverified(t *testing.T) {
	w := newWorld(t)
	noError(t, w.SignUp(w.ctx, w.account("Ada"), home))
	first := w.code()
	out := get[portal.SignedIn](t)(w.SignIn(w.ctx, "ada@example.com", password, home))
	if out.Status != api.VerifyEmailDue || out.Cookie != "" {
		t.Errorf("got %+v, want no session before the address is verified", out)
	}
	if w.code() == first || len(w.mails.sent) != 2 {
		t.Error("got no new mail")
	}
	_, err := w.SignIn(w.ctx, "ada@example.com", "not the password at all", home)
	refused(t, err, "invalid #/email")
	if len(w.mails.sent) != 2 {
		t.Error("got a mail for a wrong password")
	}
	w.now = w.now.Add(2 * day)
	_, err = w.SignIn(w.ctx, "ada@example.com", password, home)
	refused(t, err, "invalid #/email") // the sign-up has ended
}

// Every cause of a refused sign-in has one and the same answer.
func TestSignInRefusals(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	bob := w.signedUp("Bob")
	bob.User.DisabledAt = w.now
	noError(t, w.store.ReplaceUser(w.ctx, bob.User))
	var told []string
	for _, tt := range []struct{ email, password string }{
		{"ada@example.com", "not the password at all"},
		{"ada@example.com", ""},
		{"ada@example.com", strings.Repeat("x", 1<<16)},
		{"ada@example.com", "\xff\x00"},
		{"nobody@example.com", password},
		{"bob@example.com", password}, // disabled
		{"bob@example.com", "not the password at all"},
		{"", ""},
		{`{"$gt":""}`, password},
	} {
		_, err := w.SignIn(w.ctx, tt.email, tt.password, home)
		told = append(told, fmt.Sprintf("%+v", refused(t, err, "invalid #/email")))
	}
	for _, answer := range told {
		if answer != told[0] {
			t.Errorf("got %s, want %s", answer, told[0])
		}
	}
	w.wantActions(ada.User.ID, 2, "user.sign_in_refused", "user.sign_in_refused", "user.sign_in_refused", "user.sign_in_refused")
	_, err := w.Authenticate(w.ctx, bob.cookie, home)
	refused(t, err, "signed-out")
}

func TestSignInUpgradesBcrypt(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	const old = "$2a$04$Xc.eLKIO9xWruTuj5d.gBuZMihXlvH5nyOVI.fZdUKu3IwwzfjYXO" // of password, from another system
	ada.User.PasswordHash = old
	noError(t, w.store.ReplaceUser(w.ctx, ada.User))
	_, err := w.SignIn(w.ctx, "ada@example.com", "not the password at all", home)
	refused(t, err, "invalid #/email")
	if u := get[portal.User](t)(w.store.User(w.ctx, ada.User.ID)); u.PasswordHash != old {
		t.Error("a wrong password changed the hash")
	}
	for range 2 {
		get[portal.SignedIn](t)(w.SignIn(w.ctx, "ada@example.com", password, home))
		if u := get[portal.User](t)(w.store.User(w.ctx, ada.User.ID)); !strings.HasPrefix(u.PasswordHash, "$argon2id$") {
			t.Errorf("got %.10s…, want it upgraded", u.PasswordHash)
		}
	}
}

// After very many failures a try waits, a little longer each time and never
// more than five seconds; the owner gets one mail, and is not locked out. An
// address without an account is as slow, so that the wait tells nothing.
func TestSlowDown(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	var waits []time.Duration
	w.SetSleep(func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil })
	fail := func(email string, n int64) {
		t.Helper()
		_, _, err := w.store.Hit(w.ctx, "sign-in-failures:"+email, n, time.Hour, w.now)
		noError(t, err)
	}
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		waits = nil
		fail(email, 98)
		for range 3 { // failures 99 to 101
			_, err := w.SignIn(w.ctx, email, "not the password at all", home)
			refused(t, err, "invalid #/email")
		}
		if got := fmt.Sprint(waits); got != "[250ms]" {
			t.Errorf("%s: got waits of %s, want the first after 100 failures", email, got)
		}
		fail(email, 1000)
		_, err := w.SignIn(w.ctx, email, "not the password at all", home)
		refused(t, err, "invalid #/email")
		if last := waits[len(waits)-1]; last != 5*time.Second {
			t.Errorf("%s: got a wait of %v, want at most 5 s", email, last)
		}
	}
	if m := w.mail("Many failed sign-ins"); m.To != ada.User.Email {
		t.Errorf("got a mail to %s", m.To)
	}
	n := len(waits)
	get[portal.SignedIn](t)(w.SignIn(w.ctx, "ada@example.com", password, home))
	get[portal.SignedIn](t)(w.SignIn(w.ctx, "ada@example.com", password, home)) // the count begins anew
	if len(waits) != n+1 {
		t.Errorf("got %d waits more, want 1", len(waits)-n)
	}
	fail("ada@example.com", 500)
	w.now = w.now.Add(time.Hour)
	get[portal.SignedIn](t)(w.SignIn(w.ctx, "ada@example.com", password, home))
	if len(waits) != n+1 {
		t.Error("got a wait, want the failures to be forgotten after an hour")
	}
	fail("ada@example.com", 500)
	gone := errors.New("gone")
	w.SetSleep(func(context.Context, time.Duration) error { return gone })
	if _, err := w.SignIn(w.ctx, "ada@example.com", password, home); !errors.Is(err, gone) {
		t.Errorf("got %v, want the try to end with its context", err)
	}
}

func TestChangePassword(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	other := get[portal.SignedIn](t)(w.SignIn(w.ctx, "ada@example.com", password, home))
	const next = "another horse with a red umbrella"
	for _, tt := range []struct{ current, next, want string }{
		{"not the password at all", next, "invalid #/current"},
		{password, "short", "invalid #/password"},
		{password, "ada@example.com!", "invalid #/password"},
	} {
		_, err := w.ChangePassword(w.ctx, ada.Person, tt.current, tt.next)
		refused(t, err, tt.want)
	}
	w.wantRenewed(&ada, get[portal.Renewal](t)(w.ChangePassword(w.ctx, ada.Person, password, next)))
	if m := w.mail("Your password was changed"); m.To != ada.User.Email || strings.Contains(m.Text, next) {
		t.Errorf("got %+v", m)
	}
	_, err := w.Authenticate(w.ctx, other.Cookie, home)
	refused(t, err, "signed-out")
	_, err = w.SignIn(w.ctx, "ada@example.com", password, home)
	refused(t, err, "invalid #/email")
	get[portal.SignedIn](t)(w.SignIn(w.ctx, "ada@example.com", next, home))
	for _, e := range w.events(ada.User.ID) {
		if text := fmt.Sprint(e); strings.Contains(text, next) || strings.Contains(text, password) {
			t.Errorf("a password is in the event %s", e.Action)
		}
	}
}

func TestRememberTeam(t *testing.T) {
	w := newWorld(t)
	ada, bob := w.signedUp("Ada"), w.signedUp("Bob")
	n := len(w.events(ada.User.ID))
	_, err := w.UpdateAccount(w.ctx, ada.Person, portal.AccountChange{Name: new("Eve"), LastTeam: &bob.team})
	refused(t, err, "not-found")
	for _, team := range []string{ada.team, ada.team, ""} {
		if u := get[portal.User](t)(w.UpdateAccount(w.ctx, ada.Person, portal.AccountChange{LastTeam: &team})); u.LastTeam != team || u.Name != "Ada" {
			t.Errorf("got %q, want %q", u.LastTeam, team)
		}
		if u := get[portal.User](t)(w.store.User(w.ctx, ada.User.ID)); u.LastTeam != team {
			t.Errorf("stored %q, want %q", u.LastTeam, team)
		}
	}
	w.wantActions(ada.User.ID, n) // nothing for the audit log
}

func TestRename(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	n := len(w.events(ada.User.ID))
	_, err := w.UpdateAccount(w.ctx, ada.Person, portal.AccountChange{Name: new(" ")})
	refused(t, err, "invalid #/name")
	for range 2 { // the second changes nothing
		if u := get[portal.User](t)(w.UpdateAccount(w.ctx, ada.Person, portal.AccountChange{Name: new(" Ada Lovelace ")})); u.Name != "Ada Lovelace" {
			t.Errorf("got %q", u.Name)
		}
	}
	w.wantActions(ada.User.ID, n, "user.renamed")
	page := get[portal.EventPage](t)(w.AccountEvents(w.ctx, ada.Person, portal.EventQuery{Limit: 2}))
	if len(page.Events) != 2 || page.Events[0].Summary != "changed the name from Ada to Ada Lovelace" || page.Events[0].ActorName != "Ada Lovelace" {
		t.Errorf("got %+v", page.Events)
	}
	page = get[portal.EventPage](t)(w.AccountEvents(w.ctx, ada.Person, portal.EventQuery{Limit: 2, After: page.Next}))
	if len(page.Events) != 1 || page.Events[0].Action != "user.signed_up" || page.Next != 0 {
		t.Errorf("got %+v, want the last page", page)
	}
}
