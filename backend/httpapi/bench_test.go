package httpapi_test

import (
	"io"
	"testing"

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

func newBenchWorld(b *testing.B) *world {
	store, records := stores[0].open(b)
	return newWorld(b, store, records, func(o *httpapi.Options) {
		o.AccessLog = io.Discard
	})
}
