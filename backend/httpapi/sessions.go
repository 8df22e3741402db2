package httpapi

import (
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
	account, network := portal.EmailKey(in.Email), portal.Network(r.address).String()
	if err := s.throttle.take(ctx, signInPerNetwork, "sign-in", network); err != nil {
		return err
	}
	if err := s.throttle.password(ctx, account, network); err != nil {
		return err
	}
	out, err := s.portal.SignIn(ctx, in.Email, in.Password, r.origin(c))
	if err != nil {
		return err
	}
	if err := s.throttle.right(ctx, account, network); err != nil {
		return err
	}
	s.openSession(c, out)
	return sendJSON(c, fiber.StatusOK, api.SignInResult{Status: out.Status})
}

// openSession gives the browser the cookie of a new session. The session that
// the browser had before ends by itself: its cookie is gone.
func (s *Server) openSession(c *fiber.Ctx, in portal.SignedIn) {
	if in.Cookie != "" {
		s.setCookie(c, s.cookie, in.Cookie, 0)
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
	who, network := person(c), portal.Network(of(c).address).String()
	if err := s.throttle.password(c.UserContext(), who.User.ID, network); err != nil {
		return err
	}
	until, err := s.portal.ConfirmPassword(c.UserContext(), who, in.Password)
	if err != nil {
		return err
	}
	if err := s.throttle.right(c.UserContext(), who.User.ID, network); err != nil {
		return err
	}
	return sendJSON(c, fiber.StatusOK, api.Fresh{FreshUntil: api.At(until)})
}
