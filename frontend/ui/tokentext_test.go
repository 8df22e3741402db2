package ui

import "testing"

func TestReadToken(t *testing.T) {
	const whole = "gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"
	tests := []struct {
		name, text, lookup string
		want               tokenKind
	}{
		{"whole", whole, "7Hq2LmZx9RtB", wholeToken},
		{"space around it", " " + whole + "\n", "7Hq2LmZx9RtB", wholeToken},
		{"a character changed", "gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUW2UU33A", "", brokenToken},
		{"cut short", whole[:59], "", brokenToken},
		{"two of them", whole + whole, "", brokenToken},
		{"another environment", "gtk_prod_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A", "", brokenToken},
		{"not base62", "gtk_test_7Hq2LmZx9Rt-_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A", "", brokenToken},
		{"only the id", "7Hq2LmZx9RtB", "", notToken},
		{"a name", "ERP integration", "", notToken},
		{"nothing", "", "", notToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if lookup, kind := readToken(tt.text); lookup != tt.lookup || kind != tt.want {
				t.Errorf("got %q, %v, want %q, %v", lookup, kind, tt.lookup, tt.want)
			}
		})
	}
}
