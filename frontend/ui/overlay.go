package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// dialogs draws what lies over the page: the questions of the gate, the palette
// and the list of keys.
func (r *root) dialogs() app.UI {
	var list []app.UI
	if r.palette {
		list = append(list, &palette{At: r.place, Home: r.here(), OnClose: func(app.Context) { r.palette = false }})
	}
	if r.keys {
		list = append(list, keysDialog(makesTokens(r.session.Teams, r.here()), func(app.Context) { r.keys = false }))
	}
	switch r.asking {
	case askConfirm:
		list = append(list, &confirmPassword{API: r.gate.api, What: r.gate.confirming(), Email: r.session.User.Email, OnDone: r.answered})
	case askSignIn:
		list = append(list, &sessionOver{API: r.gate.api, User: r.session.User, OnDone: r.answered})
	}
	return app.Div().Class("overlays").Body(list...)
}

func (r *root) answered(ctx app.Context, ok bool) {
	q := r.asking
	r.asking = ""
	r.gate.settle(q, ok)
	if q == askSignIn && !ok {
		r.forget()
		r.gate.arm("")
		Go(ctx, "/sign-in") // the button that was pressed goes with its dialog
	}
}

// confirmPassword asks for the password again before something that needs a
// fresh sign-in; the request that asked for it waits.
type confirmPassword struct {
	app.Compo
	API    *client.Client
	What   string // it is asked for: "To rotate this secret"
	Email  string
	OnDone func(app.Context, bool)

	password string
	shown    bool
	busy     bool
	errs     kit.Errors
}

// Render draws the dialog.
func (c *confirmPassword) Render() app.UI {
	return kit.Dialog(kit.DialogOpts{
		ID: "confirm-password", Title: "Confirm it is you",
		Text:    c.What + ", give your password again. It was last given more than 15 minutes ago.",
		OnClose: func(ctx app.Context) { c.OnDone(ctx, false) }, OnSubmit: c.send,
		Body: []app.UI{
			c.errs.Rest("#/password"),
			hiddenEmail(c.Email),
			kit.Password(kit.TextOpts{ID: "fresh-password", Label: "Password", Bind: &c.password, Autocomplete: "current-password", Autofocus: true, Error: c.errs.At("#/password")}, &c.shown),
		},
		Foot: []app.UI{
			kit.Button(kit.ButtonOpts{Text: "Cancel", Key: "cancel", On: func(ctx app.Context) { c.OnDone(ctx, false) }}),
			kit.Button(kit.ButtonOpts{Text: "Confirm", Look: kit.Primary, Submit: true, Busy: c.busy}),
		},
	})
}

func (c *confirmPassword) send(ctx app.Context) {
	body := api.ConfirmPassword{Password: c.password}
	if c.busy || !c.errs.Check(body) {
		return
	}
	c.busy = true
	kit.Do(ctx, c, func(ctx context.Context) error {
		if _, err := c.API.ConfirmPassword(ctx, body.Password); err != nil {
			return err
		}
		_, err := c.API.Session(ctx) // a fresh session may have a new token
		return err
	}, func(ctx app.Context, err error) {
		c.busy = false
		if c.errs.Take(err); err == nil {
			c.password = ""
			c.OnDone(ctx, true)
		}
	})
}

// sessionOver lies over a page whose session has ended. What was being written
// there stays; the requests that were refused wait.
type sessionOver struct {
	app.Compo
	API    *client.Client
	User   api.User
	OnDone func(app.Context, bool)

	password string
	shown    bool
	busy     bool
	errs     kit.Errors
}

// Render draws the dialog.
func (c *sessionOver) Render() app.UI {
	return kit.Dialog(kit.DialogOpts{
		ID: "session-over", Title: "Your session is over", Sticky: true, OnSubmit: c.send,
		Text: "Sign in again to carry on where you were. What you typed is still there.",
		Body: []app.UI{
			c.errs.Rest("#/email", "#/password"),
			hiddenEmail(c.User.Email),
			app.P().Class("dialog-who").Body(kit.Icon("circle-user-round"), app.Span().Text(c.User.Email)),
			kit.Password(kit.TextOpts{ID: "again-password", Label: "Password", Bind: &c.password, Autocomplete: "current-password", Autofocus: true, Error: kit.First(c.errs.At("#/password"), c.errs.At("#/email"))}, &c.shown),
		},
		Foot: []app.UI{
			kit.Button(kit.ButtonOpts{Text: "Leave this page", Key: "leave", On: func(ctx app.Context) { c.OnDone(ctx, false) }}),
			kit.Button(kit.ButtonOpts{Text: "Sign in", Look: kit.Primary, Submit: true, Busy: c.busy}),
		},
	})
}

func (c *sessionOver) send(ctx app.Context) {
	body := api.SignIn{Email: c.User.Email, Password: c.password}
	if c.busy || !c.errs.Check(body) {
		return
	}
	c.busy = true
	who := c.User.ID
	kit.Ask(ctx, c, func(ctx context.Context) (api.Session, error) {
		if _, err := c.API.SignIn(ctx, body); err != nil {
			return api.Session{}, err
		}
		return c.API.Session(ctx)
	}, func(ctx app.Context, s api.Session, err error) {
		c.busy = false
		if c.errs.Take(err); err != nil {
			return
		}
		c.password = ""
		if s.User.ID != who {
			bridge.Reload() // somebody else: nothing of this page is theirs
			return
		}
		c.OnDone(ctx, true)
	})
}

// hiddenEmail tells a password manager whose password is asked for.
func hiddenEmail(email string) app.UI {
	return app.Input().Class("visually-hidden").Type("email").Name("username").Attr("autocomplete", "username").
		Attr("tabindex", "-1").Attr("aria-hidden", "true").ReadOnly(true).Value(email)
}

func keysDialog(makes bool, close func(app.Context)) app.UI {
	rows := []struct{ keys, text string }{
		{"Ctrl K", "Search, jump to a page, check a token"},
		{"/", "Search on this page"},
		{"n", "New token"},
		{"?", "This list"},
		{"Esc", "Close a dialog, a menu or an edit"},
	}
	var body []app.UI
	for _, row := range rows {
		if row.keys == "n" && !makes {
			continue
		}
		body = append(body, app.Div().Class("key-row").Body(app.Dt().Text(row.text), app.Dd().Body(app.Kbd().Text(row.keys))))
	}
	return kit.Dialog(kit.DialogOpts{ID: "keys", Title: "Keyboard shortcuts", OnClose: close, Body: []app.UI{app.Dl().Class("key-list").Body(body...)}})
}

// key answers keys that mean the same on every page. It runs on the goroutine of
// the event.
func (r *root) key(ctx app.Context, k bridge.Key) bool {
	if r.standing != somebody || k.Modal {
		return false
	}
	command := k.Name
	if k.Meta {
		command = "meta " + k.Name
	} else if k.Typing {
		return false
	}
	switch command {
	case "meta k":
		ctx.Dispatch(func(app.Context) { r.palette = true })
	case "?":
		ctx.Dispatch(func(app.Context) { r.keys = true })
	case "/":
		return bridge.Focus("[data-search]")
	case "n":
		next := teamPath(r.here(), "tokens", "new")
		if _, _, ok := match(routes(), next); !ok || !makesTokens(r.session.Teams, r.here()) {
			return false
		}
		ctx.Navigate(next)
	default:
		return false
	}
	return true
}
