package ui

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// spans are the stretches of time that usage is shown for.
var spans = []usageStretch{
	{"24h", "24 hours", 24 * time.Hour, "hour"},
	{"7d", "7 days", 7 * 24 * time.Hour, "day"},
	{usualSpan, "30 days", 30 * 24 * time.Hour, "day"},
	{"90d", "90 days", 90 * 24 * time.Hour, "day"},
}

type usageStretch struct {
	value, text string
	back        time.Duration
	step        string
}

// usualSpan is shown if the query says nothing.
const usualSpan = "30d"

// usageSpan returns the stretch of time that a value of the query stands for,
// and how to ask for it at the instant now.
func usageSpan(value string, now time.Time) (client.UsageQuery, string) {
	at := func(value string) int {
		return slices.IndexFunc(spans, func(s usageStretch) bool { return s.value == value })
	}
	i := at(value)
	if i < 0 {
		i = at(usualSpan)
	}
	span := spans[i]
	step := 24 * time.Hour
	if span.step == "hour" {
		step = time.Hour
	}
	from := now.UTC().Truncate(step).Add(step - span.back)
	return client.UsageQuery{From: from, To: now, Step: span.step}, span.value
}

// usageCharts draws what a team, or one token, was used for: calls and their
// durations over time, and tables by route, status and token.
type usageCharts struct {
	app.Compo
	At    Place
	Token string // of one token; "" for all of the team

	now    time.Time
	seen   string // the query that was fetched
	all    kit.Load[api.Usage]
	by     kit.Load[usageTables]
	tokens kit.Load[map[string]string] // names by id
}

// usageTables are the sums by key.
type usageTables struct{ routes, statuses, tokens []usageRow }

// usageRow sums up one key over the whole span.
type usageRow struct {
	key                    string
	calls, refused, errors int64
	spark                  []int
}

func (u *usageCharts) OnMount(ctx app.Context) {
	kit.WatchNow(ctx, &u.now)
	u.fetch(ctx)
	watchCalls(ctx, u, 30*time.Second, func() bool {
		usage, there := u.all.Get()
		return there && total(usage).calls == 0 && !u.all.Busy()
	}, u.fetch)
}

func (u *usageCharts) OnUpdate(ctx app.Context) {
	if u.seen != u.query() {
		u.fetch(ctx)
	}
}

func (u *usageCharts) query() string { return u.Token + "?" + u.At.Get("span") }

func (u *usageCharts) fetch(ctx app.Context) {
	u.seen = u.query()
	at, token := u.At, u.Token
	q, _ := usageSpan(at.Get("span"), u.now)
	get := func(ctx context.Context, q client.UsageQuery) (api.Usage, error) {
		if token != "" {
			return at.API.TokenUsage(ctx, at.Team.Team.ID, token, q)
		}
		return at.API.Usage(ctx, at.Team.Team.ID, q)
	}
	u.all.Fetch(ctx, u, func(ctx context.Context) (api.Usage, error) { return get(ctx, q) })
	u.by.Fetch(ctx, u, func(ctx context.Context) (t usageTables, err error) {
		for _, part := range []struct {
			by   string
			rows *[]usageRow
		}{{"route", &t.routes}, {"status", &t.statuses}, {"token", &t.tokens}} {
			if part.by == "token" && token != "" {
				continue
			}
			q.By = part.by
			usage, err := get(ctx, q)
			if err != nil {
				return t, err
			}
			*part.rows = usageRows(usage)
		}
		return t, nil
	})
	if token == "" {
		u.tokens.Fetch(ctx, u, func(ctx context.Context) (map[string]string, error) { return tokenNames(ctx, at) })
	}
}

// tokenNames returns the names of a team's newest tokens by id; what is older
// is shown by its id.
func tokenNames(ctx context.Context, at Place) (map[string]string, error) {
	list, err := at.API.Tokens(ctx, at.Team.Team.ID, client.TokenQuery{Limit: 100})
	names := make(map[string]string, len(list.Data))
	for _, t := range list.Data {
		names[t.ID] = t.Name
	}
	return names, err
}

func usageRows(u api.Usage) []usageRow {
	rows := make([]usageRow, len(u.Series))
	for i, s := range u.Series {
		rows[i] = usageRow{key: s.Key, spark: make([]int, len(s.Points))}
		for j, p := range s.Points {
			rows[i].calls += p.Calls
			rows[i].refused += p.Refused
			rows[i].errors += p.Errors
			rows[i].spark[j] = int(p.Calls)
		}
	}
	return rows
}

func (u *usageCharts) Render() app.UI {
	_, value := usageSpan(u.At.Get("span"), u.now)
	options := make([]kit.Option, len(spans))
	for i, s := range spans {
		options[i] = kit.Option{Value: s.value, Text: s.text}
	}
	return app.Div().Class("stack").Body(
		kit.FilterBar(kit.Segmented(kit.SelectOpts{
			ID: "usage-span", Label: "Time", HideLabel: true, Options: options, Value: value,
			On: func(ctx app.Context, v string) {
				if v == usualSpan {
					v = ""
				}
				Replace(ctx, u.At.With("span", v))
			},
		})),
		u.charts(),
		u.tables(),
	)
}

// charts draws the sums and charts. What stands in place of no calls depends on
// whether there are tokens, so that is awaited too.
func (u *usageCharts) charts() app.UI {
	waiting := kit.Skeleton("stats", "chart", "chart")
	if usage, there := u.all.Get(); there && total(usage).calls == 0 && !u.named() {
		return app.Section().Class("load").Attr("aria-busy", kit.Aria(true)).Body(waiting)
	}
	return u.all.View(waiting, u.drawCharts)
}

// named reports whether the names of the tokens have come, or will not.
func (u *usageCharts) named() bool { return u.Token != "" || u.tokens.Settled() }

// tables draws the sums by key: only once there are calls, because what stands in
// place of none is not as high as what was awaited, and not before the names of
// the tokens have come.
func (u *usageCharts) tables() app.UI {
	usage, there := u.all.Get()
	if !there || total(usage).calls == 0 {
		return kit.Nothing()
	}
	if !u.named() {
		return app.Section().Class("load").Attr("aria-busy", kit.Aria(true)).Body(kit.Skeleton("table"))
	}
	return u.by.View(kit.Skeleton("table"), u.drawTables)
}

func (u *usageCharts) drawCharts(usage api.Usage) app.UI {
	sum := total(usage)
	names, _ := u.tokens.Get()
	if sum.calls == 0 {
		return noCalls(u.At, u.Token != "" || len(names) > 0 || u.tokens.Err() != nil, kit.EmptyOpts{
			Icon: "chart-column", Title: "No calls in this time",
			Text: "Each call to the API shows up here within two seconds: how many there were, how they ended and how long they took.",
		})
	}
	return app.Div().Class("stack").Body(
		kit.StatRow(
			kit.Stat(kit.StatOpts{Name: "Calls", Value: kit.Number(sum.calls), Hint: "in this time"}),
			kit.Stat(kit.StatOpts{Name: "Refused", Value: share(sum.refused, sum.calls), Hint: kit.Count(int(sum.refused), "call", "calls") + " (401, 403, 429)", Kind: warnIf(sum.refused*20 > sum.calls)}),
			kit.Stat(kit.StatOpts{Name: "Failed", Value: share(sum.errors, sum.calls), Hint: kit.Count(int(sum.errors), "call", "calls") + " (5xx)", Kind: badIf(sum.errors > 0)}),
		),
		kit.Card(kit.CardOpts{Title: "Calls per " + usage.Step}, callsChart(usage)),
		kit.Card(kit.CardOpts{Title: "Duration", Text: "How long half of the calls, and 95 in 100, took at most."}, durationChart(usage)),
	)
}

// total sums up the first series, which is the only one of usage that is not
// told apart by anything.
func total(u api.Usage) usageRow {
	if rows := usageRows(u); len(rows) > 0 {
		return rows[0]
	}
	return usageRow{}
}

// usageTimes returns the instants of a usage and the length of its steps.
func usageTimes(u api.Usage) ([]time.Time, time.Duration) {
	times := make([]time.Time, len(u.Series[0].Points))
	for i, p := range u.Series[0].Points {
		times[i] = p.At.Time
	}
	if u.Step == "hour" {
		return times, time.Hour
	}
	return times, 24 * time.Hour
}

// callsChart draws calls over time by how they ended.
func callsChart(u api.Usage) app.UI {
	times, step := usageTimes(u)
	var answered, refused, errors []*float64
	for _, p := range u.Series[0].Points {
		answered = append(answered, number(p.Calls-p.Refused-p.Errors))
		refused = append(refused, number(p.Refused))
		errors = append(errors, number(p.Errors))
	}
	return &kit.Chart{
		ID: "chart-calls", Label: "Calls per " + u.Step, Shape: "bars", Step: step, Times: times,
		Series: []kit.Series{
			{Label: "Answered", Color: "--chart-1", Values: answered},
			{Label: "Refused", Color: "--chart-warn", Values: refused},
			{Label: "Failed", Color: "--chart-bad", Values: errors},
		},
	}
}

// durationChart draws how long calls took.
func durationChart(u api.Usage) app.UI {
	times, step := usageTimes(u)
	var p50, p95 []*float64
	for _, p := range u.Series[0].Points {
		p50, p95 = append(p50, p.P50MS), append(p95, p.P95MS)
	}
	return &kit.Chart{
		ID: "chart-duration", Label: "Duration per " + u.Step, Shape: "lines", Unit: "ms", Step: step, Times: times,
		Series: []kit.Series{
			{Label: "p50", Color: "--chart-1", Values: p50},
			{Label: "p95", Color: "--chart-2", Values: p95},
		},
	}
}

func (u *usageCharts) drawTables(t usageTables) app.UI {
	body := []app.UI{}
	names, _ := u.tokens.Get()
	if u.Token == "" && len(t.tokens) > 0 {
		body = append(body, u.table("By token", "Token", t.tokens, func(key string) app.UI {
			name := names[key]
			if name == "" {
				name = key
			}
			return kit.Link(u.At.InTeam("tokens", key), name)
		}))
	}
	if len(t.routes) > 0 {
		body = append(body, u.table("By route", "Route", t.routes, func(key string) app.UI {
			return app.A().Class("link").Href(u.calls("route", key)).Body(app.Code().Text(key))
		}))
	}
	if len(t.statuses) > 0 {
		body = append(body, u.table("By status", "Status", t.statuses, func(key string) app.UI {
			n, _ := strconv.Atoi(key)
			return app.A().Href(u.calls("status", key)).Attr("aria-label", "Calls with status "+key).Body(kit.HTTPStatus(n))
		}))
	}
	return app.Div().Class("halves").Body(body...)
}

// calls returns the address of the calls that one row sums up.
func (u *usageCharts) calls(name, value string) string {
	return u.At.With("tab", "calls", "span", "", name, value)
}

func (u *usageCharts) table(title, head string, rows []usageRow, cell func(key string) app.UI) app.UI {
	return kit.Card(kit.CardOpts{Title: title, Flush: true}, kit.Table(kit.TableOpts[usageRow]{
		Caption: title, Rows: rows,
		Columns: []kit.Column[usageRow]{
			{Head: head, Class: "is-main", Cell: func(r usageRow) app.UI { return cell(r.key) }},
			{Head: "Trend", Class: "is-wide-only", Cell: func(r usageRow) app.UI { return kit.Sparkline(r.spark, "Calls") }},
			{Head: "Calls", Class: "is-number", Cell: func(r usageRow) app.UI { return app.Text(kit.Number(r.calls)) }},
			{Head: "Refused", Class: "is-number", Cell: func(r usageRow) app.UI { return app.Text(share(r.refused, r.calls)) }},
			{Head: "Failed", Class: "is-number", Cell: func(r usageRow) app.UI { return app.Text(share(r.errors, r.calls)) }},
		},
	}))
}

func number(n int64) *float64 {
	f := float64(n)
	return &f
}

// share writes a part of a whole in per cent, 0 only for none at all.
func share(part, whole int64) string {
	switch {
	case part == 0 || whole == 0:
		return kit.Percent(0)
	case part*1000 < whole:
		return "<" + kit.Percent(0.001)
	}
	return kit.Percent(float64(part) / float64(whole))
}

func badIf(bad bool) string {
	if bad {
		return kit.Bad
	}
	return kit.Neutral
}

func warnIf(warn bool) string {
	if warn {
		return kit.Warn
	}
	return kit.Neutral
}
