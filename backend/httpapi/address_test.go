package httpapi

import (
	"net"
	"net/netip"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name    string
		peer    string
		headers []string
		want    string
	}{
		{"no proxy", "203.0.113.9", nil, "203.0.113.9"},
		{"a stranger's header is not believed", "203.0.113.9", []string{"1.2.3.4"}, "203.0.113.9"},
		{"behind a proxy", "10.0.0.1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"the left part is the client's own claim", "10.0.0.1", []string{"1.2.3.4, 203.0.113.9"}, "203.0.113.9"},
		{"two proxies", "10.0.0.1", []string{"1.2.3.4, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"two headers are one list", "10.0.0.1", []string{"1.2.3.4, 203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		{"nothing but proxies", "10.0.0.1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"garbage ends the list", "10.0.0.1", []string{"1.2.3.4, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"an empty header", "10.0.0.1", []string{""}, "10.0.0.1"},
		{"with a port", "10.0.0.1", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"IPv6 in brackets with a port", "10.0.0.1", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"IPv6 in brackets", "fd00::1", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"IPv4 in IPv6", "::ffff:10.0.0.1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"a zone is dropped", "10.0.0.1", []string{"fe80::1%eth0"}, "fe80::1"},
	}
	app := fiber.New()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var ctx fasthttp.RequestCtx
			ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.ParseIP(tt.peer), Port: 1}, nil)
			for _, h := range tt.headers {
				ctx.Request.Header.Add("X-Forwarded-For", h)
			}
			c := app.AcquireCtx(&ctx)
			defer app.ReleaseCtx(c)
			if got := clientAddress(c, trusted); got.String() != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
