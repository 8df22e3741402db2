//go:build !race

package portal

import (
	"testing"
	"time"
)

// TestHotPathAllocates nothing: parse, compare, decide, limit and record, with
// what the writer does for each call spread over its batch. It is not part of a
// build with the race detector, which allocates by itself.
func TestHotPathAllocates(t *testing.T) {
	tests := []struct {
		name  string
		setup func(h *hotPath)
		want  Code
	}{
		{"an allowed request", func(*hotPath) {}, OK},
		{"a refused ability", func(h *hotPath) { h.need = h.portal.Catalogue().Index().Set([]string{"orders:write"}) }, Insufficient},
		{"an unknown token", func(h *hotPath) { clear(h.portal.records.(memoryRecords)) }, InvalidToken},
		{"garbage", func(h *hotPath) { h.secrets = []string{"gtk_live_garbage"} }, InvalidToken},
		{"a limit that is reached", func(h *hotPath) {
			for _, tok := range h.portal.records.(memoryRecords) {
				tok.RateLimit = RateLimit{1, time.Hour}
			}
		}, RateLimited},
		{"a token that has expired", func(h *hotPath) {
			for _, tok := range h.portal.records.(memoryRecords) {
				tok.ExpiresAt = hotAt
			}
		}, Expired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHotPath(t, 100)
			for range 2 * len(h.secrets) { // the limiter knows all tokens, the recorder has its buffers
				h.request(OK)
			}
			tt.setup(h)
			for range 50_000 {
				h.request(tt.want)
			}
			got := testing.AllocsPerRun(20_000, func() { h.request(tt.want) })
			if got != 0 {
				t.Errorf("got %v allocations a request, want 0", got)
			}
		})
	}
}
