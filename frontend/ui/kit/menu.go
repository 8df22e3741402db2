package kit

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
)

// MenuItem is one entry of a [Menu].
type MenuItem struct {
	Text    string
	Hint    string // muted, at the end
	Icon    string
	Href    string // a page of the program
	On      func(app.Context)
	Danger  bool
	Checked *bool  // one of several to choose from
	Head    string // a heading before it
	Line    bool   // a line before it
}

// Menu is a button that opens a list of actions and links, with the keyboard as
// in any menu: arrows, Home, End, Escape.
type Menu struct {
	app.Compo
	ID     string
	Label  string // for screen readers, read before the text of the button
	Class  string // of the button: button is-ghost …
	Button []app.UI
	Items  []MenuItem
	Start  bool // aligned with the start of the button instead of its end
	Up     bool // opens upwards

	open bool
}

// Render draws the button and, if open, the list.
func (m *Menu) Render() app.UI {
	button := app.Button().Type("button").ID(m.ID).Class(orElse(m.Class, "button is-ghost is-icon")).
		Attr("aria-haspopup", "menu").Attr("aria-expanded", boolean(m.open)).
		OnClick(Click("toggle", m.toggle)).
		OnKeyDown(On("button keys", func(ctx app.Context, e app.Event) {
			if k := e.Get("key").String(); !m.open && (k == "ArrowDown" || k == "ArrowUp") {
				e.PreventDefault()
				m.toggle(ctx)
			}
		})).
		Body(append([]app.UI{app.Span().Class("visually-hidden").Text(m.Label)}, m.Button...)...)
	if !m.open {
		return app.Div().Class("menu").Body(button)
	}
	var items []app.UI
	for i, it := range m.Items {
		if it.Line {
			items = append(items, app.Div().Class("menu-line").Attr("role", "separator"))
		}
		if it.Head != "" {
			items = append(items, app.Div().Class("menu-head").Attr("role", "presentation").Text(it.Head))
		}
		items = append(items, m.item(i, it))
	}
	list := app.Div().Class("menu-list").Attr("role", "menu").Attr("aria-labelledby", m.ID).
		OnKeyDown(On("keys", m.keys)).Body(items...)
	if m.Start {
		list = list.Class("is-start")
	}
	if m.Up {
		list = list.Class("is-up")
	}
	return app.Div().Class("menu", "is-open").Body(
		button,
		app.Div().Class("menu-veil").Attr("aria-hidden", "true").OnClick(Click("veil", func(ctx app.Context) { m.close(ctx, false) })),
		list,
	)
}

func (m *Menu) item(i int, it MenuItem) app.UI {
	body := []app.UI{}
	role, checked := "menuitem", false
	switch {
	case it.Checked != nil:
		role, checked = "menuitemradio", *it.Checked
		if checked {
			body = append(body, Icon("check"))
		} else {
			body = append(body, app.Span().Class("menu-space"))
		}
	case it.Icon != "":
		body = append(body, Icon(it.Icon))
	}
	body = append(body, app.Span().Class("menu-text").Dir("auto").Text(it.Text))
	if it.Hint != "" {
		body = append(body, app.Span().Class("menu-hint").Text(it.Hint))
	}
	key := "item " + strconv.Itoa(i)
	choose := func(ctx app.Context) { m.choose(ctx, i) }
	if it.Href != "" {
		a := app.A().Class("menu-item").Attr("role", role).Attr("tabindex", "-1").Href(it.Href).OnClick(Click(key, choose)).Body(body...)
		if it.Checked != nil {
			a = a.Attr("aria-checked", boolean(checked))
		}
		return a
	}
	b := app.Button().Type("button").Class("menu-item").Attr("role", role).Attr("tabindex", "-1").OnClick(Click(key, choose)).Body(body...)
	if it.Danger {
		b = b.Class("is-danger")
	}
	if it.Checked != nil {
		b = b.Attr("aria-checked", boolean(checked))
	}
	return b
}

func (m *Menu) toggle(ctx app.Context) {
	if m.open {
		m.close(ctx, true)
		return
	}
	m.open = true
	ctx.Defer(func(app.Context) { bridge.FocusStep(".menu.is-open .menu-item", 0) })
}

func (m *Menu) close(ctx app.Context, focus bool) {
	m.open = false
	if focus {
		bridge.Focus("#" + m.ID)
	}
}

func (m *Menu) choose(ctx app.Context, i int) {
	if i >= len(m.Items) {
		return
	}
	it := m.Items[i]
	m.close(ctx, it.Href == "")
	if it.On != nil {
		it.On(ctx)
	}
}

func (m *Menu) keys(ctx app.Context, e app.Event) {
	const items = ".menu.is-open .menu-item"
	switch e.Get("key").String() {
	case "ArrowDown":
		bridge.FocusStep(items, 1)
	case "ArrowUp":
		bridge.FocusStep(items, -1)
	case "Home":
		bridge.FocusStep(items, 0)
	case "End":
		bridge.FocusStep(items, 0)
		bridge.FocusStep(items, -1)
	case "Escape":
		m.close(ctx, true)
	case "Tab":
		m.close(ctx, true)
	default:
		return
	}
	e.PreventDefault()
}
