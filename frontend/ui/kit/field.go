package kit

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"
)

// TextOpts are the options of [Text], [Password] and [Area].
type TextOpts struct {
	ID           string // unique on the page; also the name of the field
	Label        string
	Hint         string
	Error        string // the line below; "" if all is well
	Bind         *string
	Type         string // email, search, number, date …; text if empty
	Autocomplete string // as in HTML: username, current-password, off …
	Placeholder  string
	Optional     bool // says so beside the label
	Disabled     bool
	Autofocus    bool
	HideLabel    bool // the label is for screen readers only
	Beside       bool // the label stands before the field, as in a filter bar
	Mono         bool
	Max          int // code points that are counted out, 0: not shown
	Rows         int // of an Area
	After        app.UI
	OnInput      func(app.Context) // after Bind was set; closes over the component only
	Min, Most    string            // of a number or date
}

// Text draws a text field with its label, hint and error. What is typed is in
// *Bind at once.
func Text(o TextOpts) app.UI {
	kind := o.Type
	if kind == "" {
		kind = "text"
	}
	in := app.Input().Class("input").ID(o.ID).Name(o.ID).Type(kind).Value(*o.Bind).Disabled(o.Disabled).
		Attr("autocomplete", orElse(o.Autocomplete, "off")).OnInput(bind(o))
	if o.Placeholder != "" {
		in = in.Placeholder(o.Placeholder)
	}
	if o.Mono {
		in = in.Class("is-mono")
	}
	if o.Autofocus {
		in = in.AutoFocus(true)
	}
	if o.Min != "" {
		in = in.Attr("min", o.Min)
	}
	if o.Most != "" {
		in = in.Attr("max", o.Most)
	}
	if kind == "text" && !o.Mono {
		in = in.Dir("auto") // names are of any script
	}
	if kind == "email" || o.Mono {
		in = in.Attr("autocapitalize", "off").Attr("spellcheck", "false")
	}
	if d := describedBy(o); d != "" {
		in = in.Attr("aria-describedby", d)
	}
	if o.Error != "" {
		in = in.Class("is-wrong").Attr("aria-invalid", "true")
	}
	if !o.Optional {
		in = in.Attr("aria-required", "true")
	}
	var control app.UI = in
	if o.After != nil {
		control = app.Div().Class("input-row").Body(in, o.After)
	}
	return field(o, control)
}

// Area draws a field for several lines of text.
func Area(o TextOpts) app.UI {
	rows := o.Rows
	if rows == 0 {
		rows = 3
	}
	in := app.Textarea().Class("input").ID(o.ID).Name(o.ID).Rows(rows).Disabled(o.Disabled).
		Attr("value", *o.Bind).OnInput(bind(o))
	if o.Placeholder != "" {
		in = in.Placeholder(o.Placeholder)
	}
	if o.Mono {
		in = in.Class("is-mono").Attr("autocapitalize", "off").Attr("spellcheck", "false")
	}
	if d := describedBy(o); d != "" {
		in = in.Attr("aria-describedby", d)
	}
	if o.Error != "" {
		in = in.Class("is-wrong").Attr("aria-invalid", "true")
	}
	return field(o, in)
}

// Password draws a field for a password with a button that shows it; *shown is
// the page's.
func Password(o TextOpts, shown *bool) app.UI {
	o.Type = "password"
	word, icon := "Show", "eye"
	if *shown {
		o.Type, word, icon = "text", "Hide", "eye-off"
	}
	o.After = Button(ButtonOpts{
		Icon: icon, Look: Ghost, Label: word + " password", Key: "show " + o.ID, Pressed: shown,
		On: func(app.Context) { *shown = !*shown },
	})
	return Text(o)
}

func bind(o TextOpts) (app.EventHandler, any) {
	return On("bind "+o.ID, func(ctx app.Context, _ app.Event) {
		*o.Bind = ctx.JSSrc().Get("value").String()
		if o.OnInput != nil {
			o.OnInput(ctx)
		}
	})
}

func describedBy(o TextOpts) string {
	var ids []string
	if o.Error != "" {
		ids = append(ids, o.ID+"-error")
	}
	if o.Hint != "" {
		ids = append(ids, o.ID+"-hint")
	}
	return strings.Join(ids, " ")
}

// field puts label, control, hint and error together. The line of the error is
// always there, so that it is read out when it is filled.
func field(o TextOpts, control app.UI) app.UI {
	label := app.Label().Class("field-label").For(o.ID).Body(app.Span().Text(o.Label))
	if o.Optional && !o.Beside {
		label = app.Label().Class("field-label").For(o.ID).Body(app.Span().Text(o.Label), app.Span().Class("field-optional").Text("optional"))
	}
	if o.HideLabel {
		label = app.Label().Class("visually-hidden").For(o.ID).Text(o.Label)
	}
	body := []app.UI{label, control}
	if o.Hint != "" || o.Max > 0 {
		hint := []app.UI{app.Span().ID(o.ID + "-hint").Text(o.Hint)}
		if o.Max > 0 {
			hint = append(hint, app.Span().Class("field-count").Text(strconv.Itoa(len([]rune(*o.Bind)))+"\u00a0/\u00a0"+strconv.Itoa(o.Max)))
		}
		body = append(body, app.Div().Class("field-hint").Body(hint...))
	}
	body = append(body, ErrorLine(o.ID, o.Error))
	f := app.Div().Class("field")
	if o.Beside {
		f = f.Class("is-beside")
	}
	if o.Error != "" {
		f = f.Class("is-wrong")
	}
	return f.Body(body...)
}

// ErrorLine draws the line of a field's error; id is the field's.
func ErrorLine(id, text string) app.UI {
	line := app.P().Class("field-error").ID(id+"-error").Attr("aria-live", "polite")
	if text == "" {
		return line
	}
	return line.Body(Icon("triangle-alert"), app.Span().Text(text))
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
