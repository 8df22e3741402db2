package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// about asks what the token is for.
func (p *newTokenPage) about() app.UI {
	suggestions := []app.UI{app.Span().Class("muted").Text("For example")}
	for _, s := range token.Suggestions {
		suggestions = append(suggestions, kit.Button(kit.ButtonOpts{
			Text: s, Small: true, Look: kit.Ghost, Label: "Use the name " + s, Key: "suggest " + s, On: func(app.Context) { p.form.Name = s },
		}))
	}
	name := []app.UI{
		kit.Text(kit.TextOpts{
			ID: "token-name", Label: "Name", Bind: &p.form.Name, Error: p.errs.At("#/name"), Autofocus: true,
			Hint: "Unique in the team while the token lives.",
		}),
	}
	if p.taken != "" {
		name = append(name, app.P().Class("field-more").Body(kit.Link(p.At.InTeam("tokens", p.taken), "Open the token that has this name")))
	}
	if p.form.Name == "" {
		name = append(name, app.Div().Class("suggestions").Body(suggestions...))
	}
	env := "Orders and other data made for trying things out. Choose live when the integration goes into production."
	if p.form.Env == "live" {
		env = "Real orders and real data. Choose test while the integration is being built."
	}
	return kit.Card(kit.CardOpts{Title: "What it is for"},
		app.Div().Class("field-group").Body(name...),
		kit.Segmented(kit.SelectOpts{
			ID: "token-env", Label: "Environment", Hint: env, Error: p.errs.At("#/env"), Value: p.form.Env,
			Options: []kit.Option{{Value: "test", Text: "Test"}, {Value: "live", Text: "Live"}},
			On:      func(_ app.Context, v string) { p.form.Env = v },
		}),
		kit.Area(kit.TextOpts{
			ID: "token-note", Label: "Note", Optional: true, Bind: &p.form.Note, Error: p.errs.At("#/note"), Rows: 2, Max: 1000,
			Hint: "Who runs it, where it is deployed, whom to ask. Never the secret.",
		}),
	)
}

func (p *newTokenPage) abilities() app.UI {
	return kit.Card(kit.CardOpts{Title: "What it may do", Text: "Only what the integration needs. More can be added later."},
		abilityPicker(p.picker, &p.form.Abilities, p.errs.Under("#/abilities")))
}

func (p *newTokenPage) lifetime(c api.Catalogue) app.UI {
	return kit.Card(kit.CardOpts{Title: "When it works"},
		expiryFields("token", &p.form.Expiry, p.errs.At("#/expires_at"), expiryBounds{policy: c.Tokens, now: p.now, made: p.now}),
		kit.Text(kit.TextOpts{
			ID: "token-not-before", Label: "Not before", Type: "datetime-local", Optional: true, Bind: &p.form.NotBefore, Error: p.errs.At("#/not_before"),
			Hint: "Empty: it works at once.",
		}),
	)
}

func (p *newTokenPage) bounds(c api.Catalogue) app.UI {
	return kit.Card(kit.CardOpts{Title: "From where, and how much"},
		addressField("token-addresses", &p.form.Addresses, p.errs.Lines("#/addresses", len(token.Lines(p.form.Addresses))), p.asking, p.useMine),
		limitFields("token", &p.form.Limit, kit.First(p.errs.At("#/rate_limit"), p.errs.At("#/rate_limit/quota"), p.errs.At("#/rate_limit/window_seconds")), c.Tokens),
	)
}

func (p *newTokenPage) useMine(ctx app.Context) {
	p.asking = true
	useMyAddress(ctx, p, p.At, func(_ app.Context, address string) {
		p.asking = false
		if address != "" {
			p.form.Addresses = token.AddLine(p.form.Addresses, address)
		}
	})
}

// useMyAddress asks the server which address it sees; that of the caller may be
// another one, which the field says.
func useMyAddress(ctx app.Context, page app.Composer, at Place, done func(app.Context, string)) {
	kit.Ask(ctx, page, func(ctx context.Context) (string, error) {
		s, err := at.API.Session(ctx)
		return s.Address, err
	}, func(ctx app.Context, address string, err error) {
		kit.ToastError(ctx, err)
		done(ctx, address)
	})
}

func addressField(id string, bind *string, err string, busy bool, mine func(app.Context)) app.UI {
	return app.Div().Class("field-group").Body(
		kit.Area(kit.TextOpts{
			ID: id, Label: "Addresses", Optional: true, Bind: bind, Error: err, Mono: true, Rows: 3,
			Placeholder: "203.0.113.7\n10.0.0.0/8", Hint: "One address or network a line. Empty: from anywhere.",
		}),
		app.Div().Class("field-more").Body(
			kit.Button(kit.ButtonOpts{Text: "Use my address", Icon: "globe", Small: true, Busy: busy, Key: "my address " + id, On: mine}),
			app.Span().Class("muted").Text("That of this browser, as the server sees it."),
		),
	)
}

func limitFields(id string, l *token.Limit, err string, p api.TokenPolicy) app.UI {
	choice := "usual"
	if l.Own {
		choice = "own"
	}
	body := []app.UI{kit.Segmented(kit.SelectOpts{
		ID: id + "-limit", Label: "Request limit", Value: choice,
		Options: []kit.Option{{Value: "usual", Text: "Usual: " + token.LimitWords(p.DefaultRateLimit)}, {Value: "own", Text: "Its own"}},
		On:      func(_ app.Context, v string) { l.Own = v == "own" },
	})}
	if l.Own {
		body = append(body, app.Div().Class("field-row").Body(
			kit.Text(kit.TextOpts{
				ID: id + "-quota", Label: "Requests", Type: "number", Min: "1", Bind: &l.Quota, Error: err,
				Hint: "At most " + token.LimitWords(p.MaxRateLimit) + ".",
			}),
			kit.Select(kit.SelectOpts{
				ID: id + "-window", Label: "In how long", Options: token.Windows(l.Per), Value: l.Per,
				On: func(_ app.Context, v string) { l.Per = v },
			}),
		))
	}
	return app.Div().Class("field-group").Body(body...)
}
