package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// recorder is a deliverer that answers what it is told to.
type recorder struct {
	answer func(l Letter) error

	mu   sync.Mutex
	sent []string // subjects that were taken
	at   []time.Time
}

func (r *recorder) Deliver(ctx context.Context, l Letter) error {
	r.mu.Lock()
	r.at = append(r.at, time.Now())
	r.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.answer != nil {
		if err := r.answer(l); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, l.Subject)
	return nil
}

func letter(n int) portal.Message {
	return portal.Message{To: "ada@example.com", Subject: fmt.Sprint(n), Text: "the code is s3cr3t"}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// A server that took a letter and could not say so gets it again, as the same.
func TestALetterKeepsItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		r := &recorder{answer: func(l Letter) error {
			m, err := compose("Gatehouse <gatehouse@example.com>", l)
			if err != nil {
				return err
			}
			if ids = append(ids, m.GetMessageID()); len(ids)%3 != 0 {
				return errors.New("the connection broke")
			}
			return nil
		}}
		q := newQueue(r, quiet(), 10, 1, queueRetries)
		for i := range 2 {
			if err := q.Send(t.Context(), letter(i)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if err := q.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(ids) != 6 || ids[0] != ids[1] || ids[1] != ids[2] || ids[3] != ids[5] || ids[0] == ids[3] {
			t.Errorf("got the ids %q, want one for each letter", ids)
		}
		if !strings.HasSuffix(ids[0], "@example.com>") {
			t.Errorf("got the id %s, want one in the sender's domain", ids[0])
		}
	})
}

func TestQueueDeliversAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		q := newQueue(r, quiet(), 100, 3, queueRetries)
		for i := range 50 {
			if err := q.Send(t.Context(), letter(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := q.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(r.sent) != 50 || q.Waiting() != 0 {
			t.Errorf("%d of 50 were delivered, %d wait", len(r.sent), q.Waiting())
		}
		if err := q.Send(t.Context(), letter(0)); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: got %v, want %v", err, ErrClosed)
		}
	})
}

func TestQueueTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		r := &recorder{answer: func(Letter) error {
			if tries++; tries < 4 {
				return errors.New("greylisted")
			}
			return nil
		}}
		q := newQueue(r, quiet(), 10, 1, []time.Duration{time.Second, 5 * time.Second, 30 * time.Second})
		if err := q.Send(t.Context(), letter(1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(r.sent) != 1 || len(r.at) != 4 || r.at[3].Sub(r.at[0]) != 36*time.Second {
			t.Errorf("got %d deliveries after tries at %v", len(r.sent), r.at)
		}
		if q.Delivered() != 1 || q.Failed() != 0 {
			t.Errorf("got %d delivered and %d failed, want 1 and 0", q.Delivered(), q.Failed())
		}
		if err := q.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestQueueGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		tries := map[string]int{}
		r := &recorder{answer: func(l Letter) error {
			tries[l.Subject]++
			switch l.Subject {
			case "1":
				return fmt.Errorf("%w: no such user", ErrRefused)
			case "2":
				panic("as asked")
			}
			return errors.New("down")
		}}
		q := newQueue(r, slog.New(slog.NewJSONHandler(&log, nil)), 10, 1, []time.Duration{time.Second, time.Second})
		for i := 1; i <= 3; i++ {
			if err := q.Send(t.Context(), letter(i)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if q.Delivered() != 0 || q.Failed() != 3 {
			t.Errorf("got %d delivered and %d failed, want 0 and 3", q.Delivered(), q.Failed())
		}
		synctest.Wait()
		if tries["1"] != 1 || tries["2"] != 1 || tries["3"] != 3 || q.Waiting() != 0 {
			t.Errorf("got tries %v, %d wait; want 1, 1 and 3", tries, q.Waiting())
		}
		if err := q.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if strings.Contains(log.String(), "s3cr3t") || !strings.Contains(log.String(), "mail not delivered") {
			t.Errorf("the log: %s", log.String())
		}
	})
}

// A mail server that hangs must neither hold a request up nor fill the memory.
func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &recorder{answer: func(Letter) error { <-release; return nil }}
		q := newQueue(r, quiet(), 5, 2, queueRetries)
		began := time.Now()
		for i := range 5 {
			if err := q.Send(t.Context(), letter(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := q.Send(t.Context(), letter(6)); !errors.Is(err, ErrFull) {
			t.Errorf("got %v, want %v", err, ErrFull)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("sending took %v", took)
		}
		close(release)
		if err := q.Close(t.Context()); err != nil || len(r.sent) != 5 {
			t.Errorf("got %v, and %d of 5 were delivered", err, len(r.sent))
		}
	})
}

func TestCloseHurriesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		r := &recorder{answer: func(Letter) error {
			if !up.Load() {
				return errors.New("down")
			}
			return nil
		}}
		q := newQueue(r, quiet(), 10, 1, []time.Duration{time.Hour})
		if err := q.Send(t.Context(), letter(1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		up.Store(true)
		began := time.Now()
		if err := q.Close(t.Context()); err != nil || len(r.sent) != 1 || time.Since(began) != 0 {
			t.Errorf("got %v, %d deliveries after %v", err, len(r.sent), time.Since(began))
		}
	})
}

func TestCloseGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		q := newQueue(deliverFunc(func(ctx context.Context, _ Letter) error {
			select {
			case <-hang:
			case <-ctx.Done():
			}
			return ctx.Err()
		}), quiet(), 10, 1, queueRetries)
		for i := range 3 {
			if err := q.Send(t.Context(), letter(i)); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		if err := q.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

type deliverFunc func(ctx context.Context, l Letter) error

func (f deliverFunc) Deliver(ctx context.Context, l Letter) error { return f(ctx, l) }
