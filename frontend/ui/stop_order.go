package ui

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// stopOrder asks for several tokens to be stopped.
type stopOrder struct {
	team   string
	verb   string // suspend or revoke
	reason string
	tokens []api.Token
}

// words returns what is being done, and what is done afterwards.
func (o stopOrder) words() (doing, done string) {
	if o.verb == "revoke" {
		return "Revoking", "revoked"
	}
	return "Suspending", "suspended"
}

// stopRun carries an order out, one token after the other, so that each has its
// own event. It is the program's, not the page's that asked: whoever leaves that
// page finds the order carried out, and is told how it went.
type stopRun struct {
	stopOrder
	id      int
	rest    []api.Token
	failed  int
	why     []string // the sentences about those that failed
	release func()
}

// actionStop has the root carry out the stopOrder that is its value.
const actionStop = "stop-tokens"

// mostReasons is how many tokens that could not be stopped are told one by one.
const mostReasons = 3

func (r *root) onStop(ctx app.Context, a app.Action) {
	o, ok := a.Value.(stopOrder)
	if !ok || len(o.tokens) == 0 {
		return
	}
	r.stopID++
	run := &stopRun{stopOrder: o, id: r.stopID, rest: o.tokens, release: bridge.GuardLeaving()}
	r.stops = append(r.stops, run)
	r.place.Stopping = r.stopping()
	r.stopNext(ctx, run)
}

func (r *root) stopNext(ctx app.Context, run *stopRun) {
	if len(run.rest) == 0 {
		r.stopped(ctx, run)
		return
	}
	t, act := run.rest[0], r.gate.api.SuspendToken
	if run.verb == "revoke" {
		act = r.gate.api.RevokeToken
	}
	kit.Do(ctx, r, func(ctx context.Context) error {
		_, err := act(ctx, run.team, t.ID, api.Reason{Reason: run.reason})
		return err
	}, func(ctx app.Context, err error) {
		switch {
		case kit.Silent(err): // signed out: the rest is not theirs to stop any more
			run.failed += len(run.rest)
			run.why = append(run.why, kit.Count(len(run.rest), "token was", "tokens were")+" not reached, because you signed out.")
			run.rest = nil
		case err != nil:
			run.failed++
			run.why = append(run.why, "“"+t.Name+"”: "+kit.Sentence(err))
			fallthrough
		default:
			run.rest = run.rest[1:]
		}
		r.stopNext(ctx, run)
	})
}

// stopped says how an order went.
func (r *root) stopped(ctx app.Context, run *stopRun) {
	run.release()
	r.stops = slices.DeleteFunc(r.stops, func(x *stopRun) bool { return x == run })
	r.place.Stopping = r.stopping()
	_, done := run.words()
	if n := len(run.tokens) - run.failed; n > 0 {
		kit.Toast(ctx, kit.Good, kit.Count(n, "token", "tokens")+" "+done+".")
	}
	if n := len(run.why); n > 0 {
		text := "Not " + done + ": " + strings.Join(run.why[:min(n, mostReasons)], " ")
		if n > mostReasons {
			text += " And " + kit.Count(n-mostReasons, "other", "others") + "."
		}
		kit.Toast(ctx, kit.Bad, text)
	}
}

// stopping returns the tokens of the orders under way, by id, with the verb. A token
// stays there until its whole order is carried out: what became of it is then
// fetched at once.
func (r *root) stopping() map[string]string {
	all := map[string]string{}
	for _, run := range r.stops {
		for _, t := range run.tokens {
			all[t.ID] = run.verb
		}
	}
	return all
}

// beingStopped marks a token that is being stopped. That it is refused is said
// once the server has said so.
func beingStopped(verb string) app.UI {
	if verb == "revoke" {
		return kit.Mark(kit.Neutral, "circle-dashed", "Being revoked")
	}
	return kit.Mark(kit.Neutral, "circle-dashed", "Being suspended")
}

// stopList draws the orders under way, as messages.
func (r *root) stopList() []app.UI {
	list := make([]app.UI, len(r.stops))
	for i, run := range r.stops {
		doing, done := run.words()
		all := len(run.tokens)
		list[i] = app.Div().Class("toast", "is-waiting").ID("stop-" + strconv.Itoa(run.id)).Body(
			app.Div().Class("toast-progress").Body(
				app.P().Text(doing+" "+kit.Count(all, "token", "tokens")),
				kit.Progress("Tokens "+done, float64(all-len(run.rest))/float64(all)),
			),
		)
	}
	return list
}
