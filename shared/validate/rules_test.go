package validate

import (
	"strings"
	"testing"
)

// A name is read by people, so one that cannot be seen, or that turns round what
// stands beside it, is not plain. Every script's own letters are.
func TestPlain(t *testing.T) {
	for s, want := range map[string]bool{
		"ERP integration": true,
		"é":               true, "e\u0301": true, "🦊": true, "👩\u200d🚀": true, "中": true, ".": true,
		"שלום":        true,
		"مرحبا\u200f": true, // a mark of direction shows nothing in another order

		"می\u200cخواهم": true, "क्\u200dष": true, "❤\ufe0f": true, // joined, parted, in another form
		"\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f": true, // a flag
		"\u0600123": true, // encloses the digits

		"": false, " ": false, "\u00a0\u2003": false, "a\x00b": false, "a\nb": false, "a\u0085b": false,
		"a\u2028b": false, "a\u2029b": false,
		"\u200b": false, "\u2060": false, "\ufeff": false, "\u00ad": false, "\u200d": false, "\u3164": false, "\u2800": false,
		"a\u202eb": false, "a\u2066b": false,

		"\ufe0f": false, "\U000e0101": false, "\u034f": false, "\u180b": false, "\u115f\u1160": false, "\U000e0067": false, "\u200f\u200e": false,
		"a\u200bb": false, "a\u2060b": false, "\ufeffa": false, "a\u00adb": false, "a\u034fb": false, "a\u3164": false,
		"a\u2063b": false, "a\ufff9b": false, "a\U000e0001": false, "a\u17b5": false, "a\u206f": false,
	} {
		if got := Plain(s); got != want {
			t.Errorf("Plain(%+q): got %v, want %v", s, got, want)
		}
	}
	for s, want := range map[string]bool{"": true, "a\r\n\tb": true, "a\x00": false, "a\u202eb": false} {
		if got := Multiline(s); got != want {
			t.Errorf("Multiline(%+q): got %v, want %v", s, got, want)
		}
	}
}

func TestNoSecret(t *testing.T) {
	const whole = "gtk_live_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"
	for s, want := range map[string]bool{
		"": true, "ERP integration": true, "gtk_": true, "gtk_live_7Hq2LmZx9RtB": true, "the one of gtk_test_7Hq2LmZx9RtB_…": true,
		whole[:len(whole)-1]: true, strings.Replace(whole, "live", "prod", 1): true, strings.Replace(whole, "0123", "01-3", 1): true,
		"gtk_live_7Hq2LmZx9Rt_B0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A": true,

		whole: false, strings.Replace(whole, "live", "test", 1): false, "Authorization: Bearer " + whole: false,
		"xgtk_" + whole + "\n": false, "é" + whole + "é": false, whole + "B": false, "gtk_live_" + whole: false,
	} {
		if got := NoSecret(s); got != want {
			t.Errorf("NoSecret(%q): got %v, want %v", s, got, want)
		}
	}
}
