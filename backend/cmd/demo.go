package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/cmd/demo"
)

// demoData is `gatehouse demo`.
type demoData struct{}

// Run fills an empty store. One that is not empty is left as it is, which is no
// failure.
func (demoData) Run(ctx context.Context, sh *shell) error { return operate(ctx, sh, "demo") }

func fillDemo(ctx context.Context, n *node, _ []string) (string, error) {
	return fillEmpty(ctx, n, "The store is filled already, so nothing was changed.\n")
}

// serveDemo fills an empty store while it is served.
func serveDemo(ctx context.Context, n *node, out io.Writer) {
	told, err := fillEmpty(ctx, n, "")
	switch {
	case err != nil && ctx.Err() != nil:
		n.log.Warn("the demo was cut off before its end: remove the database to begin anew, or go on with what is there")
	case err != nil:
		n.log.Warn("no demo data: " + err.Error())
	}
	fmt.Fprint(out, told)
}

// fillEmpty fills a store, if it is empty, and tells whom to sign in as. Of one
// that was filled by a demo before, it begins with what filled says.
func fillEmpty(ctx context.Context, n *node, filled string) (string, error) {
	if !n.config.Loopback {
		return "", fmt.Errorf("the demo gives everybody a password that is known, so it is only for a public URL on this machine, and GATEHOUSE_PUBLIC_URL is %s", n.config.PublicURL)
	}
	if !n.filling.CompareAndSwap(false, true) {
		return "", errors.New("the store is being filled with demo data now; wait until it is done")
	}
	defer n.filling.Store(false)
	var told strings.Builder
	now := time.Now()
	state, err := demo.StateOf(ctx, n.store, now)
	if err != nil {
		return "", err
	}
	var result demo.Result
	switch state {
	case demo.Torn:
		return "", errors.New("a demo was cut off before its end: remove the database to begin anew, or go on with what is there")
	case demo.Used:
		return "The store has users already, so nothing was changed.\n", nil
	case demo.Filled:
		told.WriteString(filled)
	default:
		n.log.Info("filling the store with demo data")
		result, err = demo.Fill(ctx, demo.Options{
			Store: n.store, Records: n.records, Catalogue: n.catalogue, Keys: n.keys, Hasher: n.hasher,
			PublicURL: n.config.PublicURL, Now: now, Log: slog.New(slog.DiscardHandler),
			Progress: tellEvery(progressEvery, func(done float64) {
				n.log.Info("filling the store with demo data", "done", fmt.Sprintf("%.0f %%", 100*done))
			}),
		})
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&told, "Filled the store with teams, people, tokens and %d calls in %s.\n", result.Calls, time.Since(now).Round(100*time.Millisecond))
	}
	demo.Tell(&told, result, n.config.PublicURL)
	return told.String(), nil
}

const progressEvery = 10 * time.Second

// tellEvery passes on how far something is, at most once in a while.
func tellEvery(every time.Duration, tell func(done float64)) func(done float64) {
	last := time.Now()
	return func(done float64) {
		if time.Since(last) >= every {
			last = time.Now()
			tell(done)
		}
	}
}
