package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var quiet = slog.New(slog.DiscardHandler)

// call returns a call of one generation of a token.
func call(token string, generation int, at time.Time, change func(*pendingCall)) pendingCall {
	c := pendingCall{
		Recorded: Recorded{Method: "GET", Route: "/api/v1/orders", Status: 200, Duration: ms, Address: addr("203.0.113.9"), UserAgent: "curl"},
		id:       newDecisionID(at), at: at, code: OK, token: &Token{ID: token, Team: "tea_1"}, generation: generation,
	}
	if change != nil {
		change(&c)
	}
	return c
}

// closeWithin ends a recorder and checks what it says.
func closeWithin(t *testing.T, r *recorder, d time.Duration, want error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if err := r.close(ctx); !errors.Is(err, want) {
		t.Errorf("close: got %v, want %v", err, want)
	}
}

func TestRecorderWritesWithinAQuarterSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &noStore{}
		r := newRecorder(s, quiet)
		time.Sleep(recordEvery / 3)
		r.add(call("tok", 1, now, nil))
		time.Sleep(recordEvery - 1)
		synctest.Wait()
		if calls, _, _ := s.recorded(); len(calls) != 1 {
			t.Errorf("got %d calls after a quarter of a second, want 1", len(calls))
		}
		if held := r.sum.b.Calls[:1][0]; held != (Call{}) {
			t.Errorf("the recorder still holds %+v", held)
		}
		closeWithin(t, r, time.Second, nil)
	})
}

func TestRecorderWritesFullBatchesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &noStore{}
		r := newRecorder(s, quiet)
		for i := range 3*recordAtOnce + 1 {
			r.add(call(fmt.Sprint("tok", i%7), 1, now, nil))
		}
		synctest.Wait() // no time has passed
		calls, _, _ := s.recorded()
		if len(calls) <= 2*recordAtOnce || r.queued() >= recordAtOnce {
			t.Errorf("got %d calls at once and %d that wait, want no full batch to wait", len(calls), r.queued())
		}
		closeWithin(t, r, time.Second, nil)
		calls, _, _ = s.recorded()
		seen := map[string]bool{}
		for _, c := range calls {
			seen[c.ID] = true
		}
		if len(seen) != 3*recordAtOnce+1 {
			t.Errorf("got %d calls, want each once", len(seen))
		}
		for _, b := range s.batches {
			if len(b.Calls) > recordAtOnce {
				t.Errorf("got a batch of %d, want at most %d", len(b.Calls), recordAtOnce)
			}
		}
	})
}

// A batch costs storage as much as some hundred calls, so what goes beyond a full
// one does not become one of its own before its time.
func TestRecorderLeavesTheRestToTheNextBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &noStore{fail: func(n int) error {
			if n == 1 {
				time.Sleep(10 * ms)
			}
			return nil
		}}
		r := newRecorder(s, quiet)
		add := func(n int) {
			for range n {
				r.add(call("tok", 1, now, nil))
			}
			synctest.Wait()
		}
		sizes := func() (list []int) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, b := range s.batches {
				list = append(list, len(b.Calls))
			}
			return list
		}
		add(recordAtOnce) // the writer is busy with them
		add(2*recordAtOnce + 300)
		time.Sleep(20 * ms)
		equal(t, "batches at once", sizes(), []int{recordAtOnce, recordAtOnce, recordAtOnce})
		equal(t, "the rest", r.queued(), 300)
		time.Sleep(recordEvery)
		equal(t, "batches a quarter of a second later", sizes(), []int{recordAtOnce, recordAtOnce, recordAtOnce, 300})
		closeWithin(t, r, time.Second, nil)
	})
}

// A recorder that is full makes callers wait, and loses nothing.
func TestRecorderIsBoundedAndDropsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		broken.Store(true)
		s := &noStore{fail: func(int) error {
			if broken.Load() {
				return ErrUnavailable
			}
			return nil
		}}
		r := newRecorder(s, quiet)
		const callers, each = 64, 1000
		var wg sync.WaitGroup
		var added atomic.Int64
		for range callers {
			wg.Go(func() {
				for range each {
					r.add(call("tok", 1, now, nil))
					added.Add(1)
				}
			})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := r.queued(); n > recordAtMost {
			t.Errorf("got %d that wait, want at most %d", n, recordAtMost)
		}
		if n := added.Load(); n == callers*each || n > 2*recordAtMost {
			t.Errorf("got %d that were taken while storage takes none, want callers to wait", n)
		}
		if r.failed.Load() == 0 {
			t.Error("got no failures counted")
		}
		broken.Store(false)
		wg.Wait()
		closeWithin(t, r, 10*time.Second, nil)
		if calls, _, _ := s.recorded(); len(calls) != callers*each {
			t.Errorf("got %d calls, want %d", len(calls), callers*each)
		}
	})
}

// A batch is sent again, as it was, until storage takes it.
func TestRecorderRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &noStore{fail: func(n int) error {
			if n <= 5 {
				return ErrUnavailable
			}
			return nil
		}}
		r := newRecorder(s, quiet)
		r.add(call("tok", 1, now, nil))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		calls, rollups, uses := s.recorded()
		if len(calls) != 1 || len(rollups) != 1 || len(uses) != 1 || s.tries != 6 {
			t.Errorf("got %d calls, %d sums, %d uses after %d tries, want 1, 1, 1 after 6", len(calls), len(rollups), len(uses), s.tries)
		}
		closeWithin(t, r, time.Second, nil)
	})
}

// A call that storage does not take must not hold up those after it.
func TestRecorderDropsWhatStorageRefuses(t *testing.T) {
	bad := func(c *pendingCall) { c.Route = "/bad" }
	tests := []struct {
		name             string
		calls            []pendingCall
		later            []pendingCall // a minute later
		stored, lost     int
		uses             int
		refuseFor        time.Duration // all calls, from the start
		lostInFirst30Sec int
	}{
		{
			name: "one among many", stored: 2000, lost: 1, lostInFirst30Sec: 1, uses: 2,
			calls: slices.Concat(times(1500, call("a", 1, now, nil)), times(1, call("b", 1, now, bad)), times(500, call("b", 1, now, nil))),
		},
		{
			name: "all, until another comes", stored: 1, lost: 2, uses: 1,
			calls: times(2, call("a", 1, now, bad)), later: times(1, call("b", 1, now, nil)),
		},
		{
			name: "none while storage takes nothing", stored: 3, uses: 1, refuseFor: 50 * time.Second,
			calls: times(3, call("a", 1, now, nil)),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				s := &noStore{refuse: func(c *Call) bool { return c.Route == "/bad" || time.Since(began) < tt.refuseFor }}
				r := newRecorder(s, quiet)
				for _, c := range tt.calls {
					r.add(c)
				}
				time.Sleep(30 * time.Second)
				synctest.Wait()
				equal(t, "lost at first", r.lost.Load(), int64(tt.lostInFirst30Sec))
				time.Sleep(30 * time.Second)
				for _, c := range tt.later {
					r.add(c)
				}
				time.Sleep(30 * time.Second)
				synctest.Wait()
				calls, rollups, uses := s.recorded()
				sum := int64(0)
				for i := range rollups {
					if rollups[i].Step == Hour {
						sum += rollups[i].Calls
					}
				}
				equal(t, "stored", len(calls), tt.stored)
				equal(t, "in the sums", sum, int64(tt.stored))
				equal(t, "uses", len(uses), tt.uses)
				equal(t, "lost", r.lost.Load(), int64(tt.lost))
				closeWithin(t, r, time.Second, nil)
			})
		})
	}
}

func times(n int, c pendingCall) []pendingCall {
	calls := make([]pendingCall, n)
	for i := range calls {
		calls[i] = c
		calls[i].id = newDecisionID(c.at)
	}
	return calls
}

func TestRecorderClose(t *testing.T) {
	t.Run("it stores what waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &noStore{}
			r := newRecorder(s, quiet)
			for range 2500 {
				r.add(call("tok", 1, now, nil))
			}
			closeWithin(t, r, time.Second, nil)
			closeWithin(t, r, time.Second, nil) // again is fine
			if calls, _, _ := s.recorded(); len(calls) != 2500 {
				t.Errorf("got %d calls, want 2500", len(calls))
			}
		})
	})
	t.Run("it ends with its context when storage is gone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &noStore{fail: func(int) error { return ErrUnavailable }}
			r := newRecorder(s, quiet)
			r.add(call("tok", 1, now, nil))
			began := time.Now()
			closeWithin(t, r, 10*time.Second, context.DeadlineExceeded)
			if took := time.Since(began); took != 10*time.Second {
				t.Errorf("took %v, want 10 s", took)
			}
			<-r.done // the writer ends too
		})
	})
	t.Run("it lets those in who wait for room", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &noStore{fail: func(int) error { return ErrUnavailable }}
			r := newRecorder(s, quiet)
			var wg sync.WaitGroup
			for range 3 * recordAtMost {
				wg.Go(func() { r.add(call("tok", 1, now, nil)) })
			}
			time.Sleep(time.Second)
			closeWithin(t, r, time.Second, context.DeadlineExceeded)
			wg.Wait() // hangs, if somebody waits for ever
		})
	})
}

func TestRecorderSums(t *testing.T) {
	r := newBatcher()
	midnight := now.Truncate(day)
	calls := []pendingCall{
		call("a", 1, now, nil),
		call("a", 2, now.Add(time.Minute), nil),
		call("a", 1, now, func(c *pendingCall) { c.Duration = time.Second }),
		call("a", 1, now, func(c *pendingCall) { c.Status = 404 }),
		call("a", 1, now, func(c *pendingCall) { c.Method = "POST" }),
		call("b", 1, now, nil),
		call("a", 1, now.Add(time.Hour), nil),
		call("a", 1, midnight.Add(-1), nil), // yesterday
		call("a", 1, midnight.In(time.FixedZone("", 3600)), nil),
		call("a", 1, now, func(c *pendingCall) { c.token = &Token{ID: "a", Team: "tea_2"} }), // ids are unique, but tenants stay apart
	}
	b := r.batch(calls)
	type key struct {
		team, token, route string
		status             int
		step               Step
		at                 time.Time
	}
	got := map[key]int64{}
	for _, sum := range b.Rollups {
		k := key{sum.Team, sum.Token, sum.Route, sum.Status, sum.Step, sum.At}
		if got[k] != 0 {
			t.Errorf("got %+v twice in one batch", k)
		}
		got[k] = sum.Calls
		var inBuckets int64
		for _, n := range sum.Bucket {
			inBuckets += n
		}
		if inBuckets != sum.Calls {
			t.Errorf("%+v: got %d calls by latency, want %d", k, inBuckets, sum.Calls)
		}
	}
	hour, orders := now.Truncate(time.Hour), "GET /api/v1/orders"
	equal(t, "sums", got, map[key]int64{
		{"tea_1", "a", orders, 200, Hour, hour}:                     3,
		{"tea_1", "a", orders, 404, Hour, hour}:                     1,
		{"tea_1", "a", "POST /api/v1/orders", 200, Hour, hour}:      1,
		{"tea_1", "b", orders, 200, Hour, hour}:                     1,
		{"tea_1", "a", orders, 200, Hour, hour.Add(time.Hour)}:      1,
		{"tea_1", "a", orders, 200, Hour, midnight.Add(-time.Hour)}: 1,
		{"tea_1", "a", orders, 200, Hour, midnight}:                 1,
		{"tea_2", "a", orders, 200, Hour, hour}:                     1,
	})
	for i, c := range b.Calls {
		if c.ID != calls[i].id.String() || c.At != calls[i].at || c.Generation != calls[i].generation || c.Code != OK {
			t.Errorf("call %d: got %+v", i, c)
		}
	}
}

// The last use of a generation is written at most once a minute, and only where
// the secret was accepted.
func TestRecorderUses(t *testing.T) {
	r := newBatcher()
	uses := func(calls ...pendingCall) string {
		var list []string
		for _, u := range r.batch(calls).Uses {
			list = append(list, fmt.Sprintf("%s %d %s %s", u.Token, u.Generation, u.At.Sub(now), u.Address))
		}
		return strings.Join(list, ", ")
	}
	code := func(code Code) func(*pendingCall) { return func(c *pendingCall) { c.code = code } }
	for _, tt := range []struct {
		name  string
		calls []pendingCall
		want  string
	}{
		{"the first", []pendingCall{call("a", 1, now, nil)}, "a 1 0s 203.0.113.9"},
		{"again at once", []pendingCall{call("a", 1, now, nil), call("a", 1, now.Add(time.Minute-1), nil)}, ""},
		{"two within a batch, a minute apart", []pendingCall{call("z", 1, now, nil), call("z", 1, now.Add(time.Minute), nil)}, "z 1 1m0s 203.0.113.9"},
		{"another generation", []pendingCall{call("a", 2, now.Add(time.Second), nil)}, "a 2 1s 203.0.113.9"},
		{"after a minute", []pendingCall{call("a", 1, now.Add(time.Minute), nil)}, "a 1 1m0s 203.0.113.9"},
		{"an ability is missing", []pendingCall{call("c", 1, now, code(Insufficient))}, "c 1 0s 203.0.113.9"},
		{"the limit is reached", []pendingCall{call("d", 1, now, code(RateLimited))}, "d 1 0s 203.0.113.9"},
		{"without an address", []pendingCall{call("e", 1, now, func(c *pendingCall) { c.Address = netip.Addr{} })}, "e 1 0s "},
		{"expired", []pendingCall{call("x", 1, now, code(Expired))}, ""},
		{"revoked", []pendingCall{call("x", 1, now, code(Revoked))}, ""},
		{"suspended", []pendingCall{call("x", 1, now, code(Suspended))}, ""},
		{"not begun", []pendingCall{call("x", 1, now, code(NotYetValid))}, ""},
		{"a dead secret", []pendingCall{call("x", 1, now, code(GenerationEnded))}, ""},
		{"the maker is gone", []pendingCall{call("x", 1, now, code(MakerGone))}, ""},
		{"a stranger's address", []pendingCall{call("x", 1, now, code(AddressDenied))}, ""},
	} {
		if got := uses(tt.calls...); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What is lost at the end is counted and said: what waits, what the writer has in
// hand, and what comes too late.
func TestRecorderSaysWhatIsLostAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := &noStore{fail: func(int) error { return ErrUnavailable }}
		r := newRecorder(s, slog.New(slog.NewTextHandler(&log, nil)))
		for range 10 {
			r.add(call("tok", 1, now, nil))
		}
		time.Sleep(time.Second) // the writer has them
		for range 5 {
			r.add(call("tok", 1, now, nil))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := r.close(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "15 calls") || r.lost.Load() != 15 {
			t.Errorf("got %v and %d lost, want 15 named", err, r.lost.Load())
		}
		if !strings.Contains(log.String(), `msg="calls were not recorded before the end" calls=15`) {
			t.Errorf("got the log %s", log.String())
		}
		<-r.done
		r.add(call("tok", 1, now, nil))
		if n := r.lost.Load(); n != 16 || r.queued() > 5 {
			t.Errorf("got %d lost and %d that wait for nobody, want 16", n, r.queued())
		}
	})
}
