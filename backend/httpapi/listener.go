package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	lingerFor   = time.Second
	lingerBytes = 16 << 20
)

// lingerer accepts connections that close in two steps: the sending half at
// once, the rest after what the client still sends was read. Without it the
// kernel resets the connection of a client that is refused in the middle of a
// large body, and the refusal is lost on the way.
type lingerer struct{ net.Listener }

// Accept implements [net.Listener].
func (l lingerer) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		return &lingering{TCPConn: tcp}, nil
	}
	return c, err
}

type lingering struct {
	*net.TCPConn
	closed  atomic.Bool
	reading sync.Mutex // held while somebody reads
	buffer  []byte     // of the bufio.Reader that reads: all of it

	// Deadlines are moved with every request, mostly by a fraction of a second of
	// minutes, and the runtime takes a while for it. Only its goroutine uses them.
	readBy   time.Time // is to end the next read
	readSet  time.Time // was told the runtime
	writeSet time.Time
}

// deadlineStep is how much earlier than it was told to a deadline may strike.
const deadlineStep = time.Second

// near reports that a deadline which was set will do for another one.
func near(set, wanted time.Time) bool {
	d := wanted.Sub(set)
	return d >= 0 && d < deadlineStep && !set.IsZero()
}

// Read implements [net.Conn]. Once the connection is closed it reads nothing
// more: a request that arrived meanwhile would be carried out without an answer.
//
// Nor does it wait for more of a head that has ended ([endsHead]).
func (l *lingering) Read(b []byte) (int, error) {
	l.reading.Lock()
	defer l.reading.Unlock()
	if l.closed.Load() {
		return 0, net.ErrClosed
	}
	if endsHead(l.unread(b)) {
		return 0, errHead
	}
	if !near(l.readSet, l.readBy) {
		if err := l.TCPConn.SetReadDeadline(l.readBy); err != nil {
			return 0, err
		}
		l.readSet = l.readBy
		if l.closed.Load() { // the waking of Close may just have been undone
			return 0, net.ErrClosed
		}
	}
	n, err := l.TCPConn.Read(b)
	if l.closed.Load() {
		return 0, net.ErrClosed
	}
	return n, err
}

var errHead = errors.New("a header line has no colon")

// unread returns what was read before and is not used yet, nil if that is not
// known, where b is the part of its buffer that a bufio.Reader asks to fill. It
// asks for all of an empty buffer; later b is the end of that, and what is unread
// stands before it. fasthttp asks so only while it wants more of a head: bodies
// it takes out of the buffer first.
func (l *lingering) unread(b []byte) []byte {
	switch n := len(l.buffer) - len(b); {
	case len(b) == maxHeaderBytes:
		l.buffer = b
	case n > 0 && len(b) > 0 && &b[len(b)-1] == &l.buffer[len(l.buffer)-1]:
		return l.buffer[:n]
	}
	return nil
}

// endsHead reports whether b, the beginning of a request, holds an empty line
// behind something else. fasthttp waits for more after a last header line without
// a colon, though nothing more comes.
func endsHead(b []byte) bool {
	b = bytes.TrimLeft(b, "\r\n")
	return bytes.Contains(b, []byte("\n\r\n")) || bytes.Contains(b, []byte("\n\n"))
}

// Close implements [net.Conn]. It does not wait.
func (l *lingering) Close() error {
	if l.closed.Swap(true) {
		return net.ErrClosed
	}
	// Whoever waits for the next request is woken. A deadline cannot be set on a
	// connection that is broken; then nobody waits.
	_ = l.TCPConn.SetReadDeadline(time.Unix(1, 0))
	if err := l.CloseWrite(); err != nil {
		return l.TCPConn.Close()
	}
	go func() {
		defer l.TCPConn.Close()
		l.reading.Lock()
		defer l.reading.Unlock()
		if l.TCPConn.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
			_, _ = io.CopyN(io.Discard, l.TCPConn, lingerBytes)
		}
	}()
	return nil
}

// SetReadDeadline implements [net.Conn]: the next read minds it. It raises no
// error, as SetWriteDeadline does not.
func (l *lingering) SetReadDeadline(t time.Time) error {
	l.readBy = t
	return nil
}

// SetWriteDeadline implements [net.Conn]. On a connection that is closed it does
// nothing: fasthttp sets deadlines between requests and panics on an error,
// which a shutdown that closes connections at that moment would raise. The read
// or write that follows says that it is closed.
func (l *lingering) SetWriteDeadline(t time.Time) error {
	if near(l.writeSet, t) {
		return nil
	}
	l.writeSet = t
	return unlessClosed(l.TCPConn.SetWriteDeadline(t))
}

// SetDeadline implements [net.Conn].
func (l *lingering) SetDeadline(t time.Time) error {
	return errors.Join(l.SetReadDeadline(t), l.SetWriteDeadline(t))
}

func unlessClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
