package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// reply is an answer that may be given again for the same Idempotency-Key.
type reply struct {
	status   int
	location string
	rev      int64 // of the ETag; 0: none
	tagged   any   // what the ETag is of, as GET shows it; nil: body
	body     any
	stored   any // what a replay shows: body without its secret; nil: body
}

// once answers a request that must not be carried out twice. With an
// Idempotency-Key the first answer is stored, in the transaction of the change
// itself, and given again with Idempotent-Replayed. What is carried out counts
// against the limits of the principal; what is refused or given again does not.
func (s *Server) once(c *fiber.Ctx, team, principal string, do func(ctx context.Context) (reply, error), limits ...limit) error {
	counted := func(ctx context.Context, carryOut func(ctx context.Context) error) error {
		return s.within(ctx, of(c).id, limits, principal, carryOut)
	}
	key, ok, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	var first reply
	if !ok {
		err = counted(c.UserContext(), func(ctx context.Context) error {
			first, err = do(ctx)
			return err
		})
		if err != nil {
			return err
		}
		return first.send(c)
	}
	scope := portal.IdempotentScope{Team: team, Principal: principal, Method: c.Method(), Route: c.Path(), Key: key}
	answer, replayed, err := s.portal.Idempotent(c.UserContext(), scope, c.Body(), counted, func(ctx context.Context) (portal.Answer, error) {
		if first, err = do(ctx); err != nil {
			return portal.Answer{}, err
		}
		return first.answer()
	})
	if err != nil {
		return err
	}
	if !replayed {
		return first.send(c)
	}
	for name, value := range answer.Header {
		c.Set(name, value)
	}
	c.Set(headerReplayed, "true")
	c.Status(answer.Status)
	c.Response().SetBodyRaw(answer.Body)
	c.Response().Header.SetContentType(jsonType)
	return nil
}

// within carries something out and counts what was. It counts before, so that many
// at once are not more than the limits allow, and takes back what was refused: that
// must not use up what the principal is to do, sent by whoever has their session.
func (s *Server) within(ctx context.Context, id string, limits []limit, principal string, carryOut func(ctx context.Context) error) error {
	if len(limits) == 0 {
		return carryOut(ctx)
	}
	l := limits[0]
	counted, err := s.throttle.count(ctx, l, principal)
	if err != nil {
		return err
	}
	if counted.Reached {
		err = s.throttle.tooMany(counted, l.told)
	} else {
		err = s.within(ctx, id, limits[1:], principal, carryOut)
	}
	if err == nil {
		return nil
	}
	// Not the request's context: it may have ended, and this was not carried out.
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if lost := s.throttle.uncount(back, l, counted, principal); lost != nil {
		s.log.Warn("what was not carried out counts against a limit", "request_id", id, "error", lost)
	}
	return err
}

func (r *reply) header(body []byte) (map[string]string, error) {
	h := map[string]string{}
	if r.location != "" {
		h[fiber.HeaderLocation] = r.location
	}
	if r.rev == 0 {
		return h, nil
	}
	if r.tagged != nil {
		var err error
		if body, err = json.Marshal(r.tagged); err != nil {
			return nil, fmt.Errorf("encode what the answer is about: %w", err)
		}
	}
	h[fiber.HeaderETag] = etag(r.rev, body)
	return h, nil
}

// answer is what is stored.
func (r *reply) answer() (portal.Answer, error) {
	body := r.body
	if r.stored != nil {
		body = r.stored
	}
	text, err := json.Marshal(body)
	if err != nil {
		return portal.Answer{}, fmt.Errorf("encode the answer: %w", err)
	}
	header, err := r.header(text)
	return portal.Answer{Status: r.status, Header: header, Body: text}, err
}

func (r *reply) send(c *fiber.Ctx) error {
	text, err := json.Marshal(r.body)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	header, err := r.header(text)
	if err != nil {
		return err
	}
	for name, value := range header {
		c.Set(name, value)
	}
	c.Status(r.status)
	c.Response().SetBodyRaw(text)
	c.Response().Header.SetContentType(jsonType)
	return nil
}

// idempotencyKey reads the header: one string of structured fields (RFC 9651,
// 3.3.3) without parameters, or what other services' clients send, the same
// without quotes and then without what would end it in a list. Either way it is
// 1 to 255 ASCII characters.
func idempotencyKey(c *fiber.Ctx) (key string, ok bool, err error) {
	headers := c.Context().Request.Header.PeekAll(headerIdempotencyKey)
	if len(headers) == 0 {
		return "", false, nil
	}
	key, ok = unquoted(strings.Trim(string(headers[0]), " \t"))
	if len(headers) > 1 || !ok || key == "" || len(key) > 255 {
		return "", false, badRequest(`An Idempotency-Key is one text of 1 to 255 ASCII characters in quotes: "8e03978e-40d5".`)
	}
	return key, true, nil
}

// unquoted returns what a string of structured fields says, or a text without
// quotes as it is.
func unquoted(text string) (string, bool) {
	inner, quoted := strings.CutPrefix(text, `"`)
	if !quoted {
		return text, !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"\,;`, r) })
	}
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		switch ch := inner[i]; {
		case ch == '"':
			return b.String(), i == len(inner)-1
		case ch == '\\':
			if i++; i == len(inner) || inner[i] != '"' && inner[i] != '\\' {
				return "", false
			}
			b.WriteByte(inner[i])
		case ch < ' ' || ch > '~':
			return "", false
		default:
			b.WriteByte(ch)
		}
	}
	return "", false
}
