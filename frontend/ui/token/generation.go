package token

import (
	"slices"
	"time"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// Span is one secret of a token as a bar on a timeline.
type Span struct {
	Generation api.Generation
	From, To   time.Time // To is zero if no end is known
	Says       string    // who uses it, and until when it works
}

// Timeline is how the secrets of a token lie in time.
type Timeline struct {
	From, To time.Time
	Spans    []Span // newest first
	Rotating bool   // two secrets work, or one waits for its first use
	Pending  bool   // one waits: the rotation can be undone
}

// TimelineOf lays out the secrets that work, or, if none does, the newest. The
// window shows what matters: around a rotation the overlap, not a whole year.
func TimelineOf(t api.Token, now time.Time) Timeline {
	var tl Timeline
	ended := t.Status == api.TokenRevoked || t.Status == api.TokenExpired
	for i := len(t.Generations) - 1; i >= 0; i-- {
		g := t.Generations[i]
		works := g.Status == api.GenerationPending || g.Status == api.GenerationActive || g.Status == api.GenerationRetiring
		if !works && (len(tl.Spans) > 0 || g.Status == api.GenerationCancelled && i > 0) {
			continue
		}
		s := Span{Generation: g, From: g.CreatedAt.Time, To: g.EndsAt.Time, Says: says(g, now)}
		if s.To.IsZero() {
			s.To = t.ExpiresAt.Time
		}
		if ended {
			s.To, s.Says = end(t), lastUse(g, now, "Never used.")
		}
		tl.Spans = append(tl.Spans, s)
		tl.Pending = tl.Pending || g.Status == api.GenerationPending
	}
	if ended {
		tl.Pending = false
	}
	tl.Rotating = len(tl.Spans) > 1 && !ended
	tl.window(t, now)
	return tl
}

// end is when a token that is over ended.
func end(t api.Token) time.Time {
	if !t.RevokedAt.IsZero() {
		return t.RevokedAt.Time
	}
	return t.ExpiresAt.Time
}

// window sets the ends of the timeline.
func (tl *Timeline) window(t api.Token, now time.Time) {
	if len(tl.Spans) == 0 {
		tl.From, tl.To = t.CreatedAt.Time, now
		return
	}
	newest := tl.Spans[0]
	tl.From, tl.To = newest.From, newest.To
	if tl.Rotating {
		old := tl.Spans[1].Generation
		begun, over := newest.From, now
		if !old.EndsAt.IsZero() && old.EndsAt.After(over) {
			over = old.EndsAt.Time
		}
		// What happens now fills half of the width, with room before and after.
		margin := max(over.Sub(begun)/2, time.Hour)
		tl.From, tl.To = begun.Add(-margin), over.Add(margin)
		return
	}
	if tl.To.IsZero() {
		tl.To = now.Add(max(now.Sub(tl.From)/4, day))
	}
	if !tl.To.After(tl.From) {
		tl.To = tl.From.Add(time.Hour)
	}
}

// says tells who uses a secret, and until when it works.
func says(g api.Generation, now time.Time) string {
	switch g.Status {
	case api.GenerationPending:
		old := "which stops with its first call."
		if g.OverlapSeconds > 0 {
			old = "which goes on working for " + kit.Duration(time.Duration(g.OverlapSeconds)*time.Second) + " after its first call."
		}
		return "Not used yet. Put it in place of the old secret, " + old
	case api.GenerationRetiring:
		left := "Stops working in " + kit.Duration(g.EndsAt.Sub(now)) + ", on " + bridge.FormatDate(g.EndsAt.Time, bridge.Minute) + ". "
		if !g.LastUsedAt.IsZero() && now.Sub(g.LastUsedAt.Time) < time.Hour {
			left += "Still in use: l"
			return left + lastUse(g, now, "")[1:]
		}
		return left + lastUse(g, now, "Never used.")
	case api.GenerationRetired, api.GenerationCancelled:
		return "Does not work any more. " + lastUse(g, now, "Never used.")
	}
	return lastUse(g, now, "Not used yet.")
}

// lastUse says who used a secret last.
func lastUse(g api.Generation, now time.Time, never string) string {
	if g.LastUsedAt.IsZero() {
		return never
	}
	s := "Last used " + kit.Ago(now.Sub(g.LastUsedAt.Time)) + from(g.LastUsedFrom)
	if g.LastClient != nil && *g.LastClient != "" {
		s += " by " + ClientName(*g.LastClient)
	}
	return s + "."
}

// EndRotation returns a token as the end of its rotation will leave it: with the
// old secret alone if it is undone, else with the newest.
func EndRotation(t api.Token, undo bool, now time.Time) api.Token {
	t.Generations = slices.Clone(t.Generations)
	for i := range t.Generations {
		switch g := &t.Generations[i]; {
		case g.Status == api.GenerationPending && undo:
			g.Status, g.EndsAt = api.GenerationCancelled, api.At(now)
		case g.Status == api.GenerationPending:
			g.Status, g.ActivatedAt = api.GenerationActive, api.At(now)
		case !undo && i < len(t.Generations)-1 && (g.Status == api.GenerationActive || g.Status == api.GenerationRetiring):
			g.Status, g.EndsAt = api.GenerationRetired, api.At(now)
		}
	}
	return t
}

// Overlaps are the lengths of time for which the old secret can go on working
// after the new one was first used, as seconds with their words.
func Overlaps(p api.TokenPolicy) []kit.Option {
	all := []struct {
		seconds int
		text    string
	}{{0, "None"}, {3600, "1 hour"}, {86400, "1 day"}, {3 * 86400, "3 days"}, {7 * 86400, "7 days"}}
	var out []kit.Option
	for _, o := range all {
		if o.seconds <= p.MaxOverlapSeconds || o.seconds == 0 {
			out = append(out, kit.Option{Value: itoa(o.seconds), Text: o.text})
		}
	}
	return out
}
