package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// signUpPage makes an account and a first team, at /sign-up.
type signUpPage struct {
	app.Compo
	At Place

	form   api.SignUp
	shown  bool
	busy   bool
	sent   bool
	errs   kit.Errors
	resend resend
}

// Render draws the form, or that a mail is on its way.
func (s *signUpPage) Render() app.UI {
	if s.sent {
		return s.resend.card(s, s.At, "Check your mail", "Open the link in the newest message from us to "+s.form.Email+" in this browser, and you are signed in.", s.form.Email)
	}
	f := &s.form
	return authCard(
		"Create an account",
		s.errs.Rest("#/name", "#/email", "#/password", "#/team_name"),
		app.Form().Class("form").Attr("novalidate", "").OnSubmit(kit.Submit("sign up", s.send)).Body(
			kit.Text(kit.TextOpts{ID: "name", Label: "Your name", Bind: &f.Name, Autocomplete: "name", Autofocus: true, Error: s.errs.At("#/name")}),
			kit.Text(kit.TextOpts{ID: "email", Label: "E-mail address", Type: "email", Bind: &f.Email, Autocomplete: "username", Error: s.errs.At("#/email")}),
			app.Div().Class("field-and-rules").Body(
				kit.Password(kit.TextOpts{ID: "password", Label: "Password", Bind: &f.Password, Autocomplete: "new-password", Error: s.errs.At("#/password")}, &s.shown),
				passwordRules(f.Password, f.Name, f.Email, s.errs.At("#/password")),
			),
			kit.Text(kit.TextOpts{ID: "team-name", Label: "Team name", Hint: "Your company or project. Tokens belong to the team.", Bind: &f.TeamName, Autocomplete: "organization", Error: s.errs.At("#/team_name")}),
			kit.Button(kit.ButtonOpts{Text: "Create account", Look: kit.Primary, Wide: true, Submit: true, Busy: s.busy}),
		),
		authFoot("Have an account?", "/sign-in", "Sign in"),
	)
}

func (s *signUpPage) send(ctx app.Context) {
	body := s.form
	if s.busy {
		return
	}
	if !checkPassword(&s.errs, body, body.Password, body.Name, body.Email) {
		focusWrong(ctx)
		return
	}
	s.busy = true
	calls := s.At.API
	kit.Do(ctx, s, func(ctx context.Context) error { return calls.SignUp(ctx, body) }, func(ctx app.Context, err error) {
		s.busy = false
		if s.errs.Take(err); err != nil {
			focusWrong(ctx)
			return
		}
		s.sent, s.form.Password = true, ""
		ctx.Defer(func(app.Context) { bridge.Focus("#main") }) // the form that had the focus is gone
	})
}
