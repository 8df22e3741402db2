package ui

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// outboxPage lists the mails that were kept instead of sent, at /outbox. The
// server has the route only while mails go to the outbox.
type outboxPage struct {
	app.Compo
	At Place

	now   time.Time
	mails kit.Load[api.List[api.Mail]]
}

// OnMount fetches the list, and again every few seconds: mails come while one
// looks.
func (o *outboxPage) OnMount(ctx app.Context) {
	kit.WatchNow(ctx, &o.now)
	o.mails.Fetch(ctx, o, o.At.API.Outbox)
	kit.Every(ctx, o, 3*time.Second, func(ctx app.Context) bool {
		o.mails.Again(ctx)
		return true
	})
}

// Render draws the list.
func (o *outboxPage) Render() app.UI {
	on := kit.LinkOpts{Text: "Sign in", Href: "/sign-in"}
	empty := kit.EmptyOpts{Icon: "mail", Title: "No mails yet", Text: "They appear here by themselves, for instance when somebody signs up.", Action: "Create an account", Href: "/sign-up"}
	if o.At.User.ID != "" {
		on = kit.LinkOpts{Text: "Back to the portal", Href: "/"}
		empty.Action, empty.Href = "", ""
	}
	return app.Div().Class("outbox").Body(
		app.Div().Class("auth-brand").Body(kit.Brand(), app.Span().Text("Gatehouse")),
		kit.Header(kit.HeaderOpts{
			Title: "Outbox", Text: "This portal runs without a mail server: its mails are kept here.",
			Actions: []app.UI{kit.LinkButton(on)},
		}),
		o.mails.View(kit.Skeleton("line", "line", "line"), func(l api.List[api.Mail]) app.UI {
			if len(l.Data) == 0 {
				return kit.Empty(empty)
			}
			rows := make([]app.UI, len(l.Data))
			for i, m := range l.Data {
				rows[i] = app.Li().Body(app.A().Class("outbox-row").Href("/outbox/"+url.PathEscape(m.ID)).Body(
					app.Span().Class("outbox-subject").Text(m.Subject),
					app.Span().Class("outbox-to").Text(m.To),
					kit.TimeAgo(m.At, o.now, ""),
				))
			}
			return app.Ul().Class("outbox-list").Body(rows...)
		}),
	)
}

// mailPage shows one kept mail, at /outbox/{id}.
type mailPage struct {
	app.Compo
	At Place

	mail kit.Load[api.Mail]
}

// OnMount fetches the mail.
func (m *mailPage) OnMount(ctx app.Context) {
	calls, id := m.At.API, m.At.ID
	m.mail.Fetch(ctx, m, func(ctx context.Context) (api.Mail, error) { return calls.OutboxMail(ctx, id) })
}

// Render draws the mail as text, and its links to this portal as buttons.
func (m *mailPage) Render() app.UI {
	return app.Div().Class("outbox").Body(
		app.Div().Class("auth-brand").Body(kit.Brand(), app.Span().Text("Gatehouse")),
		m.mail.View(kit.Skeleton("title", "block"), func(mail api.Mail) app.UI {
			var links []app.UI
			for _, link := range mail.Links {
				text := "Open the link"
				u, err := url.Parse(link)
				if err != nil || u.Scheme+"://"+u.Host != bridge.Origin() {
					continue // the text has it; only links to this portal are worth a button
				}
				if strings.HasPrefix(u.Path, "/verify/") {
					text = "Confirm the address"
				}
				links = append(links, kit.LinkButton(kit.LinkOpts{Text: text, Icon: "arrow-right", Href: u.RequestURI(), Look: kit.Primary}))
			}
			return app.Article().Class("mail").Body(
				kit.Header(kit.HeaderOpts{Title: mail.Subject, Back: "/outbox", BackTo: "Outbox"}),
				kit.Facts(kit.Pair{Name: "To", Value: app.Text(mail.To)}, kit.Pair{Name: "At", Value: kit.At(mail.At, bridge.Second)}),
				app.Pre().Class("mail-text").Text(mail.Text),
				app.Div().Class("form-actions").Body(links...),
			)
		}),
	)
}
