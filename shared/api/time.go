package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Time is an instant as it stands in JSON: "2026-11-22T01:00:00.000Z", or null
// for the zero value. On input any RFC 3339 time is read and brought to UTC.
type Time struct{ time.Time }

const timeFormat = "2006-01-02T15:04:05.000Z"

// At returns t as a Time, in UTC and cut to the millisecond.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Millisecond)}
}

// String writes the time as in JSON, "" for the zero value.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeFormat)
}

// MarshalJSON implements [json.Marshaler].
func (t Time) MarshalJSON() ([]byte, error) {
	return t.AppendJSON(make([]byte, 0, len(timeFormat)+16)), nil // AppendFormat wants room beyond what it keeps
}

// AppendJSON appends what MarshalJSON returns.
func (t Time) AppendJSON(b []byte) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	u := t.UTC()
	year, month, day := u.Date()
	if year < 0 || year > 9999 {
		return append(u.AppendFormat(append(b, '"'), timeFormat), '"')
	}
	hour, minute, second := u.Clock()
	millis := u.Nanosecond() / 1e6
	// Digit by digit, because AppendFormat reads its layout anew each time.
	return append(b, '"',
		digit(year/1000), digit(year/100), digit(year/10), digit(year), '-',
		digit(int(month)/10), digit(int(month)), '-', digit(day/10), digit(day), 'T',
		digit(hour/10), digit(hour), ':', digit(minute/10), digit(minute), ':', digit(second/10), digit(second), '.',
		digit(millis/100), digit(millis/10), digit(millis), 'Z', '"')
}

// digit returns the last one of a number.
func digit(n int) byte { return '0' + byte(n%10) }

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Time) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*t = Time{}
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	parsed, err := ParseTime(s)
	if err == nil {
		*t = parsed
	}
	return err
}

// ParseTime reads an RFC 3339 time to the letter: [time.Parse] also takes
// hours of one digit, a comma before fractions and offsets of days. An instant
// that has no such form in UTC is refused, and the one that would mean that there
// is none.
func ParseTime(s string) (Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || s[len("2006-01-02T15")] != ':' || strings.Contains(s, ",") || !validZone(s) {
		return Time{}, fmt.Errorf("%q is not an RFC 3339 time", s)
	}
	parsed := At(t)
	if parsed.IsZero() || parsed.Year() < 1 || parsed.Year() > 9999 {
		return Time{}, fmt.Errorf("%q is not in the years 1 to 9999", s)
	}
	return parsed, nil
}

// validZone reports whether a parsed time ends in Z, or in an offset of at most
// 23:59.
func validZone(s string) bool {
	zone := s[len(s)-len("15:04"):]
	return strings.HasSuffix(zone, "Z") || zone[:2] < "24" && zone[3:] < "60"
}

// Optional is a field of a merge patch (RFC 7396): absent (the zero value, left
// as it is), null (taken away) or a value. It belongs in a field tagged
// omitzero.
type Optional[T any] struct {
	Set   bool // the field was there
	Null  bool // and it was null
	Value T
}

// Some returns a field that is set to v.
func Some[T any](v T) Optional[T] { return Optional[T]{Set: true, Value: v} }

// Null returns a field that takes its value away.
func Null[T any]() Optional[T] { return Optional[T]{Set: true, Null: true} }

// IsZero reports that the field is absent.
func (o Optional[T]) IsZero() bool { return !o.Set }

// ValidatorValue makes the rules hold for the value, if there is one: of a patch
// that leaves a field alone nothing is checked.
func (o Optional[T]) ValidatorValue() any {
	if !o.Set || o.Null {
		return nil
	}
	return o.Value
}

// MarshalJSON implements [json.Marshaler].
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.Null || !o.Set {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	*o = Optional[T]{Set: true}
	if bytes.Equal(b, []byte("null")) {
		o.Null = true
		return nil
	}
	return json.Unmarshal(b, &o.Value)
}
