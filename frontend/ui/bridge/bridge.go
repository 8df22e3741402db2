// Package bridge is the only place where the program touches the browser: the
// functions of boot.js, the address bar, focus, the network. Everywhere else
// than in a browser its functions do nothing and answer with what is harmless,
// so that pages can be tested natively.
//
// Functions that wait for the browser (Copy, Load, Transport.Do) must not be
// called on the goroutine that draws; kit.Do has its own. Pause may: nothing else
// is drawn meanwhile.
package bridge

import (
	"context"
	"errors"
	"time"
)

// Config is what the server wrote into the page.
type Config struct {
	Version string // of the program and its assets
	Session bool   // the browser sent a session cookie
	Outbox  bool   // mails stay in the local outbox
}

// Key is a key that was pressed somewhere on the page.
type Key struct {
	Name   string // as in KeyboardEvent.key: "k", "Escape"
	Meta   bool   // with Ctrl or ⌘
	Typing bool   // in a field: only keys with Meta mean a command
	Modal  bool   // while a dialog is open
}

// The styles of [Date].
const (
	Date    = "date"     // 22 Nov 2026
	UTCDate = "utc-date" // the same, of the day in UTC
	Long    = "long"     // Sunday, 22 November 2026
	Day     = "day"      // 22 Nov
	Clock   = "time"     // 01:00:05
	Minute  = "minute"   // 22 Nov 2026, 01:00
	Second  = "second"   // 22 Nov 2026, 01:00:05
	Stamp   = "stamp"    // 22 Nov, 01:00:05: of what is not kept for a year
)

// ErrCutOff is what a request of [Saving] returns when not all of the answer came.
var ErrCutOff = errors.New("the answer was cut off")

type savingKey struct{}

// Saving returns a context whose request is saved as a file while it comes, and is
// not held by the program: the answer is lines of JSON, and has no body here. Tell
// is told now and then how many lines and bytes have come; it must return at once.
func Saving(ctx context.Context, tell func(lines, bytes int64)) context.Context {
	return context.WithValue(ctx, savingKey{}, tell)
}

// Transport carries requests with fetch; it implements client.Transport.
type Transport struct {
	Timeout time.Duration // of one request, 0: 30 s
}
