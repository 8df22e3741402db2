package ui

import (
	"context"
	"errors"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// secretReveal shows a new secret, once. It is part of a page, not a component:
// the secret is in this field and in what is drawn from it, nowhere else, and
// both go when it closes. The page calls wipe when it is dismounted.
type secretReveal struct {
	page    app.Composer
	token   api.Token
	secret  []byte
	done    func(app.Context)
	said    map[string]string // what each copy button said, by its key
	saved   bool              // copied or downloaded
	leaving bool              // asks whether to close without storing it
	release []func()          // what keeps the page from being left
}

// open shows the secret of a token; done runs when it was stored.
func (r *secretReveal) open(ctx app.Context, page app.Composer, t api.IssuedToken, done func(app.Context)) {
	r.wipe()
	*r = secretReveal{page: page, token: t.Token, secret: []byte(t.Secret), done: done, said: map[string]string{}}
	d := ctx.Dispatcher()
	r.release = []func(){bridge.GuardLeaving(), bridge.GuardBack(func() {
		d.Dispatch(app.Dispatch{Mode: app.Update, Source: page, Function: r.leave})
	})}
}

// leave asks whether to close without storing the secret, and has the focus on
// the answer that loses nothing.
func (r *secretReveal) leave(ctx app.Context) {
	if !r.isOpen() {
		return
	}
	r.leaving = true
	later(ctx, r.page, func(app.Context) { bridge.Focus("#secret-keep") })
}

func (r *secretReveal) stay(ctx app.Context) {
	r.leaving = false
	later(ctx, r.page, func(app.Context) { bridge.Focus(".secret .button") })
}

func (r *secretReveal) isOpen() bool { return r.secret != nil }

// wipe forgets the secret.
func (r *secretReveal) wipe() {
	clear(r.secret)
	for _, release := range r.release {
		release()
	}
	*r = secretReveal{}
}

// view draws the dialog, nothing if there is no secret to show.
func (r *secretReveal) view() app.UI {
	if !r.isOpen() {
		return kit.Nothing()
	}
	secret := string(r.secret)
	command := token.FirstCall(bridge.Origin(), r.token.Abilities, secret)
	body := []app.UI{
		app.Div().Class("secret").Body(
			app.Code().Class("secret-text").ID("secret").Attr("tabindex", "0").Attr("role", "textbox").Attr("aria-readonly", "true").Attr("aria-label", "The secret of "+r.token.Name).Text(secret),
			r.copyButton("token", "Copy", kit.Primary, func() string { return string(r.secret) }),
		),
		app.Div().Class("secret-more").Body(
			kit.Button(kit.ButtonOpts{Text: "Download .env", Icon: "download", Key: "download secret", On: r.download}),
			app.Span().Class("muted").Text("with "+token.Variable+" and the address of the API"),
		),
		app.P().Class("secret-try").Text("Try it:"),
		app.Div().Class("code-block").Body(
			app.Pre().Attr("tabindex", "0").Attr("aria-label", "A first call with the secret").Body(kit.Command(command)),
			r.copyButton("command", "", kit.Ghost, func() string {
				return token.FirstCall(bridge.Origin(), r.token.Abilities, string(r.secret))
			}),
		),
	}
	foot := []app.UI{kit.Button(kit.ButtonOpts{Text: "I have stored it", Look: kit.Primary, Key: "secret stored", On: r.stored})}
	if r.leaving {
		text, verb := "Close without storing it? It cannot be shown again; only a rotation gives you another one.", "Close without storing"
		if r.saved {
			text, verb = "Close? The secret cannot be shown again. Be sure that it is where it belongs.", "Close for good"
		}
		foot = []app.UI{
			app.Div().Class("banner", kit.Warn).Attr("role", "alert").Body(kit.Icon("triangle-alert"), app.P().Text(text)),
			kit.Button(kit.ButtonOpts{Text: "Keep it open", ID: "secret-keep", Key: "secret keep", On: r.stay}),
			kit.Button(kit.ButtonOpts{Text: verb, Look: kit.Danger, Key: "secret close", On: r.stored}),
		}
	}
	return kit.Dialog(kit.DialogOpts{
		ID: "secret-reveal", Title: "Store the secret of “" + r.token.Name + "” now", Wide: true,
		Text: "It is shown this once. Gatehouse keeps only a keyed hash of it, so nobody can look it up later.",
		Body: body, Foot: foot,
		OnClose: r.leave,
	})
}

// copyButton draws a button that copies and says so. kit.CopyButton would hold
// the secret in a field that go-app compares and keeps.
func (r *secretReveal) copyButton(what, text, look string, value func() string) app.UI {
	said, icon := r.said[what], "copy"
	if said != "" {
		icon = "check"
		if text != "" {
			text = said
		}
	}
	return app.Span().Class("copy-button").Body(
		kit.Button(kit.ButtonOpts{
			Text: text, Icon: icon, Look: look, Small: text == "", Label: "Copy the " + what, Key: "copy " + what,
			On: func(ctx app.Context) { r.copy(ctx, what, value()) },
		}),
		app.Span().Class("visually-hidden").Attr("role", "status").Text(said),
	)
}

func (r *secretReveal) copy(ctx app.Context, what, value string) {
	kit.Do(ctx, r.page, func(context.Context) error {
		if !bridge.Copy(value) {
			return errors.New("not allowed")
		}
		return nil
	}, func(_ app.Context, err error) {
		switch {
		case !r.isOpen():
		case err == nil:
			r.said[what], r.saved, r.leaving = "Copied", true, false
		default:
			r.said[what] = "Press Ctrl C"
		}
	})
}

func (r *secretReveal) download(app.Context) {
	bridge.Download(token.EnvName(r.token.Name), "text/plain", token.EnvFile(bridge.Origin(), r.token, string(r.secret)))
	r.saved, r.leaving = true, false
}

// stored closes the dialog and forgets the secret.
func (r *secretReveal) stored(ctx app.Context) {
	page, done := r.page, r.done
	r.wipe()
	if done == nil {
		return
	}
	// The button goes with the dialog, and what its context asks for with it.
	kit.Do(ctx, page, func(context.Context) error { return nil }, func(ctx app.Context, _ error) { done(ctx) })
}
