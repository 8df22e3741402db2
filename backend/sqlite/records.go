package sqlite

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const shards = 256

// Records is every token of the file, in memory, for decisions. It changes in
// the critical section of the commit: before the write is answered, and never
// for one that was rolled back. So a read that starts after the answer to a
// change sees the change, and it asks no database at all.
//
// It implements portal.RecordReader and is safe for use by many goroutines; a
// read allocates nothing and waits for no transaction.
type Records struct {
	closed atomic.Bool
	seed   maphash.Seed
	shards [shards]shard
}

type shard struct {
	mu     sync.RWMutex
	tokens map[string]*portal.Token
	_      [32]byte // a cache line of its own
}

var _ portal.RecordReader = (*Records)(nil)

func newRecords() *Records {
	r := &Records{seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].tokens = map[string]*portal.Token{}
	}
	return r
}

func (r *Records) shard(id string) *shard {
	return &r.shards[maphash.String(r.seed, id)%shards]
}

// Record returns the token with the id, nil if there is none. It fails only
// when the store is closed.
func (r *Records) Record(_ context.Context, id string) (*portal.Token, error) {
	if r.closed.Load() {
		return nil, errClosed
	}
	s := r.shard(id)
	s.mu.RLock()
	t := s.tokens[id]
	s.mu.RUnlock()
	return t, nil
}

// Changed does nothing: records change with the file.
func (r *Records) Changed(context.Context, ...string) error { return nil }

// set stores the record of an id, nil to forget it.
func (r *Records) set(id string, t *portal.Token) {
	s := r.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t == nil {
		delete(s.tokens, id)
	} else {
		s.tokens[id] = t
	}
}

func (r *Records) apply(changed map[string]*portal.Token) {
	for id, t := range changed {
		r.set(id, t)
	}
}

// touched is the set of tokens whose records a transaction changes, with the
// record where it is known already and nil where it has to be read.
type touched map[string]*portal.Token

// touch notes that the records of these tokens change.
func (w *work) touch(ids ...string) {
	if w.tx.touched == nil {
		w.tx.touched = touched{}
	}
	for _, id := range ids {
		w.tx.touched[id] = nil
	}
}

// touchAll notes that the records of all tokens that a query finds change.
func (w *work) touchAll(query string, args ...any) error {
	ids, err := list(w, query, args, scanText)
	if err == nil {
		w.touch(ids...)
	}
	return err
}

// record returns the record of a token as the transaction sees it, nil if there
// is none.
func (w *work) record(id string) (*portal.Token, error) {
	t, ok := w.tx.touched[id]
	if ok && t != nil {
		return t, nil
	}
	if !ok {
		return w.s.records.Record(w.ctx, id)
	}
	found, err := w.tokens([]string{id})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// changedRecords returns the records that a transaction changed as it leaves
// them. It runs just before the commit, so that what it reads is what will be
// in the file.
func (w *work) changedRecords() (map[string]*portal.Token, error) {
	changed := map[string]*portal.Token(w.tx.touched)
	var unread []string
	for id, t := range changed {
		if t == nil {
			unread = append(unread, id)
		}
	}
	for part := range slices.Chunk(unread, maxRecords) {
		found, err := w.tokens(part)
		if err != nil {
			return nil, err
		}
		for _, t := range found {
			changed[t.ID] = t
		}
	}
	return changed, nil
}

// loadRecords fills the records from the file.
func (s *Store) loadRecords(ctx context.Context) error {
	return s.read(ctx, func(w *work) error {
		read := tokenRows.reader()
		return w.rows(tokenRows.query, nil, func(scan scanner) error {
			t, err := read(scan)
			if err == nil {
				intern(&t)
				s.records.set(t.ID, &t)
			}
			return err
		})
	})
}
