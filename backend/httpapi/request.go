package httpapi

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// request is what is known of one request besides Fiber's context: made at its
// start, filled by the door, read by handlers and by the log at its end.
type request struct {
	id       string
	began    time.Time
	address  netip.Addr
	agent    string          // what the client calls itself, at a bearer door
	route    *route          // nil until one matched
	decision portal.Decision // at a bearer door
	person   portal.Person   // at a session door
}

type requestKey struct{}

var requests = sync.Pool{New: func() any { return new(request) }}

// of returns what is known of the request. Requests that could not be read
// never reach a handler; for them it is an empty one.
func of(c *fiber.Ctx) *request {
	r, _ := c.Context().UserValue(requestKey{}).(*request)
	if r == nil {
		now := time.Now()
		r = &request{id: newRequestID(now), began: now}
		c.Context().SetUserValue(requestKey{}, r)
	}
	return r
}

// person returns who is signed in; only behind a session door.
func person(c *fiber.Ctx) portal.Person { return of(c).person }

// decided returns the decision about the token; only behind a bearer door.
func decided(c *fiber.Ctx) *portal.Decision { return &of(c).decision }

// origin returns where the request came from, for the rules' records.
func (r *request) origin(c *fiber.Ctx) portal.Origin {
	return portal.Origin{Address: r.address, UserAgent: userAgent(c), RequestID: r.id}
}

const maxAgentBytes = 200

// userAgent returns what the client calls itself, as valid UTF-8 of at most 200
// bytes without control characters, fit to be stored and shown.
func userAgent(c *fiber.Ctx) string {
	b := c.Context().Request.Header.UserAgent()
	if len(b) > maxAgentBytes {
		b = b[:maxAgentBytes]
	}
	plain := utf8.Valid(b)
	for _, ch := range b {
		plain = plain && ch >= ' ' && ch != 0x7f
	}
	if plain {
		return string(b)
	}
	return strings.Map(func(ch rune) rune {
		if ch < ' ' || ch >= 0x7f && ch < 0xa0 || ch == utf8.RuneError {
			return -1
		}
		return ch
	}, string(b))
}

// newRequestID returns a ULID: unique and sortable by time, not secret.
func newRequestID(at time.Time) string {
	var id portal.DecisionID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|rand.Uint64()&0xffff)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	return id.String()
}

// saneRequestID reports whether an id that a proxy sent may be taken over.
func saneRequestID(id []byte) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for _, ch := range id {
		if !isWord(ch) && ch != '.' {
			return false
		}
	}
	return true
}

func isWord(ch byte) bool {
	return ch >= '0' && ch <= '9' || ch >= 'A' && ch <= 'Z' || ch >= 'a' && ch <= 'z' || ch == '_' || ch == '-'
}

const maxID = 64 // bytes of an id in a path

// pathID returns an id from the path. What cannot be an id is returned as "-",
// which names nothing, so that it meets the same refusal as a wrong id.
func pathID(c *fiber.Ctx, name string) string {
	id := c.Params(name)
	if id == "" || len(id) > maxID {
		return "-"
	}
	for i := range len(id) {
		if !isWord(id[i]) {
			return "-"
		}
	}
	return id
}
