package block

import (
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Sums adds up sums of calls: there is one for each team, step, time, token,
// route and status. The zero value is empty.
type Sums struct {
	at   map[sumKey]int // in list
	list []portal.Rollup
}

// sumKey is what makes a sum.
type sumKey struct {
	team, token, route string
	step               portal.Step
	at                 int64
	status             int
}

// Add adds a sum to the one of its kind.
func (s *Sums) Add(r *portal.Rollup) {
	k := sumKey{r.Team, r.Token, r.Route, r.Step, r.At.UnixMilli(), r.Status}
	i, ok := s.at[k]
	if !ok {
		if s.at == nil {
			s.at = map[sumKey]int{}
		}
		s.at[k] = len(s.list)
		s.list = append(s.list, *r)
		return
	}
	s.list[i].Add(r)
}

// AddDays adds sums of hours, all that were added so far, to their days.
func (s *Sums) AddDays() {
	for i := range len(s.list) {
		day := s.list[i].OfDay()
		s.Add(&day)
	}
}

// List returns the sums, each where the first of its kind came. It is shared
// with s, so a later Add changes it.
func (s *Sums) List() []portal.Rollup { return s.list }

// PackSums writes sums of hours.
func PackSums(sums []portal.Rollup) []byte {
	return packed(func(p *packer) {
		var team, step, route column
		for i := range sums {
			r := &sums[i]
			p.again(&team, r.Team)
			p.again(&step, string(r.Step))
			p.int(r.At.UnixMilli())
			p.text(r.Token)
			p.again(&route, r.Route)
			p.int(int64(r.Status))
			p.int(r.Calls)
			p.buckets(&r.Bucket)
		}
	})
}

// buckets writes the counts that are not zero.
func (p *packer) buckets(counts *[portal.Buckets]int64) {
	used := 0
	for _, n := range counts {
		if n != 0 {
			used++
		}
	}
	p.uint(uint64(used))
	for i, n := range counts {
		if n != 0 {
			p.uint(uint64(i))
			p.int(n)
		}
	}
}

// UnpackSums calls each for every packed sum of an hour; those of days, which an
// earlier version packed too, follow from them. What each is given is its own
// only until it returns.
func UnpackSums(data []byte, each func(r *portal.Rollup)) error {
	u := unpacker{b: data}
	var r portal.Rollup
	for u.more() {
		r = portal.Rollup{Team: u.text(), Step: portal.Step(u.text()), At: time.UnixMilli(u.int()).UTC()}
		r.Token, r.Route, r.Status, r.Calls = u.text(), u.text(), int(u.int()), u.int()
		for range u.uint() {
			i, n := u.uint(), u.int()
			if i >= portal.Buckets || u.err != nil {
				return errPacked
			}
			r.Bucket[i] = n
		}
		if u.err == nil && r.Step == portal.Hour {
			each(&r)
		}
	}
	return u.err
}
