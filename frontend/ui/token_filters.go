package ui

import (
	"context"
	"slices"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// typingPause is how long typing rests before a search is made.
const typingPause = 250 * time.Millisecond

// filters draws the search and the filters of the list of tokens.
func (p *tokensPage) filters() app.UI {
	f := p.filter
	choose := func(id, label, value string, options []kit.Option, set func(*token.Filter, string)) app.UI {
		return kit.Select(kit.SelectOpts{
			ID: id, Label: label, HideLabel: true, Value: value, Options: options,
			On: func(ctx app.Context, v string) {
				f := p.filter
				set(&f, v)
				p.narrow(ctx, f)
			},
		})
	}
	chosen, on := "Filters", 0
	for _, v := range []string{f.Status, f.Env, f.Ability, f.Maker} {
		if v != "" {
			on++
			chosen = "Filters · " + kit.Number(int64(on))
		}
	}
	body := []app.UI{
		kit.Search("token-search", "Search by name or id", &p.q, p.search),
		// On a phone the rest is behind this button.
		kit.Button(kit.ButtonOpts{
			Text: chosen, Icon: "filter", Look: "filters-toggle", Key: "toggle filters", Pressed: &p.filtersOpen,
			On: func(app.Context) { p.filtersOpen = !p.filtersOpen },
		}),
		choose("token-status", "Status", f.Status, []kit.Option{
			{Value: "", Text: "Every status"},
			{Value: token.Living, Text: "Not ended"},
			{Value: api.TokenActive, Text: "Active"},
			{Value: api.TokenPending, Text: "Not yet valid"},
			{Value: api.TokenSuspended, Text: "Suspended"},
			{Value: api.TokenExpired, Text: "Expired"},
			{Value: api.TokenRevoked, Text: "Revoked"},
		}, func(f *token.Filter, v string) { f.Status = v }),
		choose("token-env", "Environment", f.Env, []kit.Option{
			{Value: "", Text: "Live and test"}, {Value: "live", Text: "Live"}, {Value: "test", Text: "Test"},
		}, func(f *token.Filter, v string) { f.Env = v }),
		choose("token-ability", "Ability", f.Ability, p.abilityOptions(), func(f *token.Filter, v string) { f.Ability = v }),
		choose("token-maker", "Made by", f.Maker, p.makerOptions(), func(f *token.Filter, v string) { f.Maker = v }),
		choose("token-sort", "Order", f.Sort, []kit.Option{
			{Value: token.Newest, Text: "Newest first"},
			{Value: token.ByName, Text: "By name"},
			{Value: token.ByLastUse, Text: "Latest use first"},
			{Value: token.ByExpiry, Text: "Expiring first"},
		}, func(f *token.Filter, v string) { f.Sort = v }),
	}
	if f.Narrow() {
		body = append(body, kit.Button(kit.ButtonOpts{Text: "Clear", Icon: "x", Look: kit.Ghost, Small: true, Key: "clear filters", On: p.clear}))
	}
	all := app.Div().Class("token-filters")
	if p.filtersOpen {
		all = all.Class("is-open")
	}
	return all.Body(kit.FilterBar(body...))
}

// search takes up what is typed once typing rests.
func (p *tokensPage) search(ctx app.Context) {
	withoutSecret(ctx, "token-search", &p.q)
	p.typed++
	typed := p.typed
	kit.Do(ctx, p, func(context.Context) error {
		if app.IsClient {
			time.Sleep(typingPause)
		}
		return nil
	}, func(ctx app.Context, _ error) {
		if typed != p.typed {
			return
		}
		p.typed = 0
		f := p.filter.First()
		if f.Q = searchWords(p.q); f.Q != p.filter.Q {
			Replace(ctx, p.At.Path+f.String())
		}
	})
}

// abilityOptions offers the abilities of the catalogue, and the one of the
// address even if the catalogue has it no more.
func (p *tokensPage) abilityOptions() []kit.Option {
	options := []kit.Option{{Value: "", Text: "Every ability"}}
	c, _ := p.catalogue.Get()
	for _, a := range c.Abilities {
		if !a.Platform || p.At.Team.Team.Platform {
			options = append(options, kit.Option{Value: a.Name, Text: a.Name})
		}
	}
	return withChosen(options, p.filter.Ability, p.filter.Ability)
}

func (p *tokensPage) makerOptions() []kit.Option {
	options := []kit.Option{{Value: "", Text: "Made by anybody"}, {Value: p.At.User.ID, Text: "Made by you"}}
	members, _ := p.members.Get()
	for _, m := range members {
		if m.ID != p.At.User.ID {
			options = append(options, kit.Option{Value: m.ID, Text: m.Name})
		}
	}
	return withChosen(options, p.filter.Maker, "A former member")
}

// withChosen adds the value that is chosen if it is not among the options.
func withChosen(options []kit.Option, value, text string) []kit.Option {
	if slices.ContainsFunc(options, func(o kit.Option) bool { return o.Value == value }) {
		return options
	}
	return append(options, kit.Option{Value: value, Text: text})
}
