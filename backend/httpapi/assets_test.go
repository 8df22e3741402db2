package httpapi

import "testing"

func TestAccepts(t *testing.T) {
	tests := []struct {
		list, name, all string
		want            bool
	}{
		{"", "br", "*", false},
		{"gzip, br", "br", "*", true},
		{"gzip, BR;q=0.1", "br", "*", true},
		{"gzip", "br", "*", false},
		{"*", "br", "*", true},
		{"br;q=0", "br", "*", false},
		{"br;q=0.0", "br", "*", false},
		{"br; q=0.00, *", "br", "*", false},
		{"*, br;Q=0.000", "br", "*", false},
		{"br;q=0.001", "br", "*", true},
		{"br, *;q=0", "br", "*", true},
		{"gzip, *;q=0", "br", "*", false},
		{"brotli", "br", "*", false},
		{"text/html,application/xhtml+xml,*/*;q=0.8", "text/html", "", true},
		{"Text/HTML; charset=utf-8", "text/html", "", true},
		{"application/json, text/html;q=0", "text/html", "", false},
		{"text/htmlx", "text/html", "", false},
		{"*/*", "text/html", "", false},
		{",", "text/html", "", false},
	}
	for _, tt := range tests {
		if got := accepts(tt.list, tt.name, tt.all); got != tt.want {
			t.Errorf("accepts(%q, %q): got %v, want %v", tt.list, tt.name, got, tt.want)
		}
	}
}
