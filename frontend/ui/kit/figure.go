package kit

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
)

// StatOpts are the options of a [Stat].
type StatOpts struct {
	Name  string
	Value string
	Hint  string // below
	Kind  string // of the value: Bad for an error rate that is too high
	Side  app.UI // a sparkline
	Href  string
}

// Stat draws one number with its name.
func Stat(o StatOpts) app.UI {
	value := []app.UI{app.Span().Class("stat-value", o.Kind).Text(o.Value)}
	if o.Side != nil {
		value = append(value, o.Side)
	}
	body := []app.UI{
		app.Span().Class("stat-name").Text(o.Name),
		app.Div().Class("stat-line").Body(value...),
		app.Span().Class("stat-hint").Text(o.Hint),
	}
	if o.Href != "" {
		return app.A().Class("stat").Href(o.Href).Body(body...)
	}
	return app.Div().Class("stat").Body(body...)
}

// StatRow draws stats side by side.
func StatRow(stats ...app.UI) app.UI { return app.Div().Class("stat-row").Body(stats...) }

// Sparkline draws a few numbers as a small line; label says what they are.
func Sparkline(values []int, label string) app.UI {
	const width, height = 72, 20
	most, sum := 0, 0
	for _, v := range values {
		most = max(most, v)
		sum += v
	}
	var b strings.Builder
	b.WriteString(`<svg class="sparkline" xmlns="http://www.w3.org/2000/svg" width="72" height="20" viewBox="0 0 72 20" role="img" aria-label="`)
	b.WriteString(escape(label + ": " + Number(int64(sum))))
	b.WriteString(`">`)
	if most == 0 || len(values) < 2 {
		b.WriteString(`<path class="sparkline-none" d="M1 18.5H71"/>`)
	} else {
		line := ""
		for i, v := range values {
			x := 1 + float64(i)*(width-2)/float64(len(values)-1)
			y := height - 1.5 - float64(v)*(height-4)/float64(most)
			line += map[bool]string{true: "M", false: "L"}[i == 0] + strconv.FormatFloat(x, 'f', 1, 64) + " " + strconv.FormatFloat(y, 'f', 1, 64)
		}
		b.WriteString(`<path class="sparkline-area" d="` + line + `L71 20L1 20Z"/><path class="sparkline-line" d="` + line + `"/>`)
	}
	b.WriteString(`</svg>`)
	return app.Raw(b.String())
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace

// Series is one line, or one layer of the bars, of a [Chart].
type Series struct {
	Label  string     `json:"label"`
	Color  string     `json:"color"`  // a custom property: --chart-1 to --chart-4, --chart-bad, --chart-warn
	Values []*float64 `json:"values"` // nil: unknown
}

// Chart draws series over time with uPlot, which is fetched for the first one,
// and the same numbers as a table for those who cannot see it or want to copy.
type Chart struct {
	app.Compo
	ID     string // unique on the page
	Label  string
	Shape  string // bars (stacked) or lines
	Unit   string // after numbers: ms
	Step   time.Duration
	Times  []time.Time
	Series []Series

	drawing *bridge.Chart
	failed  bool
	table   bool
}

// OnMount fetches uPlot and draws.
func (c *Chart) OnMount(ctx app.Context) {
	Do(ctx, c, func(context.Context) error {
		if !bridge.Load("uplot") {
			return errors.New("the charts could not be loaded")
		}
		return nil
	}, func(_ app.Context, err error) {
		c.failed = err != nil
		if err == nil {
			c.drawing = bridge.NewChart(c.ID, c.spec())
		}
	})
}

// OnUpdate draws the new numbers.
func (c *Chart) OnUpdate(app.Context) {
	if c.drawing != nil {
		c.drawing.Set(c.spec())
	}
}

// OnDismount takes the drawing away.
func (c *Chart) OnDismount() {
	if c.drawing != nil {
		c.drawing.Destroy()
		c.drawing = nil
	}
}

func (c *Chart) spec() string {
	times := make([]int64, len(c.Times))
	for i, t := range c.Times {
		times[i] = t.Unix()
	}
	b, err := json.Marshal(map[string]any{
		"kind": c.Shape, "unit": c.Unit, "step": int64(c.Step / time.Second), "times": times, "series": c.Series,
	})
	if err != nil {
		panic(err) // NaN or infinity in the numbers
	}
	return string(b)
}

// Render draws the box, the legend and, if asked for, the table.
func (c *Chart) Render() app.UI {
	legend := make([]app.UI, len(c.Series))
	for i, s := range c.Series {
		legend[i] = app.Span().Class("legend-item", "is"+strings.TrimPrefix(s.Color, "-")).Text(s.Label)
	}
	word := "Show as table"
	if c.table {
		word = "Hide table"
	}
	body := []app.UI{
		app.Div().Class("chart-head").Body(
			app.Div().Class("legend").Attr("aria-hidden", "true").Body(legend...),
			Button(ButtonOpts{Text: word, Small: true, Look: Ghost, Key: "table", Pressed: &c.table, On: func(app.Context) { c.table = !c.table }}),
		),
		// Childless for go-app: what is inside is uPlot's.
		app.Div().Class("chart-canvas").ID(c.ID).Attr("role", "img").Attr("aria-label", c.Label+". The same numbers are in the table."),
	}
	if c.failed {
		body = append(body, Banner(BannerOpts{Kind: Warn, Text: "The chart could not be loaded; the table has its numbers.", Action: "Try again", OnAction: c.OnMount}))
	}
	if c.table {
		body = append(body, c.numbers())
	}
	return app.Figure().Class("chart").Body(body...)
}

func (c *Chart) numbers() app.UI {
	style := bridge.Minute
	if c.Step >= 24*time.Hour {
		style = bridge.UTCDate // sums of a day are those of a day in UTC
	}
	columns := []Column[int]{{Head: "Time", Cell: func(i int) app.UI { return app.Text(bridge.FormatDate(c.Times[i], style)) }}}
	for _, s := range c.Series {
		columns = append(columns, Column[int]{Head: s.Label, Class: "is-number", Cell: func(i int) app.UI {
			if i >= len(s.Values) || s.Values[i] == nil {
				return app.Text("–")
			}
			return app.Text(Decimal(*s.Values[i], 1))
		}})
	}
	rows := make([]int, len(c.Times))
	for i := range rows {
		rows[i] = len(rows) - 1 - i // newest first
	}
	if len(rows) > 100 {
		rows = rows[:100]
	}
	return Table(TableOpts[int]{Caption: c.Label, Columns: columns, Rows: rows})
}

// Bar is one span on a [Timeline].
type Bar struct {
	Label  string
	Kind   string // Good, Warn, Note, Neutral
	From   time.Time
	To     time.Time // zero: open
	Marks  app.UI    // at the end of the line: status
	Detail string    // below: who uses it
}

// Timeline draws bars over one span of time, such as the generations of a token.
func Timeline(label string, from, to, now time.Time, bars ...Bar) app.UI {
	const width = 1000
	span := max(to.Sub(from), time.Second)
	style := bridge.Day
	if span < 72*time.Hour {
		style = bridge.Minute
	}
	at := func(t time.Time) int {
		return int(min(max(int64(t.Sub(from))*width/int64(span), 0), width))
	}
	rows := make([]app.UI, len(bars))
	for i, b := range bars {
		end := to
		if !b.To.IsZero() && b.To.Before(to) {
			end = b.To
		}
		x := at(b.From)
		w := max(at(end)-x, 6)
		svg := `<svg class="timeline-bar ` + b.Kind + `" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">` +
			`<rect class="timeline-track" width="1000" height="10"/><rect class="timeline-span" x="` + strconv.Itoa(min(x, width-6)) + `" width="` + strconv.Itoa(w) + `" height="10"/>` +
			`<rect class="timeline-now" x="` + strconv.Itoa(min(at(now), width-2)) + `" width="2" height="10"/></svg>`
		line := []app.UI{app.Span().Class("timeline-label").Text(b.Label)}
		if b.Marks != nil {
			line = append(line, b.Marks)
		}
		rows[i] = app.Li().Class("timeline-row").Body(
			app.Div().Class("timeline-head").Body(line...),
			app.Raw(svg),
			app.P().Class("timeline-detail").Text(b.Detail),
		)
	}
	return app.Div().Class("timeline").Body(
		app.Ul().Attr("aria-label", label).Body(rows...),
		app.Div().Class("timeline-scale").Attr("aria-hidden", "true").Body(
			app.Span().Text(bridge.FormatDate(from, style)), app.Span().Text(bridge.FormatDate(to, style)),
		),
	)
}
