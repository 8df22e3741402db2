package ui

import (
	"net/url"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
)

// authCard draws the one card of a page for those who are not signed in.
func authCard(title string, body ...app.UI) app.UI {
	all := []app.UI{}
	if title != "" {
		all = append(all, app.H1().Text(title))
	}
	return app.Div().Class("auth-frame").Body(
		app.Div().Class("auth-brand").Body(kit.Brand(), app.Span().Text("Gatehouse")),
		app.Div().Class("auth-card").Body(append(all, body...)...),
	)
}

// authFoot draws the line below the card's form.
func authFoot(text, href, link string) app.UI {
	return app.P().Class("auth-foot").Body(app.Text(text+" "), kit.Link(href, link))
}

// outboxLine says where the mails go when they go nowhere.
func outboxLine(at Place) app.UI {
	if !at.Outbox {
		return kit.Nothing()
	}
	return app.P().Class("auth-foot").Body(app.Text("This portal keeps its mails: "), kit.Link("/outbox", "open the outbox"))
}

func escapeQuery(s string) string { return url.QueryEscape(s) }

func p(text string) app.UI { return app.P().Class("auth-text").Text(text) }
