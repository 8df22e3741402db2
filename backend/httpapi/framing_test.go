package httpapi_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// talk writes to a connection of its own and returns the reader of it.
func (w *world) talk(t *testing.T, text string) *bufio.Reader {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(conn)
}

// fasthttp waits for more after a last line without a colon; no client sends it.
func TestLinesWithoutColon(t *testing.T) {
	w := onOneStore(t, nil)
	const line, host = "GET /healthz HTTP/1.1\r\n", "Host: localhost\r\n"
	for _, head := range []string{line + host + "nothing\r\n", line + "nothing\r\n" + host, line + "nothing\r\n", "\r\n" + line + "\x00\n"} {
		began := time.Now()
		a := read(t, w.talk(t, head+"\r\n"))
		if a.problem(t, 400, "bad-request"); !a.closes {
			t.Errorf("%q: the answer does not say that the connection closes", head)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%q: refused after %v", head, took)
		}
	}
}

// A head that arrives in parts is waited for, wherever it is cut.
func TestHeadsInParts(t *testing.T) {
	w := onOneStore(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for _, parts := range [][]string{
		{"\r\n", "\r\n\r\n", "GET /healthz HT", "TP/1.1\r", "\nHost: loc", "alhost\r\n", "\r", "\n"},
		{"GET /healthz HTTP/1.1\r\nHost: localhost\r\nnothi", "ng: x\r\n\r\n"},
		{"POST /portal/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab\r\n", "\r\ncd\n"},
		{"POST /portal/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n{}\n\nGET /healthz HTTP/1.1\r\n", "Host: localhost\r\n\r\n"},
		{"POST /portal/v1/sessions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\n\n", "\r\n\r\n0\r", "\n\r\n"},
	} {
		for _, part := range parts {
			fmt.Fprint(conn, part)
			time.Sleep(30 * time.Millisecond) // it arrives by itself
		}
		for range strings.Count(strings.Join(parts, ""), "HTTP/1.1") {
			if a := read(t, r); a.status == 400 || a.status == 408 {
				t.Fatalf("%q: got %d %s", parts, a.status, a.body)
			}
		}
	}
}
