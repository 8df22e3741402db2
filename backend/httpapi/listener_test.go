package httpapi

import (
	"errors"
	"net"
	"testing"
	"time"
)

// fasthttp panics when a deadline cannot be set, also when a shutdown closed the
// connection between two requests.
func TestDeadlinesOfAClosedConnection(t *testing.T) {
	c, _ := accepted(t)
	if err := c.(*lingering).TCPConn.Close(); err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]func(time.Time) error{
		"read": c.SetReadDeadline, "write": c.SetWriteDeadline, "both": c.SetDeadline,
	} {
		if err := set(time.Now()); err != nil {
			t.Errorf("%s: got %v, want nil", name, err)
		}
	}
	if _, err := c.Write([]byte("x")); err == nil {
		t.Error("a write to a closed connection got no error")
	}
}

// A shutdown closes connections on which the next request may be arriving. It
// must not be carried out: nobody would get its answer.
func TestNothingIsReadFromAClosedConnection(t *testing.T) {
	for name, late := range map[string]bool{"while a read waits": false, "before the next read": true} {
		t.Run(name, func(t *testing.T) {
			c, client := accepted(t)
			type outcome struct {
				n   int
				err error
			}
			read := make(chan outcome, 1)
			reader := func() {
				n, err := c.Read(make([]byte, 16))
				read <- outcome{n, err}
			}
			if !late {
				go reader()
				time.Sleep(20 * time.Millisecond) // it waits in the kernel by then
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := client.Write([]byte("GET / HTTP/1.1")); err != nil {
				t.Fatal(err)
			}
			if late {
				go reader()
			}
			select {
			case got := <-read:
				if got.n != 0 || !errors.Is(got.err, net.ErrClosed) {
					t.Errorf("got %d bytes and %v, want none and %v", got.n, got.err, net.ErrClosed)
				}
			case <-time.After(5 * time.Second):
				t.Error("the read waits, although the connection is closed")
			}
		})
	}
}

// accepted returns the two ends of a connection.
func accepted(t *testing.T) (server, client net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if server, err = (lingerer{l}).Accept(); err != nil {
		t.Fatal(err)
	}
	return server, client
}
