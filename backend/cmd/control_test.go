package cmd

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

// An operation that takes long, such as a prune, does not use up the time in which
// requests are answered and calls stored.
func TestControlEndsWhatTakesLong(t *testing.T) {
	n := &node{log: slog.New(slog.DiscardHandler)}
	c, err := listenControl(n, filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan struct{}), make(chan struct{})
	c.server.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
		close(ended)
	})
	go func() { _, _, _ = ask(context.WithoutCancel(t.Context()), c.path, "prune", nil) }()
	<-started
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c.close(ctx)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the operation goes on")
	}
}
