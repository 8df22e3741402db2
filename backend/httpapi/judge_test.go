package httpapi

import (
	"bufio"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// usualHead is what an integration sends behind a proxy.
const usualHead = "GET /api/v1/orders?limit=50 HTTP/1.1\r\nHost: portal.example.com\r\n" +
	"Authorization: Bearer gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A\r\nUser-Agent: erp/1.2 (linux; amd64)\r\n" +
	"Accept: application/json\r\nAccept-Encoding: gzip\r\nX-Forwarded-For: 203.0.113.9\r\nX-Request-Id: 01JD8R2T7QV6W5T6QX1M3N4P5R\r\n\r\n"

func headOf(t testing.TB, text string) *fasthttp.RequestHeader {
	t.Helper()
	h := new(fasthttp.RequestHeader)
	if err := h.Read(bufio.NewReader(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestJudgingAHeadAllocatesNothing(t *testing.T) {
	for name, text := range map[string]string{
		"usual":   usualHead,
		"chunked": "POST / HTTP/1.1\r\nHost: a\r\nConnection: te, close\r\nTransfer-Encoding: Chunked\r\n\r\n",
		"faulty":  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	} {
		h := headOf(t, text)
		if got := testing.AllocsPerRun(1000, func() { headReceived(h) }); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

// Eight bytes at a time come to the same as one at a time, wherever the byte is.
func TestFieldText(t *testing.T) {
	for ch := range 256 {
		for at := range 17 {
			b := []byte("\t\x80 ~aaa\xff\x20\x21\x7e\x1f1234567")
			b[11] = 'a'
			b[at] = byte(ch)
			want := ch >= ' ' && ch != 0x7f || ch == '\t'
			if got := isFieldText(b); got != want {
				t.Fatalf("%#x at %d: got %v, want %v", ch, at, got, want)
			}
		}
	}
}

func BenchmarkJudgeHead(b *testing.B) {
	h := headOf(b, usualHead)
	b.ReportAllocs()
	for b.Loop() {
		headReceived(h)
	}
}
