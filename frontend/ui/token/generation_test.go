package token

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func TestTimeline(t *testing.T) {
	at := func(d time.Duration) api.Time { return api.At(now.Add(d)) }
	first := api.Generation{Number: 1, Status: "active", CreatedAt: at(-30 * day), LastUsedAt: at(-time.Minute), LastUsedFrom: text("10.2.3.4"), LastClient: text("curl/8.5 x")}
	tests := []struct {
		name     string
		t        api.Token
		bars     string
		rotating bool
		pending  bool
		from, to time.Duration
		says     string // of the oldest bar
	}{
		{"one secret", api.Token{Status: "active", CreatedAt: at(-30 * day), ExpiresAt: at(60 * day), Generations: []api.Generation{first}}, "1", false, false, -30 * day, 60 * day, "Last used 1 minute ago from 10.2.3.4 by curl/8.5."},
		{"one secret for ever", api.Token{Status: "active", Generations: []api.Generation{first}}, "1", false, false, -30 * day, 7*day + 12*time.Hour, "Last used 1 minute ago from 10.2.3.4 by curl/8.5."},
		{
			"waits for its first use",
			api.Token{Status: "active", Generations: []api.Generation{first, {Number: 2, Status: "pending", CreatedAt: at(-4 * time.Hour)}}},
			"2 1", true, true, -6 * time.Hour, 2 * time.Hour, "Last used 1 minute ago from 10.2.3.4 by curl/8.5.",
		},
		{
			"overlap",
			api.Token{Status: "active", Generations: []api.Generation{
				{Number: 1, Status: "retiring", CreatedAt: at(-30 * day), EndsAt: at(20 * time.Hour), LastUsedAt: at(-time.Minute)},
				{Number: 2, Status: "active", CreatedAt: at(-4 * time.Hour), LastUsedAt: at(-time.Minute)},
			}},
			"2 1", true, false, -16 * time.Hour, 32 * time.Hour, "Stops working in 20 hours, on Nov 23, 2026, 06:00. Still in use: last used 1 minute ago.",
		},
		{
			"overlap, not used any more",
			api.Token{Status: "active", Generations: []api.Generation{
				{Number: 1, Status: "retiring", CreatedAt: at(-30 * day), EndsAt: at(20 * time.Hour)}, {Number: 2, Status: "active", CreatedAt: at(-4 * time.Hour)},
			}},
			"2 1", true, false, -16 * time.Hour, 32 * time.Hour, "Stops working in 20 hours, on Nov 23, 2026, 06:00. Never used.",
		},
		{
			"after a rotation",
			api.Token{Status: "active", ExpiresAt: at(10 * day), Generations: []api.Generation{
				{Number: 1, Status: "retired", CreatedAt: at(-30 * day), EndsAt: at(-5 * day)}, {Number: 2, Status: "cancelled", CreatedAt: at(-7 * day)}, {Number: 3, Status: "active", CreatedAt: at(-6 * day)},
			}},
			"3", false, false, -6 * day, 10 * day, "Not used yet.",
		},
		{
			"revoked while it was rotated",
			api.Token{Status: "revoked", RevokedAt: at(-time.Hour), Generations: []api.Generation{first, {Number: 2, Status: "pending", CreatedAt: at(-4 * time.Hour)}}},
			"2 1", false, false, -4 * time.Hour, -time.Hour, "Last used 1 minute ago from 10.2.3.4 by curl/8.5.",
		},
		{"nothing at all", api.Token{Status: "active", CreatedAt: at(-day)}, "", false, false, -day, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tl := TimelineOf(tt.t, now)
			var bars []string
			says := ""
			for _, s := range tl.Spans {
				bars, says = append(bars, itoa(s.Generation.Number)), s.Says
			}
			if got := strings.Join(bars, " "); got != tt.bars || tl.Rotating != tt.rotating || tl.Pending != tt.pending {
				t.Errorf("got bars %s, rotating %v, pending %v", got, tl.Rotating, tl.Pending)
			}
			if got, want := [2]time.Duration{tl.From.Sub(now), tl.To.Sub(now)}, [2]time.Duration{tt.from, tt.to}; got != want {
				t.Errorf("window: got %v, want %v", got, want)
			}
			if says != tt.says {
				t.Errorf("got %q, want %q", says, tt.says)
			}
			if !tl.To.After(tl.From) {
				t.Error("the window is empty")
			}
		})
	}
}

func TestAPendingSecretSaysWhatBecomesOfTheOldOne(t *testing.T) {
	for seconds, want := range map[int]string{
		0:         "Not used yet. Put it in place of the old secret, which stops with its first call.",
		3600:      "Not used yet. Put it in place of the old secret, which goes on working for 60 minutes after its first call.",
		3 * 86400: "Not used yet. Put it in place of the old secret, which goes on working for 3 days after its first call.",
	} {
		if got := says(api.Generation{Status: api.GenerationPending, OverlapSeconds: seconds}, time.Now()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOverlapsFollowThePolicy(t *testing.T) {
	if got := Overlaps(api.TokenPolicy{MaxOverlapSeconds: 90000}); len(got) != 3 || got[2].Value != "86400" {
		t.Errorf("got %v", got)
	}
	if got := Overlaps(api.TokenPolicy{}); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}
