package kit

import (
	"github.com/maxence-charriere/go-app/v9/pkg/app"
)

// ToastAction is the name of the go-app action that carries a toast to the shell.
const ToastAction = "toast"

// ToastMessage is a short message that the shell shows for a while.
type ToastMessage struct {
	Kind string // Good, Bad …
	Text string
}

// Toast shows a short message over the page and reads it out. Mistakes stay
// until they are closed.
func Toast(ctx app.Context, kind, text string) {
	ctx.NewActionWithValue(ToastAction, ToastMessage{Kind: kind, Text: text})
}

// ToastError shows what went wrong; giving up is not worth a message.
func ToastError(ctx app.Context, err error) {
	if err != nil && !Silent(err) {
		Toast(ctx, Bad, Sentence(err))
	}
}

// kindIcons are the shapes of the kinds.
var kindIcons = map[string]string{
	Neutral: "info", Good: "circle-check", Warn: "triangle-alert", Bad: "triangle-alert", Note: "info",
}

// KindIcon returns the icon of a kind of message.
func KindIcon(kind string) string { return kindIcons[kind] }

// BannerOpts are the options of a [Banner].
type BannerOpts struct {
	Kind     string
	Text     string
	Action   string // of a button at its end
	OnAction func(app.Context)
	OnClose  func(app.Context)
}

// Banner draws a message across its place.
func Banner(o BannerOpts) app.UI {
	role := "status"
	if o.Kind == Bad {
		role = "alert"
	}
	body := []app.UI{Icon(kindIcons[o.Kind]), app.P().Text(o.Text)}
	if o.Action != "" {
		body = append(body, Button(ButtonOpts{Text: o.Action, Small: true, Key: "banner " + o.Text, On: o.OnAction}))
	}
	if o.OnClose != nil {
		body = append(body, Button(ButtonOpts{Icon: "x", Small: true, Look: Ghost, Label: "Close this message", Key: "close " + o.Text, On: o.OnClose}))
	}
	return app.Div().Class("banner", o.Kind).Attr("role", role).Body(body...)
}

// EmptyOpts are the options of [Empty].
type EmptyOpts struct {
	Icon, Title, Text string
	Action            string // of the button; with Href it is a link
	Href              string
	OnAction          func(app.Context)
	Alert             bool   // read it out at once
	After             app.UI // at the end of the text
	Body              app.UI // below it: a command to begin with
}

// Empty draws what stands in place of a list that has nothing: what will be
// there, and the first thing to do.
func Empty(o EmptyOpts) app.UI {
	body := []app.UI{
		app.Div().Class("empty-icon").Body(IconSize(orElse(o.Icon, "list"), 20)),
		app.P().Class("empty-title").Text(o.Title),
		app.P().Class("empty-text").Text(o.Text),
	}
	if o.After != nil {
		body[2] = app.P().Class("empty-text").Body(app.Text(o.Text), o.After)
	}
	if o.Body != nil {
		body = append(body, o.Body)
	}
	switch {
	case o.Action != "" && o.Href != "":
		body = append(body, LinkButton(LinkOpts{Text: o.Action, Href: o.Href, Look: Primary}))
	case o.Action != "":
		body = append(body, Button(ButtonOpts{Text: o.Action, Key: "empty " + o.Title, On: o.OnAction}))
	}
	box := app.Div().Class("empty")
	if o.Alert {
		box = box.Attr("role", "alert")
	}
	return box.Body(body...)
}

// Skeleton draws grey shapes where something is awaited: header, title, line,
// state, bar, table, row, chart, stats, block, card, form, field, tabs. They take
// the space of what will come, so that nothing jumps.
func Skeleton(shapes ...string) app.UI {
	body := make([]app.UI, len(shapes))
	for i, s := range shapes {
		body[i] = app.Div().Class("skeleton", "is-"+s)
		if s == "stats" {
			stats := make([]app.UI, 4)
			for j := range stats {
				stats[j] = app.Div().Class("skeleton", "is-stat")
			}
			body[i] = StatRow(stats...)
		}
	}
	return app.Div().Class("skeletons").Body(append(body, app.Span().Class("visually-hidden").Text("Loading"))...)
}

// Progress draws a bar; share is between 0 and 1, or negative if nobody knows.
func Progress(label string, share float64) app.UI {
	bar := app.Progress().Class("progress").Attr("aria-label", label).Max(1)
	if share < 0 {
		return bar
	}
	return bar.Value(share)
}
