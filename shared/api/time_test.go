package api

import (
	"encoding/json"
	"testing"
)

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
