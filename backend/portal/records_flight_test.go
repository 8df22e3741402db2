package portal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestCoalescerInFlight(t *testing.T) {
	for _, tt := range []struct {
		name string
		trip time.Duration
		want int
	}{
		{"near", farAway, nearInFlight},
		{"far", farAway + 1, farInFlight},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slowStore{trip: tt.trip}
				c := NewCoalescer(s, time.Minute)
				if _, err := c.Record(context.Background(), "tok"); err != nil { // learns the round trip
					t.Fatal(err)
				}
				s.mu.Lock()
				s.trip = 0
				s.mu.Unlock()
				var all []<-chan found
				for i := range 20 * maxBatch {
					all = append(all, ask(context.Background(), c, fmt.Sprint(i)))
				}
				for len(all) > 0 {
					synctest.Wait()
					under := 0
					for _, q := range s.began()[1:] {
						if len(q.answer) == 0 && !q.done() {
							under++
						}
					}
					if under > tt.want || under < tt.want && len(c.waiting) > 0 {
						t.Fatalf("got %d queries under way with %d waiting, want %d", under, len(c.waiting), tt.want)
					}
					for _, q := range s.began()[1:] {
						q.finish()
					}
					synctest.Wait()
					all = slices.DeleteFunc(all, func(answer <-chan found) bool { return len(answer) == 1 })
				}
			})
		})
	}
}

func TestCoalescerStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		c := NewCoalescer(s, time.Minute)
		takeSlots(c, "busy")
		for i := range 3 {
			ask(context.Background(), c, fmt.Sprint(i))
			synctest.Wait()
		}
		if got := c.Stats(); got.InFlight != nearInFlight || got.Waiting != 3 || got.Queries != 0 {
			t.Errorf("under way: got %+v", got)
		}
		s.began()[0].answer <- errors.New("no")
		synctest.Wait() // those that waited are asked for together
		for _, q := range s.began()[1:] {
			time.Sleep(time.Millisecond)
			q.answer <- nil
		}
		synctest.Wait()
		want := LookupStats{Queries: 3, Tokens: 5, Sizes: [len(LookupSizes)]int64{2, 0, 1}, Trip: 2*lateAfter + time.Millisecond}
		if got := c.Stats(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// done and finish are for a query whose answer was sent already.
func (q *slowQuery) done() bool { return q.rev < 0 }

func (q *slowQuery) finish() {
	if !q.done() {
		q.rev = -1
		q.answer <- nil
	}
}

// Slots open for those who wait, too: with a queue that is never empty nobody
// else would ever open them.
func TestCoalescerOpensSlotsWhileOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		c := NewCoalescer(s, time.Minute)
		takeSlots(c, "busy")
		for range 8 {
			ask(context.Background(), c, "tok")
			synctest.Wait()
		}
		if n := len(s.began()); n != nearInFlight {
			t.Fatalf("got %d queries, want %d", n, nearInFlight)
		}
		c.mu.Lock()
		c.trip = time.Millisecond // the database turned out to be far
		c.mu.Unlock()
		for range 3 {
			ask(context.Background(), c, "tok")
			synctest.Wait()
		}
		if n := len(s.began()); n <= nearInFlight {
			t.Errorf("got %d queries, want more now", n)
		}
		for c.inFlight > 0 {
			for _, q := range s.began() {
				q.finish()
			}
			synctest.Wait()
		}
	})
}

// Callers that come at the same moment share one query, also the first of them.
func TestCoalescerGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{trip: ms}
		c := NewCoalescer(s, time.Minute)
		var all []<-chan found
		for i := range 10 {
			all = append(all, ask(context.Background(), c, fmt.Sprint(i)))
		}
		for i, answer := range all {
			if got := <-answer; got.err != nil || got.token.ID != fmt.Sprint(i) {
				t.Errorf("caller %d got %+v", i, got)
			}
		}
		if n := len(s.began()); n > 2 { // two cores may both begin one
			t.Errorf("got %d queries, want the callers to share", n)
		}
	})
}

// A database nearby gets one query after the other, unless one is late.
func TestCoalescerNearDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		c := NewCoalescer(s, time.Minute)
		more := func(callers, queries int) {
			t.Helper()
			for i := range callers {
				ask(context.Background(), c, fmt.Sprint(i))
			}
			synctest.Wait()
			if got := len(s.began()); got != queries {
				t.Fatalf("got %d queries, want %d", got, queries)
			}
		}
		more(1, 1)
		more(8, 1)
		s.began()[0].answer <- nil
		more(0, 2) // the eight are asked for
		more(8, 2)
		time.Sleep(lateAfter)
		more(0, 3) // the other eight wait no longer
		s.began()[2].answer <- nil
		more(0, 3)
		more(1, 4)          // the late one is still under way
		more(2*maxBatch, 4) // both slots are taken
		s.began()[3].answer <- nil
		more(0, 5)
		s.began()[1].answer <- nil
		more(0, 6)
		for c.inFlight > 0 {
			for _, q := range s.began() {
				q.finish()
			}
			synctest.Wait()
		}
		if c.late != 0 {
			t.Errorf("got %d late ones, want none left", c.late)
		}
		s = &slowStore{}
		c = NewCoalescer(s, time.Minute)
		more(1, 1)
		more(2*maxBatch, 2) // too many for the next query
		for c.inFlight > 0 {
			for _, q := range s.began() {
				q.finish()
			}
			synctest.Wait()
		}
	})
}

// A round trip is measured as the shortest of many: load does not make the
// database look far.
func TestCoalescerMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{trip: 100 * time.Microsecond}
		c := NewCoalescer(s, time.Minute)
		record := func(trip time.Duration) {
			s.mu.Lock()
			s.trip = trip
			s.mu.Unlock()
			if _, err := c.Record(context.Background(), "tok"); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 10 * tripWindow {
			record(map[bool]time.Duration{true: 100 * time.Microsecond, false: 5 * time.Millisecond}[i%10 == 0])
			if c.slots() != nearInFlight {
				t.Fatalf("query %d: the database looks far", i)
			}
		}
		for range 2 * tripWindow { // it moved to another continent
			record(50 * time.Millisecond)
		}
		if c.slots() != farInFlight {
			t.Error("the database still looks near")
		}
	})
}

func TestCoalescerCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{}
		c := NewCoalescer(s, time.Minute)
		ctx, cancel := context.WithCancel(context.Background())
		takeSlots(c, "busy")
		for range maxWaiting {
			go c.Record(ctx, "tok")
		}
		synctest.Wait()
		_, err := c.Record(context.Background(), "one too many")
		if !errors.Is(err, ErrUnavailable) || KindOf(err) != Busy {
			t.Errorf("got %v, want to be refused at once", err)
		}
		cancel()
		for c.inFlight > 0 {
			for _, q := range s.began() {
				q.finish()
			}
			synctest.Wait()
		}
	})
}
