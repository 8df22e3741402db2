package httpapi

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// bearer is the door of the public API: one token in the Authorization header,
// judged for this very request. Cookies are not looked at.
func (s *Server) bearer(rt *route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := of(c)
		r.route = rt
		fieldNoStore.set(&c.Response().Header)
		credential, err := s.credential(c)
		if err != nil {
			return err
		}
		d := &r.decision
		r.agent = userAgent(c)
		*d = s.portal.Decide(c.UserContext(), &portal.Ask{
			Secret: credential, Need: rt.need, Address: r.address, UserAgent: r.agent, RequestID: r.id, At: r.began, Stop: rt.access.stop,
		})
		s.limitFields(c, d)
		if d.Code != portal.OK {
			return s.refuse(c, rt, d, r)
		}
		if d.Token.ExpiresSoon(r.began) {
			c.Set(headerTokenExpires, d.Token.ExpiresAt.UTC().Format(time.RFC3339))
		}
		if unsafe(c) {
			ctx, cancel := context.WithTimeout(context.Background(), handleTimeout)
			defer cancel()
			c.SetUserContext(ctx)
		}
		return rt.handle(s, c)
	}
}

var schemeBearer = []byte("bearer")

// credential returns what stands after the scheme Bearer (RFC 6750, 2.1). No
// header, an empty one or another scheme is no credential; two credentials are
// none that could be chosen.
func (s *Server) credential(c *fiber.Ctx) (string, error) {
	headers := c.Context().Request.Header.PeekAll(fiber.HeaderAuthorization)
	if len(headers) > 1 {
		return "", s.errTwoCredentials("The request has two Authorization headers.")
	}
	var value []byte
	if len(headers) == 1 {
		value = bytes.TrimSpace(headers[0])
	}
	if len(value) > 0 && accessTokenElsewhere(c) {
		return "", s.errTwoCredentials("The request has an Authorization header and an access_token elsewhere.")
	}
	scheme, rest, _ := bytes.Cut(value, []byte(" "))
	if !bytes.EqualFold(scheme, schemeBearer) {
		s.portal.Stats().NoToken()
		return "", &refusal{
			kind: kindNoToken, detail: "The request has no Authorization header with a bearer token.",
			headers: [][2]string{{fiber.HeaderWWWAuthenticate, s.challenge}},
		}
	}
	return string(bytes.TrimLeft(rest, " ")), nil
}

// accessTokenElsewhere reports the two other places that RFC 6750 names. There a
// token authenticates nobody: addresses and bodies end up in logs.
func accessTokenElsewhere(c *fiber.Ctx) bool {
	req := &c.Context().Request
	if len(req.URI().QueryString()) > 0 && c.Context().QueryArgs().Has("access_token") {
		return true
	}
	form := bytes.HasPrefix(bytes.ToLower(req.Header.ContentType()), []byte(fiber.MIMEApplicationForm))
	return form && c.Context().PostArgs().Has("access_token")
}

func (s *Server) errTwoCredentials(detail string) error {
	return &refusal{kind: kindInvalidReq, detail: detail, headers: [][2]string{{
		fiber.HeaderWWWAuthenticate, `Bearer realm="` + realm + `", error="invalid_request", error_description="More than one credential was sent"`,
	}}}
}

// limitFields says what remains of the token's limit, in the fields of
// draft-ietf-httpapi-ratelimit-headers.
func (s *Server) limitFields(c *fiber.Ctx, d *portal.Decision) {
	l := &d.Limit
	if l.Quota == 0 {
		return
	}
	var b [64]byte
	text := strconv.AppendInt(append(b[:0], `"token";q=`...), int64(l.Quota), 10)
	text = strconv.AppendInt(append(text, ";w="...), int64(l.Window/time.Second), 10)
	h := &c.Response().Header
	fieldRateLimitPolicy.setText(h, text)
	text = strconv.AppendInt(append(b[:0], `"token";r=`...), int64(l.Remaining), 10)
	reset := l.Reset
	if l.RetryAfter > 0 { // what a refused client waits for; Retry-After must not be earlier than t
		reset = l.RetryAfter
	}
	text = strconv.AppendInt(append(text, ";t="...), int64(portal.Seconds(reset)), 10)
	fieldRateLimit.setText(h, text)
}

// told is what the holder of a whole secret may know about it.
var told = map[portal.Code]struct{ detail, fix string }{
	portal.NotYetValid:     {"The token is not valid yet.", "Wait until its start, or change it in the portal."},
	portal.Expired:         {"The token has expired.", "Make a new token in the portal."},
	portal.Revoked:         {"The token was revoked.", "Make a new token in the portal, and find out who still uses this one."},
	portal.Suspended:       {"The token is suspended.", "Ask your team to resume it in the portal."},
	portal.GenerationEnded: {"This secret was replaced by a newer one.", "Use the newest secret of the token."},
	portal.MakerGone:       {"The person who made the token is no longer in the team.", "Ask your team to make a new token."},
}

// refuse turns a decision that is no into the problem that the client reads.
func (s *Server) refuse(c *fiber.Ctx, rt *route, d *portal.Decision, r *request) error {
	f := &refusal{with: func(p *api.Problem) {
		p.Instance = "urn:gatehouse:decision:" + d.ID.String()
		if d.Token != nil {
			p.Token = d.Token.ID
		}
	}}
	about := f.with
	switch d.Code {
	case portal.InvalidToken:
		f.kind, f.detail = kindInvalidToken, "The token is not valid."
		f.headers = [][2]string{{fiber.HeaderWWWAuthenticate, s.invalid}}
	case portal.Insufficient:
		s.insufficient(c, rt, d, f)
	case portal.AddressDenied:
		f.kind = kindAddress
		f.detail = "The token may not be used from " + r.address.String() + "."
	case portal.RateLimited:
		f.kind, f.retry = kindTooManyHourly, max(d.Limit.RetryAfter, time.Second)
		f.with = func(p *api.Problem) {
			about(p)
			p.Type, p.Title, p.ViolatedPolicies = quotaExceeded, quotaTitle, []string{"token"}
			p.Detail = "The token has used its " + strconv.Itoa(d.Limit.Quota) + " requests in " + d.Limit.Window.String() + "."
			p.Fix = "Wait as long as the Retry-After header says."
		}
	case portal.Undecided: // its cause was logged where it arose
		if e, ok := errors.AsType[*portal.Error](d.Cause); ok && e.Kind == portal.Busy {
			return e
		}
		return portal.ErrUnavailable
	case portal.UnknownKey:
		return portal.ErrUnknownKey
	default:
		words := told[d.Code]
		f.kind, f.code, f.detail, f.fix = kindInvalidToken, string(d.Code), words.detail, words.fix
		f.headers = [][2]string{{fiber.HeaderWWWAuthenticate, s.invalid}}
	}
	return f
}

// insufficient names what the token lacks and where to ask for it.
func (s *Server) insufficient(c *fiber.Ctx, rt *route, d *portal.Decision, f *refusal) {
	index := s.portal.Catalogue().Index()
	missing, granted := index.Names(d.Missing), index.Names(d.Effective)
	has := "none"
	if len(granted) > 0 {
		has = strings.Join(granted, ", ")
	}
	f.kind = kindInsufficient
	f.detail = c.Method() + " " + rt.path + " needs " + rt.names + "; this token has " + has + "."
	f.fix = "Ask your team for " + strings.Join(missing, ", ") + " on this token."
	f.headers = [][2]string{
		{fiber.HeaderWWWAuthenticate, rt.challenge},
		{headerAcceptedScopes, rt.list},
	}
	about := f.with
	f.with = func(p *api.Problem) {
		about(p)
		p.RequiredAbilities, p.GrantedAbilities = rt.access.abilities, granted
		p.RequestAccess = s.url + "/teams/" + d.Token.Team + "/tokens/" + d.Token.ID
		if d.ByRole {
			p.Reason = "role"
			p.Detail = "The token has " + strings.Join(missing, ", ") + ", but the role of the person who made it no longer lends it."
			p.Fix = "Ask an owner of your team to give that person's role back, or to make a token of their own."
		}
	}
}
