package kit

import (
	"github.com/maxence-charriere/go-app/v9/pkg/app"
)

// Column is one column of a [Table].
type Column[T any] struct {
	Head  string
	Cell  func(T) app.UI
	Class string // of head and cells: is-number, is-main (the title of a row on a phone), is-wide-only, is-roomy (needs 760 px), is-spare (needs 1000), is-tight
	Hide  bool   // the head is for screen readers only
	Sort  string // the value of the sort parameter for this column, "" if it cannot be sorted

	HeadCell app.UI // in place of Head, such as a box that selects every row; Head still names the column
}

// TableOpts are the options of a [Table].
type TableOpts[T any] struct {
	Caption string // for screen readers
	Columns []Column[T]
	Rows    []T
	Href    func(T) string // where a row leads; the main cell must hold the link itself
	Dim     func(T) bool   // rows that are over
	Sort    string         // the sort now: name or -name for descending
	OnSort  func(ctx app.Context, sort string)
}

// Table draws rows; on a phone each becomes a card, unless the columns are but a
// name and numbers, which have room there. Rows have no state: what a cell needs
// to remember is the page's, by id. Draw at most 100.
func Table[T any](o TableOpts[T]) app.UI {
	shape := "is-numbers"
	heads := make([]app.UI, len(o.Columns))
	for i, c := range o.Columns {
		if i > 0 && c.Class != "is-number" && c.Class != "is-wide-only" {
			shape = "is-cards"
		}
		heads[i] = head(c.Head, c.Class, c.Hide, c.Sort, o.Sort, o.OnSort)
		if c.HeadCell != nil {
			heads[i] = app.Th().Class(c.Class).Attr("scope", "col").Body(c.HeadCell)
		}
	}
	rows := make([]app.UI, len(o.Rows))
	for i, r := range o.Rows {
		cells := make([]app.UI, len(o.Columns))
		for j, c := range o.Columns {
			cells[j] = app.Td().Class(c.Class).DataSet("label", label(c.Head, c.Hide)).Body(c.Cell(r))
		}
		tr := app.Tr()
		if o.Href != nil && o.Href(r) != "" {
			tr = tr.Class("has-link")
		}
		if o.Dim != nil && o.Dim(r) {
			tr = tr.Class("is-dim")
		}
		rows[i] = tr.Body(cells...)
	}
	return app.Div().Class("table-scroll").Attr("tabindex", "0").Attr("role", "region").Attr("aria-label", o.Caption).Body(
		app.Table().Class("table", shape).Body(
			app.Caption().Class("visually-hidden").Text(o.Caption),
			app.THead().Body(app.Tr().Body(heads...)),
			app.TBody().Body(rows...),
		),
	)
}

func label(head string, hide bool) string {
	if hide {
		return ""
	}
	return head
}

func head(text, class string, hide bool, by, now string, on func(app.Context, string)) app.UI {
	th := app.Th().Class(class).Attr("scope", "col")
	switch {
	case hide:
		return th.Body(app.Span().Class("visually-hidden").Text(text))
	case by == "" || on == nil:
		return th.Text(text)
	}
	next, icon := by, "chevrons-up-down"
	switch now {
	case by:
		next, icon = "-"+by, "arrow-up"
		th = th.Attr("aria-sort", "ascending")
	case "-" + by:
		icon = "arrow-down"
		th = th.Attr("aria-sort", "descending")
	}
	return th.Body(app.Button().Type("button").Class("sort").
		OnClick(Click("sort "+next, func(ctx app.Context) { on(ctx, next) })).
		Body(app.Span().Text(text), IconSize(icon, 12)))
}

// Pair is one line of a [Facts] list.
type Pair struct {
	Name  string
	Value app.UI
}

// Facts draws names with their values.
func Facts(pairs ...Pair) app.UI {
	var body []app.UI
	for _, p := range pairs {
		body = append(body, app.Div().Class("fact").Body(app.Dt().Text(p.Name), app.Dd().Body(p.Value)))
	}
	return app.Dl().Class("facts").Body(body...)
}
