package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"
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

// secure sets the headers that every answer has.
func (s *Server) secure(c *fiber.Ctx, r *request) {
	h := &c.Response().Header
	h.Set(fiber.HeaderXRequestID, r.id)
	h.Set(fiber.HeaderXContentTypeOptions, nosniff)
	h.Set(fiber.HeaderContentSecurityPolicy, dataPolicy)
	h.Set(fiber.HeaderReferrerPolicy, referrerPolicy)
	h.Set(headerResourcePolicy, sameOrigin)
	if s.https {
		h.Set(fiber.HeaderStrictTransportSecurity, hsts)
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
