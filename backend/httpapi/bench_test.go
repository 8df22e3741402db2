package httpapi_test

import (
	"io"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// What one call of the API costs inside the server, without a socket.
func BenchmarkWhoAmI(b *testing.B) {
	w := newBenchWorld(b)
	ada := w.signUp("Ada")
	in := newToken("x", "orders:read")
	in.RateLimit = &api.RateLimit{Quota: 1_000_000, WindowSeconds: 60}
	secret := into[api.IssuedToken](b, ada.call("POST", ada.path("tokens"), in).want(b, 201)).Secret
	handler := w.server.App().Server().Handler
	var ctx fasthttp.RequestCtx
	var req fasthttp.Request
	req.SetRequestURI("/api/v1/token")
	req.Header.Set("Host", "localhost")
	req.Header.Set("Authorization", "Bearer "+secret)
	req.Header.SetUserAgent("bench")
	b.ReportAllocs()
	for b.Loop() {
		ctx.Init(&req, nil, nil)
		ctx.Response.Reset()
		handler(&ctx)
	}
	if code := ctx.Response.StatusCode(); code != 200 {
		b.Fatalf("got %d: %s", code, ctx.Response.Body())
	}
}

func newBenchWorld(b *testing.B) *world {
	store, records := stores[0].open(b)
	return newWorld(b, store, records, func(o *httpapi.Options) {
		o.AccessLog = io.Discard
	})
}
