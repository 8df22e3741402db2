package ui

import (
	"context"
	"errors"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
)

// eventExport saves all events of a team as a file, says how far it is, and can
// be cancelled. The zero value has not begun; a page keeps one in a field.
type eventExport struct {
	busy, done   bool
	lines, bytes int64
	err          error
	cancel       context.CancelFunc
}

func (x *eventExport) start(ctx app.Context, c app.Composer, at Place) {
	if x.busy {
		return
	}
	quit, cancel := context.WithCancel(context.Background())
	*x = eventExport{busy: true, cancel: cancel}
	d := ctx.Dispatcher()
	tell := func(lines, bytes int64) {
		d.Dispatch(app.Dispatch{Mode: app.Update, Source: c, Function: func(app.Context) {
			x.lines, x.bytes = lines, bytes
		}})
	}
	kit.Do(ctx, c, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(quit, cancel)()
		_, err := at.API.ExportEvents(bridge.Saving(ctx, tell), at.Team.Team.ID)
		return err
	}, func(ctx app.Context, err error) {
		x.stop()
		x.busy, x.done, x.err = false, err == nil, err
		if kit.Silent(err) {
			x.err = nil
			kit.Toast(ctx, kit.Note, "The export was cancelled. Nothing was saved.")
		}
		ctx.Defer(func(app.Context) { bridge.Focus(focusLost + "#export") }) // the button to cancel is gone
	})
}

// stop gives up; call it also when the page is left.
func (x *eventExport) stop() {
	if x.cancel != nil {
		x.cancel()
	}
}

// came writes what has come: 1,204 events, 512 KB.
func (x *eventExport) came() string {
	return kit.Count(int(x.lines), "event", "events") + ", " + kit.Bytes(x.bytes)
}

// address is where a browser fetches the same file by itself.
func (x *eventExport) address(at Place) string { return "/portal/v1" + at.InTeam("events", "export") }

// view draws how far it is, or how it ended; of is how many events there are, 0
// if that is not known.
func (x *eventExport) view(c app.Composer, at Place, of int64) app.UI {
	switch {
	case x.busy:
		share := -1.0
		if of > 0 {
			share = min(1, float64(x.lines)/float64(of))
		}
		return app.Div().Class("export").Body(
			app.Span().Class("visually-hidden").Attr("role", "status").Text("The events are being exported."),
			kit.Progress("Events exported", share),
			app.Span().Class("export-count").Text(x.came()),
			kit.Button(kit.ButtonOpts{Text: "Cancel", Label: "Cancel the export", Small: true, Key: "cancel export", On: func(app.Context) { x.stop() }}),
		)
	case x.done:
		return kit.Banner(kit.BannerOpts{
			Kind: kit.Good, Text: "Exported: " + x.came() + ". Check the file with gatehouse audit verify.",
			OnClose: func(app.Context) { x.done = false },
		})
	case x.err == nil:
		return kit.Nothing()
	}
	text := kit.Sentence(x.err)
	if errors.Is(x.err, bridge.ErrCutOff) {
		text = "The export was cut off after " + x.came() + ". Nothing was saved, because it would not be complete."
	}
	return app.Div().Class("banner", kit.Bad).Attr("role", "alert").Body(
		kit.Icon("triangle-alert"), app.P().Text(text),
		kit.Button(kit.ButtonOpts{Text: "Try again", Small: true, Key: "export again", On: func(ctx app.Context) { x.start(ctx, c, at) }}),
		kit.LinkButton(kit.LinkOpts{Text: "Let the browser download it", Small: true, Look: kit.Ghost, Href: x.address(at), External: true}),
	)
}
