package portal

import "time"

// touchAtMost is how often the use of one generation is written.
const touchAtMost = time.Minute

// batcher makes batches out of calls, one after the other in the same memory:
// at thousands of calls a second what it would leave behind is what costs.
type batcher struct {
	b       CallBatch
	sums    map[sumKey]int         // into b.Rollups
	uses    map[touchKey]int       // into b.Uses
	touched map[touchKey]time.Time // when a use was last written
	routes  map[[2]string]string   // method and template, joined
}

type sumKey struct {
	team, token, method, route string
	status                     int
	hour                       int64 // its beginning, in seconds since 1970
}

type touchKey struct {
	token      string
	generation int
}

func newBatcher() batcher {
	return batcher{sums: map[sumKey]int{}, uses: map[touchKey]int{}, touched: map[touchKey]time.Time{}, routes: map[[2]string]string{}}
}

// batch returns the records of calls, their sums by hour, and the uses
// among them. It holds until the next batch.
func (x *batcher) batch(calls []pendingCall) CallBatch {
	x.rest()
	ids := decisionIDs(calls)
	for i := range calls {
		c := &calls[i]
		x.b.Calls = append(x.b.Calls, Call{
			ID: ids[i*idLength : (i+1)*idLength], Team: c.token.Team, At: c.at, Token: c.token.ID, Generation: c.generation,
			Method: c.Method, Route: c.Route, Status: c.Status, Code: c.code, Duration: c.Duration,
			Bytes: c.Bytes, Address: c.Address, UserAgent: c.UserAgent, RequestID: c.RequestID,
		})
		sum := x.sum(sumKey{c.token.Team, c.token.ID, c.Method, c.Route, c.Status, c.at.Truncate(time.Hour).Unix()})
		sum.Calls++
		sum.Bucket[bucketOf(c.Duration)]++
		x.use(c)
	}
	return x.b
}

// rest lets go of the last batch, and keeps its memory.
func (x *batcher) rest() {
	clear(x.b.Calls)
	clear(x.b.Rollups)
	clear(x.b.Uses)
	x.b = CallBatch{Calls: x.b.Calls[:0], Rollups: x.b.Rollups[:0], Uses: x.b.Uses[:0]}
	clear(x.sums)
	clear(x.uses)
}

// sum returns the sum that a call belongs to; it holds until the next one is
// asked for.
func (x *batcher) sum(key sumKey) *Rollup {
	i, ok := x.sums[key]
	if !ok {
		i = len(x.b.Rollups)
		x.sums[key] = i
		x.b.Rollups = append(x.b.Rollups, Rollup{
			Team: key.team, Step: Hour, At: time.Unix(key.hour, 0).UTC(), Token: key.token,
			Route: x.joined(key.method, key.route), Status: key.status,
		})
	}
	return &x.b.Rollups[i]
}

// joined joins a method and a template. There are few of both.
func (x *batcher) joined(method, template string) string {
	key := [2]string{method, template}
	text, ok := x.routes[key]
	if !ok {
		if len(x.routes) >= 1000 {
			clear(x.routes)
		}
		text = method + " " + template
		x.routes[key] = text
	}
	return text
}

// use notes the use of a generation, at most once a minute. A secret that was
// refused for what it is was not used.
func (x *batcher) use(c *pendingCall) {
	if c.code != OK && c.code != Insufficient && c.code != RateLimited {
		return
	}
	key := touchKey{c.token.ID, c.generation}
	if last, ok := x.touched[key]; ok && c.at.Sub(last) < touchAtMost {
		return
	}
	if len(x.touched) > 100_000 { // forgotten ones are merely written once more
		clear(x.touched)
	}
	x.touched[key] = c.at
	use := Use{
		Team: c.token.Team, Token: c.token.ID, Generation: c.generation, At: c.at,
		Address: AddressText(c.Address), Client: c.UserAgent,
	}
	if i, ok := x.uses[key]; ok { // a batch that had to wait for more than a minute
		x.b.Uses[i] = use
		return
	}
	x.uses[key] = len(x.b.Uses)
	x.b.Uses = append(x.b.Uses, use)
}

// forget makes uses count as not written, because their batch was not.
func (x *batcher) forget(uses []Use) {
	for i := range uses {
		delete(x.touched, touchKey{uses[i].Token, uses[i].Generation})
	}
}

// decisionIDs writes the ids of calls into one text, which costs one allocation
// for all of them.
func decisionIDs(calls []pendingCall) string {
	text := make([]byte, 0, len(calls)*idLength)
	for i := range calls {
		text = calls[i].id.append(text)
	}
	return string(text)
}
