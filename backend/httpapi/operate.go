package httpapi

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const readyTimeout = 2 * time.Second

// status is the body of the health answers.
type status struct {
	Status string `json:"status"`
}

// healthz answers GET /healthz: the process is alive.
func (s *Server) healthz(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return sendJSON(c, fiber.StatusOK, status{"ok"})
}

// readyz answers GET /readyz: requests can be served, from a database whose keys
// are here.
func (s *Server) readyz(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if s.draining.Load() {
		return &refusal{kind: kindUnavailable, detail: "The server is stopping.", retry: time.Second}
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	err := s.portal.Ready(ctx)
	if _, misfit := errors.AsType[*portal.MisfitError](err); misfit {
		s.log.Warn("the keys do not fit the database", "request_id", of(c).id, "error", err)
		return &refusal{kind: kindUnavailable, detail: "The keys of this server do not fit the database.", retry: 10 * time.Second}
	}
	if err != nil {
		s.log.Warn("the database is not ready", "request_id", of(c).id, "error", err)
		detail := "The database is not ready."
		if errors.Is(err, portal.ErrStorageFailing) {
			detail = portal.ErrStorageFailing.Detail
		}
		return &refusal{kind: kindUnavailable, detail: detail, retry: 2 * time.Second}
	}
	return sendJSON(c, fiber.StatusOK, status{"ready"})
}

// versions answers GET /version.
type versions struct {
	Version string `json:"version"` // of the server
	Portal  string `json:"portal"`  // of the browser program and its assets
	Go      string `json:"go"`
}

func (s *Server) showVersion(c *fiber.Ctx) error {
	return sendPublicJSON(c, versions{s.version, s.assets.version(), runtime.Version()})
}

// resourceMetadata is what RFC 9728 says of a protected resource.
type resourceMetadata struct {
	Resource      string   `json:"resource"`
	Scopes        []string `json:"scopes_supported"`
	Methods       []string `json:"bearer_methods_supported"`
	Name          string   `json:"resource_name"`
	Documentation string   `json:"resource_documentation"`
}

func (s *Server) protectedResource(c *fiber.Ctx) error {
	var scopes []string
	for _, a := range s.portal.Catalogue().Abilities {
		if !a.Platform {
			scopes = append(scopes, a.Name)
		}
	}
	return sendPublicJSON(c, resourceMetadata{
		Resource: s.url, Scopes: texts(scopes), Methods: []string{"header"}, Name: "Gatehouse", Documentation: s.url + "/openapi.json",
	})
}

// securityText answers GET /.well-known/security.txt (RFC 9116).
func (s *Server) securityText(c *fiber.Ctx) error {
	expires := s.now().UTC().AddDate(0, 6, 0).Truncate(24 * time.Hour).Format(time.RFC3339)
	return sendPublic(c, textType, fmt.Appendf(nil, "Contact: %s\nExpires: %s\nCanonical: %s/.well-known/security.txt\n", s.contact, expires, s.url))
}

const (
	textType = "text/plain; charset=utf-8"
	htmlType = "text/html; charset=utf-8"
)
