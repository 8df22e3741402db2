package mail

import (
	"crypto/tls"
	"net"
	"strconv"
	"testing"
)

func TestReach(t *testing.T) {
	cert, roots := certificate(t)
	s := serve(t, cert, false)
	s.auth = true
	server := Server{Host: "127.0.0.1", Port: s.addr.Port, User: "app", Password: "pw", Encryption: StartTLS}
	right := NewSMTP(server, "a@example.com")
	right.tls = &tls.Config{RootCAs: roots, ServerName: "localhost"}
	if err := right.Reach(t.Context()); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	server.Password = "wrong"
	wrong := NewSMTP(server, "a@example.com")
	wrong.tls = right.tls
	if err := wrong.Reach(t.Context()); err == nil {
		t.Error("got nil with a wrong password, want an error")
	}
	if err := NewSMTP(Server{Host: "127.0.0.1", Port: free(t), Encryption: NoTLS}, "a@example.com").Reach(t.Context()); err == nil {
		t.Error("got nil where nobody listens, want an error")
	}
	if n := len(s.received); n != 0 {
		t.Errorf("got %d mails, want 0", n)
	}
}

// free returns a port where nobody listens.
func free(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
