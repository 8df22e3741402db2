package portal

import (
	"fmt"
	"testing"
	"time"
)

func TestTokenStatus(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Token)
		want   TokenStatus
	}{
		{"plain", func(*Token) {}, StatusActive},
		{"never expires", func(t *Token) { t.ExpiresAt = time.Time{} }, StatusActive},
		{"expires in a moment", func(t *Token) { t.ExpiresAt = now.Add(1) }, StatusActive},
		{"expires now", func(t *Token) { t.ExpiresAt = now }, StatusExpired},
		{"expired", func(t *Token) { t.ExpiresAt = now.Add(-1) }, StatusExpired},
		{"begins now", func(t *Token) { t.NotBefore = now }, StatusActive},
		{"begins in a moment", func(t *Token) { t.NotBefore = now.Add(1) }, StatusPending},
		{"began", func(t *Token) { t.NotBefore = now.Add(-1) }, StatusActive},
		{"suspended", func(t *Token) { t.SuspendedAt = now }, StatusSuspended},
		{"revoked", func(t *Token) { t.RevokedAt = now }, StatusRevoked},
		{"suspended and not begun", func(t *Token) { t.SuspendedAt, t.NotBefore = now, now.Add(1) }, StatusSuspended},
		{"expired and suspended", func(t *Token) { t.ExpiresAt, t.SuspendedAt = now, now }, StatusExpired},
		{"revoked and all else", func(t *Token) { t.RevokedAt, t.ExpiresAt, t.SuspendedAt, t.NotBefore = now, now, now, now.Add(1) }, StatusRevoked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tok := Token{CreatedAt: now.Add(-day), ExpiresAt: now.Add(day)}
			tt.change(&tok)
			if got := tok.Status(now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if got, want := tok.living(now), tt.want != StatusRevoked && tt.want != StatusExpired; got != want {
				t.Errorf("living: got %v, want %v", got, want)
			}
		})
	}
}

func TestGenerationStatus(t *testing.T) {
	tests := []struct {
		name string
		g    Generation
		want GenerationStatus
		dead bool
	}{
		{"new", Generation{}, GenerationPending, false},
		{"used", Generation{ActivatedAt: now}, GenerationActive, false},
		{"ends in a moment", Generation{ActivatedAt: now.Add(-day), EndsAt: now.Add(1)}, GenerationRetiring, false},
		{"ends now", Generation{ActivatedAt: now.Add(-day), EndsAt: now}, GenerationRetired, true},
		{"cancelled", Generation{CancelledAt: now}, GenerationCancelled, true},
	}
	for _, tt := range tests {
		if got := tt.g.Status(now); got != tt.want || tt.g.dead(now) != tt.dead {
			t.Errorf("%s: got %v, dead %v, want %v, %v", tt.name, got, tt.g.dead(now), tt.want, tt.dead)
		}
	}
}

// statuses writes the generations of a token as "1 retired, 2 active".
func statuses(t *Token, at time.Time) string {
	s := ""
	for i := range t.Generations {
		g := &t.Generations[i]
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%d %s", g.Number, g.Status(at))
	}
	return s
}

// rotated adds a generation that waits for its first use.
func rotated(t *Token, overlap time.Duration, at time.Time) {
	if g := t.pending(); g != nil {
		g.CancelledAt = at
	}
	t.addGeneration(Generation{Number: t.Generations[len(t.Generations)-1].Number + 1, CreatedAt: at, Overlap: overlap}, at)
}

func TestGenerations(t *testing.T) {
	type step struct {
		after time.Duration // since the step before
		do    func(t *Token, at time.Time)
		want  string
	}
	wait := func(*Token, time.Time) {}
	rotate := func(overlap time.Duration) func(*Token, time.Time) {
		return func(t *Token, at time.Time) { rotated(t, overlap, at) }
	}
	use := func(number int) func(*Token, time.Time) {
		return func(t *Token, at time.Time) { t.activate(number, at) }
	}
	undo := func(t *Token, at time.Time) { t.pending().CancelledAt = at }
	finish := func(tok *Token, at time.Time) {
		if _, ok := tok.finish(at); !ok {
			t.Error("there was nothing to finish")
		}
	}
	tests := []struct {
		name    string
		expires time.Duration // 0: never
		steps   []step
	}{
		{"the overlap begins at the first use", 0, []step{
			{0, rotate(time.Hour), "1 active, 2 pending"},
			{100 * day, wait, "1 active, 2 pending"},
			{0, use(2), "1 retiring, 2 active"},
			{time.Hour - 1, wait, "1 retiring, 2 active"},
			{1, wait, "1 retired, 2 active"},
		}},
		{"without an overlap the first use ends the old one", 0, []step{
			{0, rotate(0), "1 active, 2 pending"},
			{time.Hour, use(2), "1 retired, 2 active"},
		}},
		{"the overlap ends with the token", 10 * time.Hour, []step{
			{0, rotate(day), "1 active, 2 pending"},
			{time.Hour, use(2), "1 retiring, 2 active"},
			{9*time.Hour - 1, wait, "1 retiring, 2 active"},
			{1, wait, "1 retired, 2 active"},
		}},
		{"a second rotation cancels the one that waits", 0, []step{
			{0, rotate(time.Hour), "1 active, 2 pending"},
			{0, rotate(time.Hour), "1 active, 2 cancelled, 3 pending"},
			{0, use(3), "1 retiring, 2 cancelled, 3 active"},
		}},
		{"a second rotation within the overlap ends the oldest when it begins", 0, []step{
			{0, rotate(day), "1 active, 2 pending"},
			{0, use(2), "1 retiring, 2 active"},
			{time.Hour, rotate(day), "1 retiring, 2 active, 3 pending"},
			{time.Hour, use(3), "1 retired, 2 retiring, 3 active"},
			{day, wait, "1 retired, 2 retired, 3 active"},
		}},
		{"undone", 0, []step{
			{0, rotate(time.Hour), "1 active, 2 pending"},
			{0, undo, "1 active, 2 cancelled"},
			{0, rotate(time.Hour), "1 active, 2 cancelled, 3 pending"},
		}},
		{"finished before the first use", 0, []step{
			{0, rotate(time.Hour), "1 active, 2 pending"},
			{0, finish, "1 retired, 2 active"},
		}},
		{"finished before the first use, without an overlap", 0, []step{
			{0, rotate(0), "1 active, 2 pending"},
			{0, finish, "1 retired, 2 active"},
		}},
		{"finished within the overlap", 0, []step{
			{0, rotate(time.Hour), "1 active, 2 pending"},
			{0, use(2), "1 retiring, 2 active"},
			{time.Minute, finish, "1 retired, 2 active"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tok := Token{Generations: []Generation{{Number: 1, CreatedAt: now, ActivatedAt: now}}}
			if tt.expires != 0 {
				tok.ExpiresAt = now.Add(tt.expires)
			}
			at := now
			for i, s := range tt.steps {
				at = at.Add(s.after)
				s.do(&tok, at)
				if got := statuses(&tok, at); got != s.want {
					t.Fatalf("step %d: got %s, want %s", i+1, got, s.want)
				}
			}
		})
	}
}

func TestNothingToFinish(t *testing.T) {
	tok := Token{Generations: []Generation{{Number: 1, ActivatedAt: now}, {Number: 2, CancelledAt: now}}}
	if kept, ok := tok.finish(now); ok || kept != 1 {
		t.Errorf("got %d, %v, want 1, false", kept, ok)
	}
}

// Secrets are forgotten once there are many, but none before its use was an alarm
// for a day; until then a token that is rotated very often is not rotated again.
func TestGenerationsAreForgotten(t *testing.T) {
	for _, tt := range []struct {
		name  string
		every time.Duration // between rotations
		use   bool
		most  int // generations at any time
		stop  int // the rotation that is refused, 0: none
	}{
		{"daily, each is used", day, true, usualGenerations, 0},
		{"hourly, each is used", time.Hour, true, 26, 0},
		{"hourly, none is used", time.Hour, false, 26, 0},
		{"as often as it goes, each is used", time.Second, true, MaxGenerations, MaxGenerations + 1},
		{"as often as it goes, none is used", time.Second, false, MaxGenerations, MaxGenerations + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tok := Token{Generations: []Generation{{Number: 1, ActivatedAt: now}}}
			at, most, stop := now, 0, 0
			died := map[int]time.Time{}
			for n := 2; n < 200 && stop == 0; n++ {
				if g := tok.pending(); g != nil {
					g.CancelledAt = at
				}
				if !tok.addGeneration(Generation{Number: n, CreatedAt: at}, at) {
					stop = n
				}
				at = at.Add(tt.every)
				if tt.use && stop == 0 {
					tok.activate(n, at)
				}
				valid, kept := 0, map[int]bool{}
				for i := range tok.Generations {
					g := &tok.Generations[i]
					kept[g.Number] = true
					if s := g.Status(at); s == GenerationActive || s == GenerationRetiring {
						valid++
					} else if s != GenerationPending {
						died[g.Number] = g.diedAt()
					}
				}
				if valid == 0 || valid > 2 {
					t.Fatalf("after rotation %d: got %s, want one or two valid", n, statuses(&tok, at))
				}
				for number, when := range died {
					if !kept[number] && at.Sub(when) < day {
						t.Fatalf("secret %d is forgotten %v after it died", number, at.Sub(when))
					}
				}
				most = max(most, len(tok.Generations))
			}
			if most > tt.most || stop != tt.stop {
				t.Errorf("got at most %d generations and a refusal at %d, want %d and %d", most, stop, tt.most, tt.stop)
			}
		})
	}
}

func TestCloneSharesNothing(t *testing.T) {
	p := newPortal(t, nil)
	tok, _ := newToken(p, func(t *Token) { t.Addresses = prefixes("10.0.0.0/8") })
	c := tok.clone()
	c.Abilities[0], c.Addresses[0], c.Generations[0].Number = "x", prefixes("::/0")[0], 9
	if tok.Abilities[0] == "x" || tok.Addresses[0] == c.Addresses[0] || tok.Generations[0].Number == 9 {
		t.Errorf("the record was changed through its clone: %+v", tok)
	}
}
