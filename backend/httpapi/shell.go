package httpapi

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/web"
)

// noPages are the first parts of paths that are no pages. What is unknown there
// is a problem, not the shell.
var noPages = []string{"api", "portal", "assets", "oauth", "forward-auth", "gateway", ".well-known", "problems", "leaks", "metrics"}

// mayBePage reports whether what no route matched can be a page of the browser
// program. Accept decides whether it is.
func mayBePage(c *fiber.Ctx) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(c.Path(), "/"), "/")
	return !unsafe(c) && !slices.Contains(noPages, first)
}

// wantsPage reports whether a request for what may be a page asks for one.
func wantsPage(c *fiber.Ctx) bool {
	if acceptsHTML(c) {
		return true
	}
	_, known := web.PageAt(c.Path())
	accept := listField(c, fiber.HeaderAccept)
	return known && (accept == "" || accepts(accept, "*/*", ""))
}

func acceptsHTML(c *fiber.Ctx) bool {
	return accepts(listField(c, fiber.HeaderAccept), fiber.MIMETextHTML, "")
}

const notBuilt = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Gatehouse</title></head>
<body>
<h1>The portal is not built in</h1>
<p>This server was compiled without the browser program. The API works. To get the portal, run
<code>go run ./web/build</code>, compile again and restart.</p>
</body>
</html>
`

// shell answers with the page that starts the browser program: the skeleton of
// the very page that was asked for. A path that the program has no page for gets
// the same with status 404.
func (s *Server) shell(c *fiber.Ctx) error {
	securePage(c)
	c.Set(fiber.HeaderContentType, htmlType)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if !s.assets.built {
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.Status(fiber.StatusServiceUnavailable).SendString(notBuilt)
	}
	_, known := web.PageAt(c.Path())
	if c.Path() == "/outbox" || strings.HasPrefix(c.Path(), "/outbox/") {
		known = known && s.showsOutbox(c)
	}
	var b bytes.Buffer
	visit := web.Visit{Path: c.Path(), HasToken: c.Cookies(s.cookie) != "", Outbox: s.showsOutbox(c)}
	if err := web.WriteShell(&b, s.assets.manifest.Shell(visit)); err != nil {
		return err
	}
	c.Vary(fiber.HeaderCookie)
	if !known {
		return c.Status(fiber.StatusNotFound).Send(b.Bytes())
	}
	tag := fmt.Sprintf(`"%s-%08x"`, s.assets.version(), crc32.ChecksumIEEE(b.Bytes()))
	c.Set(fiber.HeaderETag, tag)
	if noneMatch(c, tag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	return c.Status(fiber.StatusOK).Send(b.Bytes())
}
