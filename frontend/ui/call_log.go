package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
	"github.com/gatehouse-portal/gatehouse/shared/validate"
)

// tailEvery is how often the newest calls are fetched while they are watched.
const tailEvery = 2 * time.Second

// callLog lists the calls of a team, or of one token: newest first, narrowed by
// the query, and on its first page by itself up to date.
type callLog struct {
	app.Compo
	At    Place
	Token string // of one token; "" for all of the team

	now     time.Time
	seen    string
	calls   kit.Load[api.List[api.Call]]
	names   kit.Load[map[string]string]
	routes  kit.Load[[]string] // that were called of late
	address string             // as typed
	typed   int                // counts keys until typing rests, then 0
	wrong   string             // about the address as typed
	paused  bool
	open    string // decision id of the call that is looked at
}

func (l *callLog) OnMount(ctx app.Context) {
	kit.WatchNow(ctx, &l.now)
	l.fetch(ctx)
	at, token := l.At, l.Token
	l.routes.Fetch(ctx, l, func(ctx context.Context) ([]string, error) { return calledRoutes(ctx, at, token) })
	if l.Token == "" {
		l.names.Fetch(ctx, l, func(ctx context.Context) (map[string]string, error) { return tokenNames(ctx, at) })
	}
	kit.Every(ctx, l, tailEvery, func(ctx app.Context) bool {
		if !l.paused && l.At.Get("cursor") == "" && l.open == "" && !l.calls.Busy() {
			l.fetch(ctx)
		}
		return true
	})
}

func (l *callLog) OnUpdate(ctx app.Context) {
	if l.seen != l.query() {
		l.fetch(ctx)
	}
}

func (l *callLog) query() string { return l.Token + "?" + l.At.Query.Encode() }

func (l *callLog) fetch(ctx app.Context) {
	l.seen = l.query()
	if l.typed == 0 {
		l.address = l.At.Get("address")
	}
	at, token := l.At, l.Token
	q := client.CallQuery{
		Token: at.Get("token"), Status: at.Get("status"), Route: at.Get("route"), Address: at.Get("address"),
		Limit: 50, Cursor: at.Get("cursor"),
	}
	l.calls.Fetch(ctx, l, func(ctx context.Context) (api.List[api.Call], error) {
		if token != "" {
			q.Token = ""
			return at.API.TokenCalls(ctx, at.Team.Team.ID, token, q)
		}
		return at.API.Calls(ctx, at.Team.Team.ID, q)
	})
}

func (l *callLog) Render() app.UI {
	text, icon := "Pause", "pause"
	if l.paused {
		text, icon = "Resume", "play"
	}
	choose := func(id, label, name string, options []kit.Option) app.UI {
		return kit.Select(kit.SelectOpts{
			ID: id, Label: label, HideLabel: true, Value: l.At.Get(name), Options: options,
			On: func(ctx app.Context, v string) { Replace(ctx, l.At.With(name, v)) },
		})
	}
	var byToken app.UI = kit.Nothing()
	if l.Token == "" {
		byToken = choose("calls-token", "Token", "token", l.tokenOptions())
	}
	body := []app.UI{
		kit.FilterBar(
			choose("calls-route", "Route", "route", l.routeOptions()),
			byToken,
			kit.Text(kit.TextOpts{
				ID: "calls-address", Label: "Address", HideLabel: true, Placeholder: "Address or network", Bind: &l.address, Mono: true, Optional: true,
				OnInput: l.narrow, Error: l.wrong,
			}),
			choose("calls-status", "Status", "status", []kit.Option{
				{Value: "", Text: "Every status"},
				{Value: "2", Text: "2xx, answered"},
				{Value: "refused", Text: "Refused: 401, 403, 429"},
				{Value: "4", Text: "4xx, every refusal and mistake"},
				{Value: "5", Text: "5xx, failed"},
				{Value: "401", Text: "401"},
				{Value: "403", Text: "403"},
				{Value: "404", Text: "404"},
				{Value: "422", Text: "422"},
				{Value: "429", Text: "429"},
			}),
			kit.Button(kit.ButtonOpts{
				Text: text, Icon: icon, Small: true, Look: kit.Ghost, Key: "pause", Pressed: &l.paused, Title: "New calls appear by themselves",
				On: func(app.Context) { l.paused = !l.paused },
			}),
		),
		l.list(),
	}
	if l.open != "" {
		body = append(body, l.detail())
	}
	return app.Div().Class("stack").Body(body...)
}

// list draws the calls, not before the names of their tokens have come: each name
// that took the place of an id would move every line below.
func (l *callLog) list() app.UI {
	rows := kit.Skeleton("row", "row", "row", "row", "row")
	if l.Token == "" && !l.names.Settled() {
		return app.Section().Class("load").Attr("aria-busy", kit.Aria(true)).Body(rows)
	}
	if client.Status(l.calls.Err()) == 422 {
		return l.noneFits("These filters cannot be read", "The address of this page asks for what there is not.")
	}
	return l.calls.View(rows, l.draw)
}

// calledRoutes returns the routes that were called in the last 30 days, each
// with its method, in their order.
func calledRoutes(ctx context.Context, at Place, token string) ([]string, error) {
	q := client.UsageQuery{By: "route"}
	get := func() (api.Usage, error) { return at.API.Usage(ctx, at.Team.Team.ID, q) }
	if token != "" {
		get = func() (api.Usage, error) { return at.API.TokenUsage(ctx, at.Team.Team.ID, token, q) }
	}
	usage, err := get()
	routes := make([]string, len(usage.Series))
	for i, s := range usage.Series {
		routes[i] = s.Key
	}
	slices.SortFunc(routes, func(a, b string) int {
		methodA, pathA, _ := strings.Cut(a, " ")
		methodB, pathB, _ := strings.Cut(b, " ")
		return cmp.Or(cmp.Compare(pathA, pathB), cmp.Compare(methodA, methodB))
	})
	return routes, err
}

func (l *callLog) routeOptions() []kit.Option {
	options := []kit.Option{{Value: "", Text: "Every route"}}
	routes, _ := l.routes.Get()
	for _, r := range routes {
		options = append(options, kit.Option{Value: r, Text: r})
	}
	return withChosen(options, l.At.Get("route"), l.At.Get("route"))
}

func (l *callLog) tokenOptions() []kit.Option {
	names, _ := l.names.Get()
	var options []kit.Option
	for id, name := range names {
		options = append(options, kit.Option{Value: id, Text: name})
	}
	slices.SortFunc(options, func(a, b kit.Option) int { return cmp.Or(cmp.Compare(a.Text, b.Text), cmp.Compare(a.Value, b.Value)) })
	options = append([]kit.Option{{Value: "", Text: "Every token"}}, options...)
	return withChosen(options, l.At.Get("token"), l.At.Get("token"))
}

// narrow puts what is typed into the address of the page, once typing rests.
func (l *callLog) narrow(ctx app.Context) {
	l.typed++
	typed := l.typed
	kit.Do(ctx, l, func(context.Context) error {
		if app.IsClient {
			time.Sleep(typingPause)
		}
		return nil
	}, func(ctx app.Context, _ error) {
		if typed != l.typed {
			return
		}
		l.typed, l.wrong = 0, ""
		address := strings.TrimSpace(l.address)
		if address != "" && !validate.Address(address) {
			l.wrong, address = "Not an address or network yet: 203.0.113.7, 10.0.0.0/8.", l.At.Get("address")
			l.typed = typed // what is typed stays
		}
		Replace(ctx, l.At.With("address", address))
	})
}

func (l *callLog) narrowed() bool {
	for _, name := range []string{"status", "route", "address", "token", "cursor"} {
		if l.At.Get(name) != "" {
			return true
		}
	}
	return false
}

func (l *callLog) draw(list api.List[api.Call]) app.UI {
	switch {
	case len(list.Data) == 0 && l.narrowed():
		return l.noneFits("No call matches", "No call in the last days fits these filters.")
	case len(list.Data) == 0:
		names, _ := l.names.Get()
		return noCalls(l.At, l.Token != "" || len(names) > 0 || l.names.Err() != nil, kit.EmptyOpts{
			Icon: "activity", Title: "No calls yet",
			Text: "Each call to the API shows up here within two seconds: when, which token, which route, how it ended, how long it took and from where.",
		})
	}
	columns := []kit.Column[api.Call]{
		{Head: "Time", Class: "is-tight", Cell: func(c api.Call) app.UI { return kit.At(c.At, bridge.Stamp) }},
		{Head: "Request", Class: "is-main", Cell: func(c api.Call) app.UI {
			return app.Button().Type("button").Class("row-button").
				OnClick(kit.Click("open "+c.DecisionID, func(app.Context) { l.open = c.DecisionID })).
				Body(kit.Method(c.Method), app.Code().Text(c.Route))
		}},
		{Head: "Status", Class: "is-tight", Cell: func(c api.Call) app.UI { return kit.HTTPStatus(c.Status) }},
	}
	if l.Token == "" {
		columns = append(columns, kit.Column[api.Call]{Head: "Token", Cell: l.tokenLink})
	}
	columns = append(
		columns,
		kit.Column[api.Call]{Head: "Duration", Class: "is-number is-roomy", Cell: func(c api.Call) app.UI { return app.Text(kit.Millis(c.DurationMS)) }},
		kit.Column[api.Call]{Head: "Address", Cell: func(c api.Call) app.UI { return kit.ID(c.Address) }},
		kit.Column[api.Call]{Head: "Client", Class: "is-wide-only is-spare", Cell: func(c api.Call) app.UI {
			return app.Span().Class("truncate").Attr("title", c.UserAgent).Text(c.UserAgent)
		}},
	)
	return kit.Card(kit.CardOpts{Flush: true},
		kit.Table(kit.TableOpts[api.Call]{Caption: "Calls, newest first", Columns: columns, Rows: list.Data}),
		pager(l.At, kit.Count(len(list.Data), "call", "calls"), list.NextCursor),
	)
}

// noneFits offers to clear the filters.
func (l *callLog) noneFits(title, text string) app.UI {
	return kit.Empty(kit.EmptyOpts{
		Icon: "search", Title: title, Text: text, Action: "Clear the filters", OnAction: func(ctx app.Context) {
			l.typed, l.wrong = 0, ""
			Replace(ctx, l.At.With("status", "", "route", "", "address", "", "token", ""))
		},
	})
}

// pager draws the line below one page of a list whose place is in the query. Its
// keys name the addresses, which change with every page.
func pager(at Place, count string, next *string) app.UI {
	var buttons []app.UI
	if at.Get("cursor") != "" {
		newest := at.With()
		buttons = append(buttons, kit.Button(kit.ButtonOpts{
			Text: "Newest", Icon: "chevron-left", Small: true, Key: "newest " + newest, On: func(ctx app.Context) { turnPage(ctx, newest) },
		}))
	}
	if next != nil {
		older := at.With("cursor", *next)
		buttons = append(buttons, kit.Button(kit.ButtonOpts{
			Text: "Older", Icon: "chevron-right", Small: true, Key: "older " + older, On: func(ctx app.Context) { turnPage(ctx, older) },
		}))
	}
	return app.Div().Class("pager").Body(app.Span().Class("muted").Text(count), app.Div().Class("pager-buttons").Body(buttons...))
}

// turnPage goes to another page of a list and looks at it from its top.
func turnPage(ctx app.Context, address string) {
	ctx.Navigate(address)
	ctx.Defer(func(app.Context) { bridge.ScrollTop() })
}

func (l *callLog) detail() app.UI {
	list, _ := l.calls.Get()
	for _, c := range list.Data {
		if c.DecisionID == l.open {
			return l.callDialog(c, func(app.Context) { l.open = "" })
		}
	}
	return kit.Nothing()
}

// tokenLink leads to the token of a call, by its name as far as that is known.
func (l *callLog) tokenLink(c api.Call) app.UI {
	names, _ := l.names.Get()
	name := names[c.Token]
	if name == "" {
		name = c.Token
	}
	return app.A().Class("link", "truncate").Dir("auto").Href(l.At.InTeam("tokens", c.Token)).Attr("title", name).Text(name)
}

func (l *callLog) callDialog(c api.Call, onClose func(app.Context)) app.UI {
	var token app.UI = kit.ID(c.Token)
	if l.Token == "" {
		token = app.Span().Body(l.tokenLink(c), app.Text(" "), kit.ID(c.Token))
	}
	return kit.Dialog(kit.DialogOpts{
		ID: "call", Title: c.Method + " " + c.Route, Wide: true, OnClose: onClose,
		Body: []app.UI{kit.Facts(
			kit.Pair{Name: "Time", Value: kit.At(c.At, bridge.Second)},
			kit.Pair{Name: "Status", Value: kit.HTTPStatus(c.Status)},
			kit.Pair{Name: "Decision", Value: kit.ID(c.Code)},
			kit.Pair{Name: "Token", Value: token},
			kit.Pair{Name: "Secret", Value: app.Text("number " + kit.Number(int64(c.Generation)))},
			kit.Pair{Name: "Duration", Value: app.Text(kit.Millis(c.DurationMS))},
			kit.Pair{Name: "Answer", Value: app.Text(kit.Count(int(c.Bytes), "byte", "bytes"))},
			kit.Pair{Name: "Address", Value: kit.ID(c.Address)},
			kit.Pair{Name: "Client", Value: app.Text(c.UserAgent)},
			kit.Pair{Name: "Request", Value: kit.ID(c.RequestID)},
			kit.Pair{Name: "Decision id", Value: kit.ID(c.DecisionID)},
		)},
	})
}
