package kit

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/client"
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

// countdown draws when something that was refused may be tried again. Screen
// readers are told once, not every second.
type countdown struct {
	app.Compo
	Refusal *client.Problem

	seen *client.Problem
	wait Wait
}

// OnMount begins to count.
func (c *countdown) OnMount(ctx app.Context) { c.OnUpdate(ctx) }

// OnUpdate begins again for another refusal.
func (c *countdown) OnUpdate(ctx app.Context) {
	if c.seen != c.Refusal {
		c.seen = c.Refusal
		c.wait.Start(ctx, c, c.Refusal.RetryAfter)
	}
}

// Render draws the rest of the time.
func (c *countdown) Render() app.UI {
	now := "You can try again now."
	if left := c.wait.Left(); left > 0 || c.seen == nil {
		now = after(max(left, time.Second))
	}
	return app.Span().Body(
		app.Span().Class("visually-hidden").Text(after(c.Refusal.RetryAfter)),
		app.Span().Attr("aria-hidden", "true").Text(now),
	)
}

// refused returns what an error says that asks to wait, apart from how long.
func refused(err error) (text string, p *client.Problem, ok bool) {
	p = client.ProblemOf(err)
	if p == nil || p.RetryAfter <= 0 || p.Status != 429 && p.Status != 503 {
		return "", nil, false
	}
	return strings.TrimSuffix(Sentence(err), after(p.RetryAfter)), p, true
}
