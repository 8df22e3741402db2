package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sync"
)

// packer writes calls and sums as bytes: numbers as varints, and a text
// that comes again as the number of its first appearance.
type packer struct {
	b     []byte
	texts map[string]uint64
}

// packers keeps their memory from one batch to the next: at tens of batches a
// second that is most of what recording would leave behind.
var packers = sync.Pool{New: func() any { return &packer{texts: map[string]uint64{}} }}

// packed returns what pack writes.
func packed(pack func(p *packer)) []byte {
	p := packers.Get().(*packer)
	pack(p)
	b := bytes.Clone(p.b)
	clear(p.b) // nothing of the calls is held longer
	clear(p.texts)
	p.b = p.b[:0]
	packers.Put(p)
	return b
}

func (p *packer) uint(n uint64) { p.b = binary.AppendUvarint(p.b, n) }
func (p *packer) int(n int64)   { p.b = binary.AppendVarint(p.b, n) }

// once writes a text that hardly comes again.
func (p *packer) once(s string) {
	p.uint(uint64(len(s)))
	p.b = append(p.b, s...)
}

// text writes a text that may come again.
func (p *packer) text(s string) { p.again(&column{}, s) }

// column is a field whose texts are mostly what they were the last time.
type column struct {
	last   string
	number uint64 // of last, 0 before the first
}

// again writes the next text of a column.
func (p *packer) again(c *column, s string) {
	if c.number != 0 && c.last == s {
		p.uint(c.number)
		return
	}
	n, ok := p.texts[s]
	if ok {
		p.uint(n)
	} else {
		n = uint64(len(p.texts) + 1)
		p.texts[s] = n
		p.uint(0)
		p.once(s)
	}
	*c = column{s, n}
}

var errPacked = errors.New("packed calls or sums are damaged")

// unpacker reads what a packer wrote. After an error everything it returns is
// zero, and err says so.
type unpacker struct {
	b     []byte
	texts []string
	err   error
}

func (u *unpacker) more() bool { return u.err == nil && len(u.b) > 0 }

func (u *unpacker) skip(size int) {
	if size <= 0 || size > len(u.b) {
		u.b, u.err = nil, errPacked
		return
	}
	u.b = u.b[size:]
}

func (u *unpacker) uint() uint64 {
	n, size := binary.Uvarint(u.b)
	u.skip(size)
	return n
}

func (u *unpacker) int() int64 {
	n, size := binary.Varint(u.b)
	u.skip(size)
	return n
}

func (u *unpacker) once() string {
	n := u.uint()
	if n == 0 {
		return ""
	}
	if n > uint64(len(u.b)) {
		u.b, u.err = nil, errPacked
		return ""
	}
	s := string(u.b[:n])
	u.skip(int(n))
	return s
}

func (u *unpacker) text() string {
	n := u.uint()
	if n == 0 {
		s := u.once()
		u.texts = append(u.texts, s)
		return s
	}
	if n > uint64(len(u.texts)) {
		u.b, u.err = nil, errPacked
		return ""
	}
	return u.texts[n-1]
}
