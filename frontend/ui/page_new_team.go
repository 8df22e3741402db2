package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// newTeamPage makes a team, at /teams/new, and at / for those who are in none.
type newTeamPage struct {
	app.Compo
	At Place

	form api.CreateTeam
	busy bool
	errs kit.Errors
}

// Render draws the form.
func (n *newTeamPage) Render() app.UI {
	text := "A team owns its tokens, and nobody outside of it sees them."
	if len(n.At.Teams) == 0 {
		text = "You are in no team yet. Make one, or open the invitation that somebody sent you."
	}
	return app.Div().Class("narrow").Body(
		kit.Header(kit.HeaderOpts{Title: "New team", Text: text}),
		n.errs.Rest("#/name"),
		app.Form().Class("form").Attr("novalidate", "").OnSubmit(kit.Submit("create team", n.send)).Body(
			kit.Text(kit.TextOpts{ID: "team-name", Label: "Team name", Bind: &n.form.Name, Autocomplete: "organization", Autofocus: true, Error: n.errs.At("#/name")}),
			app.Div().Class("form-actions").Body(
				kit.Button(kit.ButtonOpts{Text: "Create team", Look: kit.Primary, Submit: true, Busy: n.busy}),
			),
		),
	)
}

func (n *newTeamPage) send(ctx app.Context) {
	body := n.form
	if n.busy {
		return
	}
	if !n.errs.Check(body) {
		focusWrong(ctx)
		return
	}
	n.busy = true
	calls := n.At.API
	kit.Ask(ctx, n, func(ctx context.Context) (api.Team, error) { return calls.CreateTeam(ctx, body) },
		func(ctx app.Context, t api.Team, err error) {
			n.busy = false
			if n.errs.Take(err); err != nil {
				focusWrong(ctx)
				return
			}
			signedIn(ctx, teamPath(t.ID)) // the session names the teams
		})
}
