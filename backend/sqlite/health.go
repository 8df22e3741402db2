package sqlite

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// health remembers whether the file takes what is written: with a full disk it
// can still be read.
type health struct {
	failing atomic.Bool  // the last transaction that wrote did not come through
	failed  atomic.Int64 // transactions that did not
}

// note takes notice of how a transaction ended. Its caller has the turn.
func (h *health) note(t *tx) {
	switch {
	case errors.Is(t.failed, portal.ErrStorageFailing):
		h.failing.Store(true)
		h.failed.Add(1)
	case t.failed == nil && t.wrote:
		h.failing.Store(false)
	}
}

// FailedWrites returns how many transactions the storage refused since the start.
func (s *Store) FailedWrites() int64 { return s.health.failed.Load() }

const (
	probeKey   = "probe of the storage"
	probeBytes = 64 << 10 // more than is left over in the files of a full disk
)

// probe writes and removes a row that needs new pages, and so fails where a
// change would.
func (s *Store) probe(ctx context.Context) error {
	err := s.write(ctx, func(w *work) error {
		_, err := w.exec(`INSERT OR REPLACE INTO onces (key, ends_at) VALUES (?, 0)`, probeKey+strings.Repeat(".", probeBytes))
		return err
	})
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`DELETE FROM onces WHERE key >= ? AND key < ?`, probeKey, probeKey+"/") // the byte after the dots
		return err
	})
}

// Ready reports whether the file answers and, when the last write failed, whether
// it takes writes again.
func (s *Store) Ready(ctx context.Context) error {
	err := s.read(ctx, func(w *work) error {
		var n int
		_, err := w.row("SELECT count(*) FROM schema_version", nil, &n)
		return err
	})
	if err == nil && s.health.failing.Load() {
		return s.probe(ctx)
	}
	return err
}
