package ui

import (
	"context"
	"slices"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// overviewPage is where a team begins, at /teams/{team}: what to do first, and
// once there are calls, how things stand.
type overviewPage struct {
	app.Compo
	At Place

	now    time.Time
	state  kit.Load[overview]
	events kit.Load[api.List[api.Event]]
}

// overview is what the page knows of the team.
type overview struct {
	any      bool // there is a token, living or not
	newest   api.Token
	expiring []api.Token // soon, the soonest first
	more     bool        // expire soon than these
	day      api.Usage   // the last 24 hours
	month    api.Usage
}

// soon is how long before its end a token is shown as expiring.
const soon = 30 * 24 * time.Hour

// expiringShown is how many of the tokens that expire soon are listed.
const expiringShown = 5

func (p *overviewPage) OnMount(ctx app.Context) {
	kit.WatchNow(ctx, &p.now)
	p.fetch(ctx)
	watchCalls(ctx, p, 10*time.Second, func() bool {
		o, there := p.state.Get()
		return there && o.unused() && !p.state.Busy()
	}, p.fetch)
}

// unused reports that nobody has called yet, so that the first steps are shown.
func (o *overview) unused() bool { return total(o.month).calls == 0 }

func (p *overviewPage) fetch(ctx app.Context) {
	at, now := p.At, p.now
	team := at.Team.Team.ID
	p.state.Fetch(ctx, p, func(ctx context.Context) (o overview, err error) {
		newest, err := at.API.Tokens(ctx, team, client.TokenQuery{Limit: 1})
		if err != nil {
			return o, err
		}
		if o.any = len(newest.Data) > 0; o.any {
			o.newest = newest.Data[0]
		}
		if err := o.findExpiring(ctx, at, now); err != nil {
			return o, err
		}
		q, _ := usageSpan("24h", now)
		if o.day, err = at.API.Usage(ctx, team, q); err != nil {
			return o, err
		}
		q, _ = usageSpan("30d", now)
		o.month, err = at.API.Usage(ctx, team, q)
		return o, err
	})
	p.events.Fetch(ctx, p, func(ctx context.Context) (api.List[api.Event], error) {
		return at.API.Events(ctx, team, client.EventQuery{Limit: 30}) // several may be one line
	})
}

// findExpiring asks for the tokens that expire next; for many only if the few
// that are shown all expire soon.
func (o *overview) findExpiring(ctx context.Context, at Place, now time.Time) error {
	for _, limit := range []int{expiringShown, 100} {
		next, err := at.API.Tokens(ctx, at.Team.Team.ID, client.TokenQuery{Status: api.TokenActive, Sort: "expires_at", Limit: limit})
		if err != nil {
			return err
		}
		o.expiring = slices.DeleteFunc(next.Data, func(t api.Token) bool { return t.ExpiresAt.IsZero() || t.ExpiresAt.Sub(now) >= soon })
		if o.more = next.NextCursor != nil && len(o.expiring) == limit; !o.more {
			break
		}
	}
	return nil
}

// count writes how many tokens expire soon: 7, or 100+ if there are more.
func (o *overview) count() string {
	n := kit.Number(int64(len(o.expiring)))
	if o.more {
		n += "+"
	}
	return n
}

func (p *overviewPage) Render() app.UI {
	header := kit.HeaderOpts{Title: p.At.Team.Team.Name, Text: overviewText}
	if p.At.May("owner", "admin", "developer") {
		header.Actions = []app.UI{kit.LinkButton(kit.LinkOpts{Text: "New token", Icon: "plus", Look: kit.Primary, Href: p.At.InTeam("tokens", "new")})}
	}
	return app.Div().Class("page").Body(
		kit.Header(header),
		p.state.View(kit.Skeleton("stats", "chart"), p.draw),
	)
}

func (p *overviewPage) draw(o overview) app.UI {
	body := []app.UI{}
	if o.unused() {
		body = append(body, p.firstSteps(o))
	}
	day := total(o.day)
	body = append(body, kit.StatRow(
		kit.Stat(kit.StatOpts{Name: "Calls in 24 hours", Value: kit.Number(day.calls), Side: kit.Sparkline(day.spark, "Calls per hour"), Href: p.At.InTeam("usage") + "?span=24h"}),
		kit.Stat(kit.StatOpts{
			Name: "Refused", Value: share(day.refused, day.calls), Hint: kit.Count(int(day.refused), "call", "calls"), Kind: warnIf(day.refused*20 > day.calls && day.calls > 0),
			Href: p.At.InTeam("usage") + "?tab=calls&status=refused",
		}),
		kit.Stat(kit.StatOpts{
			Name: "Failed", Value: share(day.errors, day.calls), Hint: kit.Count(int(day.errors), "call", "calls"), Kind: badIf(day.errors > 0),
			Href: p.At.InTeam("usage") + "?tab=calls&status=5",
		}),
		kit.Stat(kit.StatOpts{Name: "Expiring in 30 days", Value: o.count(), Hint: "of the active tokens", Kind: warnIf(len(o.expiring) > 0), Href: p.At.InTeam("tokens") + "?sort=expires_at"}),
	))
	if !o.unused() {
		body = append(body, kit.Card(kit.CardOpts{Title: "Calls per day", Actions: []app.UI{kit.Link(p.At.InTeam("usage"), "All usage")}}, callsChart(o.month)))
	}
	body = append(body, app.Div().Class("halves").Body(p.expiring(o), p.lastEvents()))
	return app.Div().Class("stack").Body(body...)
}

// firstSteps says what to do until the first call came.
func (p *overviewPage) firstSteps(o overview) app.UI {
	step := func(done bool, title, text string, action app.UI) app.UI {
		icon, class := "circle-dashed", ""
		if done {
			icon, class = "circle-check", "is-done"
		}
		body := []app.UI{app.Strong().Text(title), app.P().Text(text)}
		if !done && action != nil {
			body = append(body, action)
		}
		state := "to do"
		if done {
			state = "done"
		}
		return app.Li().Class("step", class).Body(kit.IconSize(icon, 20), app.Div().Body(append(body, app.Span().Class("visually-hidden").Text(state))...))
	}
	var make app.UI
	if p.At.May("owner", "admin", "developer") {
		make = kit.LinkButton(kit.LinkOpts{Text: "Create token", Look: kit.Primary, Href: p.At.InTeam("tokens", "new")})
	}
	return kit.Card(kit.CardOpts{Title: "First steps", Text: "From here to the first call in a few minutes."}, app.Ol().Class("steps").Body(
		step(true, "Sign up", "Your address is verified and this team is yours to fill.", nil),
		step(o.any, "Create a token", "Give it a name, and only the abilities that the integration needs. Its secret is shown once.", make),
		step(false, "Make the first call", "Ask the API who the token is. The call shows up here within two seconds.", firstCall()),
	))
}

func (p *overviewPage) expiring(o overview) app.UI {
	if len(o.expiring) == 0 {
		return kit.Card(kit.CardOpts{Title: "Expiring soon"}, app.P().Class("muted").Text("No active token expires within 30 days."))
	}
	card := kit.CardOpts{Title: "Expiring soon", Flush: true}
	if len(o.expiring) > expiringShown {
		card.Actions = []app.UI{kit.Link(p.At.InTeam("tokens")+"?status=active&sort=expires_at", "All that expire")}
	}
	return kit.Card(card, kit.Table(kit.TableOpts[api.Token]{
		Caption: "Tokens that expire soon", Rows: o.expiring[:min(expiringShown, len(o.expiring))],
		Columns: []kit.Column[api.Token]{
			{Head: "Token", Class: "is-main", Cell: func(t api.Token) app.UI { return kit.Link(p.At.InTeam("tokens", t.ID), t.Name) }},
			{Head: "Environment", Cell: func(t api.Token) app.UI { return kit.Env(t.Env) }},
			{Head: "Expires", Class: "is-tight", Cell: func(t api.Token) app.UI { return kit.Until(t.ExpiresAt, p.now, "never") }},
		},
	}))
}

func (p *overviewPage) lastEvents() app.UI {
	return kit.Card(kit.CardOpts{Title: "Last events", Actions: []app.UI{kit.Link(p.At.InTeam("audit"), "All events")}},
		p.events.View(kit.Skeleton("line", "line", "line"), func(list api.List[api.Event]) app.UI {
			if len(list.Data) == 0 {
				return app.P().Class("muted").Text("Nothing has happened to your tokens yet.")
			}
			runs := eventRuns(list.Data)
			rows := make([]app.UI, min(6, len(runs)))
			for i := range rows {
				e, summary := runs[i][0], runs[i].summary()
				if n := len(runs[i]); n > 1 {
					summary += ", " + kit.Count(runs[i].times(), "time", "times")
				}
				rows[i] = app.Li().Class("event").Body(
					eventMark(e.Action),
					app.Span().Body(app.Strong().Dir("auto").Text(actorName(e)), app.Text(" "+summary)),
					kit.TimeAgo(e.At, p.now, ""),
				)
			}
			return app.Ul().Class("event-list").Body(rows...)
		}))
}
