package kit

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// NowState is the name of the go-app state that holds the time, which the shell
// moves on every 15 s. Nothing that draws may look at a clock itself.
const NowState = "now"

// WatchNow keeps *now at the time, for TimeAgo and Until; call it in OnMount
// with an unexported field of the component.
func WatchNow(ctx app.Context, now *time.Time) {
	*now = time.Now()
	ctx.ObserveState(NowState).Value(now)
}

// TimeAgo draws a past time as "5 minutes ago", with the exact time on hover. A
// zero time is drawn as never.
func TimeAgo(t api.Time, now time.Time, never string) app.UI {
	if t.IsZero() {
		return app.Span().Class("muted").Text(never)
	}
	return moment(t, Ago(now.Sub(t.Time)))
}

// Until draws a time ahead as "in 12 days", marked when it is near. A zero time
// is drawn as never.
func Until(t api.Time, now time.Time, never string) app.UI {
	if t.IsZero() {
		return app.Span().Class("muted").Text(never)
	}
	left := t.Sub(now)
	if left <= 0 {
		return TimeAgo(t, now, never)
	}
	el := app.Time().Attr("datetime", t.String()).Attr("title", exact(t)).Text("in " + Duration(left))
	if left < 14*24*time.Hour {
		el = el.Class("is-soon")
	}
	return el
}

// At draws a time in the reader's zone, with UTC on hover, in a style of bridge.
func At(t api.Time, style string) app.UI {
	if t.IsZero() {
		return app.Span().Class("muted").Text("–")
	}
	return moment(t, bridge.FormatDate(t.Time, style))
}

func moment(t api.Time, text string) app.UI {
	return app.Time().Attr("datetime", t.String()).Attr("title", exact(t)).Text(text)
}

// exact is what stands on hover: the reader's time, and UTC.
func exact(t api.Time) string {
	return bridge.FormatDate(t.Time, bridge.Second) + " · " + t.UTC().Format("2006-01-02 15:04:05.000") + " UTC"
}

// Ago writes how long ago something was.
func Ago(d time.Duration) string {
	if d < 10*time.Second {
		return "just now"
	}
	return Duration(d) + " ago"
}

// Duration writes a length of time with its largest unit: 45 seconds, 12 days.
func Duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute-time.Second/2: // or it would be 60 seconds
		return count(int(d.Round(time.Second)/time.Second), "second")
	case d < 90*time.Minute:
		return count(int(d.Round(time.Minute)/time.Minute), "minute")
	case d < 36*time.Hour:
		return count(int(d.Round(time.Hour)/time.Hour), "hour")
	case d < 100*day: // the usual life of a token is said in days
		return count(int(d.Round(day)/day), "day")
	case d < 700*day:
		return count(int((d+15*day)*12/(365*day)), "month")
	}
	return count(int((d+182*day)/(365*day)), "year")
}

func count(n int, unit string) string { return Count(n, unit, unit+"s") }

// Count writes a number with its noun: 1 token, 12 tokens.
func Count(n int, one, other string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(int64(n)) + " " + other
}

// Number writes a whole number in the reader's language.
func Number(n int64) string {
	if n > -1000 && n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return bridge.FormatNumber(float64(n), 0)
}

// Decimal writes a number with at most so many digits after the point.
func Decimal(n float64, digits int) string { return bridge.FormatNumber(n, digits) }

// Bytes writes a size with its unit: 812 bytes, 64 KB, 1.3 MB.
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return Count(int(n), "byte", "bytes")
	case n < 1_000_000:
		return Decimal(float64(n)/1000, 0) + " KB"
	}
	return Decimal(float64(n)/1_000_000, 1) + " MB"
}

// Percent writes a share of 1 in per cent, with at most one digit after the point.
func Percent(share float64) string { return bridge.FormatPercent(share) }

// Millis writes a duration of a call: 0.42 ms, 12 ms, 1.3 s.
func Millis(ms float64) string {
	switch {
	case ms < 0.005:
		return "<" + Decimal(0.01, 2) + " ms"
	case ms < 10:
		return Decimal(ms, 2) + " ms"
	case ms < 1000:
		return Decimal(ms, 0) + " ms"
	}
	return Decimal(ms/1000, 1) + " s"
}
