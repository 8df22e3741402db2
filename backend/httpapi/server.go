package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

const (
	maxBodyBytes   = 64 << 10
	maxHeaderBytes = 16 << 10
	readTimeout    = 15 * time.Second // for a whole request, so that slow senders hold nothing
	writeTimeout   = 60 * time.Second // an export is long
	idleTimeout    = 2 * time.Minute
	handleTimeout  = 20 * time.Second // for what a portal request asks of storage
)

// Options are what a [Server] is made of. Portal, Keys and PublicURL are needed.
type Options struct {
	Portal         *portal.Portal
	Keys           *secret.Keys   // seals cursors
	PublicURL      string         // scheme://host[:port]; https switches on HSTS and the __Host- cookie
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and X-Request-Id are believed
	Web            fs.FS          // laid out like web.Dist; nil or empty: the pages say that they were not built
	Outbox         Outbox         // nil: mail leaves for real, and there is no outbox to see
	Log            *slog.Logger   // nil: silent
	AccessLog      io.Writer      // one JSON line a request, a few times a second; nil: none
	Metrics        *Metrics       // nil: nothing is measured
	Version        string         // of the program, for /version
	ReadTimeout    time.Duration  // for a whole request; 0: 15 seconds
	SecurityURL    string         // the Contact of /.well-known/security.txt; "": the page /problems
	Now            func() time.Time
}

// Server answers HTTP for one portal. It is made once and used by many
// connections at a time.
type Server struct {
	portal   *portal.Portal
	keys     *secret.Keys
	url      string // without a slash at the end
	origin   string // as a browser writes it in Origin
	https    bool
	problems string // before the name of a kind
	trusted  []netip.Prefix
	outbox   Outbox
	log      *slog.Logger
	access   *accessLog
	metrics  *Metrics
	version  string
	contact  string
	now      func() time.Time

	assets    *assets
	throttle  *throttle
	draining  atomic.Bool
	cookie    string // its name
	challenge string // the WWW-Authenticate without an error
	invalid   string // and with invalid_token
	routes    []route
	spec      []byte // openapi.json
	app       *fiber.App
}

// New makes a server. It fails if the public URL is not one, or the web assets
// are broken.
func New(o Options) (*Server, error) {
	u, err := url.Parse(o.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the public URL %q is not of the form https://host", o.PublicURL)
	}
	s := &Server{
		portal: o.Portal, keys: o.Keys, url: strings.TrimSuffix(o.PublicURL, "/"), https: u.Scheme == "https",
		origin: originOf(u), trusted: o.TrustedProxies, outbox: o.Outbox, log: o.Log, access: newAccessLog(o.AccessLog),
		metrics: o.Metrics, version: o.Version, contact: o.SecurityURL, now: o.Now,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.contact == "" {
		s.contact = s.url + "/problems"
	}
	s.throttle = newThrottle(o.Portal.Store(), s.now)
	s.problems = s.url + "/problems/"
	s.cookie = sessionCookie(s.https)
	s.challenge = fmt.Sprintf("Bearer realm=%q, resource_metadata=%q", realm, s.url+"/.well-known/oauth-protected-resource")
	s.invalid = fmt.Sprintf(`Bearer realm=%q, error="invalid_token", error_description="The token is not valid"`, realm)
	if s.assets, err = loadAssets(o.Web); err != nil {
		return nil, err
	}
	s.app = fiber.New(fiber.Config{
		AppName: "Gatehouse", ServerHeader: "", DisableStartupMessage: true, Network: fiber.NetworkTCP,
		Immutable: true, CaseSensitive: true, StrictRouting: true, BodyLimit: maxBodyBytes, ReadBufferSize: maxHeaderBytes,
		ReadTimeout: cmp.Or(o.ReadTimeout, readTimeout), WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		DisablePreParseMultipartForm: true, ErrorHandler: s.errorHandler,
	})
	s.app.Use(s.around)
	s.routes = slices.DeleteFunc(table(), s.unknownAbility)
	for i := range s.routes {
		s.mount(&s.routes[i])
	}
	if s.spec, err = s.openAPI(); err != nil {
		return nil, err
	}
	server, inner := s.app.Server(), s.app.Handler()
	server.HeaderReceived = headReceived
	server.SecureErrorLogMessage = true // what cannot be read is in no message, so neither is a token in it
	server.Handler = func(ctx *fasthttp.RequestCtx) { s.enter(ctx, inner) }
	return s, nil
}

// unknownAbility reports a route whose abilities the deployment's catalogue does
// not have. It is not served: nobody could be given the right to call it.
func (s *Server) unknownAbility(rt route) bool {
	return slices.ContainsFunc(rt.access.abilities, func(name string) bool {
		_, ok := s.portal.Catalogue().Ability(name)
		return !ok
	})
}

// App returns the Fiber app, for tests that need no socket.
func (s *Server) App() *fiber.App { return s.app }

// Serve answers connections of the listener until Shutdown.
func (s *Server) Serve(l net.Listener) error { return s.app.Listener(lingerer{l}) }

// Listen answers at a TCP address, host:port, until Shutdown.
func (s *Server) Listen(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return s.Serve(l)
}

// Drain makes the server say that it is not ready, while it goes on answering:
// whoever balances the load sends no more, and whoever keeps a connection is
// told with the next answer to open another one, elsewhere.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown stops listening, lets requests under way finish and closes idle
// connections. An error means that ctx ended first.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	defer s.access.flush()
	return s.app.ShutdownWithContext(ctx)
}

// enter refuses what must not reach Fiber: a request whose head is faulty, and
// methods that Fiber has no name for, which it would answer with a text of its
// own.
func (s *Server) enter(ctx *fasthttp.RequestCtx, next fasthttp.RequestHandler) {
	fault := faultOf(&ctx.Request.Header)
	if !slices.Contains(fiber.DefaultMethods, string(ctx.Method())) {
		ctx.Request.Header.SetMethod(fiber.MethodGet) // Fiber has no context for another
		if fault == nil {
			fault = &refusal{kind: kindNotSupported, detail: "The server does not know this method."}
		}
	}
	if fault == nil {
		next(ctx)
		return
	}
	c := s.app.AcquireCtx(ctx)
	defer s.app.ReleaseCtx(c)
	_ = s.errorHandler(c, fault)
}

// around is what every request passes through: it gathers what is known of it,
// and after the handler writes refusals, records the call and logs.
func (s *Server) around(c *fiber.Ctx) error {
	r := requests.Get().(*request)
	*r = request{began: s.now()}
	r.address = clientAddress(c, s.trusted)
	r.id = s.requestID(c, r.began)
	c.Context().SetUserValue(requestKey{}, r)

	s.secure(c, r)
	leaving := s.draining.Load() // before the handler asks: who is told to leave is also told 503 by /readyz
	err := s.guarded(c)
	if err != nil && !s.servedPage(c, r, err) {
		s.fail(c, r, err)
	}
	if leaving { // no client shall send its next request into the shutdown
		c.Response().SetConnectionClose()
	}
	s.finished(c, r)
	requests.Put(r)
	return nil
}

// guarded runs the handlers and turns a panic into a failure.
func (s *Server) guarded(c *fiber.Ctx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &recovered{v, debug.Stack()}
		}
	}()
	return c.Next()
}

// requestID takes over the id that a trusted proxy sent, or makes one.
func (s *Server) requestID(c *fiber.Ctx, at time.Time) string {
	if len(s.trusted) > 0 && isTrusted(peerAddress(c), s.trusted) {
		if id := c.Context().Request.Header.Peek(fiber.HeaderXRequestID); saneRequestID(id) {
			return string(id)
		}
	}
	return newRequestID(at)
}

// finished records the call of a token, measures and logs.
func (s *Server) finished(c *fiber.Ctx, r *request) {
	took := s.now().Sub(r.began)
	status, size := c.Response().StatusCode(), 0
	if !c.Response().IsBodyStream() { // to measure a stream would read it
		size = len(c.Response().Body())
	}
	if d := &r.decision; d.Token != nil {
		s.portal.Record(d, portal.Recorded{
			Method: c.Method(), Route: r.route.template(), Status: status, Duration: took, Bytes: int64(size),
			Address: r.address, UserAgent: r.agent, RequestID: r.id,
		})
	}
	s.metrics.served(c.Method(), r.template(), status, took)
	if s.access != nil {
		s.access.add(c, r, status, size, took)
	}
}

// sendJSON answers with a status and a JSON body.
func sendJSON(c *fiber.Ctx, status int, body any) error {
	c.Status(status)
	return writeJSON(c, body)
}

// writeJSON encodes the body of an answer.
func writeJSON(c *fiber.Ctx, body any) error {
	buffer := bodies.Get().(*[]byte)
	b, ok := appendBody((*buffer)[:0], body)
	if ok {
		c.Response().SetBody(b) // a copy
	} else if err := c.JSON(body); err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	if cap(b) <= maxBody {
		*buffer = b
		bodies.Put(buffer)
	}
	c.Response().Header.SetContentType(jsonType)
	return nil
}

const jsonType = "application/json; charset=utf-8"

// servedPage answers a path that no route has with the shell of the browser
// program, if a browser asked for a page, and reports whether it did.
func (s *Server) servedPage(c *fiber.Ctx, r *request, err error) bool {
	raised, ok := errors.AsType[*fiber.Error](err)
	if !ok || raised.Code != fiber.StatusNotFound || r.route != nil || !mayBePage(c) {
		return false
	}
	c.Vary(fiber.HeaderAccept)
	if !wantsPage(c) {
		return false
	}
	if err := s.shell(c); err != nil {
		s.fail(c, r, err)
	}
	return true
}
