package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// updateAccount answers PATCH /portal/v1/account.
func (s *Server) updateAccount(c *fiber.Ctx) error {
	in, err := decode[api.UpdateAccount](c)
	if err != nil {
		return err
	}
	u, err := s.portal.UpdateAccount(c.UserContext(), person(c), portal.AccountChange{Name: set(in.Name), LastTeam: set(in.LastTeam)})
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.StatusOK, userJSON(u))
}

// changePassword answers POST /portal/v1/account/password.
func (s *Server) changePassword(c *fiber.Ctx) error {
	in, err := decode[api.ChangePassword](c)
	if err != nil {
		return err
	}
	who := person(c)
	var session portal.Renewal
	err = s.withPassword(c, who.User.EmailKey, func() (bool, error) {
		session, err = s.portal.ChangePassword(c.UserContext(), who, in.Current, in.Password)
		return true, err
	})
	if err != nil {
		return err
	}
	s.setCookie(c, s.cookie, session.Cookie, 0)
	return c.SendStatus(fiber.StatusNoContent)
}

// listAccountEvents answers GET /portal/v1/account/events.
func (s *Server) listAccountEvents(c *fiber.Ctx) error {
	q, err := s.eventQuery(c)
	if err != nil {
		return err
	}
	list, err := s.portal.AccountEvents(c.UserContext(), person(c), q)
	if err != nil {
		return err
	}
	return s.eventPage(c, list)
}
