package httpapi

import (
	"net/netip"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// listCalls answers GET …/calls, of a team or of one token.
func (s *Server) listCalls(c *fiber.Ctx) error {
	q := queryOf(c)
	f := portal.CallFilter{
		Team: pathID(c, "team"), Token: q.token(), Route: q.text("route"), Address: q.address(),
		From: q.time("from"), To: q.time("to"), Limit: q.limit(),
	}
	f.Status, f.Refused = q.status()
	if err := q.err(); err != nil {
		return err
	}
	var after portal.CallCursor
	if ok, err := s.cursor(c, &after); err != nil {
		return err
	} else if ok {
		f.After = &after
	}
	list, err := s.portal.Calls(c.UserContext(), person(c), f)
	if err != nil {
		return err
	}
	var next *string
	if list.Next != nil {
		next = s.sealCursor(c, list.Next)
	}
	return page(c, mapped(list.Calls, callJSON), next)
}

// token returns the token that calls or usage are asked for: from the path, or
// from the query of the team's list.
func (q *query) token() string {
	if q.c.Params("id") != "" {
		return pathID(q.c, "id")
	}
	return q.text("token")
}

// status reads a status, or a class of them: 404, 4, 4xx, refused.
func (q *query) status() (status int, refused bool) {
	v := q.text("status")
	if v == "" || v == "refused" {
		return 0, v != ""
	}
	if len(v) == 3 && v[1:] == "xx" {
		v = v[:1]
	}
	n, err := strconv.Atoi(v)
	if err != nil || (n < 1 || n > 5) && (n < 100 || n > 599) {
		q.refuse("status", "oneof", "A status is a number such as 404, a class such as 4xx, or refused for 401, 403 and 429.")
		return 0, false
	}
	return n, false
}

// address reads an address or a network.
func (q *query) address() netip.Prefix {
	v := q.text("address")
	if v == "" {
		return netip.Prefix{}
	}
	p, err := portal.ParsePrefix(v)
	if err != nil {
		q.refuse("address", "address", "An address is written as 203.0.113.7 or 203.0.113.0/24.")
	}
	return p
}

// usageOf reads what usage is asked for.
func (q *query) usageOf() portal.UsageQuery {
	return portal.UsageQuery{
		From: q.time("from"), To: q.time("to"),
		Step: portal.Step(q.oneOf("step", steps...)),
		By:   portal.By(q.oneOf("by", bys...)),
	}
}

// showUsage answers GET …/usage, of a team or of one token.
func (s *Server) showUsage(c *fiber.Ctx) error {
	q := queryOf(c)
	what := q.usageOf()
	what.Token = q.token()
	if err := q.err(); err != nil {
		return err
	}
	report, err := s.portal.Usage(c.UserContext(), person(c), pathID(c, "team"), what)
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.StatusOK, usageJSON(report))
}

// showOwnUsage answers GET /api/v1/usage.
func (s *Server) showOwnUsage(c *fiber.Ctx) error {
	q := queryOf(c)
	what := q.usageOf()
	if err := q.err(); err != nil {
		return err
	}
	report, err := s.portal.OwnUsage(c.UserContext(), decided(c), what)
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.StatusOK, usageJSON(report))
}
