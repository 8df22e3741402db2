package cmd

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/config"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Of many nodes one prunes in each hour.
func TestPruneInTurn(t *testing.T) {
	dir := t.TempDir()
	c, err := config.Load([]string{"GATEHOUSE_DATABASE=sqlite:" + dir + "/gatehouse.db", "GATEHOUSE_KEYS=" + dir + "/keys", "GATEHOUSE_MAIL=outbox:" + dir + "/outbox"})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	n, err := open(t.Context(), c, newLog(&log, false))
	if err != nil {
		t.Fatal(err)
	}
	defer n.close(t.Context())
	now := time.Now()
	old := portal.Signup{ID: "sup_old", EmailKey: "a@example.com", CodeHash: "h", CreatedAt: now.Add(-48 * time.Hour), ExpiresAt: now.Add(-24 * time.Hour)}
	if err := n.store.SaveSignup(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	hour := now.Truncate(time.Hour)
	for _, at := range []time.Time{hour.Add(time.Minute), hour.Add(2 * time.Minute), hour.Add(59 * time.Minute), hour.Add(61 * time.Minute)} {
		n.pruneInTurn(t.Context(), at)
	}
	if got := strings.Count(log.String(), `"msg":"pruned"`); got != 2 {
		t.Errorf("pruned %d times in two hours, want 2:\n%s", got, log.String())
	}
	if left, err := n.store.Signups(t.Context(), old.EmailKey, ""); err != nil || len(left) != 0 {
		t.Errorf("got %v, %v, want that the old sign-up is gone", left, err)
	}
	if log.Reset(); n.store.Close() != nil {
		t.Fatal("close")
	}
	n.pruneInTurn(t.Context(), hour.Add(3*time.Hour))
	if !strings.Contains(log.String(), "pruning failed and is tried again later") {
		t.Errorf("with a closed store: got the log %q, want a warning", log.String())
	}
}
