package demo

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// wire is a listener whose connections never leave the process and come from
// whatever address the client says.
type wire struct {
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newWire() *wire { return &wire{dialled: make(chan net.Conn), closed: make(chan struct{})} }

// Accept implements [net.Listener].
func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.dialled:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (w *wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// Addr implements [net.Listener].
func (w *wire) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// far is the server's end of a connection.
type far struct {
	net.Conn
	peer net.Addr
}

// RemoteAddr implements [net.Conn].
func (f far) RemoteAddr() net.Addr { return f.peer }

// client returns a client at an address, with keep-alive.
func (w *wire) client(at netip.Addr) *http.Client {
	peer := net.TCPAddrFromAddrPort(netip.AddrPortFrom(at, 40_000))
	return &http.Client{Transport: &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			near, there := net.Pipe()
			select {
			case w.dialled <- far{there, peer}:
				return near, nil
			case <-w.closed:
				return nil, net.ErrClosed
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
	}}
}
