package httpapi

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// door is how a request says who it acts for.
type door string

// The doors. A route has exactly one.
const (
	doorPublic  door = "public"  // nobody: discovery and operation
	doorAnyone  door = "anyone"  // somebody at the portal, signed in or not
	doorSession door = "session" // the session cookie, never a bearer
	doorToken   door = "token"   // a bearer token, never a cookie
)

// access is the rule of who may call a route. What a role may do is decided in
// portal; action only says which of its rules that is.
type access struct {
	door      door
	action    portal.Action // doorSession: what a member must be allowed to do, "" if no team is concerned
	fresh     bool          // and the password must have been given lately
	abilities []string      // doorToken: all of these are needed
	stop      bool          // it makes things safer, so no limit of the token or of changes refuses it
}

func public() access   { return access{door: doorPublic} }
func anyone() access   { return access{door: doorAnyone} }
func signedIn() access { return access{door: doorSession} }

func member(do portal.Action) access { return access{door: doorSession, action: do} }

func token(abilities ...string) access { return access{door: doorToken, abilities: abilities} }

// afresh adds that the password must have been given lately.
func (a access) afresh() access {
	a.fresh = true
	return a
}

// beyondLimit adds that the limit of the token, or that of a person's changes,
// does not refuse it: a thief would use it up to keep the owner from this.
func (a access) beyondLimit() access {
	a.stop = true
	return a
}

// String writes the rule as it stands in routes.golden.
func (a access) String() string {
	text := string(a.door)
	if a.action != "" {
		var roles []string
		for _, r := range portal.WhoMay(a.action) {
			roles = append(roles, string(r))
		}
		text += " may " + string(a.action) + " (" + strings.Join(roles, ", ") + ")"
	}
	if a.fresh {
		text += ", fresh"
	}
	if a.stop && a.door == doorToken {
		text += ", beyond its limit too"
	} else if a.stop {
		text += ", beyond the limit of changes too"
	}
	if len(a.abilities) > 0 {
		text += " with " + strings.Join(a.abilities, ", ")
	}
	return text
}

const (
	realm            = "gatehouse"
	sessionChallenge = `Session realm="gatehouse"`
)

// sessionCookie returns the name of the session cookie. The prefix makes
// browsers insist on Secure, Path=/ and no Domain; on http, which is loopback
// only, they would refuse it.
func sessionCookie(https bool) string {
	if https {
		return "__Host-gatehouse"
	}
	return "gatehouse"
}

// anyone is the door of sign-up and sign-in: there is no session to ask, so the
// cross-site check stands alone.
func (s *Server) anyone(rt *route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		of(c).route = rt
		c.Set(fiber.HeaderCacheControl, "no-store")
		if unsafe(c) && !s.sameSite(c) {
			return errCrossSite("It was sent by another site.")
		}
		return s.limited(c, rt)
	}
}

// session is the door of the portal: a cookie, and for what changes something
// the cross-site check and the session's own token. Without a session 401 comes
// first. Authorization is not looked at.
func (s *Server) session(rt *route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := of(c)
		r.route = rt
		c.Set(fiber.HeaderCacheControl, "no-store")
		ctx, cancel := context.WithTimeout(context.Background(), handleTimeout)
		defer cancel()
		who, err := s.portal.Authenticate(ctx, c.Cookies(s.cookie), r.origin(c))
		if err != nil {
			return err
		}
		r.person = who
		if unsafe(c) {
			if !s.sameSite(c) {
				return errCrossSite("It was sent by another site.")
			}
			if !s.portal.CheckCSRF(who, c.Get(headerCSRF)) {
				return errCrossSite("The header X-CSRF-Token is missing or belongs to another session.")
			}
			if !rt.access.stop {
				if err := s.throttle.take(ctx, changesPerPerson, who.User.ID); err != nil {
					return err
				}
			}
		}
		return s.limited(c, rt)
	}
}

// limited runs a handler with a bound on what it may ask of storage.
func (s *Server) limited(c *fiber.Ctx, rt *route) error {
	ctx, cancel := context.WithTimeout(context.Background(), handleTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	return rt.handle(s, c)
}

func errCrossSite(detail string) error { return &refusal{kind: kindCrossSite, detail: detail} }

func unsafe(c *fiber.Ctx) bool {
	m := c.Method()
	return m != fiber.MethodGet && m != fiber.MethodHead
}

// sameSite reports whether the browser says that one of our own pages, or the
// person, made the request. Sec-Fetch-Site decides where there is one, else
// Origin, else Referer, compared with the public URL and never with Host. A
// request with none of the three is not from a browser that can be trusted to
// say so, and is refused.
func (s *Server) sameSite(c *fiber.Ctx) bool {
	if site := c.Get(headerSecFetchSite); site != "" {
		return site == "same-origin" || site == "none"
	}
	if origin := c.Get(fiber.HeaderOrigin); origin != "" {
		return origin == s.origin
	}
	u, err := url.Parse(c.Get(fiber.HeaderReferer))
	return err == nil && u.Host != "" && originOf(u) == s.origin
}

// originOf writes the scheme, host and port of a URL as browsers do: in lower
// case, without a port that goes without saying.
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host
}

// setCookie gives the browser a cookie that scripts cannot read. With lives
// zero it goes with the browser; a negative one takes it away.
func (s *Server) setCookie(c *fiber.Ctx, name, value string, lives time.Duration) {
	ck := &fiber.Cookie{
		Name: name, Value: value, Path: "/", Secure: s.https, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
		SessionOnly: lives == 0, MaxAge: int(lives.Seconds()),
	}
	if lives < 0 {
		ck.MaxAge, ck.Expires = -1, time.Unix(1, 0)
	}
	c.Cookie(ck)
}
