package cmd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// prune is `gatehouse prune`.
type prune struct{}

// Run removes what is past its retention.
func (prune) Run(ctx context.Context, sh *shell) error { return operate(ctx, sh, "prune") }

func pruneStore(ctx context.Context, n *node, _ []string) (string, error) {
	removed, err := n.portal.Prune(ctx)
	if err != nil {
		return "", fmt.Errorf("%d records were removed, then: %w", removed, err)
	}
	return fmt.Sprintf("%d records were past their retention and are removed.", removed), nil
}

const pruneEvery = time.Hour

// pruneHourly prunes until ctx ends: first some minutes after the start, then
// every hour, a little off so that nodes do not all come at once. Of the nodes on
// one database one does it, whichever comes first.
func (n *node) pruneHourly(ctx context.Context) {
	next := time.Minute + rand.N(5*time.Minute)
	for {
		select {
		case <-time.After(next):
		case <-ctx.Done():
			return
		}
		next = pruneEvery + rand.N(pruneEvery/6) - pruneEvery/12
		n.pruneInTurn(ctx, time.Now())
	}
}

func (n *node) pruneInTurn(ctx context.Context, now time.Time) {
	mine, err := n.store.Once(ctx, "prune:"+now.UTC().Truncate(pruneEvery).Format(time.RFC3339), now, now.Add(2*pruneEvery))
	if err == nil && mine {
		var removed int
		if removed, err = n.portal.Prune(ctx); err == nil {
			n.log.Info("pruned", "records", removed)
		}
	}
	if err != nil && ctx.Err() == nil {
		n.log.Warn("pruning failed and is tried again later", "error", err)
	}
}
