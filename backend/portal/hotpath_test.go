package portal

import (
	"context"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/ability"
)

// hotPath is a portal with n tokens in memory and what a request brings.
type hotPath struct {
	portal  *Portal
	secrets []string
	need    ability.Set
	next    int
}

func newHotPath(t testing.TB, n int) *hotPath {
	records := memoryRecords{}
	h := &hotPath{portal: newPortal(t, records)}
	h.portal.recorder.store.(*noStore).forget = true
	for range n {
		tok, text := newToken(h.portal, func(t *Token) {
			t.Addresses = prefixes("192.0.2.0/24", "203.0.113.0/24")
			t.RateLimit = RateLimit{1_000_000, time.Second}
		})
		records[tok.ID] = tok
		h.secrets = append(h.secrets, text)
	}
	h.need = h.portal.Catalogue().Index().Set([]string{"orders:read"})
	return h
}

var (
	hotAddress = addr("203.0.113.9")
	hotAt      = now
)

// request does all that the rules do for one request of an integration.
func (h *hotPath) request(code Code) Decision {
	h.next++
	d := h.portal.Decide(context.Background(), &Ask{
		Secret: h.secrets[h.next%len(h.secrets)], Need: h.need, Address: hotAddress, UserAgent: "erp/1.2", At: hotAt,
	})
	if d.Code != code {
		panic("got " + d.Code + ", want " + code)
	}
	h.portal.Record(&d, Recorded{
		Method: "GET", Route: "/api/v1/orders", Status: 200, Duration: time.Millisecond, Bytes: 512, Address: hotAddress,
		UserAgent: "erp/1.2", RequestID: "01JD8R2T7QV6W5T6QX1M3N4P5R",
	})
	return d
}

func BenchmarkDecide(b *testing.B) {
	h := newHotPath(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		h.next++
		ask := Ask{Secret: h.secrets[h.next%len(h.secrets)], Need: h.need, Address: hotAddress, At: hotAt}
		if d := h.portal.Decide(context.Background(), &ask); d.Code != OK {
			b.Fatal(d.Code)
		}
	}
}

func BenchmarkDecideAndRecord(b *testing.B) {
	h := newHotPath(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		h.request(OK)
	}
}

func BenchmarkDecideParallel(b *testing.B) {
	h := newHotPath(b, 1000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			ask := Ask{Secret: h.secrets[i%len(h.secrets)], Need: h.need, Address: hotAddress, At: hotAt}
			if d := h.portal.Decide(context.Background(), &ask); d.Code != OK {
				b.Fatal(d.Code)
			}
		}
	})
}

func BenchmarkRefuseGarbage(b *testing.B) {
	h := newHotPath(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		ask := Ask{Secret: "gtk_live_garbage", Need: h.need, Address: hotAddress, At: hotAt}
		if d := h.portal.Decide(context.Background(), &ask); d.Code != InvalidToken {
			b.Fatal(d.Code)
		}
	}
}

func BenchmarkLimiter(b *testing.B) {
	l, limit := newLimiter(), RateLimit{1_000_000, time.Second}
	b.ReportAllocs()
	for b.Loop() {
		l.take("7Hq2LmZx9RtB", limit, hotAt)
	}
}

func BenchmarkBatch(b *testing.B) {
	r := newBatcher()
	calls := make([]pendingCall, recordAtOnce)
	for i := range calls {
		calls[i] = call("tok", 1, hotAt, nil)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.batch(calls)
	}
}
