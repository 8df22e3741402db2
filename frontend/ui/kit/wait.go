package kit

import (
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"
)

// Wait counts down until something may be tried again. The zero value waits for
// nothing. A page keeps one in an unexported field.
type Wait struct {
	until time.Time
	left  time.Duration
}

// Start begins to wait, and draws c every second.
func (w *Wait) Start(ctx app.Context, c app.Composer, d time.Duration) {
	running := w.left > 0
	w.until, w.left = time.Now().Add(d), d
	if running {
		return
	}
	Every(ctx, c, time.Second, func(app.Context) bool {
		w.left = max(time.Until(w.until), 0)
		return w.left > 0
	})
}

// Left returns how long it still takes, 0 if nothing is waited for.
func (w *Wait) Left() time.Duration { return w.left }
