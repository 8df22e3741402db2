package ui

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// tokenMakers are the roles that may make tokens.
var tokenMakers = []string{"owner", "admin", "developer"}

// tokensPage lists a team's tokens, at /teams/{team}/tokens.
type tokensPage struct {
	app.Compo
	At Place

	now         time.Time
	filtersOpen bool         // on a phone
	filter      token.Filter // of the address
	seen        string       // the filter that was fetched
	shown       string       // the filter of what is there
	trail       token.Trail
	q           string // as it is being typed
	typed       int
	tokens      kit.Load[api.List[api.Token]]
	members     kit.Load[[]api.Member]
	catalogue   kit.Load[api.Catalogue]
	bulk        tokenBulk
	stopping    int // tokens that were being stopped when it was drawn last
}

// listRefresh is how often the list is fetched again while it is looked at.
const listRefresh = 30 * time.Second

// OnMount fetches the list and what its filters offer.
func (p *tokensPage) OnMount(ctx app.Context) {
	kit.WatchNow(ctx, &p.now)
	at := p.At
	p.stopping = len(at.Stopping)
	p.members.Fetch(ctx, p, func(ctx context.Context) ([]api.Member, error) {
		list, err := at.API.Members(ctx, at.Team.Team.ID)
		return list.Data, err
	})
	p.catalogue.Fetch(ctx, p, at.API.Catalogue)
	p.fetch(ctx)
	kit.Every(ctx, p, listRefresh, func(ctx app.Context) bool {
		if !p.tokens.Busy() && !p.bulk.open() && len(p.At.Stopping) == 0 {
			p.fetch(ctx)
		}
		return true
	})
}

// OnUpdate runs when the query changed, and when tokens were stopped.
func (p *tokensPage) OnUpdate(ctx app.Context) {
	if len(p.At.Stopping) < p.stopping {
		p.fetch(ctx)
	}
	p.stopping = len(p.At.Stopping)
	if f := token.ParseFilter(p.At.Query); f.String() != p.seen {
		if f.First().String() != p.filter.First().String() {
			p.bulk.clear()
		}
		p.fetch(ctx)
	}
}

func (p *tokensPage) fetch(ctx app.Context) {
	p.filter = token.ParseFilter(p.At.Query)
	p.seen = p.filter.String()
	if p.typed == 0 {
		p.q = p.filter.Q
	}
	p.trail.Visit(p.filter)
	at, query, seen := p.At, p.filter.Query(), p.seen
	p.tokens.FetchThen(ctx, p, func(ctx context.Context) (api.List[api.Token], error) {
		return at.API.Tokens(ctx, at.Team.Team.ID, query)
	}, func(app.Context, api.List[api.Token]) { p.shown = seen })
}

// show goes to another view of the list.
func (p *tokensPage) show(ctx app.Context, f token.Filter) { ctx.Navigate(p.At.Path + f.String()) }

// narrow shows the first page of another selection.
func (p *tokensPage) narrow(ctx app.Context, f token.Filter) { p.show(ctx, f.First()) }

// Render draws the page.
func (p *tokensPage) Render() app.UI {
	var actions []app.UI
	if p.At.May(tokenMakers...) {
		actions = append(actions, kit.LinkButton(kit.LinkOpts{Text: "New token", Icon: "plus", Look: kit.Primary, Href: p.At.InTeam("tokens", "new")}))
	}
	page := app.Div().Class("tokens-page")
	if p.shown != p.seen && p.tokens.Busy() {
		page = page.Class("is-awaiting") // the rows are those of another view
	}
	return page.Body(
		kit.Header(kit.HeaderOpts{Title: "Tokens", Text: tokensText, Actions: actions}),
		p.filters(),
		p.bulk.bar(p),
		p.tokens.View(kit.Skeleton("table"), p.list),
		p.bulk.dialog(p),
	)
}

func (p *tokensPage) list(page api.List[api.Token]) app.UI {
	if len(page.Data) == 0 {
		return p.empty()
	}
	_, back := p.trail.Before(p.filter)
	on := page.NextCursor != nil
	return kit.Card(kit.CardOpts{Flush: true},
		&tokenTable{Page: p, Team: p.At.Team.Team.ID, Tokens: page.Data, Now: p.now, Sort: p.filter.Sort, Selected: p.bulk.selected, Stopping: p.At.Stopping},
		app.Nav().Class("pager").Attr("aria-label", "Pages of tokens").Body(
			app.Span().Class("muted").Text(token.Range(p.filter, len(page.Data), on)),
			app.Div().Class("pager-buttons").Body(p.pageButtons(back, on)...),
		),
	)
}

// pick selects a token of the page that is shown, or lets it go; pickAll does it
// with several.
func (p *tokensPage) pick(t api.Token, on bool) { p.pickAll([]api.Token{t}, on) }

func (p *tokensPage) pickAll(tokens []api.Token, on bool) {
	page, _ := p.tokens.Get()
	p.bulk.selected = maps.Clone(p.bulk.selected) // so that the table sees the difference
	for _, t := range tokens {
		row := slices.IndexFunc(page.Data, func(x api.Token) bool { return x.ID == t.ID })
		p.bulk.toggle(t, (p.filter.Page-1)*token.PageSize+row, on)
	}
}

// pageButtons draws the ways to the pages before and after, in whatever order the
// list is.
func (p *tokensPage) pageButtons(back, on bool) []app.UI {
	if !back && !on {
		return nil
	}
	return []app.UI{
		kit.Button(kit.ButtonOpts{Text: "Previous", Icon: "chevron-left", Small: true, Disabled: !back, Key: "previous page", On: p.previous}),
		kit.Button(kit.ButtonOpts{Text: "Next", Icon: "chevron-right", Small: true, Disabled: !on, Key: "next page", On: p.next}),
	}
}

// previous and next look at the list as it is when they are clicked: the buttons
// stay while the pages change.
func (p *tokensPage) previous(ctx app.Context) {
	if before, ok := p.trail.Before(p.filter); ok {
		turnPage(ctx, p.At.Path+before.String())
	}
}

func (p *tokensPage) next(ctx app.Context) {
	if page, ok := p.tokens.Get(); ok && page.NextCursor != nil && !p.tokens.Busy() {
		turnPage(ctx, p.At.Path+p.filter.After(*page.NextCursor).String())
	}
}

// sort takes up a click on the head of a column; a second one goes back to the
// usual order.
func (p *tokensPage) sort(ctx app.Context, by string) {
	f := p.filter
	want := map[string]string{"name": token.ByName, "last_used_at": token.ByLastUse, "expires_at": token.ByExpiry}[by]
	if want == f.Sort {
		want = token.Newest
	}
	f.Sort = want
	p.narrow(ctx, f)
}

// empty teaches what will be here, or how to find what is hidden.
func (p *tokensPage) empty() app.UI {
	switch {
	case p.filter.Cursor != "":
		return kit.Empty(kit.EmptyOpts{
			Icon: "list", Title: "This page is empty now", Text: "The tokens that were here have moved.",
			Action: "Go to the first page", OnAction: func(ctx app.Context) { p.narrow(ctx, p.filter) },
		})
	case p.filter.Narrow():
		return kit.Empty(kit.EmptyOpts{
			Icon: "search", Title: "No token matches", Text: "No token of this team fits the search and the filters above.",
			Action: "Clear the filters", OnAction: p.clear,
		})
	case p.At.May(tokenMakers...):
		return kit.Empty(kit.EmptyOpts{
			Icon: "key-round", Title: "No tokens yet",
			Text:   "A token is what an integration presents instead of a password. Make one for each integration, with only the abilities it needs: then one that leaks does little harm, and can be stopped alone.",
			Action: "Create token", Href: p.At.InTeam("tokens", "new"),
		})
	}
	return kit.Empty(kit.EmptyOpts{
		Icon: "key-round", Title: "No tokens yet",
		Text: "The tokens of this team’s integrations will be listed here. Owners, admins and developers make them; your role, " + p.At.Team.Role + ", may look at them.",
	})
}

func (p *tokensPage) clear(ctx app.Context) {
	p.q, p.typed = "", 0
	p.narrow(ctx, token.Filter{Sort: p.filter.Sort})
}
