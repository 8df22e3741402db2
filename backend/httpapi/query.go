package httpapi

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

const (
	usualLimit   = 50
	maxLimit     = 100
	maxQueryText = 200 // bytes of one value
)

// The values of the parameters that have few, for handlers and openapi.json.
var (
	envs          = []string{string(portal.Live), string(portal.Test)}
	sorts         = []string{string(portal.NewestFirst), string(portal.ByName), string(portal.ByLastUse), string(portal.ByExpiry)}
	steps         = []string{string(portal.Hour), string(portal.Day)}
	bys           = []string{string(portal.ByToken), string(portal.ByRoute), string(portal.ByStatus)}
	tokenStatuses = []string{api.TokenPending, api.TokenActive, api.TokenSuspended, api.TokenExpired, api.TokenRevoked}
)

// query reads the query of a request and collects every mistake in it; pointers
// name a parameter as if it were a field.
type query struct {
	c     *fiber.Ctx
	wrong []api.FieldError
}

func queryOf(c *fiber.Ctx) *query { return &query{c: c} }

func (q *query) refuse(name, code, detail string) {
	q.wrong = append(q.wrong, api.FieldError{Pointer: "#/" + name, Code: code, Detail: detail})
}

// err is what is wrong, if anything.
func (q *query) err() error {
	if len(q.wrong) == 0 {
		return nil
	}
	return invalidFields(q.wrong...)
}

// text returns a value, "" if there is none.
func (q *query) text(name string) string {
	v := q.c.Query(name)
	if len(v) > maxQueryText || !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl) {
		q.refuse(name, "plain", "At most 200 bytes of text without control characters are expected here.")
		return ""
	}
	return v
}

// oneOf returns a value that is one of those allowed, or "".
func (q *query) oneOf(name string, allowed ...string) string {
	v := q.text(name)
	if v != "" && !slices.Contains(allowed, v) {
		q.refuse(name, "oneof", "One of "+strings.Join(allowed, ", ")+" is expected here.")
		return ""
	}
	return v
}

// someOf returns the values of a list separated by commas.
func (q *query) someOf(name string, allowed ...string) []string {
	v := q.text(name)
	if v == "" {
		return nil
	}
	list := strings.Split(v, ",")
	for _, one := range list {
		if !slices.Contains(allowed, one) {
			q.refuse(name, "oneof", "Some of "+strings.Join(allowed, ", ")+" are expected here, separated by commas.")
			return nil
		}
	}
	return list
}

// limit returns how many entries a page has.
func (q *query) limit() int {
	v := q.text("limit")
	if v == "" {
		return usualLimit
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxLimit || strconv.Itoa(n) != v {
		q.refuse("limit", "max", "A limit is a whole number from 1 to 100.")
		return usualLimit
	}
	return n
}

// time returns an instant, zero if there is none: RFC 3339, or a date, which
// stands for its first moment in UTC.
func (q *query) time(name string) time.Time {
	v := q.text(name)
	if v == "" {
		return time.Time{}
	}
	parsed, err := api.ParseTime(v)
	t := parsed.Time
	if err != nil {
		t, err = time.Parse(time.DateOnly, v)
	}
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		q.refuse(name, "time", "A time is written as in RFC 3339: 2027-02-20T12:00:00Z.")
		return time.Time{}
	}
	return t
}

// cursor reads the place that a page begins after into place, if there is a
// cursor, and reports whether there was. A cursor opens only for the list, in
// the very selection and order, that it was made for.
func (s *Server) cursor(c *fiber.Ctx, place any) (bool, error) {
	sealed := c.Query("cursor")
	if sealed == "" {
		return false, nil
	}
	data, ok := s.keys.Open(listPurpose(c), sealed)
	if !ok || json.Unmarshal(data, place) != nil {
		return false, badRequest("The cursor is not one of this list, or was changed.")
	}
	return true, nil
}

// sealCursor makes the cursor of the page after this one.
func (s *Server) sealCursor(c *fiber.Ctx, place any) *string {
	data, err := json.Marshal(place)
	if err != nil {
		panic(err) // times, numbers and texts: cannot happen
	}
	sealed := s.keys.Seal(listPurpose(c), data)
	return &sealed
}

// listPurpose names a list: whose it is, its path, and what selects and sorts it,
// but not how long its pages are. The tokens of an environment read one list, and
// so do the members of a team, whose id is in the path.
func listPurpose(c *fiber.Ctx) string {
	values := pageValues(c)
	values.Del("limit")
	r, owner := of(c), ""
	if t := r.decision.Token; t != nil {
		owner = t.Team + " " + string(t.Env)
	} else if c.Params("team") == "" {
		owner = r.person.User.ID
	}
	return "cursor " + owner + " " + c.Path() + "?" + values.Encode()
}

// pageValues returns the query without the cursor.
func pageValues(c *fiber.Ctx) url.Values {
	values := url.Values{}
	c.Context().QueryArgs().VisitAll(func(k, v []byte) {
		if string(k) != "cursor" && string(k) != "access_token" {
			values.Add(string(k), string(v))
		}
	})
	return values
}

// page answers one page of a list, with Link fields (RFC 8288) to the next one
// and the first.
func page[T any](c *fiber.Ctx, data []T, next *string) error {
	if data == nil {
		data = []T{}
	}
	values := pageValues(c)
	at := func() string {
		if q := values.Encode(); q != "" {
			return c.Path() + "?" + q
		}
		return c.Path()
	}
	first := "<" + at() + `>; rel="first"`
	if next != nil {
		values.Set("cursor", *next)
		first = "<" + at() + `>; rel="next", ` + first
	}
	c.Set(fiber.HeaderLink, first)
	return sendJSON(c, fiber.StatusOK, api.List[T]{Data: data, NextCursor: next})
}
