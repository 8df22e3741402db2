package httpapi_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// BenchmarkCall measures what calls of the API cost inside the server, without
// a socket.
func BenchmarkCall(b *testing.B) {
	for _, tt := range []struct {
		name, method, path string
		want               int
	}{
		{"who am I", "GET", "/api/v1/token", 200},
		{"refused ability", "DELETE", "/api/v1/orders/none", 403},
		{"no token", "GET", "/healthz", 200},
		{"unknown token", "GET", "/api/v1/token", 401},
	} {
		b.Run(tt.name, func(b *testing.B) {
			w := newBenchWorld(b)
			ada := w.signUp("Ada")
			in := newToken("x", "orders:read")
			in.RateLimit = &api.RateLimit{Quota: 1_000_000, WindowSeconds: 60}
			secret := into[api.IssuedToken](b, ada.call("POST", ada.path("tokens"), in).want(b, 201)).Secret
			handler := w.server.App().Server().Handler
			var ctx fasthttp.RequestCtx
			var req fasthttp.Request
			req.Header.SetMethod(tt.method)
			req.SetRequestURI(tt.path)
			req.Header.Set("Host", "localhost")
			if tt.want == 401 {
				secret = "gtk_live_garbage"
			}
			req.Header.Set("Authorization", "Bearer "+secret)
			req.Header.SetUserAgent("bench")
			b.ReportAllocs()
			for b.Loop() {
				ctx.Init(&req, nil, nil)
				ctx.Response.Reset()
				handler(&ctx)
			}
			if code := ctx.Response.StatusCode(); code != tt.want {
				b.Fatalf("got %d: %s", code, ctx.Response.Body())
			}
		})
	}
}

// BenchmarkConnection measures the same with the reading of the request and the
// writing of its answer, many on one connection.
func BenchmarkConnection(b *testing.B) {
	w := newBenchWorld(b)
	ada := w.signUp("Ada")
	in := newToken("x", "orders:read")
	in.RateLimit = &api.RateLimit{Quota: 1_000_000, WindowSeconds: 60}
	secret := into[api.IssuedToken](b, ada.call("POST", ada.path("tokens"), in).want(b, 201)).Secret
	request := "GET /api/v1/token HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + secret +
		"\r\nUser-Agent: bench\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
	b.ReportAllocs()
	b.ResetTimer()
	if err := w.server.App().Server().ServeConn(&script{text: request, times: b.N}); err != nil {
		b.Fatal(err)
	}
}

// script is a connection on which one request arrives again and again.
type script struct {
	net.Conn
	text  string
	times int
}

func (s *script) Read(p []byte) (int, error) {
	if s.times == 0 {
		return 0, io.EOF
	}
	s.times--
	return copy(p, s.text), nil
}

func (*script) Write(p []byte) (int, error)      { return len(p), nil }
func (*script) Close() error                     { return nil }
func (*script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (*script) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }

func newBenchWorld(b *testing.B) *world {
	store, records := stores[0].open(b)
	return newWorld(b, store, records, func(o *httpapi.Options) {
		o.AccessLog = io.Discard
	})
}
