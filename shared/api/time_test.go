package api

import (
	"encoding/json"
	"testing"
	"time"
)

func TestAtCutsToTheMillisecond(t *testing.T) {
	if got := At(time.Time{}); !got.IsZero() {
		t.Errorf("got %v for no time", got)
	}
	east := time.FixedZone("", 5*60*60)
	for _, at := range []time.Time{
		time.Now(), time.Unix(0, 0), time.Unix(0, -1), time.Unix(0, 999_999), time.Unix(0, 1_000_000), time.Unix(-1, 999_999_999),
		time.Date(2026, 3, 4, 5, 6, 7, 89_999_999, east), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
	} {
		if got, want := At(at).Time, at.UTC().Truncate(time.Millisecond); got != want {
			t.Errorf("%v: got %v, want %v", at, got, want)
		}
	}
}

func TestTimesAreReadToTheLetter(t *testing.T) {
	tests := []struct{ in, want string }{ // want "" means refused
		{"2027-02-28T23:00:00Z", "2027-02-28T23:00:00.000Z"},
		{"2027-02-28T23:00:00+05:30", "2027-02-28T17:30:00.000Z"},
		{"2027-02-28T23:00:00-00:00", "2027-02-28T23:00:00.000Z"},
		{"2027-02-28T23:00:00.123456789Z", "2027-02-28T23:00:00.123Z"},
		{"2028-02-29T00:00:00Z", "2028-02-29T00:00:00.000Z"},
		{"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},

		{"2027-02-29T00:00:00Z", ""},
		{"2027-02-28T23:00:00,5Z", ""},
		{"2027-02-28T3:00:00Z", ""},
		{"2027-02-28T24:00:00Z", ""},
		{"2027-02-28T23:00:00+24:00", ""},
		{"2027-02-28T23:00:00+05:60", ""},
		{"2027-02-28 23:00:00Z", ""},
		{"2027-02-28T23:00:00", ""},
		{"10000-01-01T00:00:00Z", ""},
		{"9999-12-31T23:59:59-05:00", ""}, // the year 10000 in UTC
		{"0000-06-01T00:00:00Z", ""},
		{"0001-01-01T00:00:00Z", ""}, // would be taken for no time at all
		{"0001-01-01T05:30:00+05:30", ""},
		{"", ""},
	}
	for _, tt := range tests {
		quoted, err := json.Marshal(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		var got Time
		err = json.Unmarshal(quoted, &got)
		if got.String() != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: got %q and %v, want %q", tt.in, got, err, tt.want)
		}
	}
}
