package httpapi

import (
	"io"
	"net"
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
		return lingering{tcp}, nil
	}
	return c, err
}

type lingering struct{ *net.TCPConn }

// Close implements [net.Conn]. It does not wait.
func (l lingering) Close() error {
	if err := l.CloseWrite(); err != nil {
		return l.TCPConn.Close()
	}
	go func() {
		defer l.TCPConn.Close()
		if l.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
			_, _ = io.CopyN(io.Discard, l.TCPConn, lingerBytes)
		}
	}()
	return nil
}
