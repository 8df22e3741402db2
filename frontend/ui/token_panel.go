package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// tokenPanel says in plain sentences what a token is able to do, and how to call
// the API with it.
func tokenPanel(t api.Token, u token.Unsettled, c api.Catalogue, now time.Time) app.UI {
	d := token.Describe(t, u, c, now)
	body := []app.UI{app.H2().Text("What this token will do")}
	if len(d.Can) > 0 {
		body = append(body, app.P().Class("panel-lead").Text("It can"), panelList("is-can", "check", d.Can))
	}
	body = append(body, app.P().Class("panel-lead").Text("It cannot"), panelList("is-cannot", "x", d.Cannot), panelList("is-bounds", "", d.Bounds))
	if d.Advice != "" {
		body = append(body, app.Div().Class("banner", kit.Warn).Body(kit.Icon("triangle-alert"), app.P().Text(d.Advice)))
	}
	body = append(body,
		app.P().Class("panel-lead").Text("Its first call"),
		kit.CodeBlock("the first call", token.FirstCall(bridge.Origin(), t.Abilities, "")),
	)
	return app.Aside().Class("token-panel").Attr("aria-label", "What this token will do").Body(body...)
}

func panelList(class, icon string, lines []string) app.UI {
	items := make([]app.UI, len(lines))
	for i, line := range lines {
		li := app.Li()
		if icon != "" {
			items[i] = li.Body(kit.Icon(icon), app.Span().Text(line))
		} else {
			items[i] = li.Text(line)
		}
	}
	return app.Ul().Class("panel-list", class).Body(items...)
}
