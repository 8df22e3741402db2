package httpapi

import (
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// reportCrash answers POST /portal/v1/crash-reports: the browser program has
// stopped, and one line of the log says so. It needs no session, since a program
// may stop before it has one.
func (s *Server) reportCrash(c *fiber.Ctx) error {
	in, err := decode[api.CrashReport](c)
	if err != nil {
		return err
	}
	r := of(c)
	if err := s.throttle.take(c.UserContext(), crashesPerNetwork, portal.Network(r.address).String()); err != nil {
		return err
	}
	s.log.Warn(
		"the browser program crashed", "request_id", r.id, "address", r.address.String(), "user_agent", userAgent(c),
		"version", withoutSecrets(in.Version), "page", pageOf(in.Path), "detail", withoutSecrets(in.Detail),
	)
	return c.SendStatus(fiber.StatusNoContent)
}

// secretText is what a token looks like, and any run of characters as long and
// dense as the codes and secrets that we make.
var secretText = regexp.MustCompile(`gtk_[0-9A-Za-z_]*|[0-9A-Za-z_-]{38,}`)

// withoutSecrets takes out of a text whatever may be one.
func withoutSecrets(text string) string { return secretText.ReplaceAllString(text, "(removed)") }

// pageOf returns the part of a path that says which page it is: links of mails
// end with a code.
func pageOf(path string) string {
	if first, rest, more := strings.Cut(strings.TrimPrefix(path, "/"), "/"); more && first != "teams" && rest != "" {
		return "/" + withoutSecrets(first) + "/…"
	}
	return withoutSecrets(path)
}
