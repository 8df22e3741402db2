package cmd

import (
	"context"
	"os"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// keysEvery is how often a server looks whether the key file was replaced.
const keysEvery = 2 * time.Second

// watchKeys loads the key file again whenever it was replaced, until ctx ends:
// a pepper that was added on one node reaches the others with the file. When this
// node begins to use another pepper it tells the database.
func (n *node) watchKeys(ctx context.Context, every time.Duration) {
	seen, _ := os.Stat(n.config.Keys)
	marked := n.keys.KeyID()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if id := n.keys.KeyID(); id != marked {
			if err := portal.MarkKeys(ctx, n.store, n.keys); err == nil {
				marked = id
				n.log.Info("a new pepper is used from now on", "key_id", id)
			} else if ctx.Err() == nil {
				n.log.Error("the database could not be told of a new pepper; this is tried again", "error", err)
			}
		}
		found, err := os.Stat(n.config.Keys)
		if err != nil || seen != nil && os.SameFile(seen, found) && seen.ModTime().Equal(found.ModTime()) {
			continue // a file that is gone is no reason to forget its keys
		}
		seen = found
		if _, err := reloadKeys(ctx, n, nil); err != nil {
			n.log.Error("the key file was changed but cannot be used; the keys stay as they are", "error", err)
		}
	}
}
