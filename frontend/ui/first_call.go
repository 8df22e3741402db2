package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
)

// firstCall draws the command that any token can make its first call with.
func firstCall() app.UI {
	return kit.CodeBlock("the first call", token.FirstCall(bridge.Origin(), nil, ""))
}

// watchCalls fetches what is shown of calls again and again: as often as the newest
// are fetched while the first is awaited, and then rarely.
func watchCalls(ctx app.Context, c app.Composer, rarely time.Duration, awaited func() bool, fetch func(app.Context)) {
	ticks := time.Duration(0)
	kit.Every(ctx, c, tailEvery, func(ctx app.Context) bool {
		if ticks++; ticks%(rarely/tailEvery) == 0 || awaited() {
			fetch(ctx)
		}
		return true
	})
}

// noCalls draws in place of calls what is to be done that there are some: make a
// token, or call with one that is there.
func noCalls(at Place, hasToken bool, o kit.EmptyOpts) app.UI {
	switch {
	case hasToken:
		o.Body = firstCall()
	case at.May(tokenMakers...):
		o.Action, o.Href = "Create token", at.InTeam("tokens", "new")
	}
	return kit.Empty(o)
}
