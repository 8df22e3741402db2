package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// kind is one sort of refusal as the wire knows it: the last part of the
// problem type, its status, and what people and clients are told about it.
type kind struct {
	name   string
	status int
	title  string // the same for every occurrence
	fix    string // when the occurrence has no better one
	about  string // what the page at /problems/{name} says
}

// The two types that IANA registers. They are not ours, so they stand under
// its address, and /problems/ has a page for neither.
const (
	quotaExceeded    = "https://iana.org/assignments/http-problem-types#quota-exceeded"
	reducedCapacity  = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
	quotaTitle       = "Request cannot be satisfied as assigned quota has been exceeded"
	capacityTitle    = "Request cannot be satisfied due to temporary server capacity constraints"
	internalErrorFix = "Try again. If it happens again, tell the operator the request id."
)

// The refusals of HTTP itself, as kinds beside those of the rules.
const (
	kindBadRequest    = "bad-request"
	kindInvalidReq    = "invalid-request"
	kindNoToken       = "no-token"
	kindInvalidToken  = "invalid-token"
	kindInsufficient  = "insufficient-ability"
	kindAddress       = "ip-not-allowed"
	kindCrossSite     = "cross-site-request"
	kindNotFound      = "not-found"
	kindMethod        = "method-not-allowed"
	kindTimeout       = "request-timeout"
	kindTooLarge      = "body-too-large"
	kindMedia         = "unsupported-media-type"
	kindHeaders       = "header-fields-too-large"
	kindKeyReused     = "idempotency-key-reused"
	kindKeyBusy       = "idempotency-key-in-use"
	kindInternal      = "internal-error"
	kindNotSupported  = "method-not-implemented"
	kindCoding        = "coding-not-implemented"
	kindVersion       = "version-not-supported"
	kindUnavailable   = "unavailable"
	kindInvalid       = string(portal.Invalid)
	kindSignedOut     = string(portal.SignedOut)
	kindTooManyHourly = string(portal.TooMany)
)

// kinds lists every refusal, in the order of their status.
var kinds = []kind{
	{
		kindBadRequest, 400, "The request cannot be read",
		"Send a well-formed request.",
		"The request is not what its format promises: HTTP that can be read in two ways, JSON that ends too early or repeats a key, text that is not UTF-8, a cursor that was changed.",
	},
	{
		kindInvalidReq, 400, "The request carries its credential in a wrong way",
		"Send the token once, in the Authorization header.",
		"A request names its token exactly once, in the Authorization header. Two headers, or a header and an access_token elsewhere, are refused, because the two could differ.",
	},
	{
		kindNoToken, 401, "A token is needed",
		"Send the header \"Authorization: Bearer <token>\".",
		"This part of the API acts for a token. Make one in the portal and send it in the Authorization header. A token in the address or in a cookie is not looked at.",
	},
	{
		kindInvalidToken, 401, "The token is not valid",
		"Check that the whole token was copied, or make a new one in the portal.",
		"The token is unknown, mistyped, expired, revoked, suspended or not valid yet. Whoever presents the whole secret of a token is told which of these it is in \"code\"; nobody else is.",
	},
	{
		kindSignedOut, 401, "You are not signed in",
		"Sign in again.",
		"The session has ended or there was none. Sessions end after 12 hours without use and after 14 days in any case.",
	},
	{
		kindInsufficient, 403, "The token lacks a required ability",
		"Ask your team to add the ability to this token.",
		"The token is valid but may not do this. \"required_abilities\" lists what the route needs. With \"reason\":\"role\" the token has the ability, but the role of the person who made it no longer lends it.",
	},
	{
		kindAddress, 403, "The token may not be used from this address",
		"Call from an address that the token allows, or add this one to the token.",
		"The token is limited to certain network addresses and the request came from another one.",
	},
	{
		kindCrossSite, 403, "The request did not come from the portal",
		"Reload the page and try again.",
		"Changes are accepted only from pages of the portal itself. A request that another site sent, or that lacks the session's X-CSRF-Token, is refused.",
	},
	{
		string(portal.RoleNotAllowed), 403, "Your role may not do this",
		"Ask somebody with one of the roles listed.",
		"You are a member of the team, but your role may only look. \"roles\" lists those that may.",
	},
	{
		string(portal.NotFresh), 403, "This needs your password again",
		"Confirm your password and repeat the request.",
		"What hands out secrets or widens rights needs a password given within the last 15 minutes.",
	},
	{
		string(portal.NotVerified), 403, "Your address is not verified",
		"Open the link in the mail that was sent to you.",
		"This needs a verified e-mail address.",
	},
	{
		kindNotFound, 404, "Not found",
		"Check the address. Paths are case-sensitive and have no slash at the end.",
		"Nothing is here, or nothing that you may see: what belongs to another team does not exist for you.",
	},
	{
		kindMethod, 405, "The method is not allowed here",
		"Use one of the methods in the Allow header.",
		"The path exists, but not for this method.",
	},
	{
		kindTimeout, 408, "The request took too long to arrive",
		"Send the whole request at once.",
		"The request did not arrive completely within the time that the server waits.",
	},
	{
		string(portal.NameTaken), 409, "The name is taken",
		"Choose another name.",
		"Names are unique among the living tokens of a team. \"conflict\" is the id of the one that has it.",
	},
	{
		string(portal.Conflict), 409, "The state does not allow this",
		"Read it again and decide anew.",
		"What the request asks for does not fit the state that the thing is in now.",
	},
	{
		kindKeyBusy, 409, "A request with this Idempotency-Key is still running",
		"Wait a moment and repeat the request.",
		"The first request with this key has not been answered yet.",
	},
	{
		string(portal.Changed), 412, "It was changed by somebody else",
		"Read it again, look at what changed, and repeat the request with its new ETag.",
		"The If-Match header names a state that is not the newest. Nothing was changed.",
	},
	{
		kindTooLarge, 413, "The body is too large",
		"Send at most 64 KiB.",
		"Bodies are at most 64 KiB.",
	},
	{
		kindMedia, 415, "The content type is not supported",
		"Send JSON with \"Content-Type: application/json\".",
		"Bodies are JSON in UTF-8: application/json, for PATCH also application/merge-patch+json. Compressed bodies are not read.",
	},
	{
		kindInvalid, 422, "The input breaks a rule",
		"Correct the fields listed in \"errors\".",
		"The request is well-formed, but a value is not allowed. \"errors\" names each field by a JSON Pointer and says what is wrong with it.",
	},
	{
		kindKeyReused, 422, "The Idempotency-Key was used for another request",
		"Use a new key for a new request.",
		"The key was sent before with another body. A key stands for one request and its repetitions.",
	},
	{
		string(portal.MatchRequired), 428, "If-Match is needed",
		"Read it first and send its ETag in the If-Match header.",
		"Changes name the state that they start from, so that nobody overwrites unseen what somebody else changed.",
	},
	{
		kindTooManyHourly, 429, "Too many requests of this kind",
		"Wait as long as the Retry-After header says.",
		"Sign-in, sign-up and mails are limited per network, so that passwords cannot be guessed and nobody is flooded with mail. " +
			"New tokens, new secrets and new teams are limited per person, and so are all changes in the portal together, " +
			"but not what makes things safer. How often somebody has a whole chain of events verified or exported is limited too.",
	},
	{
		kindHeaders, 431, "The header fields are too large",
		"Send fewer or shorter header fields.",
		"All header fields together are at most 16 KiB.",
	},
	{
		kindInternal, 500, "Something went wrong here",
		internalErrorFix,
		"The fault is ours. The log has a line with the request id.",
	},
	{
		kindNotSupported, 501, "The method is unknown",
		"Use GET, POST, PATCH or DELETE.",
		"The server does not know this method.",
	},
	{
		kindCoding, 501, "The transfer coding is unknown",
		"Send the body as it is, with Content-Length or \"Transfer-Encoding: chunked\".",
		"The Transfer-Encoding of the request names a coding besides chunked. The connection is closed, because such a body cannot be read.",
	},
	{
		kindUnavailable, 503, "The server is not ready",
		"Try again in a moment.",
		"The server is starting or stopping, or cannot reach its database.",
	},
	{
		kindVersion, 505, "The version of HTTP is not supported",
		"Use HTTP/1.1.",
		"The server speaks HTTP/1.1, and HTTP/1.0 for old clients. The connection is closed.",
	},
}

// kindNamed finds a kind; an unknown one is an internal error.
func kindNamed(name string) *kind {
	for i := range kinds {
		if kinds[i].name == name {
			return &kinds[i]
		}
	}
	return kindNamed(kindInternal)
}

// kindOfStatus finds the kind of an error that Fiber or fasthttp raised.
func kindOfStatus(status int) *kind {
	switch status {
	case fiber.StatusBadRequest, fiber.StatusBadGateway: // fasthttp calls a broken read bad gateway
		return kindNamed(kindBadRequest)
	case fiber.StatusNotFound:
		return kindNamed(kindNotFound)
	case fiber.StatusMethodNotAllowed:
		return kindNamed(kindMethod)
	case fiber.StatusRequestTimeout:
		return kindNamed(kindTimeout)
	case fiber.StatusRequestEntityTooLarge:
		return kindNamed(kindTooLarge)
	case fiber.StatusUnsupportedMediaType:
		return kindNamed(kindMedia)
	case fiber.StatusRequestHeaderFieldsTooLarge:
		return kindNamed(kindHeaders)
	default:
		return kindNamed(kindInternal)
	}
}
