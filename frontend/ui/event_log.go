package ui

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// eventLog lists audit events, newest first: those of a team, of one token, or a
// person's own.
type eventLog struct {
	app.Compo
	At    Place
	Token string // of one token
	Own   bool   // the person's own security log

	now    time.Time
	seen   string
	events kit.Load[api.List[api.Event]]
	open   int64          // seq of the event that is looked at
	spread map[int64]bool // the runs that are unfolded, by seq of their newest event
}

func (l *eventLog) OnMount(ctx app.Context) {
	kit.WatchNow(ctx, &l.now)
	l.fetch(ctx)
}

func (l *eventLog) OnUpdate(ctx app.Context) {
	if l.seen != l.query() {
		l.fetch(ctx)
	}
}

func (l *eventLog) query() string { return l.Token + "?" + l.At.Query.Encode() }

func (l *eventLog) fetch(ctx app.Context) {
	l.seen = l.query()
	at, token, own := l.At, l.Token, l.Own
	q := client.EventQuery{Action: at.Get("action"), Actor: at.Get("actor"), Target: at.Get("target"), Limit: 50, Cursor: at.Get("cursor")}
	q.From, _ = localDay(at.Get("from"), 0)
	q.To, _ = localDay(at.Get("to"), 1)
	l.events.Fetch(ctx, l, func(ctx context.Context) (api.List[api.Event], error) {
		switch {
		case own:
			return at.API.AccountEvents(ctx, q)
		case token != "":
			return at.API.TokenEvents(ctx, at.Team.Team.ID, token, q)
		}
		return at.API.Events(ctx, at.Team.Team.ID, q)
	})
}

// localDay returns when a day of the query begins where the reader is, or one so
// many days after it.
func localDay(text string, days int) (time.Time, bool) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1 || day.Year() > 9998 {
		return time.Time{}, false
	}
	return bridge.LocalTime(day.AddDate(0, 0, days).Format(time.DateOnly) + "T00:00")
}

// narrowed reports whether the query leaves events out.
func (l *eventLog) narrowed() bool {
	for _, name := range []string{"action", "actor", "target", "from", "to", "cursor"} {
		if l.At.Get(name) != "" {
			return true
		}
	}
	return false
}

func (l *eventLog) Render() app.UI {
	body := []app.UI{l.events.View(kit.Skeleton("row", "row", "row", "row", "row"), l.draw)}
	if l.open != 0 {
		body = append(body, l.detail())
	}
	return app.Div().Class("stack").Body(body...)
}

func (l *eventLog) draw(list api.List[api.Event]) app.UI {
	if len(list.Data) == 0 && l.narrowed() {
		return kit.Empty(kit.EmptyOpts{
			Icon: "search", Title: "No event matches", Text: "Nothing that is recorded fits these filters.",
			Action: "Clear the filters", OnAction: func(ctx app.Context) {
				Replace(ctx, l.At.With("action", "", "actor", "", "target", "", "from", "", "to", ""))
			},
		})
	}
	if len(list.Data) == 0 {
		return kit.Empty(kit.EmptyOpts{
			Icon: "shield", Title: "No events", Text: "What is changed, and what was refused for security's sake, is recorded here for good.",
		})
	}
	columns := []kit.Column[eventLine]{
		{Head: "What happened", Class: "is-main", Cell: l.what},
		{Head: "From", Cell: func(x eventLine) app.UI { return x.from() }},
		{Head: "When", Class: "is-tight", Cell: func(x eventLine) app.UI { return kit.TimeAgo(x.eventRun[0].At, l.now, "") }},
		{Head: "No.", Class: "is-number is-wide-only", Cell: func(x eventLine) app.UI {
			newest, oldest := x.eventRun[0].Seq, x.eventRun[len(x.eventRun)-1].Seq
			if newest == oldest {
				return app.Text(kit.Number(newest))
			}
			return app.Text(kit.Number(oldest) + "–" + kit.Number(newest))
		}},
	}
	return kit.Card(kit.CardOpts{Flush: true},
		kit.Table(kit.TableOpts[eventLine]{Caption: "Events, newest first", Columns: columns, Rows: l.lines(list.Data)}),
		pager(l.At, kit.Count(len(list.Data), "event", "events"), list.NextCursor),
	)
}

// eventLine is one line of the list: a run, or one event of a run that is
// unfolded.
type eventLine struct {
	eventRun
	part bool
}

// lines returns what the list shows: a run is one line until it is unfolded.
func (l *eventLog) lines(list []api.Event) []eventLine {
	var lines []eventLine
	for _, run := range eventRuns(list) {
		lines = append(lines, eventLine{eventRun: run})
		if len(run) == 1 || !l.spread[run[0].Seq] {
			continue
		}
		for i := range run {
			lines = append(lines, eventLine{run[i : i+1], true})
		}
	}
	return lines
}

// what draws what happened: a button that opens the event, or unfolds the run.
func (l *eventLog) what(x eventLine) app.UI {
	e := x.eventRun[0]
	words := app.Span().Body(app.Strong().Dir("auto").Text(actorName(e)), app.Text(" "+x.summary()))
	icon := eventMark(e.Action)
	button := app.Button().Type("button").Class("row-button", "event")
	if x.part {
		button = button.Class("is-part")
	}
	if len(x.eventRun) == 1 {
		return button.OnClick(kit.Click("open "+kit.Number(e.Seq), func(app.Context) { l.open = e.Seq })).Body(icon, words)
	}
	chevron := "chevron-right"
	if l.spread[e.Seq] {
		chevron = "chevron-down"
	}
	return button.Attr("aria-expanded", kit.Aria(l.spread[e.Seq])).
		OnClick(kit.Click("unfold "+kit.Number(e.Seq), func(app.Context) {
			if l.spread == nil {
				l.spread = map[int64]bool{}
			}
			l.spread[e.Seq] = !l.spread[e.Seq]
		})).
		Body(icon, words, app.Span().Class("badge", "event-times").Body(app.Text(kit.Count(x.times(), "time", "times")), kit.Icon(chevron)))
}

func (l *eventLog) detail() app.UI {
	list, _ := l.events.Get()
	for _, e := range list.Data {
		if e.Seq != l.open {
			continue
		}
		// What is hashed, for people who check it; the form is readable, not canonical.
		text, err := json.MarshalIndent(e.Audit(), "", "  ")
		if err != nil {
			return kit.Nothing()
		}
		facts := append([]kit.Pair{
			{Name: "When", Value: kit.At(e.At, bridge.Second)},
			{Name: "Who", Value: app.Span().Body(app.Text(actorName(e)+" "), kit.ID(e.Actor))},
			{Name: "Action", Value: kit.ID(e.Action)},
		}, changeFacts(e)...)
		facts = append(
			facts,
			kit.Pair{Name: "Address", Value: kit.ID(orDash(eventText(e, "address")))},
			kit.Pair{Name: "Client", Value: app.Text(orDash(eventText(e, "user_agent")))},
			kit.Pair{Name: "Hash", Value: kit.ID(e.Hash)},
		)
		return kit.Dialog(kit.DialogOpts{
			ID: "event", Title: actorName(e) + " " + e.Summary, Wide: true, OnClose: func(app.Context) { l.open = 0 },
			Body: []app.UI{kit.Facts(facts...), kit.CodeBlock("the event", string(text))},
		})
	}
	return kit.Nothing()
}

func actorName(e api.Event) string {
	if e.ActorName != "" {
		return e.ActorName
	}
	return e.Actor
}

func eventText(e api.Event, name string) string {
	s, _ := e.Data[name].(string)
	return s
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// eventLooks give the actions that stand out a shape and a kind, so that a list
// can be skimmed.
var eventLooks = map[string]struct{ icon, kind string }{
	audit.TokenCreated:           {"plus", kit.Good},
	audit.TokenResumed:           {"play", kit.Good},
	audit.TokenSuspended:         {"circle-pause", kit.Warn},
	audit.TokenRevoked:           {"ban", kit.Warn},
	audit.TokenDeadSecretUsed:    {"triangle-alert", kit.Bad},
	audit.UserSignInRefused:      {"triangle-alert", kit.Bad},
	audit.TokenRotationStarted:   {"rotate-cw", kit.Neutral},
	audit.TokenRotationActivated: {"rotate-cw", kit.Neutral},
	audit.TokenRotationFinished:  {"rotate-cw", kit.Neutral},
	audit.TokenRotationCancelled: {"rotate-cw", kit.Neutral},
}

// nounIcons are the shapes of all other actions, by what they are about.
var nounIcons = map[string]string{"token": "key-round", "member": "circle-user-round", "user": "circle-user-round"}

// eventMark draws the shape of an action.
func eventMark(action string) app.UI {
	look := eventLooks[action]
	if look.icon == "" {
		noun, _, _ := strings.Cut(action, ".")
		look.icon = cmp.Or(nounIcons[noun], "settings")
	}
	return app.Span().Class("event-icon", look.kind).Body(kit.Icon(look.icon))
}
