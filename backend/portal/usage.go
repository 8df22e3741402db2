package portal

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"
)

// CallPage is one page of calls; Next is nil on the last.
type CallPage struct {
	Calls []Call
	Next  *CallCursor
}

// Calls lists the calls of a team as f selects them, newest first.
func (p *Portal) Calls(ctx context.Context, who Person, f CallFilter) (CallPage, error) {
	if _, err := p.member(ctx, who, f.Team, ViewUsage); err != nil {
		return CallPage{}, err
	}
	if f.Token != "" {
		t, err := p.store.Token(ctx, f.Team, f.Token)
		if err != nil {
			return CallPage{}, err
		}
		// There is nothing before the token, so nothing is read; clocks may differ.
		if made := t.CreatedAt.Add(-time.Hour); f.From.Before(made) {
			f.From = made
		}
	}
	limit := pageLimit(f.Limit)
	f.Limit = limit + 1
	calls, err := p.store.Calls(ctx, f)
	if err != nil {
		return CallPage{}, err
	}
	page := CallPage{Calls: calls}
	if len(calls) > limit {
		page.Calls = calls[:limit]
		last := calls[limit-1]
		page.Next = &CallCursor{At: last.At, ID: last.ID}
	}
	return page, nil
}

// By says what usage is told apart by.
type By string

// The ways to tell usage apart; "" sums everything up.
const (
	ByToken  By = "token"
	ByRoute  By = "route"
	ByStatus By = "status"
)

// UsageQuery selects usage. Zero times mean the last 30 days, or the last 48
// hours by the hour.
type UsageQuery struct {
	Token    string // "": all of the team
	From, To time.Time
	Step     Step // "": by the day
	By       By
}

// UsageReport is usage over time: for each key one point a step, none left out.
type UsageReport struct {
	From, To time.Time
	Step     Step
	By       By
	Series   []UsageSeries // by calls, most first, at most maxSeries
}

// UsageSeries is the usage of one key: a token id, "GET /api/v1/orders", "404",
// or "" for everything.
type UsageSeries struct {
	Key    string
	Points []UsagePoint
}

// UsagePoint is the usage of one step. The percentiles are nil without calls.
type UsagePoint struct {
	At                     time.Time
	Calls, Refused, Errors int64
	P50, P95               *time.Duration
}

const (
	maxSteps  = 1000
	maxSeries = 50
)

// Usage sums up the calls of a team or of one of its tokens.
func (p *Portal) Usage(ctx context.Context, who Person, team string, q UsageQuery) (UsageReport, error) {
	if _, err := p.member(ctx, who, team, ViewUsage); err != nil {
		return UsageReport{}, err
	}
	if q.Token != "" {
		if _, err := p.store.Token(ctx, team, q.Token); err != nil {
			return UsageReport{}, err
		}
	}
	return p.usage(ctx, team, q)
}

// OwnUsage sums up the calls of the token that a decision allowed.
func (p *Portal) OwnUsage(ctx context.Context, d *Decision, q UsageQuery) (UsageReport, error) {
	q.Token = d.Token.ID
	return p.usage(ctx, d.Token.Team, q)
}

func (p *Portal) usage(ctx context.Context, team string, q UsageQuery) (UsageReport, error) {
	report, length, err := p.usageRange(q)
	if err != nil {
		return UsageReport{}, err
	}
	f := RollupFilter{Team: team, Step: report.Step, From: report.From, To: report.To}
	if q.Token != "" {
		f.Tokens = []string{q.Token}
	}
	sums, err := p.store.Rollups(ctx, f)
	if err != nil {
		return UsageReport{}, err
	}
	steps := int(report.To.Sub(report.From) / length)
	step := func(s *Rollup) int { return int(s.At.Sub(report.From) / length) }
	keys := map[string]*usageOfKey{}
	if q.By == "" {
		keys[""] = &usageOfKey{}
	}
	for i := range sums {
		s := &sums[i]
		key := ""
		switch q.By {
		case ByToken:
			key = s.Token
		case ByRoute:
			key = s.Route
		case ByStatus:
			key = strconv.Itoa(s.Status)
		}
		u := keys[key]
		if u == nil {
			u = &usageOfKey{}
			keys[key] = u
		}
		if n := step(s); n >= 0 && n < steps {
			u.calls += s.Calls
			u.sums = append(u.sums, s)
		}
	}
	report.Series = []UsageSeries{}
	total := newUsageSum(steps) // of one key after the other: it is six times its part of the answer
	for _, key := range mostUsed(keys) {
		total.clear()
		for _, s := range keys[key].sums {
			total.add(step(s), s)
		}
		report.Series = append(report.Series, UsageSeries{Key: key, Points: total.usagePoints(report.From, length)})
	}
	return report, nil
}

// usageRange fills in and checks what a query asks for. The range is widened to
// whole steps.
func (p *Portal) usageRange(q UsageQuery) (UsageReport, time.Duration, error) {
	var wrong []FieldError
	refuse := func(pointer, code, detail string) {
		wrong = append(wrong, FieldError{Pointer: pointer, Code: code, Detail: detail})
	}
	length, back := 24*time.Hour, 30
	switch q.Step {
	case "", Day:
		q.Step = Day
	case Hour:
		length, back = time.Hour, 48
	default:
		refuse("#/step", "oneof", "A step is hour or day.")
	}
	if q.By != "" && q.By != ByToken && q.By != ByRoute && q.By != ByStatus {
		refuse("#/by", "oneof", "Usage is told apart by token, route or status.")
	}
	to := q.To
	if to.IsZero() {
		to = p.clock()
	}
	end := to.UTC().Truncate(length)
	if !end.Equal(to) || q.To.IsZero() {
		end = end.Add(length)
	}
	from := q.From.UTC().Truncate(length)
	if q.From.IsZero() {
		from = end.Add(-time.Duration(back) * length)
	}
	switch n := end.Sub(from) / length; {
	case n < 1:
		refuse("#/from", "past", "The range ends before it begins.")
	case n > maxSteps:
		refuse("#/from", "too_far", "The range has more than 1000 steps.")
	case end.Year() > 9999: // which RFC 3339 cannot write
		refuse("#/to", "too_far", "The range ends after the year 9999.")
	}
	if len(wrong) > 0 {
		return UsageReport{}, 0, invalid(wrong...)
	}
	return UsageReport{From: from, To: end, Step: q.Step, By: q.By}, length, nil
}

// usageOfKey holds the rollups of one key. They are not added up before it is
// known which keys are in the answer: a team has thousands of tokens.
type usageOfKey struct {
	calls int64
	sums  []*Rollup
}

// mostUsed returns the keys of most calls, most first, at most maxSeries.
func mostUsed(keys map[string]*usageOfKey) []string {
	list := slices.SortedFunc(maps.Keys(keys), func(a, b string) int {
		return cmp.Or(cmp.Compare(keys[b].calls, keys[a].calls), cmp.Compare(a, b))
	})
	return list[:min(len(list), maxSeries)]
}

// usageSum adds up the rollups of one key.
type usageSum struct {
	points []Rollup // Status unused
	fails  [][2]int64
}

func newUsageSum(steps int) *usageSum {
	return &usageSum{points: make([]Rollup, steps), fails: make([][2]int64, steps)}
}

func (u *usageSum) clear() {
	clear(u.points)
	clear(u.fails)
}

func (u *usageSum) add(step int, s *Rollup) {
	u.points[step].Add(s)
	switch {
	case Refused(s.Status):
		u.fails[step][0] += s.Calls
	case s.Status >= 500:
		u.fails[step][1] += s.Calls
	}
}

func (u *usageSum) usagePoints(from time.Time, length time.Duration) []UsagePoint {
	points := make([]UsagePoint, len(u.points))
	for i := range u.points {
		points[i] = UsagePoint{
			At: from.Add(time.Duration(i) * length), Calls: u.points[i].Calls, Refused: u.fails[i][0], Errors: u.fails[i][1],
		}
		if d, ok := percentile(&u.points[i].Bucket, 0.50); ok {
			points[i].P50 = &d
		}
		if d, ok := percentile(&u.points[i].Bucket, 0.95); ok {
			points[i].P95 = &d
		}
	}
	return points
}

// OfDay returns the part that the sum of an hour has in its day.
func (r *Rollup) OfDay() Rollup {
	day := *r
	day.Step, day.At = Day, r.At.Truncate(24*time.Hour)
	return day
}

// Add sums up what two rollups counted.
func (r *Rollup) Add(o *Rollup) {
	r.Calls += o.Calls
	for i, n := range o.Bucket {
		r.Bucket[i] += n
	}
}
