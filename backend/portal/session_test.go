package portal

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

func TestSlowness(t *testing.T) {
	for _, tt := range []struct {
		failed int64
		want   time.Duration
	}{{0, 0}, {99, 0}, {100, 250 * ms}, {101, 500 * ms}, {118, 4750 * ms}, {119, 5 * time.Second}, {120, 5 * time.Second}, {1 << 62, 5 * time.Second}} {
		if got := slowness(tt.failed); got != tt.want {
			t.Errorf("after %d failures: got %v, want %v", tt.failed, got, tt.want)
		}
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := sleep(context.Background(), time.Second); err != nil || time.Since(began) != time.Second {
			t.Errorf("got %v after %v, want a second", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if err := sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the request", err)
		}
	})
}

func TestEmailKey(t *testing.T) {
	for email, want := range map[string]string{
		" Ada@Example.COM\t":      "ada@example.com",
		"ada@example.com":         "ada@example.com",
		"\u212aim@example.com":    "\u212aim@example.com", // the Kelvin sign is not the k of kim
		"\u0130da@example.com":    "\u0130da@example.com", // nor İ the i of ida
		"Élodie@example.com":      "Élodie@example.com",   // another server's mailbox may differ from élodie
		"ada@MÜNCHEN.example":     "ada@münchen.example",
		"ada@\u212aelvin.example": "ada@\u212aelvin.example",
		"ada@\u0130zmir.example":  "ada@\u0130zmir.example",
		`"A@B"@Example.com`:       `"a@b"@example.com`,
		"":                        "",
		"NOBODY":                  "nobody",
		"\xff@X":                  "\ufffd@x",
	} {
		if got := EmailKey(email); got != want {
			t.Errorf("%q: got %q, want %q", email, got, want)
		}
	}
}

func TestHashingIsBusy(t *testing.T) {
	err := hashing(secret.ErrBusy)
	e := (*Error)(nil)
	if !asError(err, &e) || e.Kind != Busy || e.RetryAfter <= 0 || e.Fix == "" {
		t.Errorf("got %v, want busy, with when to try again", err)
	}
	fault := errors.New("fault")
	if got := hashing(fault); got != fault {
		t.Errorf("got %v, want %v", got, fault)
	}
	if got := hashing(nil); got != nil {
		t.Errorf("got %v, want nil", got)
	}
}

func TestCursorAt(t *testing.T) {
	tok := Token{ID: "id", Name: "ERP", CreatedAt: now, LastUsedAt: now.Add(1), ExpiresAt: now.Add(2)}
	for sort, want := range map[TokenSort]TokenCursor{
		NewestFirst: {Time: now, ID: "id"},
		ByName:      {Name: "ERP", ID: "id"},
		ByLastUse:   {Time: now.Add(1), ID: "id"},
		ByExpiry:    {Time: now.Add(2), ID: "id"},
	} {
		if got := *cursorAt(tok, sort); got != want {
			t.Errorf("%s: got %+v, want %+v", sort, got, want)
		}
	}
}

func TestPageLimit(t *testing.T) {
	for asked, want := range map[int]int{-1: 50, 0: 50, 1: 1, 100: 100, 101: 100, 1 << 40: 100} {
		if got := pageLimit(asked); got != want {
			t.Errorf("%d: got %d, want %d", asked, got, want)
		}
	}
}

func TestRecently(t *testing.T) {
	var r recently[int]
	if _, ok := r.get("a", now); ok {
		t.Error("got what was never put")
	}
	r.put("a", 7, now.Add(time.Second))
	if v, ok := r.get("a", now.Add(time.Second-1)); !ok || v != 7 {
		t.Errorf("got %d, %v, want 7", v, ok)
	}
	if _, ok := r.get("a", now.Add(time.Second)); ok {
		t.Error("got what is over")
	}
	r.forget("a")
	if _, ok := r.get("a", now); ok {
		t.Error("got what was forgotten")
	}
	for i := range 3 * maxRecently {
		r.put(string(rune(i)), i, now)
		if len(r.known) > maxRecently {
			t.Fatalf("got %d keys, want at most %d", len(r.known), maxRecently)
		}
	}
}
