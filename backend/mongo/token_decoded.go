package mongo

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/tokentext"
)

// decoded remembers tokens by the bytes that they were decoded from. It is no
// cache of records: each is read from the primary for every decision, and only
// if it comes as the same bytes is it not decoded once more, which would cost
// half of what the reading costs. It is safe for use by many goroutines.
type decoded struct {
	seed  maphash.Seed
	slots []atomic.Pointer[decodedToken]
}

type decodedToken struct {
	doc   string // also holds the texts of the token
	token *portal.Token
}

// decodedAtMost is how many tokens are remembered. One whose document is larger
// than maxDecoded is not, so that what many large ones take is bounded too: a
// token takes about four times its document, so all together about 70 MiB.
const (
	decodedAtMost = 1 << 13
	maxDecoded    = 2 << 10 // bytes
)

func newDecoded() *decoded {
	return &decoded{seed: maphash.MakeSeed(), slots: make([]atomic.Pointer[decodedToken], decodedAtMost)}
}

// slot returns where a token is remembered. Its _id is the first field, as the
// server keeps documents.
func (d *decoded) slot(doc []byte) *atomic.Pointer[decodedToken] {
	const length, id = 4, 1 + len("_id\x00") + 4 + tokentext.LookupLength
	key := doc[min(len(doc), length):min(len(doc), length+id)]
	return &d.slots[maphash.Bytes(d.seed, key)%uint64(len(d.slots))]
}

// token returns the token that doc holds. It keeps nothing of doc, and what it
// returns is shared.
func (d *decoded) token(doc []byte) (*portal.Token, error) {
	slot := d.slot(doc)
	if last := slot.Load(); last != nil && last.doc == string(doc) {
		return last.token, nil
	}
	now := &decodedToken{doc: string(doc)}
	var err error
	if now.token, err = decodeTokenOf(doc, now.doc); err != nil {
		return nil, err
	}
	if len(doc) <= maxDecoded {
		slot.Store(now)
	}
	return now.token, nil
}
