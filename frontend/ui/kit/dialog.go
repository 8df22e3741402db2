package kit

import (
	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
)

// DialogOpts are the options of a [Dialog].
type DialogOpts struct {
	ID      string // unique on the page
	Title   string
	Text    string // below the title
	Wide    bool
	Sticky  bool // only its own buttons close it: Escape does nothing
	OnClose func(app.Context)
	// OnSubmit makes the body a form that Enter sends; the primary button of the
	// foot is then a Submit.
	OnSubmit func(app.Context)
	Body     []app.UI
	Foot     []app.UI // buttons, the primary one last
}

// Dialog draws a modal dialog. It is open while the page draws it; the browser
// keeps the focus inside and gives it back afterwards.
func Dialog(o DialogOpts) app.UI {
	head := []app.UI{app.H2().ID(o.ID + "-title").Text(o.Title)}
	if !o.Sticky {
		head = append(head, Button(ButtonOpts{Icon: "x", Look: Ghost + " dialog-close", Label: "Close", Key: "close " + o.ID, On: o.OnClose}))
	}
	body := []app.UI{app.Div().Class("dialog-head").Body(head...)}
	if o.Text != "" {
		body = append(body, app.P().Class("dialog-text").Text(o.Text))
	}
	body = append(body, app.Div().Class("dialog-body").Body(o.Body...))
	if len(o.Foot) > 0 {
		body = append(body, app.Div().Class("dialog-foot").Body(o.Foot...))
	}
	var inside app.UI = app.Div().Class("dialog-card").Body(body...)
	if o.OnSubmit != nil {
		inside = app.Form().Class("dialog-card").Attr("novalidate", "").OnSubmit(Submit("submit "+o.ID, o.OnSubmit)).Body(body...)
	}
	d := app.Dialog().Class("dialog").ID(o.ID).Attr("aria-labelledby", o.ID+"-title").
		On("cancel", func(ctx app.Context, e app.Event) {
			defer caught()
			e.PreventDefault() // closing is the page's to decide
			if !o.Sticky && o.OnClose != nil {
				o.OnClose(ctx)
			}
		}, "cancel "+o.ID).
		On("close", func(ctx app.Context, _ app.Event) {
			defer caught()
			// The second Escape in a row closes it whatever the page says. If the
			// page still draws it then, it opens again.
			if !o.Sticky && o.OnClose != nil {
				o.OnClose(ctx)
			}
			ctx.Defer(func(app.Context) { bridge.ShowModal(o.ID) })
		}, "close "+o.ID)
	if o.Wide {
		d = d.Class("is-wide")
	}
	return d.Body(inside, &modal{For: o.ID})
}

// modal opens the dialog that it is in as soon as both are on the page.
type modal struct {
	app.Compo
	For string

	id string
}

// OnMount opens the dialog.
func (m *modal) OnMount(app.Context) {
	m.id = m.For
	bridge.ShowModal(m.id)
}

// OnDismount gives the focus back.
func (m *modal) OnDismount() { bridge.ModalGone(m.id) }

// Render draws nothing that is seen.
func (m *modal) Render() app.UI { return Nothing() }

// ConfirmOpts are the options of [Confirm].
type ConfirmOpts struct {
	ID    string
	Title string // a question: Revoke “ERP integration”?
	Text  string // what will happen
	Verb  string // the button repeats verb and object: Revoke token
	Look  string // Danger if it cannot be undone
	Error string
	// Type, if set, must be typed into Bind before the button works.
	Type    string
	Bind    *string
	Body    []app.UI
	OnYes   func(app.Context)
	OnClose func(app.Context)
}

// Confirm draws a dialog that asks before something is done.
func Confirm(o ConfirmOpts) app.UI {
	body := o.Body
	ready := true
	if o.Type != "" {
		ready = *o.Bind == o.Type
		body = append(body, Text(TextOpts{ID: o.ID + "-type", Label: "Type “" + o.Type + "” to confirm", Bind: o.Bind, Autofocus: true}))
	}
	if o.Error != "" {
		body = append(body, app.P().Class("field-error").Attr("role", "alert").Body(Icon("triangle-alert"), app.Span().Text(o.Error)))
	}
	return Dialog(DialogOpts{
		ID: o.ID, Title: o.Title, Text: o.Text, Body: body, OnClose: o.OnClose,
		OnSubmit: func(ctx app.Context) {
			if o.Type == "" || *o.Bind == o.Type {
				o.OnYes(ctx)
			}
		},
		Foot: []app.UI{
			Button(ButtonOpts{Text: "Cancel", Key: "cancel " + o.ID, On: o.OnClose}),
			Button(ButtonOpts{Text: o.Verb, Look: orElse(o.Look, Primary), Submit: true, Disabled: !ready}),
		},
	})
}
