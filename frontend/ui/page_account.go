package ui

import (
	"context"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// accountPage is about the person, at /account: name, password, and the own
// security log.
type accountPage struct {
	app.Compo
	At Place

	name      string
	nameBusy  bool
	nameWrong kit.Errors

	password      api.ChangePassword
	shown         [2]bool
	passwordBusy  bool
	passwordWrong kit.Errors
	changed       bool
}

func (p *accountPage) OnMount(app.Context) { p.name = p.At.User.Name }

// OnDismount forgets what was typed.
func (p *accountPage) OnDismount() { p.password = api.ChangePassword{} }

func (p *accountPage) Render() app.UI {
	log := p.At.Get("tab") == "log"
	body := []app.UI{
		kit.Header(kit.HeaderOpts{Title: "Account", Text: accountText}),
		kit.Tabs("Parts of the account",
			kit.Tab{Text: "Profile", Href: p.At.Path, On: !log},
			kit.Tab{Text: "Security log", Href: p.At.Path + "?tab=log", On: log},
		),
	}
	if log {
		body = append(body,
			app.P().Class("muted").Text("Sign-ins, refused tries and changes of your account. If one was not you, change your password."),
			&eventLog{At: p.At, Own: true})
	} else {
		body = append(body, p.profile(), p.passwordCard())
	}
	return app.Div().Class("page", "is-narrow").Body(body...)
}

func (p *accountPage) profile() app.UI {
	u := p.At.User
	return app.Form().Attr("novalidate", "").OnSubmit(kit.Submit("save name", p.saveName)).Body(
		kit.Card(kit.CardOpts{Title: "Profile", Foot: []app.UI{
			kit.Button(kit.ButtonOpts{Text: "Save name", Look: kit.Primary, Submit: true, Busy: p.nameBusy}),
		}},
			p.nameWrong.Rest("#/name"),
			kit.Text(kit.TextOpts{ID: "account-name", Label: "Name", Bind: &p.name, Error: p.nameWrong.At("#/name"), Autocomplete: "name"}),
			kit.Facts(
				kit.Pair{Name: "E-mail", Value: app.Span().Body(app.Text(u.Email+" "), kit.Mark(kit.Good, "circle-check", "Verified"))},
				kit.Pair{Name: "Member since", Value: kit.At(u.CreatedAt, bridge.Date)},
			),
		),
	)
}

func (p *accountPage) saveName(ctx app.Context) {
	if p.nameBusy {
		return
	}
	if !p.nameWrong.Check(api.CreateTeam{Name: p.name}) { // the same rule as for every name
		focusWrong(ctx)
		return
	}
	at, name := p.At, strings.TrimSpace(p.name)
	if name == at.User.Name {
		kit.Toast(ctx, kit.Note, "Nothing to save: the name is as it was.")
		return
	}
	p.nameBusy = true
	ShowSession(ctx, func(s *api.Session) { s.User.Name = name })
	kit.Change(ctx, p, "Your name is not saved.", func(background context.Context) (api.User, error) {
		defer SessionChanged(ctx) // whatever page is shown by then
		return at.API.UpdateAccount(background, api.UpdateAccount{Name: api.Some(name)})
	}, func(ctx app.Context, u api.User, err error) {
		p.nameBusy = false
		p.nameWrong.Take(err)
		if err != nil {
			focusWrong(ctx)
			return
		}
		p.name = u.Name
		kit.Toast(ctx, kit.Good, "Your name is saved.")
	})
}

func (p *accountPage) passwordCard() app.UI {
	body := []app.UI{
		p.passwordWrong.Rest("#/current", "#/password"),
		// For password managers: whose password it is.
		app.Input().Type("text").Name("username").Value(p.At.User.Email).Hidden(true).Attr("autocomplete", "username").Attr("readonly", ""),
		kit.Password(kit.TextOpts{
			ID: "current", Label: "Current password", Bind: &p.password.Current, Error: p.passwordWrong.At("#/current"), Autocomplete: "current-password",
		}, &p.shown[0]),
		app.Div().Class("field-and-rules").Body(
			kit.Password(kit.TextOpts{
				ID: "password", Label: "New password", Bind: &p.password.Password, Error: p.passwordWrong.At("#/password"), Autocomplete: "new-password",
				Hint: "Several words are easy to remember and hard to guess.",
			}, &p.shown[1]),
			passwordRules(p.password.Password, p.At.User.Name, p.At.User.Email, p.passwordWrong.At("#/password")),
		),
	}
	if p.changed {
		body = append([]app.UI{kit.Banner(kit.BannerOpts{Kind: kit.Good, Text: "Your password is changed. Every other browser was signed out."})}, body...)
	}
	return app.Form().Attr("novalidate", "").OnSubmit(kit.Submit("change password", p.changePassword)).Body(
		kit.Card(kit.CardOpts{
			Title: "Password", Text: "A change signs every other browser out. Tokens keep working.",
			Foot: []app.UI{kit.Button(kit.ButtonOpts{Text: "Change password", Look: kit.Primary, Submit: true, Busy: p.passwordBusy})},
		}, body...),
	)
}

func (p *accountPage) changePassword(ctx app.Context) {
	if p.passwordBusy {
		return
	}
	p.changed = false
	u := p.At.User
	if !checkPassword(&p.passwordWrong, p.password, p.password.Password, u.Name, u.Email) {
		focusWrong(ctx)
		return
	}
	at, change := p.At, p.password
	p.passwordBusy = true
	kit.Do(ctx, p, func(ctx context.Context) error { return at.API.ChangePassword(ctx, change) }, func(ctx app.Context, err error) {
		p.passwordBusy = false
		p.passwordWrong.Take(err)
		if err != nil {
			focusWrong(ctx)
			return
		}
		p.password, p.shown, p.changed = api.ChangePassword{}, [2]bool{}, true
	})
}
