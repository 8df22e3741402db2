package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// refusal is an answer that is a problem. Handlers and doors return it where
// the rules have no error of their own: what HTTP itself refuses.
type refusal struct {
	kind    string
	code    string
	detail  string
	fix     string // "": the kind's
	headers [][2]string
	fields  []api.FieldError
	retry   time.Duration
	close   bool // the connection cannot be used any more
	with    func(*api.Problem)
}

func (r *refusal) Error() string { return r.kind + ": " + r.detail }

// fail writes err as the answer. What the client may not read becomes a bare
// 500 and one line in the log.
func (s *Server) fail(c *fiber.Ctx, r *request, err error) {
	p, f := s.problem(c, r, err)
	res := c.Response()
	res.ResetBody()
	c.Status(p.Status)
	p.RequestID = r.id
	if p.Instance == "" {
		p.Instance = "urn:gatehouse:request:" + r.id
	}
	for _, h := range f.headers {
		c.Set(h[0], h[1])
	}
	if f.retry > 0 {
		p.RetryAfterSeconds = portal.Seconds(f.retry)
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(p.RetryAfterSeconds))
	}
	if f.close {
		res.SetConnectionClose()
	}
	fieldNoStore.set(&res.Header)
	if err := writeJSON(c, p); err != nil {
		s.log.Error("a problem could not be encoded", "request_id", r.id, "error", err)
	}
	c.Set(fiber.HeaderContentType, api.ProblemType)
}

// problem turns an error into the body that the client reads, and what goes
// with it.
func (s *Server) problem(c *fiber.Ctx, r *request, err error) (*api.Problem, *refusal) {
	if http, ok := errors.AsType[*refusal](err); ok { // the usual case, first
		k := kindNamed(http.kind)
		p := s.problemOf(k, http.code, http.detail, http.fix)
		p.Errors = http.fields
		if http.with != nil {
			http.with(p)
		}
		return p, http
	}
	if ours, ok := errors.AsType[*portal.Error](err); ok {
		if ours.Code == portal.ErrUnavailable.Code && err != error(ours) { // alone, it was logged where it arose
			s.log.Warn("storage did not carry out a request", "request_id", r.id, "route", r.template(), "error", err)
		}
		return s.problemOfRules(ours)
	}
	if raised, ok := errors.AsType[*fiber.Error](err); ok {
		k := kindOfStatus(raised.Code)
		if k.status == fiber.StatusInternalServerError {
			s.logFailure(r, err)
		}
		// fasthttp cannot go on after what it could not read.
		broken := r.route == nil && k.status != fiber.StatusNotFound && k.status != fiber.StatusMethodNotAllowed
		return s.problemOf(k, "", detailOfStatus(k, c), ""), &refusal{close: broken}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		s.log.Warn("a request ran out of time", "request_id", r.id, "route", r.template(), "error", err)
		return s.problemOfRules(portal.ErrUnavailable)
	default:
		s.logFailure(r, err)
		return s.problemOf(kindNamed(kindInternal), "", "The request could not be carried out.", ""), &refusal{}
	}
}

func (s *Server) logFailure(r *request, err error) {
	s.metrics.failed("internal")
	s.log.Error("a request failed", "request_id", r.id, "route", r.template(), "error", err)
}

func (s *Server) problemOf(k *kind, code, detail, fix string) *api.Problem {
	if fix == "" {
		fix = k.fix
	}
	return &api.Problem{Type: s.problems + k.name, Title: k.title, Status: k.status, Code: code, Detail: detail, Fix: fix}
}

// problemOfRules writes a refusal of the rules. Two of its kinds have types that
// IANA registers.
func (s *Server) problemOfRules(e *portal.Error) (*api.Problem, *refusal) {
	f := &refusal{retry: e.RetryAfter}
	if e.Kind == portal.Busy {
		switch e.Code {
		case portal.ErrUnavailable.Code:
			s.metrics.failed("storage")
		case portal.ErrUnknownKey.Code:
			s.metrics.failed("keys")
		}
		p := &api.Problem{Type: reducedCapacity, Title: capacityTitle, Status: fiber.StatusServiceUnavailable}
		p.Code, p.Detail, p.Fix = e.Code, e.Detail, e.Fix
		f.retry = max(f.retry, time.Second)
		return p, f
	}
	k := kindNamed(string(e.Kind))
	if own := kindNamed(e.Code); e.Code != "" && own.status == k.status {
		k = own // the code has a problem type of its own
	}
	p := s.problemOf(k, e.Code, e.Detail, e.Fix)
	p.Conflict = e.Other
	for _, role := range e.Roles {
		p.Roles = append(p.Roles, string(role))
	}
	for _, field := range e.Fields {
		p.Errors = append(p.Errors, api.FieldError(field))
	}
	if e.Kind == portal.SignedOut {
		f.headers = append(f.headers, [2]string{fiber.HeaderWWWAuthenticate, sessionChallenge})
	}
	return p, f
}

// detailOfStatus says in a sentence what Fiber only numbers. Its own texts
// repeat the request, so they are not sent back.
func detailOfStatus(k *kind, c *fiber.Ctx) string {
	switch k.name {
	case kindNotFound:
		return "There is nothing at this address."
	case kindMethod:
		return "This address answers only " + strings.ReplaceAll(string(c.Response().Header.Peek(fiber.HeaderAllow)), ", HEAD", "") + "."
	case kindTooLarge:
		return "The body is larger than 64 KiB."
	case kindHeaders:
		return "The header fields are larger than 16 KiB."
	case kindTimeout:
		return "The request did not arrive in time."
	default:
		return "The request is not well-formed HTTP."
	}
}

// errorHandler answers what did not reach a route: requests that fasthttp could
// not read.
func (s *Server) errorHandler(c *fiber.Ctx, err error) error {
	r := of(c)
	r.address = peerAddress(c) // whom to look for when many requests cannot be read
	s.secure(c, r)
	s.fail(c, r, err)
	s.finished(c, r)
	return nil
}

func invalidFields(fields ...api.FieldError) error {
	return &refusal{kind: kindInvalid, detail: "The input breaks a rule.", fields: fields}
}

func badRequest(detail string) error { return &refusal{kind: kindBadRequest, detail: detail} }

// recovered turns a panic into a failure for the log.
type recovered struct {
	value any
	stack []byte
}

func (e *recovered) Error() string { return "panic" }

// LogValue implements [slog.LogValuer].
func (e *recovered) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("panic", e.value), slog.String("stack", string(e.stack)))
}
