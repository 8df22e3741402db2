//go:build !(js && wasm)

package bridge

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// Do implements client.Transport: without a browser there is no network.
func (Transport) Do(context.Context, client.Request) (client.Response, error) {
	return client.Response{}, client.ErrOffline
}

// ReadConfig returns what the server wrote into the page.
func ReadConfig() Config { return Config{} }

// Pause lets the browser do what waits, such as drawing, before the program goes on.
func Pause() {}

// Address returns the address of the page.
func Address() string { return "" }

// Copy puts text on the clipboard and reports whether that was allowed.
func Copy(string) bool { return true }

// Load fetches a script that only some pages need and reports whether it came.
func Load(string) bool { return false }

// Download saves text as a file.
func Download(_, _, _ string) {}

var layouts = map[string]string{
	Date: "Jan 2, 2006", UTCDate: "Jan 2, 2006", Long: "Monday, 2 January 2006", Day: "Jan 2", Clock: "15:04:05", Minute: "Jan 2, 2006, 15:04", Second: "Jan 2, 2006, 15:04:05", Stamp: "Jan 2, 15:04:05",
}

// FormatDate writes a time in the reader's zone and language, in one of the styles.
func FormatDate(t time.Time, style string) string { return t.UTC().Format(layouts[style]) }

// LocalTime reads what a field of type datetime-local holds, in the reader's
// zone: 2026-11-22T01:00.
func LocalTime(text string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02T15:04", text)
	return t, err == nil
}

// LocalText writes a time for a field of type datetime-local.
func LocalText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04") }

// FormatNumber writes a number in the reader's language.
func FormatNumber(n float64, digits int) string { return strconv.FormatFloat(n, 'f', digits, 64) }

// FormatPercent writes a share of 1 in per cent, in the reader's language.
func FormatPercent(share float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(100*share, 'f', 1, 64), ".0") + "%"
}

// Normalize returns text in Unicode normalisation form NFKC; here, where there is
// no table of it, as it is.
func Normalize(text string) string { return text }

// Focus moves the focus to the first element that the selector finds, and
// reports whether it went there.
func Focus(string) bool { return false }

// FocusStep moves the focus by step among the elements that the selector finds,
// around the ends; 0 goes to the first.
func FocusStep(string, int) {}

// ShowModal opens a <dialog> over the page.
func ShowModal(string) {}

// ModalGone gives the focus back to what had it before the dialog.
func ModalGone(string) {}

// ScrollTop scrolls to the top of the page.
func ScrollTop() {}

// Popped reports whether the latest navigation was back or forward.
func Popped() bool { return false }

// SetTitle sets the title of the document.
func SetTitle(string) {}

// Reload loads the page again.
func Reload() {}

// Theme returns the theme that is set: light, dark or system.
func Theme() string { return "system" }

// SetTheme sets and remembers the theme.
func SetTheme(string) {}

// Online reports whether the browser believes to have a network.
func Online() bool { return true }

// Hidden reports whether nobody can see the page.
func Hidden() bool { return false }

// Origin returns scheme, host and port of the page.
func Origin() string { return "http://localhost:8080" }

// OnNetwork calls f when the network comes or goes, until release is called.
func OnNetwork(func()) (release func()) { return func() {} }

// OnKey calls f for every key; if f returns true the browser does nothing with
// it. f must return at once.
func OnKey(func(Key) bool) (release func()) { return func() {} }

// GuardLeaving has the browser ask before the page is left or reloaded, until
// release is called.
func GuardLeaving() (release func()) { return func() {} }

// GuardBack has f called instead of going back or forward in the history, and of
// following a link on the page, until release is called. f must return at once.
func GuardBack(func()) (release func()) { return func() {} }

// Crash shows that the program cannot go on; in a test it is a panic.
func Crash(detail string) { panic("the page crashed: " + detail) }

// SetValue forces the text of a field that the browser changed by itself.
func SetValue(_, _ string) {}

// Chart is a drawing of uPlot.
type Chart struct{}

// NewChart draws the spec of chart.js into an element, after Load("uplot").
func NewChart(_, _ string) *Chart { return nil }

// Set draws another spec.
func (*Chart) Set(string) {}

// Destroy takes the drawing away.
func (*Chart) Destroy() {}
