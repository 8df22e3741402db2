package ui

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// eventRun is one or more events that stand one after the other in a list and
// tell the same, newest first.
type eventRun []api.Event

// leastRun is how many events are folded into one line: two are read as fast.
const leastRun = 3

// eventRuns puts neighbours that tell the same together.
func eventRuns(list []api.Event) []eventRun {
	var runs []eventRun
	for from := 0; from < len(list); {
		to := from + 1
		for to < len(list) && sameEvent(list[from], list[to]) {
			to++
		}
		if to-from < leastRun {
			to = from + 1
		}
		runs = append(runs, list[from:to])
		from = to
	}
	return runs
}

// sameEvent reports whether two events tell the same. A dead secret may be tried
// from anywhere; of everything else, from where is a part of what is told.
func sameEvent(a, b api.Event) bool {
	return a.Actor == b.Actor && a.Action == b.Action && a.Target == b.Target && onceSummary(a) == onceSummary(b) &&
		(a.Action == audit.TokenDeadSecretUsed || eventText(a, "address") == eventText(b, "address"))
}

// eventTimes returns how often it was that an event tells of: an alarm stands
// for all that came since the last one.
func eventTimes(e api.Event) int {
	n, _ := e.Data["count"].(float64)
	return max(1, int(n))
}

// onceSummary is what an event tells, without how often.
func onceSummary(e api.Event) string {
	return strings.TrimSuffix(e.Summary, ", "+strconv.Itoa(eventTimes(e))+" times since it was last told")
}

// times returns how often it was that all of a run tells of.
func (r eventRun) times() int {
	n := 0
	for _, e := range r {
		n += eventTimes(e)
	}
	return n
}

// summary is what the run tells, as one sentence.
func (r eventRun) summary() string {
	if len(r) == 1 {
		return r[0].Summary
	}
	return onceSummary(r[0])
}

// from says where a run came from: its one address, or how many there are.
func (r eventRun) from() app.UI {
	seen := map[string]bool{}
	for _, e := range r {
		seen[eventText(e, "address")] = true
	}
	address := eventText(r[0], "address")
	switch {
	case len(seen) > 1:
		return app.Text(kit.Count(len(seen), "address", "addresses"))
	case address == "":
		return app.Span().Class("muted").Text("–")
	}
	return kit.ID(address)
}
