package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

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
// against the limits of the principal; what is given again does not.
func (s *Server) once(c *fiber.Ctx, team, principal string, do func(ctx context.Context) (reply, error), limits ...limit) error {
	count := func(ctx context.Context) error {
		for _, l := range limits {
			if err := s.throttle.take(ctx, l, principal); err != nil {
				return err
			}
		}
		return nil
	}
	key, ok, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	var first reply
	if !ok {
		if err = count(c.UserContext()); err != nil {
			return err
		}
		if first, err = do(c.UserContext()); err != nil {
			return err
		}
		return first.send(c)
	}
	scope := portal.IdempotentScope{Team: team, Principal: principal, Method: c.Method(), Route: c.Path(), Key: key}
	answer, replayed, err := s.portal.Idempotent(c.UserContext(), scope, c.Body(), count, func(ctx context.Context) (portal.Answer, error) {
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
