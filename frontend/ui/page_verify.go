package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// verifyPage uses the code of a mail, at /verify/{code}. The code leaves the
// address bar before it is sent, so that it is not in the history.
type verifyPage struct {
	app.Compo
	At Place

	code   string
	busy   bool
	done   bool
	stale  bool
	err    error
	resend resend
}

// OnMount takes the code out of the address bar and sends it.
func (v *verifyPage) OnMount(ctx app.Context) {
	if v.At.ID == "" {
		return
	}
	v.code = v.At.ID
	u := *ctx.Page().URL()
	u.Path, u.RawPath, u.RawQuery, u.Fragment = "/verify", "", "", ""
	ctx.Page().ReplaceURL(&u)
	v.send(ctx)
}

func (v *verifyPage) send(ctx app.Context) {
	v.busy, v.err = true, nil
	calls, code := v.At.API, v.code
	kit.Ask(ctx, v, func(ctx context.Context) (api.SignInResult, error) { return calls.VerifyEmail(ctx, code) },
		func(ctx app.Context, r api.SignInResult, err error) {
			v.busy = false
			switch {
			case err == nil && r.Status == api.SignedIn:
				v.code = ""
				signedIn(ctx, "/")
			case err == nil:
				v.code, v.done = "", true
			case client.Status(err) == 422:
				v.code, v.stale = "", true
			default:
				v.err = err
			}
		})
}

// Render draws what became of the code.
func (v *verifyPage) Render() app.UI {
	switch {
	case v.err != nil:
		return authCard("", kit.Failed(v.err, v.send))
	case v.done:
		return authCard(
			"Your address is confirmed",
			app.Div().Class("auth-icon").Body(kit.IconSize("circle-check", 22)),
			p("You opened the link in another browser than the one that signed up, so please sign in here."),
			kit.LinkButton(kit.LinkOpts{Text: "Sign in", Href: "/sign-in", Look: kit.Primary, Wide: true}),
		)
	case v.At.User.ID != "" && (v.stale || v.code == "" && v.At.ID == ""):
		return authCard(
			"Your address is confirmed",
			app.Div().Class("auth-icon").Body(kit.IconSize("circle-check", 22)),
			p("You are signed in as "+v.At.User.Email+". There is nothing left to confirm."),
			kit.LinkButton(kit.LinkOpts{Text: "Go to your team", Href: "/", Look: kit.Primary, Wide: true}),
		)
	case v.stale:
		return v.resend.card(v, v.At, "This link does not work any more", "It was used already, or it is too old. If your address is confirmed, sign in; otherwise have a new mail sent.", "",
			kit.LinkButton(kit.LinkOpts{Text: "Sign in", Href: "/sign-in", Look: kit.Primary, Wide: true}))
	case v.code == "" && v.At.ID == "":
		return v.resend.card(v, v.At, "Confirm your address", "Open the link in the mail that was sent to you. If none came, have it sent again.", "")
	}
	return authCard("Confirming your address", kit.Skeleton("line", "line"))
}
