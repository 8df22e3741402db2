package httpapi

import (
	"net/url"
	"strings"

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

// showsOutbox reports whether there is an outbox and the request came by the
// public URL. A page of another site whose name its owner has pointed at this
// machine (DNS rebinding) counts as the same origin for the browser, and only
// Host still says where it came from.
func (s *Server) showsOutbox(c *fiber.Ctx) bool {
	scheme, _, _ := strings.Cut(s.origin, ":")
	host := string(c.Context().Request.Header.Host())
	return s.outbox != nil && originOf(&url.URL{Scheme: scheme, Host: host}) == s.origin
}

// listOutbox answers GET /portal/v1/outbox, without the texts.
func (s *Server) listOutbox(c *fiber.Ctx) error {
	if !s.showsOutbox(c) {
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
	if !s.showsOutbox(c) {
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
