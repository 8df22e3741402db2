package ui

import (
	"context"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// settingsPage changes what a team is called, at /teams/{team}/settings, and
// shows the policy that its tokens are under.
type settingsPage struct {
	app.Compo
	At Place

	team      kit.Load[taggedTeam]
	catalogue kit.Load[api.Catalogue]
	members   kit.Load[api.List[api.Member]]
	name      string
	busy      bool
	wrong     kit.Errors
}

// taggedTeam is a team with the ETag that a change of it must carry.
type taggedTeam struct {
	api.Team
	etag string
}

func (p *settingsPage) OnMount(ctx app.Context) {
	p.name = p.At.Team.Team.Name
	at := p.At
	p.fetch(ctx)
	p.catalogue.Fetch(ctx, p, at.API.Catalogue)
	p.members.Fetch(ctx, p, func(ctx context.Context) (api.List[api.Member], error) { return at.API.Members(ctx, at.Team.Team.ID) })
}

func (p *settingsPage) fetch(ctx app.Context) {
	at := p.At
	p.team.Fetch(ctx, p, func(ctx context.Context) (taggedTeam, error) {
		t, etag, err := at.API.Team(ctx, at.Team.Team.ID)
		return taggedTeam{t, etag}, err
	})
}

func (p *settingsPage) Render() app.UI {
	return app.Div().Class("page", "is-narrow").Body(
		kit.Header(kit.HeaderOpts{Title: "Settings", Text: settingsText}),
		p.team.View(kit.Skeleton("card"), p.nameCard),
		p.members.View(kit.Skeleton("card"), p.memberCard),
		p.catalogue.View(kit.Skeleton("card"), policyCard),
	)
}

func (p *settingsPage) nameCard(t taggedTeam) app.UI {
	facts := kit.Facts(
		kit.Pair{Name: "Id", Value: app.Span().Body(kit.ID(t.ID), &kit.CopyButton{Value: t.ID, Label: "the id of the team"})},
		kit.Pair{Name: "Made", Value: kit.At(t.CreatedAt, bridge.Minute)},
		kit.Pair{Name: "Your role", Value: app.Text(p.At.Team.Role)},
	)
	if !p.At.May("owner", "admin") {
		return kit.Card(kit.CardOpts{Title: "Team"},
			kit.Facts(kit.Pair{Name: "Name", Value: app.Span().Dir("auto").Text(t.Name)}), facts,
			app.P().Class("muted").Text("An owner or an admin can change the name."))
	}
	return app.Form().Attr("novalidate", "").OnSubmit(kit.Submit("save team", p.save)).Body(
		kit.Card(kit.CardOpts{Title: "Team", Foot: []app.UI{
			kit.Button(kit.ButtonOpts{Text: "Save name", Look: kit.Primary, Submit: true, Busy: p.busy}),
		}},
			p.wrong.Rest("#/name"),
			kit.Text(kit.TextOpts{ID: "team-name", Label: "Team name", Bind: &p.name, Error: p.wrong.At("#/name"), Hint: "Partners and colleagues see this name.", Autocomplete: "organization"}),
			facts,
		),
	)
}

func (p *settingsPage) save(ctx app.Context) {
	if p.busy {
		return
	}
	if !p.wrong.Check(api.CreateTeam{Name: p.name}) {
		focusWrong(ctx)
		return
	}
	t, _ := p.team.Get()
	at, name := p.At, strings.TrimSpace(p.name)
	if name == t.Name {
		kit.Toast(ctx, kit.Note, "Nothing to save: the name is as it was.")
		return
	}
	p.busy = true
	ShowSession(ctx, func(s *api.Session) {
		for i := range s.Teams {
			if s.Teams[i].Team.ID == t.ID {
				s.Teams[i].Team.Name = name
			}
		}
	})
	kit.Change(ctx, p, "The name of the team is not saved.", func(background context.Context) (taggedTeam, error) {
		defer SessionChanged(ctx) // whatever page is shown by then
		changed, etag, err := at.API.UpdateTeam(background, at.Team.Team.ID, t.etag, api.UpdateTeam{Name: api.Some(name)})
		return taggedTeam{changed, etag}, err
	}, func(ctx app.Context, t taggedTeam, err error) {
		p.busy = false
		p.wrong.Take(err)
		if client.Status(err) == 412 {
			p.fetch(ctx) // the next try is made on top of what is there now
		}
		if err != nil {
			focusWrong(ctx)
			return
		}
		p.name = t.Name
		p.team.Set(t)
		kit.Toast(ctx, kit.Good, "The team is now called "+t.Name+".")
	})
}

func (p *settingsPage) memberCard(list api.List[api.Member]) app.UI {
	return kit.Card(kit.CardOpts{Title: "Members", Text: "Who is in this team, and what they may do.", Flush: true}, kit.Table(kit.TableOpts[api.Member]{
		Caption: "Members", Rows: list.Data,
		Columns: []kit.Column[api.Member]{
			{Head: "Name", Class: "is-main", Cell: func(m api.Member) app.UI { return app.Strong().Dir("auto").Text(m.Name) }},
			{Head: "E-mail", Cell: func(m api.Member) app.UI { return app.Text(m.Email) }},
			{Head: "Role", Cell: func(m api.Member) app.UI { return kit.Badge(kit.Neutral, m.Role) }},
			{Head: "Since", Class: "is-tight", Cell: func(m api.Member) app.UI { return kit.At(m.JoinedAt, bridge.Date) }},
		},
	}))
}

func policyCard(c api.Catalogue) app.UI {
	longest := "never have to expire"
	if c.Tokens.MaxLifetimeDays > 0 {
		longest = "live at most " + kit.Count(c.Tokens.MaxLifetimeDays, "day", "days")
	}
	return kit.Card(kit.CardOpts{Title: "Token policy", Text: "Set by the operator of this portal for every team."}, kit.Facts(
		kit.Pair{Name: "Tokens", Value: app.Text(longest + ", " + kit.Count(c.Tokens.DefaultLifetimeDays, "day", "days") + " by default")},
		kit.Pair{Name: "In one team", Value: app.Text("at most " + kit.Count(c.Tokens.MaxPerTeam, "living token", "living tokens"))},
		kit.Pair{Name: "Request limit", Value: app.Text(token.LimitWords(c.Tokens.DefaultRateLimit) + ", at most " + token.LimitWords(c.Tokens.MaxRateLimit))},
		kit.Pair{Name: "Overlap of a rotation", Value: app.Text("at most " + kit.Count(c.Tokens.MaxOverlapSeconds/86400, "day", "days"))},
	))
}
