package kit

import (
	"context"
	"errors"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// OnlineState is the name of the go-app state that counts how often the network
// came back, which the shell moves on. What failed for want of it is then fetched
// again by itself.
const OnlineState = "online"

// Unreached reports whether a request failed because the server was not reached.
func Unreached(err error) bool {
	return errors.Is(err, client.ErrOffline) || errors.Is(err, client.ErrTimeout)
}

// Load is something that a page fetches: awaited, failed or there. The zero
// value is awaited. A page keeps one in an unexported field.
type Load[T any] struct {
	value T
	there bool
	busy  bool
	err   error
	turn  int // of the latest fetch: late answers of earlier ones are dropped
	again func(app.Context)

	watched bool // it is told when the network comes back
	online  int  // how often it did
}

// Fetch gets the value in the background and draws c when it is there. What was
// there before stays to be seen. Only the latest fetch counts.
func (l *Load[T]) Fetch(ctx app.Context, c app.Composer, get func(context.Context) (T, error)) {
	l.FetchThen(ctx, c, get, nil)
}

// FetchThen is Fetch with something to do each time the value has come, before
// it is drawn.
func (l *Load[T]) FetchThen(ctx app.Context, c app.Composer, get func(context.Context) (T, error), then func(app.Context, T)) {
	l.turn++
	turn := l.turn
	l.busy = true
	l.again = func(ctx app.Context) { l.FetchThen(ctx, c, get, then) }
	if !l.watched {
		l.watched = true
		// As the page: the context of a handler ends with its button.
		ctx.Dispatcher().Dispatch(app.Dispatch{Mode: app.Next, Source: c, Function: l.watch})
	}
	Ask(ctx, c, get, func(ctx app.Context, v T, err error) {
		if turn != l.turn {
			return
		}
		l.busy, l.err = false, err
		if err == nil {
			l.value, l.there = v, true
			if then != nil {
				then(ctx, v)
			}
		}
	})
}

// watch fetches again what failed for want of a network, once that is back. A
// state and not an action: of those go-app keeps one handler a component.
func (l *Load[T]) watch(ctx app.Context) {
	back := func() {
		if !l.busy && Unreached(l.err) {
			l.Again(ctx)
		}
	}
	ctx.ObserveState(OnlineState).OnChange(back).Value(&l.online)
}

// Again fetches once more what was fetched last.
func (l *Load[T]) Again(ctx app.Context) {
	if l.again != nil {
		l.again(ctx)
	}
}

// Reset forgets everything; a fetch under way is dropped.
func (l *Load[T]) Reset() { *l = Load[T]{turn: l.turn + 1, watched: l.watched, online: l.online} }

// Set puts a value there that is known already, such as the answer to a change.
func (l *Load[T]) Set(v T) {
	l.turn++
	l.value, l.there, l.busy, l.err = v, true, false, nil
}

// Get returns the value and whether it is there.
func (l *Load[T]) Get() (T, bool) { return l.value, l.there }

// Busy reports whether an answer is awaited.
func (l *Load[T]) Busy() bool { return l.busy }

// Settled reports whether an answer has come, be it that it failed: what only adds
// to something else need not be waited for any longer.
func (l *Load[T]) Settled() bool { return l.there || l.err != nil }

// Err returns why the latest fetch failed, nil if it did not.
func (l *Load[T]) Err() error { return l.err }

// View draws the value with full once it is there; until then the skeleton, or
// why it failed with a button to try again. A failed refresh leaves the old
// value with a line above it.
func (l *Load[T]) View(skeleton app.UI, full func(T) app.UI) app.UI {
	switch {
	case l.there && l.err != nil && !Silent(l.err):
		return app.Div().Class("load").Body(
			Banner(BannerOpts{Kind: Warn, Text: "This may be out of date. " + unread(l.err), Action: "Try again", OnAction: l.Again}),
			full(l.value),
		)
	case l.there:
		return app.Div().Class("load").Attr("aria-busy", boolean(l.busy)).Body(full(l.value))
	case l.err != nil:
		return app.Div().Class("load").Body(Failed(l.err, l.Again))
	default:
		// Another kind of element, so that go-app replaces it: turned into the
		// content piece by piece, the shapes would be seen to move.
		return app.Section().Class("load").Attr("aria-busy", "true").Body(skeleton)
	}
}

// Aria writes an aria state for a page.
func Aria(on bool) string { return boolean(on) }

// boolean writes an aria state, which unlike an attribute of HTML is spelled out.
func boolean(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
