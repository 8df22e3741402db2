package portal

import (
	"context"
	"time"
)

// OnceStore is what counting and happening only once need from storage. Rows
// vanish some time after they ended.
type OnceStore interface {
	// Once reports whether the key is new, and keeps it until the given time.
	// Of many callers at once exactly one gets true.
	Once(ctx context.Context, key string, now, until time.Time) (bool, error)
	// Hit adds n to a counter that begins anew when its window has ended, and
	// returns its value and when the window ends. n may be 0, to look, or less,
	// to take back what was counted.
	Hit(ctx context.Context, key string, n int64, window time.Duration, now time.Time) (count int64, ends time.Time, err error)
	ForgetCounter(ctx context.Context, key string) error // none is fine
}
