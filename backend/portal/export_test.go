package portal

import (
	"context"
	"time"
)

// What the flows in package portal_test share with the tests beside the rules.
var (
	NewTestCatalogue = testCatalogue
	NewTestKeys      = testKeys
	Summaries        = func() (actions []string) {
		for _, s := range summaries {
			actions = append(actions, s.action)
		}
		return actions
	}
)

// SetSleep replaces the wait of a try to sign in that is slowed down.
func (p *Portal) SetSleep(sleep func(ctx context.Context, d time.Duration) error) { p.sleep = sleep }

// WaitingForFirstUse returns how many requests wait for another's first use of
// the same secret to be recorded.
func (p *Portal) WaitingForFirstUse() int { return int(p.firstUses.waiting.Load()) }
