package portal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowStore answers each query when it is told to.
type slowStore struct {
	TokenStore

	mu      sync.Mutex
	queries []*slowQuery
	trip    time.Duration // if not zero, answers by itself after it
	rev     atomic.Int64  // what is in the database
}

type slowQuery struct {
	ids    []string
	rev    int64 // as the database was when the query began
	answer chan error
}

func (s *slowStore) TokenRecords(ctx context.Context, ids []string) ([]*Token, error) {
	q := &slowQuery{ids: slices.Clone(ids), rev: s.rev.Load(), answer: make(chan error, 1)}
	s.mu.Lock()
	s.queries = append(s.queries, q)
	trip := s.trip
	s.mu.Unlock()
	if trip > 0 {
		time.Sleep(trip)
		q.answer <- nil
	}
	select {
	case err := <-q.answer:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var found []*Token
	for _, id := range ids {
		if id != "unknown" {
			found = append(found, &Token{ID: id, Rev: q.rev})
		}
	}
	return found, nil
}

// began returns the queries so far.
func (s *slowStore) began() []*slowQuery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.queries)
}

type found struct {
	token *Token
	err   error
}

// ask starts a look-up and returns where its answer comes.
func ask(ctx context.Context, c *Coalescer, id string) <-chan found {
	answer := make(chan found, 1)
	go func() {
		t, err := c.Record(ctx, id)
		answer <- found{t, err}
	}()
	return answer
}

// takeSlots begins as many queries as there may be to a database nearby, each of
// them late.
func takeSlots(c *Coalescer, id string) (answers []<-chan found) {
	for range nearInFlight {
		answers = append(answers, ask(context.Background(), c, id))
		time.Sleep(2 * lateAfter)
		synctest.Wait()
	}
	return answers
}

func TestCoalescerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{trip: ms}
		c := NewCoalescer(s, time.Second)
		ctx := context.Background()
		var wg sync.WaitGroup
		for i := range 2000 {
			wg.Go(func() {
				id := fmt.Sprint(i % 300)
				if got, err := c.Record(ctx, id); err != nil || got.ID != id {
					t.Errorf("got %v, %v, want %s", got, err, id)
				}
			})
		}
		wg.Wait()
		if got, err := c.Record(ctx, "unknown"); got != nil || err != nil {
			t.Errorf("got %v, %v, want nothing for an unknown id", got, err)
		}
		for _, q := range s.began() {
			if len(q.ids) > maxBatch {
				t.Errorf("got a query of %d ids, want at most %d", len(q.ids), maxBatch)
			}
			ids := slices.Clone(q.ids)
			slices.Sort(ids)
			if len(slices.Compact(ids)) != len(q.ids) {
				t.Errorf("got an id twice in one query: %v", q.ids)
			}
		}
		if n := len(s.began()); n > 60 {
			t.Errorf("got %d queries for 2001 callers, want them to share", n)
		}
		if c.inFlight != 0 || len(c.waiting) != 0 {
			t.Errorf("got %d in flight and %d waiting, want none", c.inFlight, len(c.waiting))
		}
	})
}

// A caller gets the answer of no query that began before it called: what was
// revoked before the request began is seen as revoked. This fails for a
// singleflight, which hands out the answer of the query under way.
func TestCoalescerIsNeverOlderThanTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		c := NewCoalescer(s, time.Minute)
		ctx := context.Background()
		early := takeSlots(c, "tok") // all for the same token
		s.rev.Store(1)               // the revocation is answered now
		late := ask(ctx, c, "tok")
		synctest.Wait()
		if n := len(s.began()); n != nearInFlight {
			t.Fatalf("got %d queries, want %d under way", n, nearInFlight)
		}
		s.began()[0].answer <- nil
		synctest.Wait()
		if got := <-early[0]; got.token.Rev != 0 {
			t.Errorf("the early caller got revision %d, want 0", got.token.Rev)
		}
		select {
		case got := <-late:
			t.Fatalf("the late caller got %+v out of a query that began before it called", got)
		default:
		}
		s.began()[1].answer <- nil
		s.began()[nearInFlight].answer <- nil // the one that began after it called
		if got := <-late; got.err != nil || got.token.Rev != 1 {
			t.Errorf("the late caller got %+v, want revision 1", got)
		}
	})
}

// The same, at random and under the race detector: no answer is older than the
// database was when its caller called.
func TestCoalescerUnderLoad(t *testing.T) {
	s := &slowStore{trip: 200 * time.Microsecond}
	c := NewCoalescer(s, time.Minute)
	end := time.Now().Add(300 * time.Millisecond)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for time.Now().Before(end) {
				before := s.rev.Load()
				got, err := c.Record(context.Background(), "tok")
				if err != nil || got.Rev < before {
					t.Errorf("got %v, %v, want at least revision %d", got, err, before)
					return
				}
				s.rev.Add(1)
			}
		})
	}
	wg.Wait()
	if asked, queries := s.rev.Load(), int64(len(s.began())); queries*2 > asked {
		t.Errorf("got %d queries for %d callers, want them to share", queries, asked)
	}
}

func TestCoalescerCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		c := NewCoalescer(s, time.Minute)
		ctx, cancel := context.WithCancel(context.Background())
		first := takeSlots(c, "busy")
		gone := ask(ctx, c, "tok")
		stays := ask(context.Background(), c, "tok")
		synctest.Wait()
		cancel()
		if got := <-gone; !errors.Is(got.err, context.Canceled) {
			t.Errorf("the caller that gave up got %+v, want its own error", got)
		}
		for i := range first {
			s.began()[i].answer <- nil
		}
		synctest.Wait()
		for _, q := range s.began()[nearInFlight:] {
			q.answer <- nil
		}
		if got := <-stays; got.err != nil || got.token.ID != "tok" {
			t.Errorf("the caller that stayed got %+v, want the token", got)
		}
	})
}

// The query of a caller that is alone ends with it, and frees its slot.
func TestCoalescerLoneCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		c := NewCoalescer(s, time.Minute)
		ctx, cancel := context.WithCancel(context.Background())
		gone := ask(ctx, c, "tok")
		synctest.Wait()
		cancel()
		if got := <-gone; !errors.Is(got.err, context.Canceled) {
			t.Errorf("got %+v, want its own error", got)
		}
		synctest.Wait()
		if c.inFlight != 0 {
			t.Errorf("got %d in flight, want the slot back", c.inFlight)
		}
	})
}

func TestCoalescerOneFailedQueryFailsItsBatchOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		c := NewCoalescer(s, time.Minute)
		ctx := context.Background()
		alone := takeSlots(c, "a")
		var batch []<-chan found
		for i := range maxBatch + 1 { // one batch, and one caller of the next
			batch = append(batch, ask(ctx, c, fmt.Sprint(i)))
			synctest.Wait()
		}
		fault := errors.New("the network")
		s.began()[0].answer <- fault // frees a slot: the batch of a hundred begins
		synctest.Wait()
		s.began()[2].answer <- fault // it fails
		synctest.Wait()
		s.began()[1].answer <- nil
		s.began()[3].answer <- nil // the next is fine
		results := []error{(<-alone[0]).err, (<-alone[1]).err}
		if !errors.Is(results[0], fault) || results[1] != nil {
			t.Errorf("got %v, want an error for the first only", results)
		}
		for i, answer := range batch {
			got := <-answer
			if failed := i < maxBatch; failed != errors.Is(got.err, fault) || !failed && got.token.ID != fmt.Sprint(i) {
				t.Errorf("caller %d got %+v", i, got)
			}
		}
		if n := len(s.began()[2].ids); n != maxBatch {
			t.Errorf("got a batch of %d, want %d", n, maxBatch)
		}
	})
}

// A query that does not answer ends after the time that was given, with its
// slot, and what waits goes on.
func TestCoalescerTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		c := NewCoalescer(s, 2*time.Second)
		began := time.Now()
		var all []<-chan found
		for range 5 {
			all = append(all, ask(context.Background(), c, "tok"))
		}
		for _, answer := range all {
			if got := <-answer; !errors.Is(got.err, context.DeadlineExceeded) {
				t.Errorf("got %+v, want the end of its time", got)
			}
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("took %v, want two rounds at most", took)
		}
	})
}
