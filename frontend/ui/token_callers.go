package ui

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// tokenCallers lists the addresses that a token was used from, as far as its
// latest calls tell.
type tokenCallers struct {
	app.Compo
	At    Place
	Token string

	now   time.Time
	calls kit.Load[[]token.Source]
}

// OnMount fetches the latest calls.
func (c *tokenCallers) OnMount(ctx app.Context) {
	kit.WatchNow(ctx, &c.now)
	at, id := c.At, c.Token
	c.calls.Fetch(ctx, c, func(ctx context.Context) ([]token.Source, error) {
		list, err := at.API.TokenCalls(ctx, at.Team.Team.ID, id, client.CallQuery{Limit: token.LastCalls})
		return token.Sources(list.Data), err
	})
}

// Render draws nothing while there is nothing to tell.
func (c *tokenCallers) Render() app.UI {
	sources, there := c.calls.Get()
	if there && len(sources) == 0 {
		return kit.Nothing()
	}
	return c.calls.View(kit.Skeleton("block"), c.draw)
}

func (c *tokenCallers) draw(sources []token.Source) app.UI {
	return kit.Card(kit.CardOpts{Title: "Addresses", Text: "Where its latest " + kit.Number(token.LastCalls) + " calls came from.", Flush: true},
		kit.Table(kit.TableOpts[token.Source]{
			Caption: "Addresses", Rows: sources,
			Columns: []kit.Column[token.Source]{
				{Head: "Address", Class: "is-main", Cell: func(s token.Source) app.UI { return kit.ID(s.Address) }},
				{Head: "Client", Cell: func(s token.Source) app.UI { return app.Text(orDash(s.Client)) }},
				{Head: "Calls", Class: "is-number", Cell: func(s token.Source) app.UI { return app.Text(kit.Number(int64(s.Calls))) }},
				{Head: "Refused", Class: "is-number", Cell: func(s token.Source) app.UI { return app.Text(kit.Number(int64(s.Refused))) }},
				{Head: "Last call", Class: "is-tight", Cell: func(s token.Source) app.UI { return kit.TimeAgo(api.At(s.Last), c.now, "–") }},
			},
		}))
}
