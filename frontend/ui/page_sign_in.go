package ui

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// signInPage opens a session, at /sign-in. The parameter next says where to go
// then.
type signInPage struct {
	app.Compo
	At Place

	email    string
	password string
	shown    bool
	busy     bool
	due      bool // the address is not verified yet
	resend   resend
	errs     kit.Errors
	wait     kit.Wait
}

// Render draws the form, or that the address is to be verified first.
func (s *signInPage) Render() app.UI {
	if s.due {
		return s.resend.card(s, s.At, "Confirm your address", "The password is right. Before you can sign in, open the link in the mail that was sent to "+s.email+".", s.email)
	}
	text := "Sign in"
	if s.wait.Left() > 0 {
		text = "Try again in " + kit.Duration(s.wait.Left())
	}
	return authCard(
		"Sign in",
		s.errs.Rest("#/email", "#/password"),
		app.Form().Class("form").Attr("novalidate", "").OnSubmit(kit.Submit("sign in", s.send)).Body(
			kit.Text(kit.TextOpts{ID: "email", Label: "E-mail address", Type: "email", Bind: &s.email, Autocomplete: "username", Autofocus: true, Error: s.errs.At("#/email")}),
			kit.Password(kit.TextOpts{ID: "password", Label: "Password", Bind: &s.password, Autocomplete: "current-password", Error: s.errs.At("#/password")}, &s.shown),
			kit.Button(kit.ButtonOpts{Text: text, Look: kit.Primary, Wide: true, Submit: true, Busy: s.busy, Disabled: s.wait.Left() > 0}),
		),
		authFoot("No account yet?", "/sign-up", "Create one"),
		outboxLine(s.At),
	)
}

func (s *signInPage) send(ctx app.Context) {
	body := api.SignIn{Email: s.email, Password: s.password}
	if s.busy || s.wait.Left() > 0 {
		return
	}
	if !s.errs.Check(body) {
		focusWrong(ctx)
		return
	}
	s.busy = true
	calls := s.At.API
	kit.Ask(ctx, s, func(ctx context.Context) (api.SignInResult, error) { return calls.SignIn(ctx, body) },
		func(ctx app.Context, r api.SignInResult, err error) {
			s.busy = false
			s.errs.Take(err)
			if p := client.ProblemOf(err); p != nil && p.Status == 429 {
				s.wait.Start(ctx, s, max(p.RetryAfter, time.Second))
			}
			switch {
			case err != nil:
				focusWrong(ctx)
			case r.Status == api.SignedIn:
				s.password = ""
				signedIn(ctx, s.At.Get("next"))
			case r.Status == api.VerifyEmailDue:
				s.password, s.due = "", true
			default:
				s.errs.Add("#/email", "This account needs a second step that this version of the page does not know. Reload the page.")
			}
		})
}

// resend asks for the mail of a verification again.
type resend struct {
	email string
	busy  bool
	sent  bool
	errs  kit.Errors
	wait  kit.Wait
}

// card draws a page that waits for a mail to be opened. With an empty address
// the address is asked for. What is to be done rather stands before the form.
func (r *resend) card(c app.Composer, at Place, title, text, email string, rather ...app.UI) app.UI {
	if email != "" {
		r.email = email
	}
	button := kit.ButtonOpts{Text: "Send the mail again", Submit: true, Wide: true, Busy: r.busy, Disabled: r.wait.Left() > 0}
	if r.wait.Left() > 0 {
		button.Text = "Again in " + kit.Duration(r.wait.Left())
	}
	said := ""
	if r.sent {
		said = "If the address is waiting to be confirmed, a new mail is on its way. It may take a minute; look in the spam folder too. After several mails within an hour no more are sent: the newest one works."
	}
	var field app.UI = kit.Nothing()
	if email == "" {
		field = kit.Text(kit.TextOpts{ID: "email", Label: "E-mail address", Type: "email", Bind: &r.email, Autocomplete: "email", Error: r.errs.At("#/email")})
	}
	body := append([]app.UI{app.Div().Class("auth-icon").Body(kit.IconSize("mail", 22)), p(text)}, rather...)
	return authCard(title, append(body,
		r.errs.Rest("#/email"),
		app.Form().Class("form").Attr("novalidate", "").OnSubmit(kit.Submit("resend", func(ctx app.Context) { r.send(ctx, c, at) })).Body(
			field, kit.Button(button),
		),
		app.P().Class("auth-said").Attr("role", "status").Text(said),
		authFoot("Wrong address?", "/sign-up", "Start again"),
		outboxLine(at),
	)...)
}

func (r *resend) send(ctx app.Context, c app.Composer, at Place) {
	body := api.ResendVerification{Email: r.email}
	if r.busy || !r.errs.Check(body) {
		return
	}
	r.busy = true
	kit.Do(ctx, c, func(ctx context.Context) error { return at.API.ResendVerification(ctx, body.Email) },
		func(ctx app.Context, err error) {
			r.busy, r.sent = false, err == nil
			r.errs.Take(err)
			wait := 30 * time.Second
			if p := client.ProblemOf(err); p != nil && p.RetryAfter > 0 {
				wait = p.RetryAfter
			}
			r.wait.Start(ctx, c, wait)
		})
}
