package token

import (
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// The ways to say when a token expires; any other is a number of days.
const (
	OnDate = "date"
	Never  = "never"
)

const day = 24 * time.Hour

// ExpiryChoices are the ways to say when a token expires that the policy allows,
// as values with their words.
func ExpiryChoices(p api.TokenPolicy) []kit.Option {
	days := []int{30, 60, 90}
	if d := p.DefaultLifetimeDays; d > 0 && !slices.Contains(days, d) {
		days = append(days, d)
		slices.Sort(days)
	}
	var out []kit.Option
	for _, d := range days {
		if p.MaxLifetimeDays == 0 || d <= p.MaxLifetimeDays {
			out = append(out, kit.Option{Value: strconv.Itoa(d), Text: kit.Count(d, "day", "days")})
		}
	}
	out = append(out, kit.Option{Value: OnDate, Text: "Date"})
	if p.MaxLifetimeDays == 0 {
		out = append(out, kit.Option{Value: Never, Text: "Never"})
	}
	return out
}

// Expiry is when a token shall expire, as it is chosen in a form.
type Expiry struct {
	Choice string // a number of days, OnDate or Never
	Date   string // of OnDate, as a field of type date holds it: 2026-11-22

	was time.Time // when it expires as it is, which is kept as long as the day is
}

// ExpiryOf returns the choice that keeps a time as it is.
func ExpiryOf(t api.Time) Expiry {
	if t.IsZero() {
		return Expiry{Choice: Never}
	}
	return Expiry{Choice: OnDate, Date: bridge.LocalText(t.Time)[:len(time.DateOnly)], was: t.Time}
}

// Time returns the instant that is chosen, zero for never, and what is wrong
// with the choice, "" if nothing. A date means the end of that day where the
// reader is. Lives count from made.
func (e Expiry) Time(now, made time.Time, p api.TokenPolicy) (time.Time, string) {
	longest := made.Add(time.Duration(p.MaxLifetimeDays) * day)
	if !e.was.IsZero() && e.Choice == OnDate && e.Date == ExpiryOf(api.At(e.was)).Date {
		return e.was, ""
	}
	if e.Choice == Never {
		if p.MaxLifetimeDays != 0 {
			return time.Time{}, "Tokens must expire here. Choose a date."
		}
		return time.Time{}, ""
	}
	if days, err := strconv.Atoi(e.Choice); err == nil {
		at := now.Add(time.Duration(days) * day)
		if p.MaxLifetimeDays != 0 && at.After(longest.Add(-time.Minute)) {
			at = longest.Add(-time.Minute) // clocks differ a little
		}
		return at.Truncate(time.Second), ""
	}
	at, ok := bridge.LocalTime(e.Date + "T23:59")
	switch {
	case e.Date == "" || !ok:
		return time.Time{}, "Choose the last day on which the token shall work."
	case !at.After(now):
		return time.Time{}, "This day is over. Choose a later one."
	case at.Year() > 9999:
		return time.Time{}, "The year has at most four digits."
	case p.MaxLifetimeDays != 0 && at.After(longest):
		return time.Time{}, "Tokens live at most " + kit.Count(p.MaxLifetimeDays, "day", "days") + " here. Choose " + LastDay(made, p).words() + " or earlier."
	}
	return at, ""
}

// Day is a day as a field of type date holds it.
type Day string

func (d Day) words() string {
	at, _ := bridge.LocalTime(string(d) + "T12:00")
	return bridge.FormatDate(at, bridge.Date)
}

// LastDay is the last day that a token made then may work, "" without a limit.
func LastDay(made time.Time, p api.TokenPolicy) Day {
	if p.MaxLifetimeDays == 0 {
		return ""
	}
	// The end of that very day would be too late.
	last := made.Add(time.Duration(p.MaxLifetimeDays) * day)
	text := bridge.LocalText(last)[:len(time.DateOnly)]
	if end, ok := bridge.LocalTime(text + "T23:59"); ok && end.After(last) {
		text = bridge.LocalText(last.Add(-day))[:len(time.DateOnly)]
	}
	return Day(text)
}

// Today is the reader's day.
func Today(now time.Time) Day { return Day(bridge.LocalText(now)[:len(time.DateOnly)]) }

// ExpiryWords says when a token will stop by itself.
func ExpiryWords(at, now time.Time) string {
	if at.IsZero() {
		return "It will never expire by itself. Revoke it when nothing uses it any more."
	}
	if !at.After(now) {
		return "It expired on " + bridge.FormatDate(at, bridge.Long) + "."
	}
	return "It stops working on " + bridge.FormatDate(at, bridge.Long) + ", in " + kit.Duration(at.Sub(now)) + "."
}
