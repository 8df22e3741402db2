package ui

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// tokenPage shows one token, at /teams/{team}/tokens/{id}. The tab is in the
// query.
type tokenPage struct {
	app.Compo
	At Place

	now       time.Time
	token     kit.Load[taggedToken]
	catalogue kit.Load[api.Catalogue]
	routes    kit.Load[api.Usage] // calls by route, for the last use of abilities
	usedAt    time.Time           // when the token was last used, as far as routes knows
	receipt   kit.Load[api.List[api.Event]]
	edit      tokenEdit
	rotation  tokenRotation
	stop      tokenStop
	saving    bool // a change is shown that the server has not agreed to yet
	stopping  bool // it was being stopped, with others, when it was drawn last
	reveal    secretReveal
}

// taggedToken is a token with the ETag that a change of it must carry.
type taggedToken struct {
	api.Token
	etag string
}

// endsSoon is how near an end must be to be pointed out.
const endsSoon = 14 * 24 * time.Hour

// tokenRefresh is how often the token is fetched again while it is looked at, so
// that the first use of a new secret shows by itself.
const tokenRefresh = 10 * time.Second

// OnMount fetches the token and keeps it up to date.
func (p *tokenPage) OnMount(ctx app.Context) {
	kit.WatchNow(ctx, &p.now)
	p.catalogue.Fetch(ctx, p, p.At.API.Catalogue)
	p.fetch(ctx)
	kit.Every(ctx, p, tokenRefresh, func(ctx app.Context) bool {
		if !p.token.Busy() && !p.busy() {
			p.fetch(ctx)
		}
		return true
	})
}

// OnUpdate runs when the tab changed, with which the shell sets its own title, and
// when the token was stopped with others.
func (p *tokenPage) OnUpdate(ctx app.Context) {
	stopping := p.At.Stopping[p.At.ID] != ""
	if p.stopping && !stopping {
		p.fetch(ctx)
	}
	p.stopping = stopping
	if t, ok := p.token.Get(); ok {
		p.setTitle(t.Token)
	}
}

func (p *tokenPage) setTitle(t api.Token) {
	bridge.SetTitle(t.Name + " · " + p.At.Team.Team.Name + " · Gatehouse")
}

// OnDismount forgets the secret, however the page was left.
func (p *tokenPage) OnDismount() { p.reveal.wipe() }

// busy reports whether something is being changed: what it is based on must then
// stay.
func (p *tokenPage) busy() bool {
	return p.saving || p.edit.what != "" || p.rotation.open || p.rotation.ask != "" || p.stop.verb != "" || p.reveal.isOpen()
}

func (p *tokenPage) get(ctx context.Context, at Place) (taggedToken, error) {
	t, etag, err := at.API.Token(ctx, at.Team.Team.ID, at.ID)
	return taggedToken{t, etag}, err
}

func (p *tokenPage) fetch(ctx app.Context) {
	at := p.At
	p.token.FetchThen(ctx, p, func(ctx context.Context) (taggedToken, error) { return p.get(ctx, at) }, p.arrived)
}

// arrived fetches what hangs on the token: its usage whenever it was used, and
// the proof of a revocation, at which revision it was made.
func (p *tokenPage) arrived(ctx app.Context, t taggedToken) {
	p.setTitle(t.Token)
	if _, there := p.routes.Get(); !there && !p.routes.Busy() || !t.LastUsedAt.Equal(p.usedAt) {
		p.usedAt = t.LastUsedAt.Time
		p.fetchRoutes(ctx)
	}
	if _, there := p.receipt.Get(); t.Status != api.TokenRevoked || there || p.receipt.Busy() || p.receipt.Err() != nil {
		return
	}
	if !p.seesEvents(t.Token) {
		return
	}
	at := p.At
	p.receipt.Fetch(ctx, p, func(ctx context.Context) (api.List[api.Event], error) {
		return at.API.TokenEvents(ctx, at.Team.Team.ID, at.ID, client.EventQuery{Action: audit.TokenRevoked, Limit: 1})
	})
}

func (p *tokenPage) fetchRoutes(ctx app.Context) {
	at := p.At
	p.routes.Fetch(ctx, p, func(ctx context.Context) (api.Usage, error) {
		return at.API.TokenUsage(ctx, at.Team.Team.ID, at.ID, client.UsageQuery{By: "route"})
	})
}

// changed takes up the answer to a change.
func (p *tokenPage) changed(ctx app.Context, t taggedToken) {
	p.token.Set(t)
	p.arrived(ctx, t)
}

// mayChange reports whether a token can be changed, and is this person's to change.
func mayChange(t api.Token) bool {
	return t.MayManage && t.Status != api.TokenRevoked && t.Status != api.TokenExpired
}

// Render draws the page.
func (p *tokenPage) Render() app.UI {
	var header app.UI = kit.Nothing()
	if _, there := p.token.Get(); !there {
		o := kit.HeaderOpts{Title: "Token", Text: tokenText, Back: p.At.InTeam("tokens"), BackTo: "Tokens"}
		if client.Status(p.token.Err()) == 404 {
			o.Title, o.Text = "Not found", ""
		}
		header = kit.Header(o)
	}
	return app.Div().Class("token-page").Body(
		header,
		p.token.View(kit.Skeleton("tabs", "stats", "block"), p.draw),
		p.rotation.dialog(p), p.stop.dialog(p), p.reveal.view(),
	)
}

func (p *tokenPage) draw(t taggedToken) app.UI {
	return app.Div().Class("stack").Body(p.header(t.Token), p.notices(t.Token), p.tabs(t.Token), p.tab(t))
}

func (p *tokenPage) header(t api.Token) app.UI {
	var actions []app.UI
	if mayChange(t) {
		actions = append(actions, kit.Button(kit.ButtonOpts{Text: "Rotate", Icon: "rotate-cw", Key: "rotate", Wait: p.saving, On: p.askRotate}))
		if t.Status == api.TokenSuspended {
			actions = append(actions, kit.Button(kit.ButtonOpts{Text: "Resume", Icon: "play", Key: "resume", Wait: p.saving, On: p.askResume}))
		} else {
			actions = append(actions, kit.Button(kit.ButtonOpts{Text: "Suspend", Icon: "pause", Key: "suspend", Wait: p.saving, On: p.askSuspend}))
		}
		actions = append(actions, kit.Button(kit.ButtonOpts{Text: "Revoke", Icon: "ban", Look: kit.Danger, Key: "revoke", Wait: p.saving, On: p.askRevoke}))
	}
	return kit.Header(kit.HeaderOpts{
		Title: t.Name, Back: p.At.InTeam("tokens"), BackTo: "Tokens",
		Marks: []app.UI{kit.Env(t.Env), p.status(t), kit.Saving(p.saving)}, Actions: actions,
		Text: tokenText,
	})
}

func (p *tokenPage) status(t api.Token) app.UI {
	if verb := p.At.Stopping[t.ID]; verb != "" {
		return beingStopped(verb)
	}
	return kit.Status(t.Status)
}

// notices say what is special about the token now.
func (p *tokenPage) notices(t api.Token) app.UI {
	var list []app.UI
	say := func(kind, text string) { list = append(list, kit.Banner(kit.BannerOpts{Kind: kind, Text: text})) }
	switch t.Status {
	case api.TokenRevoked:
		if p.saving {
			say(kit.Neutral, "It is being revoked. The receipt follows as soon as it is certain that it is refused.")
		} else {
			list = append(list, p.revoked(t))
		}
	case api.TokenExpired:
		say(kit.Neutral, token.ExpiryWords(t.ExpiresAt.Time, p.now)+" It cannot be brought back; make a new one.")
	case api.TokenSuspended:
		text := "Every call with it is refused until it is resumed."
		if p.saving {
			text = "It is being suspended."
		}
		if t.SuspendReason != nil && *t.SuspendReason != "" {
			text += " Reason: " + reasonWords(*t.SuspendReason) + "."
		}
		say(kit.Warn, text)
	case api.TokenPending:
		say(kit.Note, "It starts to work on "+bridge.FormatDate(t.NotBefore.Time, bridge.Minute)+".")
	}
	if left := t.ExpiresAt.Sub(p.now); mayChange(t) && !t.ExpiresAt.IsZero() && left < endsSoon {
		list = append(list, kit.Banner(kit.BannerOpts{
			Kind: kit.Warn, Text: "It expires in " + kit.Duration(left) + ". What uses it will then be refused.", Action: "Change the expiry", OnAction: p.editExpiry,
		}))
	}
	if !t.MayManage && p.At.May(tokenMakers...) && t.Status != api.TokenRevoked && t.Status != api.TokenExpired {
		say(kit.Neutral, "Only "+t.CreatedBy.Name+", who made it, and the owners and admins of the team can change it.")
	}
	return app.Div().Class("token-notices").Body(list...)
}

func (p *tokenPage) editExpiry(ctx app.Context) {
	ctx.Navigate(p.At.Path)
	p.startEdit(ctx, "expiry")
}

// tokenTabs are the views of a token, by the value of the query.
var tokenTabs = []struct{ value, text string }{{"", "Overview"}, {"usage", "Usage"}, {"calls", "Calls"}, {"events", "Events"}}

func (p *tokenPage) tabs(t api.Token) app.UI {
	now := p.At.Get("tab")
	var tabs []kit.Tab
	known := false
	for _, x := range tokenTabs {
		if x.value == "events" && !p.seesEvents(t) {
			continue
		}
		tab := kit.Tab{Text: x.text, Href: p.At.Path, On: x.value == now}
		if x.value != "" {
			tab.Href += "?tab=" + x.value
		}
		known = known || tab.On
		tabs = append(tabs, tab)
	}
	tabs[0].On = tabs[0].On || !known
	return kit.Tabs("Views of "+t.Name, tabs...)
}

// seesEvents reports whether the person may read what happened to a token:
// developers only of their own.
func (p *tokenPage) seesEvents(t api.Token) bool {
	return t.CreatedBy.ID == p.At.User.ID || p.At.May("owner", "admin", "auditor")
}

func (p *tokenPage) tab(t taggedToken) app.UI {
	switch p.At.Get("tab") {
	case "usage":
		return app.Div().Class("tab-usage", "stack").Body(&usageCharts{At: p.At, Token: t.ID}, &tokenCallers{At: p.At, Token: t.ID})
	case "calls":
		return app.Div().Class("tab-calls").Body(&callLog{At: p.At, Token: t.ID})
	case "events":
		if !p.seesEvents(t.Token) {
			break
		}
		return app.Div().Class("tab-events").Body(&eventLog{At: p.At, Token: t.ID})
	}
	return p.catalogue.View(kit.Skeleton("stats", "block"), func(api.Catalogue) app.UI { return p.overview(t.Token) })
}
