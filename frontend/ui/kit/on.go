package kit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
)

// On makes an event handler. The key names everything that h closes over and
// that may change while the element stays: OnClick(kit.On("revoke "+t.ID, …)).
// Methods of the component close over nothing else, so for them any name does.
func On(key string, h func(ctx app.Context, e app.Event)) (app.EventHandler, any) {
	if key == "" {
		panic("kit.On: a handler needs a key")
	}
	return func(ctx app.Context, e app.Event) {
		defer caught()
		h(ctx, e)
	}, key
}

// Click is On for a handler that does not ask about the event.
func Click(key string, h func(ctx app.Context)) (app.EventHandler, any) {
	return On(key, func(ctx app.Context, _ app.Event) { h(ctx) })
}

// Submit is Click for forms: the browser does not send the form itself.
func Submit(key string, h func(ctx app.Context)) (app.EventHandler, any) {
	return On(key, func(ctx app.Context, e app.Event) {
		e.PreventDefault()
		h(ctx)
	})
}

// caught shows a panic as a crashed page instead of ending the program without
// a word. It is deferred.
func caught() {
	if r := recover(); r != nil {
		bridge.Crash(fmt.Sprint(r))
	}
}

// requestTimeout bounds what Do runs. It is longer than the longest wait for a
// person in a dialog over the page.
const requestTimeout = 15 * time.Minute

// Do runs work in the background and then done on the goroutine that draws,
// after which c and what it is in are drawn again. If c has left the page by then, done does not
// run. Work must not touch c.
func Do(ctx app.Context, c app.Composer, work func(context.Context) error, done func(app.Context, error)) {
	d := ctx.Dispatcher()
	d.Async(func() {
		defer caught()
		background, cancel := context.WithTimeout(context.Background(), requestTimeout)
		defer cancel()
		err := work(background)
		d.Dispatch(app.Dispatch{Mode: app.Update, Source: c, Function: func(ctx app.Context) {
			defer caught()
			if done != nil {
				done(ctx, err)
				redraw(ctx, c)
			}
		}})
	})
}

// redraw draws what c is in as well: what was done may have called a function of
// its parent, and go-app draws parents after events only.
func redraw(ctx app.Context, c app.Composer) {
	if c.Mounted() {
		ctx.Dispatcher().Emit(c, nil)
	}
}

// Ask is Do for work that has a result.
func Ask[T any](ctx app.Context, c app.Composer, work func(context.Context) (T, error), done func(app.Context, T, error)) {
	var v T
	Do(ctx, c, func(ctx context.Context) (err error) {
		v, err = work(ctx)
		return err
	}, func(ctx app.Context, err error) { done(ctx, v, err) })
}

// Change is Ask for work that changes something. It is carried out in any case; if
// c has left the page by the time it is refused, a message says so: what begins
// its sentence, as in "The name is not saved."
func Change[T any](ctx app.Context, c app.Composer, what string, work func(context.Context) (T, error), done func(app.Context, T, error)) {
	d := ctx.Dispatcher()
	Ask(ctx, c, func(background context.Context) (T, error) {
		v, err := work(background)
		d.Dispatch(app.Dispatch{Mode: app.Next, Function: func(ctx app.Context) { // of the whole program, which stays
			if err != nil && !Silent(err) && !c.Mounted() {
				Toast(ctx, Bad, what+" "+Sentence(err))
			}
		}})
		return v, err
	}, done)
}

// After runs f on the goroutine that draws when d has passed, if c is still on
// the page. In a test no time passes.
func After(ctx app.Context, c app.Composer, d time.Duration, f func(app.Context)) {
	disp := ctx.Dispatcher()
	run := func() {
		disp.Dispatch(app.Dispatch{Mode: app.Update, Source: c, Function: func(ctx app.Context) {
			defer caught()
			f(ctx)
			redraw(ctx, c)
		}})
	}
	if app.IsServer {
		disp.Async(run)
		return
	}
	time.AfterFunc(d, run)
}

// Every runs f on the goroutine that draws each time d has passed, while c is on
// the page and f returns true. Nothing runs while nobody can see the page.
func Every(ctx app.Context, c app.Composer, d time.Duration, f func(app.Context) bool) {
	if app.IsServer {
		return // a test would never end
	}
	var tick func(app.Context)
	tick = func(ctx app.Context) {
		if bridge.Hidden() || f(ctx) {
			After(ctx, c, d, tick)
		}
	}
	After(ctx, c, d, tick)
}

// ErrGivenUp is what a request returns when the person closed the dialog that it
// waited for. It needs no message.
var ErrGivenUp = errors.New("given up")
