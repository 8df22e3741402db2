package portal

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
)

// DecisionID names one decision: a ULID, so that ids sort by time, also within a
// millisecond.
type DecisionID [16]byte

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// idLength is the length of a written id.
const idLength = 26

// String writes the id as 26 characters of Crockford base 32.
func (id DecisionID) String() string { return string(id.append(make([]byte, 0, idLength))) }

func (id DecisionID) append(to []byte) []byte {
	var text [idLength]byte
	hi, lo := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = crockford[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return append(to, text[:]...)
}

// newDecisionID needs to be unique, not secret: the runtime's generator serves,
// without a system call. Of its 80 free bits 16 are the part of the millisecond,
// so that calls of one millisecond are listed in their order.
func newDecisionID(at time.Time) (id DecisionID) {
	part := uint64(at.Nanosecond()%1e6) >> 4
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|part)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	return id
}

// Ask is what a request to a bearer door presents.
type Ask struct {
	Secret    string      // the credential, as it came
	Need      ability.Set // all of these are needed
	Address   netip.Addr  // of the client
	UserAgent string
	RequestID string
	At        time.Time // when the request arrived
	Stop      bool      // it ends the token: possible also beyond its limit
}

// Decision answers whether a request may pass. It is a value, not an error: to
// refuse is an expected outcome.
type Decision struct {
	ID         DecisionID
	Code       Code
	At         time.Time
	Token      *Token      // nil unless the whole secret matched; shared, not to be changed
	Generation *Generation // whose secret it was; with Token
	Own        ability.Set // what the token itself holds
	Effective  ability.Set // of that, what its maker's role and its team lend it now
	Missing    ability.Set // what it lacked
	ByRole     bool        // the token has it, but its maker's role or its team no longer lends it
	Limit      LimitState  // zero if the limit was not asked
	Cause      error       // why it is Undecided
}

// Allowed reports whether the request may pass.
func (d *Decision) Allowed() bool { return d.Code == OK }

// Decide judges a credential.
//
// What does not parse is refused without a look at storage. The secret is
// compared before anything is told about the token, so that a stranger who
// knows an id learns nothing from the answer or its time. A token is refused at
// the instant it expires (RFC 7519, 4.1.4). If storage does not answer the
// outcome is Undecided, and UnknownKey if this node lacks the key that the token
// is hashed with: closed, not open.
//
// The record is read after the call began, so a change that was answered before
// is always seen. On the usual path nothing is allocated.
func (p *Portal) Decide(ctx context.Context, ask *Ask) Decision {
	d := p.decide(ctx, ask)
	p.stats.decided(d.Code)
	return d
}

func (p *Portal) decide(ctx context.Context, ask *Ask) Decision {
	d := Decision{ID: newDecisionID(ask.At), At: ask.At, Code: InvalidToken}
	parsed, fault := secret.ParseToken(ask.Secret)
	if fault != secret.Fine {
		p.stats.refusedUnread(fault)
		return d
	}
	t, err := p.records.Record(ctx, parsed.Lookup)
	if err != nil {
		p.stats.LookupErrors.Add(1)
		p.log.WarnContext(ctx, "a token record could not be read", "error", err)
		d.Code, d.Cause = Undecided, err
		return d
	}
	g, unknownKey := p.matching(t, secret.Digest(ask.Secret))
	if unknownKey != "" && p.seekKey(ctx, t.ID, unknownKey) {
		g, unknownKey = p.matching(t, secret.Digest(ask.Secret))
	}
	if g == nil {
		if unknownKey != "" { // this node has the wrong key file: nobody's secret is wrong
			d.Code = UnknownKey
		}
		return d
	}
	d.Token, d.Generation = t, g
	if d.Code = t.refusal(g, ask.At); d.Code != OK {
		if g.dead(ask.At) || d.Code == Revoked {
			p.alarm(ctx, d, *ask)
		}
		return d
	}
	p.weigh(&d, ask)
	if d.Code == OK && (t.FirstUsedAt.IsZero() || g.ActivatedAt.IsZero()) {
		if t, g, code, err := p.firstUse(ctx, t, g.Number, *ask); err != nil {
			d.Code, d.Cause = Undecided, err
		} else { // it may have been changed meanwhile
			d.Token, d.Generation, d.Code = t, g, code
			d.Own, d.Effective = p.holds(t)
		}
	}
	if d.Code == OK && p.keys.Outdated(g.KeyID) {
		p.rekey(t, g, ask.Secret)
	}
	return d
}

// matching returns the generation whose secret has this digest, or nil. With no
// record it works as long as with one. If nothing matches, unknownKey is the
// key of a generation that could not be compared, "" if all were.
func (p *Portal) matching(t *Token, digest [32]byte) (g *Generation, unknownKey string) {
	if t == nil {
		p.keys.DummyMAC(digest)
		return nil, ""
	}
	var mac [32]byte
	var ok bool
	var of string // the key id that mac was made with
	for i := len(t.Generations) - 1; i >= 0; i-- {
		g := &t.Generations[i]
		if g.KeyID != of {
			mac, ok = p.keys.MAC(g.KeyID, digest)
			of = g.KeyID
		}
		if !ok {
			unknownKey = g.KeyID
		} else if subtle.ConstantTimeCompare(mac[:], g.MAC[:]) == 1 {
			return g, ""
		}
	}
	return nil, unknownKey
}

// seekKey reports whether the key file has a key that this node did not know: it
// may have been replaced a moment ago.
func (p *Portal) seekKey(ctx context.Context, token, key string) bool {
	found, err := p.keys.Seek(key)
	if err != nil { // once a second: the requests between are counted
		p.log.ErrorContext(ctx, "a token cannot be judged, because its key is not here", "token", token, "key_id", key, "error", err)
	}
	return found
}

// weigh asks what comes after the secret was accepted: limit, address, abilities.
// The limit is first, because what is refused for the others counts against it.
// Beyond it a token can still be ended: that can be asked once, and whoever finds
// it flooded with requests has to be able to.
func (p *Portal) weigh(d *Decision, ask *Ask) {
	t := d.Token
	d.Own, d.Effective = p.holds(t)
	var ok bool
	if d.Limit, ok = p.limits.take(t.ID, t.limit(p.catalogue), ask.At); !ok && !ask.Stop {
		d.Code = RateLimited
		return
	}
	if !t.allowsAddress(ask.Address) {
		d.Code = AddressDenied
		return
	}
	if d.Missing = ask.Need.Without(d.Effective); !d.Missing.Empty() {
		d.ByRole = d.Own.Contains(ask.Need)
		d.Code = Insufficient
	}
}

// holds returns what the token itself holds, and what of that its maker's role
// and its team lend it now: what it may do.
func (p *Portal) holds(t *Token) (own, effective ability.Set) {
	index := p.catalogue.Index()
	own = index.Set(t.Abilities)
	lent := p.catalogue.Grantable(t.Standing.MakerRole, t.Standing.PlatformTeam)
	if t.Standing.TeamAbilities != nil {
		lent = lent.And(index.Set(t.Standing.TeamAbilities))
	}
	return own, own.And(lent)
}

func (t *Token) allowsAddress(a netip.Addr) bool {
	if len(t.Addresses) == 0 {
		return true
	}
	a = a.Unmap().WithZone("")
	for _, prefix := range t.Addresses {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// refusal says what is the matter with a token whose secret matched, OK if
// nothing is.
func (t *Token) refusal(g *Generation, now time.Time) Code {
	switch status := t.Status(now); {
	case status == StatusRevoked:
		return Revoked
	case g.dead(now):
		return GenerationEnded
	case status == StatusExpired:
		return Expired
	case status == StatusSuspended:
		return Suspended
	case status == StatusPending:
		return NotYetValid
	case t.Standing.MakerRole == "":
		return MakerGone
	default:
		return OK
	}
}
