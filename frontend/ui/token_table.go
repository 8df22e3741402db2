package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// tokenTable draws one line a token. It is a component of its own because it is
// most of the page and slow to draw: go-app leaves it alone as long as its fields
// are equal. So the page is here itself and not as functions, which never are,
// and a selection is another map.
type tokenTable struct {
	app.Compo
	Page     *tokensPage
	Team     string
	Tokens   []api.Token
	Now      time.Time
	Sort     string
	Selected map[string]api.Token
	Stopping map[string]string // by id, with the verb
}

// selectable reports whether a token can be stopped by whoever looks at it.
func (o *tokenTable) selectable(t api.Token) bool { return mayChange(t) && o.Stopping[t.ID] == "" }

// Render draws the table.
func (o *tokenTable) Render() app.UI {
	var choosable []api.Token
	for _, t := range o.Tokens {
		if o.selectable(t) {
			choosable = append(choosable, t)
		}
	}
	var columns []kit.Column[api.Token]
	if len(choosable) > 0 {
		columns = append(columns, o.selection(choosable))
	}
	columns = append(
		columns,
		kit.Column[api.Token]{Head: "Name", Class: "is-main", Sort: "name", Cell: func(t api.Token) app.UI {
			return app.Span().Class("token-name").Body(
				app.A().Class("row-link").Href(teamPath(o.Team, "tokens", t.ID)).Attr("title", t.Name).Text(t.Name),
				kit.ID(t.ID),
			)
		}},
		kit.Column[api.Token]{Head: "Environment", Class: "is-tight", Cell: func(t api.Token) app.UI { return kit.Env(t.Env) }},
		kit.Column[api.Token]{Head: "Status", Class: "is-tight", Cell: func(t api.Token) app.UI {
			if verb := o.Stopping[t.ID]; verb != "" {
				return beingStopped(verb)
			}
			return kit.Status(t.Status)
		}},
		kit.Column[api.Token]{Head: "Abilities", Class: "is-abilities", Cell: func(t api.Token) app.UI { return kit.Chips(t.Abilities, 3) }},
		kit.Column[api.Token]{Head: "Last used", Class: "is-tight is-used", Sort: "last_used_at", Cell: func(t api.Token) app.UI {
			return kit.TimeAgo(t.LastUsedAt, o.Now, "Never")
		}},
		kit.Column[api.Token]{Head: "7 days", Class: "is-tight is-spark", Cell: func(t api.Token) app.UI {
			return kit.Sparkline(t.Calls7Days, "Calls in 7 days")
		}},
		kit.Column[api.Token]{Head: "Expires", Class: "is-tight", Sort: "expires_at", Cell: func(t api.Token) app.UI {
			return tokenExpiry(t, o.Now)
		}},
		kit.Column[api.Token]{Head: "Made by", Class: "is-wide-only", Cell: func(t api.Token) app.UI {
			return app.Span().Class("truncate").Text(t.CreatedBy.Name)
		}},
	)
	return app.Div().Class("token-table").Body(kit.Table(kit.TableOpts[api.Token]{
		Caption: "Tokens", Columns: columns, Rows: o.Tokens, Sort: o.Sort, OnSort: o.Page.sort,
		Href: func(t api.Token) string { return teamPath(o.Team, "tokens", t.ID) },
		Dim:  func(t api.Token) bool { return t.Status == api.TokenRevoked || t.Status == api.TokenExpired },
	}))
}

// tokenExpiry draws when a token ends, or ended.
func tokenExpiry(t api.Token, now time.Time) app.UI {
	if t.Status == api.TokenRevoked {
		return app.Span().Class("muted").Text("–")
	}
	return kit.Until(t.ExpiresAt, now, "Never")
}

func (o *tokenTable) selection(choosable []api.Token) kit.Column[api.Token] {
	on := 0
	key := "select all"
	for _, t := range choosable {
		key += " " + t.ID
		if _, ok := o.Selected[t.ID]; ok {
			on++
		}
	}
	text := "Select every token of this page"
	if on > 0 {
		text += ", " + kit.Number(int64(on)) + " of " + kit.Number(int64(len(choosable))) + " selected"
	}
	all := kit.Checkbox(kit.CheckOpts{
		ID: "select-all", Text: text, HideText: true, Key: key,
		Checked: on == len(choosable), Mixed: on > 0 && on < len(choosable),
		On: func(_ app.Context, on bool) { o.Page.pickAll(choosable, on) },
	})
	return kit.Column[api.Token]{
		Head: "Select", Hide: true, HeadCell: all, Class: "is-select",
		Cell: func(t api.Token) app.UI {
			if !o.selectable(t) {
				return kit.Nothing()
			}
			_, on := o.Selected[t.ID]
			return kit.Checkbox(kit.CheckOpts{
				ID: "select-" + t.ID, Text: "Select " + t.Name, HideText: true, Checked: on,
				On: func(_ app.Context, on bool) { o.Page.pick(t, on) },
			})
		},
	}
}
