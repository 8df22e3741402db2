package httpapi

import (
	"net"
	"testing"
	"time"
)

// fasthttp panics when a deadline cannot be set, also when a shutdown closed the
// connection between two requests.
func TestDeadlinesOfAClosedConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := lingerer{l}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.(lingering).TCPConn.Close(); err != nil {
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
