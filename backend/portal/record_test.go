package portal

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// Who holds the secret of a token cannot fill the database with calls that are
// refused, because it is dead or beyond its limit.
func TestRefusedCallsAreBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Token)
		want   Code
		bound  bool
	}{
		"living":        {func(*Token) {}, OK, false},
		"limited":       {func(t *Token) { t.RateLimit = RateLimit{1, time.Hour} }, RateLimited, true},
		"revoked":       {func(t *Token) { t.RevokedAt = now.Add(-ms) }, Revoked, true},
		"expired":       {func(t *Token) { t.ExpiresAt = now }, Expired, true},
		"suspended":     {func(t *Token) { t.SuspendedAt = now.Add(-ms) }, Suspended, true},
		"not yet valid": {func(t *Token) { t.NotBefore = now.Add(ms) }, NotYetValid, true},
		"orphaned":      {func(t *Token) { t.Standing.MakerRole = "" }, MakerGone, true},
	} {
		t.Run(name, func(t *testing.T) {
			records := memoryRecords{}
			p := newPortal(t, records)
			tok, text := newToken(p, func(t *Token) { t.RateLimit = RateLimit{1_000_000, time.Minute}; tt.change(t) })
			other, otherText := newToken(p, func(t *Token) { t.RevokedAt = now.Add(-ms) })
			records[tok.ID], records[other.ID] = tok, other
			p.alarms.put("dead-secret|"+tok.ID+"|203.0.113.9/32", new(atomic.Int64), now.Add(time.Hour))
			p.alarms.put("dead-secret|"+other.ID+"|203.0.113.9/32", new(atomic.Int64), now.Add(time.Hour))
			ask := func(text string, at time.Time, want Code) {
				t.Helper()
				d := p.Decide(t.Context(), &Ask{Secret: text, Address: addr("203.0.113.9"), At: at})
				if d.Code != want {
					t.Fatalf("got %s, want %s", d.Code, want)
				}
				p.Record(&d, Recorded{Method: "GET", Status: 401})
			}
			if tt.want == RateLimited {
				ask(text, now, OK)
			}
			for range 1500 {
				ask(text, now, tt.want)
			}
			ask(otherText, now, Revoked)
			wantLost := int64(0)
			if tt.bound {
				wantLost = 900
			}
			if got := p.UnrecordedCalls(); got != wantLost {
				t.Errorf("got %d calls that were not recorded, want %d", got, wantLost)
			}
			if tt.want == Revoked { // a tenth of a second later there is room for one more
				ask(text, now.Add(100*ms), Revoked)
				ask(text, now.Add(100*ms), Revoked)
				if got := p.UnrecordedCalls(); got != wantLost+1 {
					t.Errorf("got %d calls that were not recorded, want %d", got, wantLost+1)
				}
			}
		})
	}
}

func TestRecordCutsWhatClientsSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &noStore{}
		p := New(Options{Store: s, Catalogue: testCatalogue(), Now: func() time.Time { return now }})
		tok := &Token{ID: "tok", Team: "tea_1"}
		d := Decision{ID: newDecisionID(now), Code: OK, At: now, Token: tok, Generation: &Generation{Number: 3}}
		p.Record(&d, Recorded{UserAgent: strings.Repeat("é", 101) + "\xff", RequestID: "\xffreq" + strings.Repeat("x", 300)})
		p.Record(&d, Recorded{UserAgent: strings.Repeat("x", 199) + "é"})
		p.Record(&Decision{Code: InvalidToken}, Recorded{}) // belongs to nobody
		if n := p.QueuedCalls(); n != 2 {
			t.Errorf("got %d calls, want 2", n)
		}
		closeWithin(t, p.recorder, time.Second, nil)
		calls, _, _ := s.recorded()
		for i, want := range []string{strings.Repeat("é", 100), strings.Repeat("x", 199)} {
			if got := calls[i].UserAgent; got != want || !utf8.ValidString(calls[i].RequestID) || len(calls[i].RequestID) > maxAgentBytes {
				t.Errorf("call %d: got %q and %q", i, got, calls[i].RequestID)
			}
		}
	})
}
