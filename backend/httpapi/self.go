package httpapi

import (
	"context"

	"github.com/gofiber/fiber/v2"
)

// whoAmI answers GET /api/v1/token.
func (s *Server) whoAmI(c *fiber.Ctx) error {
	self, err := s.portal.WhoAmI(c.UserContext(), decided(c))
	if err != nil {
		return err
	}
	v := selfViews.Get().(*selfView)
	defer selfViews.Put(v)
	v.fill(&self)
	return sendJSON(c, fiber.StatusOK, &v.WhoAmI)
}

// revokeSelf answers DELETE /api/v1/token with a receipt.
func (s *Server) revokeSelf(c *fiber.Ctx) error {
	r, err := s.portal.RevokeSelf(c.UserContext(), decided(c), of(c).origin(c))
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.StatusOK, receiptJSON(r))
}

// rotateSelf answers POST /api/v1/token/rotate with 201 and the new secret.
func (s *Server) rotateSelf(c *fiber.Ctx) error {
	how, err := rotation(c)
	if err != nil {
		return err
	}
	d := decided(c)
	from := of(c).origin(c)
	return s.once(c, d.Token.Team, d.Token.ID, func(ctx context.Context) (reply, error) {
		t, secret, err := s.portal.RotateSelf(ctx, d, how, from)
		if err != nil {
			return reply{}, err
		}
		r := issued(t, secret, "/api/v1/token")
		r.rev = 0 // who am I has no ETag: it is another answer to each request
		return r, nil
	})
}
