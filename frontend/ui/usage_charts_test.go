package ui

import "testing"

func TestShare(t *testing.T) {
	for _, tt := range []struct {
		part, whole int64
		want        string
	}{
		{0, 0, "0%"},
		{0, 400, "0%"},
		{1, 100_000, "<0.1%"},
		{1, 1000, "0.1%"},
		{91, 1000, "9.1%"},
		{5, 5, "100%"},
	} {
		if got := share(tt.part, tt.whole); got != tt.want {
			t.Errorf("%d of %d: got %q, want %q", tt.part, tt.whole, got, tt.want)
		}
	}
}
