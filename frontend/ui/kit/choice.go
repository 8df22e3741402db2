package kit

import (
	"github.com/maxence-charriere/go-app/v9/pkg/app"
)

// Option is one of several values to choose from.
type Option struct {
	Value, Text string
	Hint        string // below the text, where there is room for it
}

// SelectOpts are the options of [Select] and [Segmented].
type SelectOpts struct {
	ID, Label, Hint, Error string
	Options                []Option
	Value                  string
	On                     func(ctx app.Context, value string) // closes over the component only
	HideLabel, Disabled    bool
}

// Select draws a list to choose one value from.
func Select(o SelectOpts) app.UI {
	options := make([]app.UI, len(o.Options))
	for i, x := range o.Options {
		options[i] = app.Option().Value(x.Value).Selected(x.Value == o.Value).Text(x.Text)
	}
	t := TextOpts{ID: o.ID, Label: o.Label, Hint: o.Hint, Error: o.Error, HideLabel: o.HideLabel}
	s := app.Select().Class("input", "is-select").ID(o.ID).Name(o.ID).Disabled(o.Disabled).
		OnChange(On("select "+o.ID, func(ctx app.Context, _ app.Event) { o.On(ctx, ctx.JSSrc().Get("value").String()) })).
		Body(options...)
	if d := describedBy(t); d != "" {
		s = s.Attr("aria-describedby", d)
	}
	if o.Error != "" {
		s = s.Class("is-wrong").Attr("aria-invalid", "true")
	}
	return field(t, s)
}

// Segmented draws a few values side by side to choose one from.
func Segmented(o SelectOpts) app.UI {
	items := make([]app.UI, len(o.Options))
	for i, x := range o.Options {
		item := app.Label().Class("segmented-item")
		if x.Value == o.Value {
			item = item.Class("is-on")
		}
		items[i] = item.Body(
			app.Input().Type("radio").Name(o.ID).Value(x.Value).Checked(x.Value == o.Value).Disabled(o.Disabled).
				OnChange(On("segment "+o.ID+" "+x.Value, func(ctx app.Context, _ app.Event) { o.On(ctx, x.Value) })),
			app.Span().Text(x.Text),
		)
	}
	legend := app.Legend().Class("field-label").Text(o.Label)
	if o.HideLabel {
		legend = app.Legend().Class("visually-hidden").Text(o.Label)
	}
	body := []app.UI{legend, app.Div().Class("segmented").Body(items...)}
	if o.Hint != "" {
		body = append(body, app.P().Class("field-hint").Text(o.Hint))
	}
	if o.Error != "" {
		body = append(body, ErrorLine(o.ID, o.Error))
	}
	return app.FieldSet().Class("field").Body(body...)
}

// CheckOpts are the options of [Checkbox].
type CheckOpts struct {
	ID, Text, Hint string
	Checked        bool
	Disabled       bool
	Mixed          bool // some of what it stands for is on
	On             func(ctx app.Context, checked bool)
	Key            string // what On closes over beside the component; the ID if empty
	After          app.UI // at the end of the line: a risk mark
	HideText       bool
}

// Checkbox draws a box with its text.
func Checkbox(o CheckOpts) app.UI {
	in := app.Input().Class("check-box").Type("checkbox").ID(o.ID).Name(o.ID).Checked(o.Checked).Disabled(o.Disabled).
		OnChange(On("check "+orElse(o.Key, o.ID), func(ctx app.Context, _ app.Event) {
			o.On(ctx, ctx.JSSrc().Get("checked").Bool())
		}))
	if o.Mixed {
		in = in.Class("is-mixed") // aria-checked is not for boxes of HTML: Text should say it
	}
	if o.Hint != "" {
		in = in.Attr("aria-describedby", o.ID+"-hint")
	}
	text := []app.UI{}
	if o.HideText {
		text = append(text, app.Label().Class("visually-hidden").For(o.ID).Text(o.Text))
	} else {
		text = append(text, app.Label().Class("check-text").For(o.ID).Text(o.Text))
	}
	if o.Hint != "" {
		text = append(text, app.Span().Class("check-hint").ID(o.ID+"-hint").Text(o.Hint))
	}
	body := []app.UI{in, app.Div().Class("check-body").Body(text...)}
	if o.After != nil {
		body = append(body, o.After)
	}
	return app.Div().Class("check").Body(body...)
}
