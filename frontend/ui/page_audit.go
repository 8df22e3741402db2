package ui

import (
	"context"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// auditPage lists the events of a team, at /teams/{team}/audit, with the state
// of their chain.
type auditPage struct {
	app.Compo
	At Place

	chain    kit.Load[api.ChainState]
	export   eventExport
	members  kit.Load[api.List[api.Member]]
	from, to string // as typed
}

// eventGroups are the actions that a reader looks for: some separated by commas,
// or with a dot at the end all that begin so.
var eventGroups = []kit.Option{
	{Value: "", Text: "Every event"},
	{Value: "token.", Text: "Tokens"},
	{Value: audit.TokenCreated, Text: "Tokens created"},
	{Value: audit.TokenUpdated, Text: "Tokens changed"},
	{Value: strings.Join([]string{audit.TokenRotationStarted, audit.TokenRotationActivated, audit.TokenRotationFinished, audit.TokenRotationCancelled}, ","), Text: "Rotations"},
	{Value: audit.TokenSuspended, Text: "Suspended"},
	{Value: audit.TokenRevoked, Text: "Revoked"},
	{Value: audit.TokenDeadSecretUsed, Text: "Dead secrets used"},
	{Value: "member.", Text: "Members"},
	{Value: "team.", Text: "Team"},
}

func (p *auditPage) OnMount(ctx app.Context) {
	p.OnUpdate(ctx)
	at := p.At
	if at.May("owner", "admin", "auditor") {
		p.chain.Fetch(ctx, p, func(ctx context.Context) (api.ChainState, error) { return at.API.Chain(ctx, at.Team.Team.ID) })
	}
	p.members.Fetch(ctx, p, func(ctx context.Context) (api.List[api.Member], error) { return at.API.Members(ctx, at.Team.Team.ID) })
}

// OnDismount gives an export up that is under way.
func (p *auditPage) OnDismount() { p.export.stop() }

// events returns how many events are kept, 0 if that is not known.
func (p *auditPage) events() int64 {
	c, ok := p.chain.Get()
	if !ok || c.Seq == 0 {
		return 0
	}
	return c.Seq - c.First + 1
}

// OnUpdate runs when the query changed.
func (p *auditPage) OnUpdate(app.Context) { p.from, p.to = p.At.Get("from"), p.At.Get("to") }

func (p *auditPage) Render() app.UI {
	header := kit.HeaderOpts{Title: "Audit", Text: auditText}
	if p.At.May("owner", "admin", "auditor") {
		header.Actions = []app.UI{kit.Button(kit.ButtonOpts{
			Text: "Export", Icon: "download", ID: "export", Key: "export", Busy: p.export.busy, On: func(ctx app.Context) { p.export.start(ctx, p, p.At) },
		})}
	} else {
		header.Text = "The events of the tokens that you made."
	}
	return app.Div().Class("page").Body(
		kit.Header(header),
		p.export.view(p, p.At, p.events()),
		p.chainCard(),
		p.filters(),
		p.chainFailed(),
		&eventLog{At: p.At},
	)
}

func (p *auditPage) filters() app.UI {
	people := []kit.Option{{Value: "", Text: "Everybody"}}
	list, _ := p.members.Get()
	for _, m := range list.Data {
		people = append(people, kit.Option{Value: m.ID, Text: m.Name})
	}
	return kit.FilterBar(
		kit.Select(kit.SelectOpts{
			ID: "audit-action", Label: "Events", HideLabel: true, Value: p.At.Get("action"), Options: withChosen(eventGroups, p.At.Get("action"), p.At.Get("action")),
			On: func(ctx app.Context, v string) { Replace(ctx, p.At.With("action", v)) },
		}),
		kit.Select(kit.SelectOpts{
			ID: "audit-actor", Label: "Who", HideLabel: true, Value: p.At.Get("actor"), Options: people,
			On: func(ctx app.Context, v string) { Replace(ctx, p.At.With("actor", v)) },
		}),
		kit.Text(kit.TextOpts{
			ID: "audit-from", Label: "From", Type: "date", Bind: &p.from, Optional: true, Beside: true,
			Most: p.to, OnInput: func(ctx app.Context) { Replace(ctx, p.At.With("from", p.from)) },
		}),
		kit.Text(kit.TextOpts{
			ID: "audit-to", Label: "To", Type: "date", Bind: &p.to, Optional: true, Beside: true,
			Min: p.from, OnInput: func(ctx app.Context) { Replace(ctx, p.At.With("to", p.to)) },
		}),
	)
}

// chainCard says whether the chain of events is whole.
func (p *auditPage) chainCard() app.UI {
	if !p.At.May("owner", "admin", "auditor") || p.chain.Err() != nil {
		return kit.Nothing()
	}
	return p.chain.View(kit.Skeleton("state"), func(c api.ChainState) app.UI {
		if !c.Verified {
			return kit.Banner(kit.BannerOpts{Kind: kit.Bad, Text: "The chain of events is broken: " + c.Detail})
		}
		if c.Seq == 0 {
			return kit.Nothing()
		}
		return app.Div().Class("chain").Attr("role", "status").Body(
			kit.Mark(kit.Good, "circle-check", "Chain verified"),
			app.Span().Class("muted").Text(chainWords(c)+" Newest:"),
			app.Code().Class("id", "truncate").Attr("title", c.Hash).Text(c.Hash),
			&kit.CopyButton{Value: c.Hash, Label: "the newest hash"},
		)
	})
}

// chainFailed says that the chain could not be looked at, below the filters: they
// work all the same. That the server is out of reach the list says already.
func (p *auditPage) chainFailed() app.UI {
	err := p.chain.Err()
	if err == nil || kit.Silent(err) || kit.Unreached(err) {
		return kit.Nothing()
	}
	return kit.Banner(kit.BannerOpts{
		Kind: kit.Warn, Text: "Whether the chain of events is whole could not be found out. " + kit.Sentence(err), Action: "Try again", OnAction: p.chain.Again,
	})
}

// chainWords says which events were verified.
func chainWords(c api.ChainState) string {
	switch {
	case c.First == c.Seq:
		return "Event " + kit.Number(c.Seq) + " is not changed."
	case c.First > 1:
		return "Events " + kit.Number(c.First) + " to " + kit.Number(c.Seq) + ", none missing and none changed; older ones are no longer kept."
	}
	return "Events 1 to " + kit.Number(c.Seq) + ", none missing and none changed."
}
