package demo

import (
	"sync"
	"time"
)

// clock is set from step to step and runs on between them, so that what takes
// time is seen to take it. It never goes back.
type clock struct {
	mu    sync.Mutex
	at    time.Time
	since time.Time // when it was set, by the real clock
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at.Add(time.Since(c.since))
}

// advance sets the clock to a time that lies ahead of it.
func (c *clock) advance(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); to.After(c.at.Add(now.Sub(c.since))) {
		c.at, c.since = to, now
	}
}
