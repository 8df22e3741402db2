package portal

import (
	"context"
	"net/netip"
	"time"
)

// Call is the record of one request to the public API.
type Call struct {
	ID         string // the decision's id, a ULID; unique
	Team       string
	At         time.Time
	Token      string
	Generation int
	Method     string
	Route      string // the template: /api/v1/orders/:id
	Status     int
	Code       Code
	Duration   time.Duration
	Bytes      int64
	Address    netip.Addr
	UserAgent  string // at most 200 bytes
	RequestID  string
}

// Buckets is how many latency classes a [Rollup] counts: bucket i holds
// durations up to 0.1 ms × 1.5^i, the last one everything longer.
const Buckets = 34

// Rollup is the sum of the calls of one token to one route with one status in
// one hour or day.
type Rollup struct {
	Team   string
	Step   Step
	At     time.Time // start of the hour or day, UTC
	Token  string
	Route  string // method and template: GET /api/v1/orders
	Status int
	Calls  int64
	Bucket [Buckets]int64
}

// Step is the length of time that a [Rollup] sums up.
type Step string

// The two steps.
const (
	Hour Step = "hour"
	Day  Step = "day"
)

// Use is the newest use of one generation, for its token's record.
type Use struct {
	Team, Token string
	Generation  int
	At          time.Time
	Address     string
	Client      string // user agent
}

// CallBatch is what the recorder writes at once.
type CallBatch struct {
	Calls   []Call
	Rollups []Rollup // sums of hours, to be added to what is stored of them and of their days
	Uses    []Use    // one for a generation; only later ones than the stored count
}

// CallStore is what calls need from storage.
type CallStore interface {
	// RecordCalls writes a batch in one transaction: all of it or nothing. A
	// batch whose calls are already stored (by ID) is not added twice, so it
	// may be repeated after an unclear failure. ErrUnavailable and an ended
	// context say that storage was out of reach; every other error that it
	// refuses the batch and has stored nothing of it. The lists of b belong to
	// the caller: they are not kept.
	RecordCalls(ctx context.Context, b CallBatch) error
	Calls(ctx context.Context, f CallFilter) ([]Call, error) // newest first
	// Rollups reads the sums of a team with From <= At < To, in no order.
	Rollups(ctx context.Context, f RollupFilter) ([]Rollup, error)
}

// Refused reports whether a status says that a call was refused for who made it
// or how often, rather than for what it asked.
func Refused(status int) bool { return status == 401 || status == 403 || status == 429 }

// CallFilter selects calls of one team. Zero fields select all.
type CallFilter struct {
	Team     string
	Token    string
	Status   int          // 404, or 4 for all of 400 to 499
	Refused  bool         // those that [Refused] counts
	Route    string       // the template, with or without the method before it
	Address  netip.Prefix // zero: all
	From, To time.Time    // From <= At < To
	After    *CallCursor
	Limit    int // 1 to 101
}

// CallCursor is the place of one call in a list: newest first, then by ID,
// descending.
type CallCursor struct {
	At time.Time
	ID string
}

// RollupFilter selects sums of one team.
type RollupFilter struct {
	Team     string
	Tokens   []string // nil: all
	Step     Step
	From, To time.Time
}
