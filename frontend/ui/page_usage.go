package ui

import (
	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
)

// usagePage shows what a team's tokens did, at /teams/{team}/usage: charts, and
// with ?tab=calls the single calls.
type usagePage struct {
	app.Compo
	At Place
}

func (p *usagePage) Render() app.UI {
	calls := p.At.Get("tab") == "calls"
	var view app.UI = &usageCharts{At: p.At}
	if calls {
		view = &callLog{At: p.At}
	}
	return app.Div().Class("page").Body(
		kit.Header(kit.HeaderOpts{Title: "Usage", Text: usageText}),
		kit.Tabs("Views of usage",
			kit.Tab{Text: "Charts", Href: p.At.Path, On: !calls},
			kit.Tab{Text: "Calls", Href: p.At.Path + "?tab=calls", On: calls},
		),
		view,
	)
}
