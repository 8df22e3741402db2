package httpapi

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// signIn answers POST /portal/v1/sessions. Every cause of a refusal has the same
// answer.
func (s *Server) signIn(c *fiber.Ctx) error {
	in, err := decode[api.SignIn](c)
	if err != nil {
		return err
	}
	r, ctx := of(c), c.UserContext()
	network := portal.Network(r.address).String()
	if err := s.throttle.take(ctx, signInPerNetwork, network); err != nil {
		return err
	}
	from := r.origin(c)
	from.Browser = s.browser(c)
	from.MayMail = func(ctx context.Context, emailKey string) (bool, error) {
		ok, err := s.throttle.allows(ctx, mailsPerNetwork, network)
		if err != nil || !ok {
			return false, err
		}
		return s.mayMail(ctx, emailKey)
	}
	var out portal.SignedIn
	err = s.withPassword(c, portal.EmailKey(in.Email), func() (right bool, err error) {
		out, err = s.portal.SignIn(ctx, in.Email, in.Password, from)
		// Whoever is told to verify first has not signed in, and may not try without end.
		return out.Status == api.SignedIn, err
	})
	if err != nil {
		return err
	}
	if out.Status == api.VerifyEmailDue {
		s.keepBrowser(c, from.Browser)
	}
	s.openSession(c, out)
	return sendJSON(c, fiber.StatusOK, api.SignInResult{Status: out.Status})
}

// withPassword runs what compares a password with that of an account, within the
// bound on tries of that account from one network. A right one forgets the tries.
func (s *Server) withPassword(c *fiber.Ctx, emailKey string, compare func() (right bool, err error)) error {
	r, ctx := of(c), c.UserContext()
	network := portal.Network(r.address).String()
	if err := s.throttle.password(ctx, emailKey, network); err != nil {
		return err
	}
	right, err := compare()
	if err != nil || !right {
		return err
	}
	if err := s.throttle.right(ctx, emailKey, network); err != nil {
		// What the password was for is done; the tries are forgotten by themselves.
		s.log.Warn("the tries of a password were not forgotten", "request_id", r.id, "error", err)
	}
	return nil
}

// openSession gives the browser the cookie of a new session, and ends the one
// that it had before: whoever has a copy of that cookie shall not go on with it.
func (s *Server) openSession(c *fiber.Ctx, in portal.SignedIn) {
	if in.Cookie == "" {
		return
	}
	s.setCookie(c, s.cookie, in.Cookie, 0)
	r, ctx := of(c), c.UserContext()
	before, err := s.portal.Authenticate(ctx, c.Cookies(s.cookie), r.origin(c))
	if err == nil {
		err = s.portal.SignOut(ctx, before)
	}
	if err != nil && portal.KindOf(err) != portal.SignedOut {
		s.log.Warn("the session before a sign-in did not end", "request_id", r.id, "error", err)
	}
}

// showSession answers GET /portal/v1/session.
func (s *Server) showSession(c *fiber.Ctx) error {
	who := person(c)
	teams, err := s.portal.Memberships(c.UserContext(), who)
	if err != nil {
		return err
	}
	out := api.Session{
		ID: who.Session.ID, User: userJSON(who.User), Teams: membershipsJSON(teams),
		CSRFToken: s.portal.CSRFToken(who), ExpiresAt: api.At(who.Session.ExpiresAt),
		Address: of(c).address.String(), Notices: []string{},
	}
	if who.Fresh(s.now()) {
		out.FreshUntil = api.At(who.Session.FreshUntil)
	}
	return sendJSON(c, fiber.StatusOK, out)
}

// signOut answers DELETE /portal/v1/session.
func (s *Server) signOut(c *fiber.Ctx) error {
	if err := s.portal.SignOut(c.UserContext(), person(c)); err != nil {
		return err
	}
	s.setCookie(c, s.cookie, "", -time.Second)
	c.Set(headerClearSiteData, `"cache", "cookies", "storage"`)
	return c.SendStatus(fiber.StatusNoContent)
}

// confirmPassword answers POST /portal/v1/session/confirm.
func (s *Server) confirmPassword(c *fiber.Ctx) error {
	in, err := decode[api.ConfirmPassword](c)
	if err != nil {
		return err
	}
	who := person(c)
	var session portal.Renewal
	err = s.withPassword(c, who.User.EmailKey, func() (bool, error) {
		session, err = s.portal.ConfirmPassword(c.UserContext(), who, in.Password)
		return true, err
	})
	if err != nil {
		return err
	}
	s.setCookie(c, s.cookie, session.Cookie, 0)
	return sendJSON(c, fiber.StatusOK, api.Fresh{FreshUntil: api.At(session.Session.FreshUntil)})
}
