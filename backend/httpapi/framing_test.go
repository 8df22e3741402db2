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

// What two servers could read in two ways is refused, and nothing that follows
// on the connection is answered.
func TestFaultyHeads(t *testing.T) {
	w := onOneStore(t, nil)
	const line, host = "POST /portal/v1/sessions HTTP/1.1\r\n", "Host: localhost\r\n"
	tests := []struct {
		name, head, body string
		status           int
		kind             string
	}{
		{"two lengths", line + host + "Content-Length: 2\r\nContent-Length: 3\r\n", "{}x", 400, "bad-request"},
		{"the same length twice", line + host + "Content-Length: 2\r\nContent-Length: 2\r\n", "{}", 400, "bad-request"},
		{"two lengths of a GET", "GET /healthz HTTP/1.1\r\n" + host + "content-length: 0\r\nContent-Length: 0\r\n", "", 400, "bad-request"},
		{"a length and a coding", line + host + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"a coding and a length", line + host + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"a length and identity", line + host + "Content-Length: 2\r\nTransfer-Encoding: identity\r\n", "{}", 400, "bad-request"},
		{"two codings", line + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"chunked twice", line + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"no number", line + host + "Content-Length: 2a\r\n", "{}", 400, "bad-request"},
		{"a negative number", line + host + "Content-Length: -2\r\n", "{}", 400, "bad-request"},
		{"a signed number", line + host + "Content-Length: +2\r\n", "{}", 400, "bad-request"},
		{"a list of lengths", line + host + "Content-Length: 2, 2\r\n", "{}", 400, "bad-request"},

		{"gzip", line + host + "Transfer-Encoding: gzip\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"chunked, then gzip", line + host + "Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"gzip, then chunked", line + host + "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", 501, "coding-not-implemented"},
		{"chunked in chunked", line + host + "Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"xchunked", line + host + "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"in quotes", line + host + "Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"with a parameter", line + host + "Transfer-Encoding: chunked;x=1\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"chunked, then identity", line + host + "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"identity", line + host + "Transfer-Encoding: identity\r\n", "", 400, "bad-request"},
		{"an empty coding", line + host + "Transfer-Encoding:\r\n", "0\r\n\r\n", 400, "bad-request"},
		{"a coding that is awaited", line + host + "Transfer-Encoding: gzip\r\nExpect: 100-continue\r\n", "", 400, "bad-request"},
		{"a body that is awaited, and too large", line + host + "Content-Length: 10485760\r\nExpect: 100-continue\r\n", "", 413, "body-too-large"},
		{"a coding in HTTP/1.0", "POST /portal/v1/sessions HTTP/1.0\r\n" + host + "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", 400, "bad-request"},

		{"a bare CR in a value", line + host + "X-A: a\rTransfer-Encoding: chunked\r\n", "", 400, "bad-request"},
		{"a bare CR before the end", line + host + "X-A: a\r\r\n", "", 400, "bad-request"},
		{"a bare CR in a name", line + host + "X\rA: a\r\n", "", 400, "bad-request"},
		{"NUL in a value", line + host + "X-A: a\x00b\r\n", "", 400, "bad-request"},
		{"a control character in a long value", line + host + "X-A: " + strings.Repeat("a", 99) + "\x1b[0m\r\n", "", 400, "bad-request"},
		{"DEL in a value", line + host + "X-A: \x7f\r\n", "", 400, "bad-request"},
		{"NUL in a name", line + host + "X\x00A: a\r\n", "", 400, "bad-request"},
		{"no ASCII in a name", line + host + "X-\u00c4: a\r\n", "", 400, "bad-request"},
		{"a bracket in a name", line + host + "X(A): a\r\n", "", 400, "bad-request"},
		{"no name", line + host + ": a\r\n", "", 400, "bad-request"},
		{"a space before the colon", line + host + "Content-Length : 2\r\n", "{}", 400, "bad-request"},
		{"a value on two lines", line + host + "X-A: a\r\n b\r\n", "", 400, "bad-request"},
		{"a field on the line of another", line + host + "X-A: a\r\n Content-Length: 2\r\n", "{}", 400, "bad-request"},

		{"no host", "GET /healthz HTTP/1.1\r\n", "", 400, "bad-request"},
		{"no host, but another field", "GET /healthz HTTP/1.1\r\nX-Host: localhost\r\n", "", 400, "bad-request"},
		{"two hosts", "GET /healthz HTTP/1.1\r\n" + host + "Host: example.com\r\n", "", 400, "bad-request"},
		{"the same host twice", "GET /healthz HTTP/1.1\r\n" + host + "hOST: localhost\r\n", "", 400, "bad-request"},
		{"two hosts in HTTP/1.0", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n" + host + host, "", 400, "bad-request"},
		{"an empty host", "GET /healthz HTTP/1.1\r\nHost:\r\n", "", 400, "bad-request"},
		{"a host with a path", "GET /healthz HTTP/1.1\r\nHost: a/b\r\n", "", 400, "bad-request"},
		{"a host with a user", "GET /healthz HTTP/1.1\r\nHost: a@b\r\n", "", 400, "bad-request"},
		{"a host with a space", "GET /healthz HTTP/1.1\r\nHost: a b\r\n", "", 400, "bad-request"},
		{"a list of hosts", "GET /healthz HTTP/1.1\r\nHost: a, b\r\n", "", 400, "bad-request"},
		{"a port without a number", "GET /healthz HTTP/1.1\r\nHost: a:b\r\n", "", 400, "bad-request"},
		{"a port without a host", "GET /healthz HTTP/1.1\r\nHost: :80\r\n", "", 400, "bad-request"},
		{"an open bracket", "GET /healthz HTTP/1.1\r\nHost: [::1\r\n", "", 400, "bad-request"},

		{"HTTP/2.0", "GET /healthz HTTP/2.0\r\n" + host, "", 505, "version-not-supported"},
		{"HTTP/1.2", "GET /healthz HTTP/1.2\r\n" + host + "Connection: keep-alive\r\n", "", 505, "version-not-supported"},
		{"HTTP/0.9", "GET /healthz HTTP/0.9\r\n" + host, "", 505, "version-not-supported"},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n", "", 505, "version-not-supported"},
		{"no version", "GET /healthz HTTP/1\r\n" + host, "", 400, "bad-request"},
		{"a version in lower case", "GET /healthz http/1.1\r\n" + host, "", 400, "bad-request"},
		{"a space behind the version", "GET /healthz HTTP/1.1 \r\n" + host, "", 400, "bad-request"},
		{"a space in the target", "GET /healthz x HTTP/1.1\r\n" + host, "", 400, "bad-request"},
		{"two spaces before the target", "GET  /healthz HTTP/1.1\r\n" + host, "", 400, "bad-request"},
		{"a bare CR in the target", "GET /healthz\rx HTTP/1.1\r\n" + host, "", 400, "bad-request"},
		{"NUL in the target", "GET /healthz\x00 HTTP/1.1\r\n" + host, "", 400, "bad-request"},
		{"a tab behind the method", "GET\t/healthz /x HTTP/1.1\r\n" + host, "", 400, "bad-request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := w.talk(t, tt.head+"\r\n"+tt.body+"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
			a := read(t, r)
			if a.problem(t, tt.status, tt.kind); !a.closes {
				t.Error("the answer does not say that the connection closes")
			}
			if n, err := r.Read(make([]byte, 1)); err == nil {
				t.Errorf("the connection goes on: %d bytes", n)
			}
		})
	}
}

// What is unusual but right is answered, and so is the request after it.
func TestUnusualHeads(t *testing.T) {
	w := onOneStore(t, nil)
	for name, head := range map[string]string{
		"an empty value":           "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A:\r\n",
		"a tab in a value":         "GET /healthz HTTP/1.1\r\nHost:\tlocalhost\t\r\nX-A:\ta long value with a\ttab\t\r\n",
		"no ASCII in a value":      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: caf\u00e9 \xff\xfe\x80\x81\x82\x83\r\n",
		"every sign of a name":     "GET /healthz HTTP/1.1\r\nHost: localhost\r\n!#$%&'*+-.^_`|~09azAZ: a\r\n",
		"line ends without CR":     "GET /healthz HTTP/1.1\nHost: localhost\nX-A: a\n",
		"an empty line before it":  "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n",
		"a host and a port":        "GET /healthz HTTP/1.1\r\nHost: portal.example.com:8443\r\n",
		"an IPv6 host and a port":  "GET /healthz HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n",
		"an IPv6 host":             "GET /healthz HTTP/1.1\r\nHost: [::1]\r\n",
		"an absolute target":       "GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n",
		"a body that is not asked": "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := w.talk(t, head+"\r\n"+"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: TE, Close\r\n\r\n")
			if a := read(t, r).want(t, 200); a.closes {
				t.Error("the connection closes")
			}
			if a := read(t, r).want(t, 200); !a.closes || !strings.Contains(string(a.body), `"version"`) {
				t.Errorf("got %s, and that the connection closes: %v", a.body, a.closes)
			}
		})
	}
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

// HTTP/1.0 is answered, with a host or without, and so is a line without a
// version, which fasthttp takes for it. What follows is not.
func TestOldVersionsCloseTheConnection(t *testing.T) {
	w := onOneStore(t, nil)
	for _, head := range []string{
		"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n",
		"GET /healthz HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n",
		"GET /healthz\r\nHost: localhost\r\nConnection: keep-alive\r\n",
	} {
		r := w.talk(t, head+"\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if a := read(t, r).want(t, 200); !a.closes {
			t.Errorf("%q: the answer does not say that the connection closes", head)
		}
		if n, err := r.Read(make([]byte, 1)); err == nil {
			t.Errorf("%q: the connection goes on: %d bytes", head, n)
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

// Of a chunked body fasthttp skips what it does not know, so the connection
// closes behind it; fields behind it are not taken for fields of the head.
func TestChunkedBodies(t *testing.T) {
	w := onOneStore(t, nil)
	const post = "POST /portal/v1/sessions HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nTransfer-Encoding: Chunked \r\n\r\n"
	const next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for _, tt := range []struct {
		name, text string
		status     int
	}{
		{"whole", post + "2\r\n{}\r\n0\r\n\r\n" + next, 422},
		{"with an extension", post + "2;x=1\r\n{}\r\n0\r\n\r\n" + next, 422},
		{"with a line end in an extension", post + "2;\n{}\r\n{}\r\n0\r\n\r\n" + next, 422},
		{"of a GET, with fields behind it", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: a\r\n\r\n" + next, 400},
		{"with another address behind it", post + "2\r\n{}\r\n0\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n" + next, 400},
		{"with a field of the head again", post + "2\r\n{}\r\n0\r\nSec-Fetch-Site: none\r\n\r\n" + next, 400},
		{"with a length behind it", post + "2\r\n{}\r\n0\r\nContent-Length: 7\r\n\r\n" + next, 400},
		{"with a line without a colon behind it", post + "2\r\n{}\r\n0\r\nnothing\r\n\r\n", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.talk(t, tt.text)
			if a := read(t, r).want(t, tt.status); !a.closes {
				t.Error("the answer does not say that the connection closes")
			}
			if n, err := r.Read(make([]byte, 1)); err == nil {
				t.Errorf("the connection goes on: %d bytes", n)
			}
		})
	}
}
