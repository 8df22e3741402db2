package kit

import (
	"github.com/maxence-charriere/go-app/v9/pkg/app"
)

// HeaderOpts are the options of a [Header].
type HeaderOpts struct {
	Title   string
	Text    string   // one line below
	Marks   []app.UI // beside the title: status, environment
	Actions []app.UI // buttons at the end
	Back    string   // where the link above leads
	BackTo  string   // and what it says: Tokens
}

// Header draws the top of a page with its h1. Every page has exactly one.
func Header(o HeaderOpts) app.UI {
	title := []app.UI{app.H1().Dir("auto").Text(o.Title)}
	title = append(title, o.Marks...)
	left := []app.UI{}
	if o.Back != "" {
		left = append(left, app.A().Class("page-back").Href(o.Back).Body(Icon("chevron-left"), app.Span().Text(o.BackTo)))
	}
	left = append(left, app.Div().Class("page-title").Body(title...))
	if o.Text != "" {
		left = append(left, app.P().Class("page-text").Text(o.Text))
	}
	body := []app.UI{app.Div().Class("page-heading").Body(left...)}
	if len(o.Actions) > 0 {
		body = append(body, app.Div().Class("page-actions").Body(o.Actions...))
	}
	return app.Div().Class("page-header").Body(body...)
}

// Tab is one of several views of a page; each has its own address.
type Tab struct {
	Text, Href string
	On         bool
	Count      string // beside the text
}

// Tabs draws links to the views of a page.
func Tabs(label string, tabs ...Tab) app.UI {
	items := make([]app.UI, len(tabs))
	for i, t := range tabs {
		a := app.A().Class("tab").Href(t.Href)
		if t.On {
			a = a.Class("is-on").Attr("aria-current", "page")
		}
		body := []app.UI{app.Span().Text(t.Text)}
		if t.Count != "" {
			body = append(body, app.Span().Class("tab-count").Text(t.Count))
		}
		items[i] = a.Body(body...)
	}
	return app.Nav().Class("tabs").Attr("aria-label", label).Body(items...)
}

// CardOpts are the options of a [Card].
type CardOpts struct {
	Title   string
	Text    string
	Actions []app.UI
	Flush   bool // the body reaches the borders, as a table does
	Foot    []app.UI
}

// Card draws a part of a page with its own heading.
func Card(o CardOpts, body ...app.UI) app.UI {
	var all []app.UI
	if o.Title != "" {
		head := []app.UI{app.H2().Text(o.Title)}
		if o.Text != "" {
			head = append(head, app.P().Text(o.Text))
		}
		all = append(all, app.Div().Class("card-head").Body(append([]app.UI{app.Div().Body(head...)}, actions(o.Actions)...)...))
	}
	inside := app.Div().Class("card-body")
	if o.Flush {
		inside = inside.Class("is-flush")
	}
	all = append(all, inside.Body(body...))
	if len(o.Foot) > 0 {
		all = append(all, app.Div().Class("card-foot").Body(o.Foot...))
	}
	return app.Section().Class("card").Body(all...)
}

func actions(a []app.UI) []app.UI {
	if len(a) == 0 {
		return nil
	}
	return []app.UI{app.Div().Class("card-actions").Body(a...)}
}

// FilterBar draws the row of search and filters above a list.
func FilterBar(body ...app.UI) app.UI {
	return app.Div().Class("filter-bar").Attr("role", "search").Body(body...)
}

// Search draws the search field of a page, which the key / focuses.
func Search(id, label string, bindTo *string, onInput func(app.Context)) app.UI {
	return app.Div().Class("search").Body(
		Icon("search"),
		app.Input().Class("input").Type("search").ID(id).Attr("aria-label", label).Placeholder(label).
			DataSet("search", "true").Attr("autocomplete", "off").Value(*bindTo).
			OnInput(On("search "+id, func(ctx app.Context, _ app.Event) {
				*bindTo = ctx.JSSrc().Get("value").String()
				onInput(ctx)
			})),
		app.Kbd().Attr("aria-hidden", "true").Text("/"),
	)
}

// Receipt draws the proof of a change.
func Receipt(title, text string, facts ...Pair) app.UI {
	return app.Section().Class("receipt").Attr("role", "status").Body(
		app.Div().Class("receipt-head").Body(IconSize("circle-check", 20), app.Div().Body(app.H2().Text(title), app.P().Text(text))),
		Facts(facts...),
	)
}
