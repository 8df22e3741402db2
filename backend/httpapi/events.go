package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// eventPlace is the cursor of a list of events.
type eventPlace struct {
	Seq int64
}

func (s *Server) eventQuery(c *fiber.Ctx) (portal.EventQuery, error) {
	q := queryOf(c)
	f := portal.EventQuery{
		Actor: q.text("actor"), Target: q.text("target"), From: q.time("from"), To: q.time("to"), Limit: q.limit(),
	}
	if v := q.text("action"); v != "" {
		f.Actions = strings.Split(v, ",")
	}
	if err := q.err(); err != nil {
		return f, err
	}
	var after eventPlace
	if ok, err := s.cursor(c, &after); err != nil {
		return f, err
	} else if ok {
		f.After = after.Seq
	}
	return f, nil
}

func (s *Server) eventPage(c *fiber.Ctx, list portal.EventPage) error {
	var next *string
	if list.Next != 0 {
		next = s.sealCursor(c, eventPlace{list.Next})
	}
	return page(c, mapped(list.Events, eventJSON), next)
}

// listEvents answers GET …/events, of a team or of one token.
func (s *Server) listEvents(c *fiber.Ctx) error {
	q, err := s.eventQuery(c)
	if err != nil {
		return err
	}
	var list portal.EventPage
	if c.Params("id") != "" {
		list, err = s.portal.TokenEvents(c.UserContext(), person(c), pathID(c, "team"), pathID(c, "id"), q)
	} else {
		list, err = s.portal.Events(c.UserContext(), person(c), pathID(c, "team"), q)
	}
	if err != nil {
		return err
	}
	return s.eventPage(c, list)
}

// showChain answers GET …/events/chain.
func (s *Server) showChain(c *fiber.Ctx) error {
	who := person(c)
	if err := s.throttle.take(c.UserContext(), chainsPerPerson, who.User.ID); err != nil {
		return err
	}
	chain, err := s.portal.ChainState(c.UserContext(), who, pathID(c, "team"))
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.StatusOK, chainJSON(chain))
}

var errEnough = errors.New("enough")

// exportEvents answers GET …/events/export: one event a line, oldest first, for
// `gatehouse audit verify`. It is written while it is read, so it costs no
// memory; should storage fail half way, or pruning overtake it, the last line says
// that it was cut off, and no verifier takes that line for an event.
func (s *Server) exportEvents(c *fiber.Ctx) error {
	who, team, r := person(c), pathID(c, "team"), of(c)
	id := r.id
	if err := s.throttle.take(c.UserContext(), chainsPerPerson, who.User.ID); err != nil {
		return err
	}
	err := s.portal.ExportEvents(c.UserContext(), who, team, func(audit.Event) error { return errEnough })
	if err != nil && !errors.Is(err, errEnough) {
		return err // while it can still be told by a status
	}
	c.Set(fiber.HeaderContentType, "application/x-ndjson; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="events-`+team+`.ndjson"`)
	if c.Method() == fiber.MethodHead { // nobody reads what would be written
		c.Response().Header.SetContentLength(chunkedLength)
		return nil
	}
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		defer cancel()
		lines := json.NewEncoder(w)
		lines.SetEscapeHTML(false)
		err := s.portal.ExportEvents(ctx, who, team, func(e audit.Event) error { return lines.Encode(exportedEvent(e)) })
		if err != nil {
			s.log.Warn("an export of events was cut off", "request_id", id, "error", err)
			_ = lines.Encode(map[string]string{"error": "The export was cut off. Ask for it again."})
		}
	})
	return nil
}

// exportedEvent is one line of an export: what is hashed, and the hash.
func exportedEvent(e audit.Event) map[string]any {
	data := e.Data
	if data == nil {
		data = map[string]any{}
	}
	return map[string]any{
		"v": e.V, "chain": e.Chain, "seq": e.Seq, "at": audit.FormatTime(e.At), "actor": e.Actor, "action": e.Action,
		"target": e.Target, "data": data, "prev": e.Prev, "hash": e.Hash,
	}
}
