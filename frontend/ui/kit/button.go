package kit

import "github.com/maxence-charriere/go-app/v9/pkg/app"

// The looks of a button.
const (
	Secondary = ""           // the usual one
	Primary   = "is-primary" // one a page at most
	Danger    = "is-danger"
	Ghost     = "is-ghost" // without a border, for bars and rows
)

// ButtonOpts are the options of a [Button].
type ButtonOpts struct {
	Text     string
	Icon     string // before the text
	Look     string // Primary, Danger, Ghost
	Small    bool
	Wide     bool // as wide as its place
	Busy     bool // its work is under way: shown, and not to be pressed again
	Wait     bool // other work is: not to be pressed until that is done
	Disabled bool
	Submit   bool   // sends the form that it is in; Key and On are not needed
	Label    string // for screen readers, if the text alone does not say it
	Title    string // on hover
	Key      string // see On
	On       func(app.Context)
	ID       string
	Pressed  *bool // makes it a toggle
}

// Button draws a button.
func Button(o ButtonOpts) app.UI {
	b := app.Button().Class("button", o.Look).Disabled(o.Disabled)
	if o.Small {
		b = b.Class("is-small")
	}
	if o.Wide {
		b = b.Class("is-wide")
	}
	if o.Busy {
		// Not disabled: the focus would be lost, and with it where one was.
		b = b.Class("is-busy").Attr("aria-busy", "true").Attr("aria-disabled", "true")
	}
	if o.Wait {
		b = b.Class("is-waiting").Attr("aria-disabled", "true")
	}
	if o.Text == "" {
		b = b.Class("is-icon")
	}
	if o.Label != "" {
		b = b.Attr("aria-label", o.Label)
		if o.Title == "" && o.Text == "" {
			o.Title = o.Label
		}
	}
	if o.Title != "" {
		b = b.Attr("title", o.Title)
	}
	if o.ID != "" {
		b = b.Attr("id", o.ID)
	}
	if o.Pressed != nil {
		b = b.Attr("aria-pressed", boolean(*o.Pressed))
	}
	if o.Submit {
		b = b.Type("submit")
	} else {
		b = b.Type("button")
	}
	if o.On != nil {
		key := o.Key
		if key == "" {
			panic("kit.Button: " + o.Text + o.Label + " needs a key")
		}
		if o.Busy || o.Wait {
			key, o.On = key+" busy", func(app.Context) {}
		}
		b = b.OnClick(Click(key, o.On))
	}
	return b.Body(buttonBody(o.Icon, o.Text)...)
}

func buttonBody(icon, text string) []app.UI {
	var body []app.UI
	if icon != "" {
		body = append(body, Icon(icon))
	}
	if text != "" {
		body = append(body, app.Span().Text(text))
	}
	return body
}

// LinkOpts are the options of a [LinkButton].
type LinkOpts struct {
	Text, Icon, Href string
	Look             string
	Small, Wide      bool
	External         bool // of the server or another site, not a page of the program
	Label            string
}

// LinkButton draws a link that looks like a button.
func LinkButton(o LinkOpts) app.UI {
	a := app.A().Class("button", o.Look).Href(o.Href)
	if o.Small {
		a = a.Class("is-small")
	}
	if o.Wide {
		a = a.Class("is-wide")
	}
	if o.Text == "" {
		a = a.Class("is-icon")
	}
	if o.Label != "" {
		a = a.Attr("aria-label", o.Label).Attr("title", o.Label)
	}
	if o.External {
		a = a.Attr("data-native", "")
	}
	return a.Body(buttonBody(o.Icon, o.Text)...)
}

// Link draws a link to a page of the program.
func Link(href, text string) app.UI { return app.A().Class("link").Dir("auto").Href(href).Text(text) }
