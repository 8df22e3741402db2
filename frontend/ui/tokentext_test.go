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
		{"in a header", "Authorization: Bearer " + whole, "7Hq2LmZx9RtB", wholeToken},
		{"in an .env, with more after it", "GATEHOUSE_TOKEN=\"" + whole + "\"\nOTHER=1", "7Hq2LmZx9RtB", wholeToken},
		{"a character changed", "gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUW2UU33A", "7Hq2LmZx9RtB", brokenToken},
		{"a space within", whole[:40] + " " + whole[40:], "", brokenToken},
		{"two of them", whole + whole, "7Hq2LmZx9RtB", brokenToken},
		{"another environment", "gtk_prod_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A", "7Hq2LmZx9RtB", brokenToken},
		{"not base62", "gtk_test_7Hq2LmZx9Rt-_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A", "", brokenToken},
		{"being typed", "gtk_", "", partToken},
		{"being typed, the environment", "gtk_li", "", partToken},
		{"being typed, the id", "gtk_test_7Hq2LmZx9RtB", "7Hq2LmZx9RtB", partToken},
		{"cut short", whole[:59], "7Hq2LmZx9RtB", partToken},
		{"only the id", "7Hq2LmZx9RtB", "", notToken},
		{"a name that begins so", "gtk_old", "", notToken},
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

func TestSearchWordsHoldNoSecret(t *testing.T) {
	const whole = "gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"
	for cut := len("gtk_"); cut <= len(whole); cut++ {
		for _, text := range []string{whole[:cut], "Bearer " + whole[:cut], whole[:cut] + " x"} {
			if got := searchWords(text); got != "" && got != "7Hq2LmZx9RtB" {
				t.Errorf("of %q, %q would be sent", text, got)
			}
		}
	}
	if got := searchWords(" ERP "); got != "ERP" {
		t.Errorf("got %q", got)
	}
}
