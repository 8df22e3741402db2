package kit

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v9/pkg/app"
)

// Icon draws an icon by its name in Lucide. It is decoration: what it means must
// stand beside it as text, or in the label of its button. An unknown name is a
// mistake in the program and panics.
func Icon(name string) app.UI { return IconSize(name, 16) }

// IconSize draws an icon so many pixels wide.
func IconSize(name string, px int) app.UI {
	paths, ok := icons[name]
	if !ok {
		panic("kit.Icon: no icon " + name)
	}
	size := strconv.Itoa(px)
	return app.Raw(`<svg class="icon" xmlns="http://www.w3.org/2000/svg" width="` + size + `" height="` + size +
		`" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">` + paths + `</svg>`)
}

// Brand draws the mark of the product.
func Brand() app.UI {
	return app.Raw(`<svg class="brand-mark" xmlns="http://www.w3.org/2000/svg" width="22" height="22" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7"/><path d="M9 25V14a7 7 0 0 1 14 0v11M9 19h14M16 7v18" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/></svg>`)
}

// Nothing draws nothing, where an element must be.
func Nothing() app.UI { return app.Span().Hidden(true) }
