package sqlite

import (
	"net/netip"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// maxListedTokens is how many tokens of a block are listed beside it. A block of
// more is read whatever the token.
const maxListedTokens = 100

// block is what one row of the table calls holds: calls of one team in one clock
// hour, in the order in which they came.
type block struct {
	id       int64
	team     string
	newestAt int64
	oldestAt int64
	firstID  string
	calls    []*portal.Call
}

const blockHour = int64(time.Hour / time.Millisecond)

// hourEnd returns where the clock hour of an instant ends. The calls of a block
// are of one hour, so whoever looks for calls up to the instant need not look at
// blocks from there on.
func hourEnd(ms int64) int64 {
	hour := ms / blockHour
	if ms < 0 && ms%blockHour != 0 {
		hour--
	}
	return (hour + 1) * blockHour
}

// blocks parts the calls of a batch by team and hour. The same batch always
// makes the same blocks.
func blocks(calls []portal.Call) []*block {
	type key struct {
		team string
		end  int64
	}
	var all []*block
	var last *block
	var lastKey key
	found := map[key]*block{}
	for i := range calls {
		c := &calls[i]
		at := c.At.UnixMilli()
		k := key{c.Team, hourEnd(at)}
		b := last
		if b == nil || k != lastKey {
			if b = found[k]; b == nil {
				b = &block{team: c.Team, newestAt: at, oldestAt: at, firstID: c.ID}
				found[k] = b
				all = append(all, b)
			}
			last, lastKey = b, k
		}
		b.newestAt, b.oldestAt = max(b.newestAt, at), min(b.oldestAt, at)
		b.calls = append(b.calls, c)
	}
	return all
}

// tokenMark is how a token is found in the list of a block's tokens.
func tokenMark(token string) []byte {
	p := packer{}
	p.once(token)
	return p.b
}

// tokens returns the list of the block's tokens, empty if they are too many.
func (b *block) tokens() []byte {
	seen := map[string]bool{}
	list := []byte{}
	for _, c := range b.calls {
		if !seen[c.Token] {
			if len(seen) == maxListedTokens {
				return []byte{}
			}
			seen[c.Token] = true
			list = append(list, tokenMark(c.Token)...)
		}
	}
	return list
}

// pack writes the calls of the block.
func (b *block) pack() []byte {
	p := newPacker(len(b.calls) * 80)
	at := int64(0)
	for _, c := range b.calls {
		p.int(c.At.UnixMilli() - at)
		at = c.At.UnixMilli()
		p.once(c.ID)
		p.text(c.Token)
		p.int(int64(c.Generation))
		p.text(c.Method)
		p.text(c.Route)
		p.int(int64(c.Status))
		p.text(string(c.Code))
		p.int(int64(c.Duration))
		p.int(c.Bytes)
		p.text(string(addressBytes(c.Address)))
		p.text(c.UserAgent)
		p.once(c.RequestID)
	}
	return p.b
}

// unpackCalls calls each for every call of a block.
func unpackCalls(team string, data []byte, each func(c *portal.Call)) error {
	u := unpacker{b: data}
	c := portal.Call{Team: team}
	at := int64(0)
	for u.more() {
		at += u.int()
		c.At = time.UnixMilli(at).UTC()
		c.ID = u.once()
		c.Token = u.text()
		c.Generation = int(u.int())
		c.Method = u.text()
		c.Route = u.text()
		c.Status = int(u.int())
		c.Code = portal.Code(u.text())
		c.Duration = time.Duration(u.int())
		c.Bytes = u.int()
		address := u.text()
		c.UserAgent = u.text()
		c.RequestID = u.once()
		if u.err == nil {
			u.err = c.Address.UnmarshalBinary([]byte(address))
		}
		if u.err == nil {
			each(&c)
		}
	}
	return u.err
}

// addressBytes returns an address in few bytes: 4, 16, more with a zone, or none.
func addressBytes(a netip.Addr) []byte {
	b, _ := a.MarshalBinary() // never fails
	return b
}
