package portal

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowReads counts reads and answers each with what was there when it began.
type slowReads struct {
	trip  time.Duration
	rev   atomic.Int64
	reads atomic.Int64
}

func (s *slowReads) read(ctx context.Context, key string) (int64, error) {
	s.reads.Add(1)
	rev := s.rev.Load()
	if key == "panics" {
		panic(key)
	}
	time.Sleep(s.trip)
	return rev, ctx.Err()
}

func TestSharedReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &slowReads{trip: ms}
		s := shared[string, int64]{read: src.read}
		var wg sync.WaitGroup
		get := func(key string, want int64) {
			wg.Go(func() {
				if got, err := s.get(t.Context(), key); err != nil || got < want {
					t.Errorf("%s: got %d %v, want at least %d", key, got, err, want)
				}
			})
		}
		get("a", 0)
		synctest.Wait()
		src.rev.Store(1) // a change is answered while that read is under way
		for range 50 {
			get("a", 1)
		}
		get("b", 1)
		wg.Wait()
		if n := src.reads.Load(); n != 3 {
			t.Errorf("got %d reads, want one, one for fifty, and one of the other key", n)
		}
		if len(s.next)+len(s.under) != 0 {
			t.Error("something is left behind")
		}
	})
}

func TestSharedReadsGoOnPastALateOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &slowReads{trip: time.Hour}
		s := shared[string, int64]{read: src.read}
		go s.get(t.Context(), "a")
		synctest.Wait()
		src.trip = 0
		began := time.Now()
		if _, err := s.get(t.Context(), "a"); err != nil || time.Since(began) > lateAfter {
			t.Errorf("got %v after %v, want an answer after %v", err, time.Since(began), lateAfter)
		}
		time.Sleep(time.Hour)
	})
}

// Who gives up gives up alone, also the one that reads for the others.
func TestSharedReadsCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &slowReads{trip: ms}
		s := shared[string, int64]{read: src.read}
		ctx, cancel := context.WithCancel(t.Context())
		go s.get(t.Context(), "a")
		synctest.Wait()
		go s.get(ctx, "a") // will read
		synctest.Wait()
		gone := make(chan error)
		go func() {
			_, err := s.get(ctx, "a")
			gone <- err
		}()
		stays := make(chan error)
		go func() {
			_, err := s.get(t.Context(), "a")
			stays <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller that gave up got %v, want its own error", err)
		}
		if err := <-stays; err != nil {
			t.Errorf("the caller that stayed got %v, want none", err)
		}
	})
}

func TestSharedReadsSurviveAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shared[string, int64]{read: (&slowReads{}).read}
		for range 3 {
			go func() {
				defer func() { _ = recover() }()
				if _, err := s.get(t.Context(), "panics"); !errors.Is(err, ErrUnavailable) {
					t.Errorf("got %v, want %v", err, ErrUnavailable)
				}
			}()
		}
		synctest.Wait()
		if len(s.next)+len(s.under) != 0 {
			t.Error("something is left behind")
		}
	})
}

// No answer is older than its call, at random and under the race detector.
func TestSharedReadsUnderLoad(t *testing.T) {
	src := &slowReads{trip: 200 * time.Microsecond}
	s := shared[string, int64]{read: src.read}
	end := time.Now().Add(200 * time.Millisecond)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for time.Now().Before(end) {
				before := src.rev.Load()
				if got, err := s.get(t.Context(), "a"); err != nil || got < before {
					t.Errorf("got %d, %v, want at least %d", got, err, before)
					return
				}
				src.rev.Add(1)
			}
		})
	}
	wg.Wait()
}
