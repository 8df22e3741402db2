// Package block packs the calls of a batch, and their sums, into few bytes. For
// a store it is the row, the document and what its indexes say of it that cost,
// not what is inside: one of a thousand calls costs a small part of a thousand.
//
// What was packed is read by every later version of this package.
package block

import (
	"net/netip"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Block is what a store keeps as one: calls of one team in one clock hour, in
// the order in which they came. Its first call names it: the same batch always
// makes the same blocks, and a call is in one of them only.
type Block struct {
	Team     string
	FirstID  string
	NewestAt int64 // milliseconds since 1970, as all times here
	OldestAt int64
	Calls    []*portal.Call
}

const hour = int64(time.Hour / time.Millisecond)

// HourEnd returns where the clock hour of an instant ends. The calls of a block
// are of one hour, so whoever looks for calls up to the instant need not look at
// blocks from there on.
func HourEnd(ms int64) int64 {
	n := ms / hour
	if ms < 0 && ms%hour != 0 {
		n--
	}
	return (n + 1) * hour
}

// Of parts the calls of a batch by team and hour. The blocks point into calls.
func Of(calls []portal.Call) []*Block {
	type key struct {
		team string
		end  int64
	}
	var all []*Block
	var last *Block
	var lastKey key
	found := map[key]*Block{}
	for i := range calls {
		c := &calls[i]
		at := c.At.UnixMilli()
		k := key{c.Team, HourEnd(at)}
		b := last
		if b == nil || k != lastKey {
			if b = found[k]; b == nil {
				b = &Block{Team: c.Team, FirstID: c.ID, NewestAt: at, OldestAt: at}
				found[k] = b
				all = append(all, b)
			}
			last, lastKey = b, k
		}
		b.add(c)
	}
	return all
}

func (b *Block) add(c *portal.Call) {
	at := c.At.UnixMilli()
	b.NewestAt, b.OldestAt = max(b.NewestAt, at), min(b.OldestAt, at)
	b.Calls = append(b.Calls, c)
}

// MaxTokens is how many tokens of a block are listed beside it. A block of more
// is read whatever the token, because an index of each would cost more than the
// calls themselves.
const MaxTokens = 100

// Tokens returns the tokens of the block's calls, each once, and nil if they
// are more than [MaxTokens].
func (b *Block) Tokens() []string {
	seen := map[string]bool{}
	list := []string{}
	for _, c := range b.Calls {
		if !seen[c.Token] {
			if len(list) == MaxTokens {
				return nil
			}
			seen[c.Token] = true
			list = append(list, c.Token)
		}
	}
	return list
}

// Pack writes the calls of the block.
func (b *Block) Pack() []byte {
	return packed(func(p *packer) {
		var method, route, code, address, agent column
		var from netip.Addr
		var packedFrom string
		at := int64(0)
		for _, c := range b.Calls {
			p.int(c.At.UnixMilli() - at)
			at = c.At.UnixMilli()
			p.once(c.ID)
			p.text(c.Token)
			p.int(int64(c.Generation))
			p.again(&method, c.Method)
			p.again(&route, c.Route)
			p.int(int64(c.Status))
			p.again(&code, string(c.Code))
			p.int(int64(c.Duration))
			p.int(c.Bytes)
			if c.Address != from {
				from, packedFrom = c.Address, string(addressBytes(c.Address))
			}
			p.again(&address, packedFrom)
			p.again(&agent, c.UserAgent)
			p.once(c.RequestID)
		}
	})
}

// Unpack calls each for every call of a block. What each is given is its own
// only until it returns.
func Unpack(team string, data []byte, each func(c *portal.Call)) error {
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

// Cut takes at most limit calls before a time out of a packed block, and
// returns what is left and how many it took. What the block is known by stays,
// and so does its NewestAt, also when that call is gone.
func Cut(of *Block, data []byte, before time.Time, limit int) (left *Block, removed int, err error) {
	left = &Block{Team: of.Team, FirstID: of.FirstID, NewestAt: of.NewestAt, OldestAt: of.NewestAt}
	err = Unpack(of.Team, data, func(c *portal.Call) {
		if removed < limit && c.At.Before(before) {
			removed++
			return
		}
		left.add(new(*c))
	})
	return left, removed, err
}
