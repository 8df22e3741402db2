package portal

import (
	"sync/atomic"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// Stats counts what happened since the start, for metrics.
type Stats struct {
	Malformed     atomic.Int64 // credentials refused by their form, without a look-up
	WrongChecksum atomic.Int64 // and by their checksum: typos and truncations rather than attacks
	LookupErrors  atomic.Int64
	unrecorded    atomic.Int64
	codes         [len(codes)]atomic.Int64
}

var codes = [...]Code{
	OK, NoToken, InvalidToken, NotYetValid, Expired, Revoked, Suspended, GenerationEnded, MakerGone,
	AddressDenied, Insufficient, RateLimited, Undecided, UnknownKey,
}

func (s *Stats) refusedUnread(f secret.Fault) {
	if f == secret.WrongChecksum {
		s.WrongChecksum.Add(1)
		return
	}
	s.Malformed.Add(1)
}

func (s *Stats) decided(c Code) {
	for i := range codes {
		if codes[i] == c {
			s.codes[i].Add(1)
			return
		}
	}
}

// NoToken counts a request that presented no credential. There is nothing to
// decide about it.
func (s *Stats) NoToken() { s.decided(NoToken) }

// Decisions returns how many decisions had each outcome.
func (s *Stats) Decisions() map[Code]int64 {
	m := make(map[Code]int64, len(codes))
	for i, c := range codes {
		m[c] = s.codes[i].Load()
	}
	return m
}

// Stats returns the counters.
func (p *Portal) Stats() *Stats { return &p.stats }

// QueuedCalls returns how many calls wait to be stored.
func (p *Portal) QueuedCalls() int { return p.recorder.queued() }

// RepeatedBatches returns how many batches of calls storage refused at first.
func (p *Portal) RepeatedBatches() int64 { return p.recorder.failed.Load() }

// LostCalls returns how many calls storage refused for good.
func (p *Portal) LostCalls() int64 { return p.recorder.lost.Load() }

// UnrecordedCalls returns how many refused calls were not recorded, because there
// were too many of them.
func (p *Portal) UnrecordedCalls() int64 { return p.stats.unrecorded.Load() }

// Lookups says how records of tokens were read; false if they are not read with
// a [Coalescer].
func (p *Portal) Lookups() (LookupStats, bool) {
	c, ok := p.records.(*Coalescer)
	if !ok {
		return LookupStats{}, false
	}
	return c.Stats(), true
}
