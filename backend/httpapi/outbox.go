package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// Outbox is the mail that did not leave, newest first. It is shown to everybody,
// so it is only for a server on one's own machine.
type Outbox interface {
	Mails(limit int) ([]api.Mail, error)
	Mail(id string) (mail api.Mail, ok bool, err error)
}

// listOutbox answers GET /portal/v1/outbox, without the texts.
func (s *Server) listOutbox(c *fiber.Ctx) error {
	if s.outbox == nil {
		return portal.ErrNotFound("Outbox")
	}
	list, err := s.outbox.Mails(maxLimit)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Text, list[i].Links = "", []string{}
	}
	return page(c, list, nil)
}

// showMail answers GET /portal/v1/outbox/{id}.
func (s *Server) showMail(c *fiber.Ctx) error {
	if s.outbox == nil {
		return portal.ErrNotFound("Outbox")
	}
	m, ok, err := s.outbox.Mail(pathID(c, "id"))
	if err != nil {
		return err
	}
	if !ok {
		return portal.ErrNotFound("Mail")
	}
	m.Links = texts(m.Links)
	return sendJSON(c, fiber.StatusOK, m)
}
