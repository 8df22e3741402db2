package httpapi

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// orderPlace is the cursor of a list of orders.
type orderPlace struct {
	ID string
}

// listOrders answers GET /api/v1/orders.
func (s *Server) listOrders(c *fiber.Ctx) error {
	q := queryOf(c)
	limit := q.limit()
	if err := q.err(); err != nil {
		return err
	}
	var after orderPlace
	if _, err := s.cursor(c, &after); err != nil {
		return err
	}
	list, last, err := s.portal.Orders(c.UserContext(), decided(c), after.ID, limit)
	if err != nil {
		return err
	}
	var next *string
	if last != "" {
		next = s.sealCursor(c, orderPlace{last})
	}
	return page(c, mapped(list, orderJSON), next)
}

// createOrder answers POST /api/v1/orders.
func (s *Server) createOrder(c *fiber.Ctx) error {
	in, err := decode[api.CreateOrder](c)
	if err != nil {
		return err
	}
	d := decided(c)
	return s.once(c, d.Token.Team, d.Token.ID, func(ctx context.Context) (reply, error) {
		o, err := s.portal.CreateOrder(ctx, d, portal.NewOrder{
			Reference: in.Reference, Currency: in.Currency, AmountMinor: *in.AmountMinor, Lines: orderLines(in.Lines),
		})
		if err != nil {
			return reply{}, err
		}
		return reply{status: fiber.StatusCreated, location: "/api/v1/orders/" + o.ID, rev: o.Version, body: orderJSON(o)}, nil
	})
}

func orderLines(list []api.OrderLine) []portal.OrderLine {
	return mapped(list, func(l api.OrderLine) portal.OrderLine { return portal.OrderLine(l) })
}

// showOrder answers GET /api/v1/orders/{id}.
func (s *Server) showOrder(c *fiber.Ctx) error {
	o, err := s.portal.Order(c.UserContext(), decided(c), pathID(c, "id"))
	if err != nil {
		return err
	}
	return sendTagged(c, fiber.StatusOK, o.Version, orderJSON(o))
}

// updateOrder answers PATCH /api/v1/orders/{id}.
func (s *Server) updateOrder(c *fiber.Ctx) error {
	in, err := decode[api.UpdateOrder](c)
	if err != nil {
		return err
	}
	rev, err := s.matchOrder(c)
	if err != nil {
		return err
	}
	change := portal.OrderChange{Reference: set(in.Reference), Currency: set(in.Currency), AmountMinor: set(in.AmountMinor)}
	if in.Lines.Set {
		lines := orderLines(in.Lines.Value)
		change.Lines = &lines
	}
	d, id := decided(c), pathID(c, "id")
	return s.once(c, d.Token.Team, d.Token.ID, func(ctx context.Context) (reply, error) {
		return orderReply(s.portal.UpdateOrder(ctx, d, id, rev, change))
	})
}

// orderReply is the answer to a change of an order.
func orderReply(o portal.Order, err error) (reply, error) {
	return reply{status: fiber.StatusOK, rev: o.Version, body: orderJSON(o)}, err
}

// cancelOrder answers DELETE /api/v1/orders/{id} with the order as it is then.
func (s *Server) cancelOrder(c *fiber.Ctx) error {
	rev, err := s.matchOrder(c)
	if err != nil {
		return err
	}
	d, id := decided(c), pathID(c, "id")
	return s.once(c, d.Token.Team, d.Token.ID, func(ctx context.Context) (reply, error) {
		return orderReply(s.portal.CancelOrder(ctx, d, id, rev))
	})
}

func (s *Server) matchOrder(c *fiber.Ctx) (*int64, error) {
	return match(c, func() (int64, error) {
		o, err := s.portal.Order(c.UserContext(), decided(c), pathID(c, "id"))
		return o.Version, err
	})
}
