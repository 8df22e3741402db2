package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// The security headers. They are the same for every answer, but for the policy
// of pages, which lets the browser program run.
const (
	pagePolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; " +
		"font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	dataPolicy     = "default-src 'none'; frame-ancestors 'none'"
	hsts           = "max-age=31536000; includeSubDomains"
	referrerPolicy = "strict-origin-when-cross-origin"
	permissions    = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
	sameOrigin     = "same-origin"
	nosniff        = "nosniff"
)

// The header names that Fiber has no constants for.
const (
	headerAcceptPatch     = "Accept-Patch"
	headerOpenerPolicy    = "Cross-Origin-Opener-Policy"
	headerResourcePolicy  = "Cross-Origin-Resource-Policy"
	headerPermissions     = "Permissions-Policy"
	headerClearSiteData   = "Clear-Site-Data"
	headerRateLimit       = "RateLimit"
	headerRateLimitPolicy = "RateLimit-Policy"
	headerTokenExpires    = "Gatehouse-Token-Expires"
	headerVersion         = "Gatehouse-Version"
	headerAcceptedScopes  = "X-Accepted-Scopes"
	headerCSRF            = "X-CSRF-Token"
	headerIdempotencyKey  = "Idempotency-Key"
	headerReplayed        = "Idempotent-Replayed"
	headerSecFetchSite    = "Sec-Fetch-Site"
)

// field is a header field as fasthttp keeps it. To bring a name into that form
// anew for each answer would cost as much as the decision about a token.
type field struct{ name, value []byte }

func fieldOf(name, value string) field {
	return field{fasthttp.AppendNormalizedHeaderKey(nil, name), []byte(value)}
}

func (f *field) set(h *fasthttp.ResponseHeader) { h.SetCanonical(f.name, f.value) }

// setText sets the field to another value than its own.
func (f *field) setText(h *fasthttp.ResponseHeader, value []byte) { h.SetCanonical(f.name, value) }

var (
	fieldsAlways = []field{
		fieldOf(fiber.HeaderXContentTypeOptions, nosniff),
		fieldOf(fiber.HeaderContentSecurityPolicy, dataPolicy),
		fieldOf(fiber.HeaderReferrerPolicy, referrerPolicy),
		fieldOf(headerResourcePolicy, sameOrigin),
	}
	fieldHSTS            = fieldOf(fiber.HeaderStrictTransportSecurity, hsts)
	fieldNoStore         = fieldOf(fiber.HeaderCacheControl, "no-store")
	fieldRequestID       = fieldOf(fiber.HeaderXRequestID, "")
	fieldRateLimit       = fieldOf(headerRateLimit, "")
	fieldRateLimitPolicy = fieldOf(headerRateLimitPolicy, "")
)

// secure sets the headers that every answer has.
func (s *Server) secure(c *fiber.Ctx, r *request) {
	h := &c.Response().Header
	var id [64]byte // the longest that is taken over
	fieldRequestID.setText(h, append(id[:0], r.id...))
	for i := range fieldsAlways {
		fieldsAlways[i].set(h)
	}
	if s.https {
		fieldHSTS.set(h)
	}
	if v := s.assets.version(); v != "" && strings.HasPrefix(c.Path(), portalSpace) {
		h.Set(headerVersion, v)
	}
}

// securePage sets what pages have beyond that.
func securePage(c *fiber.Ctx) {
	h := &c.Response().Header
	h.Set(fiber.HeaderContentSecurityPolicy, pagePolicy)
	h.Set(headerOpenerPolicy, sameOrigin)
	h.Set(headerPermissions, permissions)
}
