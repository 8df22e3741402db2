package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

const mergePatchType = "application/merge-patch+json"

const (
	maxDepth    = 16 // of arrays and objects in a body
	maxMistakes = 50 // that one answer lists
)

// decode reads the body of a request as a T and checks its rules.
//
// What is not JSON in UTF-8 is 400; a body of another type 415; an unknown
// field, a wrong type or a broken rule 422 with a pointer for each. A field
// that stands twice is 400: two readers could take it for two things.
func decode[T any](c *fiber.Ctx) (T, error) { return decodeBody[T](c, false) }

// decodeOptional is [decode] for bodies that say nothing that is needed: none at
// all counts as {}.
func decodeOptional[T any](c *fiber.Ctx) (T, error) { return decodeBody[T](c, true) }

func decodeBody[T any](c *fiber.Ctx, optional bool) (T, error) {
	var out T
	body := c.Context().Request.Body()
	if optional && len(body) == 0 {
		return out, nil
	}
	if err := checkMedia(c); err != nil {
		return out, err
	}
	tree, err := parseJSON(body)
	if err != nil {
		return out, err
	}
	shape := shaper{}
	shape.check("#", tree, typeOf[T]())
	if len(shape.wrong) > 0 {
		return out, invalidFields(shape.wrong...)
	}
	if err := json.Unmarshal(body, &out); err != nil { // the shape was checked: a gap between the two
		return out, invalidFields(api.FieldError{Pointer: "#", Code: "type", Detail: "The body does not have the right shape."})
	}
	if wrong := validateStruct(&out); len(wrong) > 0 {
		return out, invalidFields(wrong...)
	}
	return out, nil
}

// checkMedia refuses what is not plain JSON in UTF-8.
func checkMedia(c *fiber.Ctx) error {
	h := &c.Context().Request.Header
	refused := func(detail string, field, value string) error { // RFC 9110, 15.5.16: with what would be read
		return &refusal{kind: kindMedia, detail: detail, headers: [][2]string{{field, value}}}
	}
	if enc := string(h.ContentEncoding()); enc != "" && !strings.EqualFold(enc, "identity") {
		return refused("Compressed bodies are not read.", fiber.HeaderAcceptEncoding, "identity")
	}
	field, takes := fiber.HeaderAccept, fiber.MIMEApplicationJSON
	if c.Method() == fiber.MethodPatch {
		field, takes = headerAcceptPatch, mergePatchType+", "+takes // RFC 5789, 3.1
	}
	media, params, err := mime.ParseMediaType(string(h.ContentType()))
	merge := c.Method() == fiber.MethodPatch && media == mergePatchType
	if err != nil || media != fiber.MIMEApplicationJSON && !merge {
		return refused("The body is not declared as JSON.", field, takes)
	}
	if cs := params["charset"]; cs != "" && !strings.EqualFold(cs, "utf-8") {
		return refused("JSON is always UTF-8.", field, takes)
	}
	return nil
}

// object keeps the fields of a JSON object in their order.
type object struct {
	names  []string
	values []any
}

// parseJSON reads one JSON text into object, []any, string, json.Number, bool
// and nil. encoding/json alone would take the last of two equal names, half a
// surrogate pair as a replacement character, and nesting to a depth of 10,000.
func parseJSON(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, badRequest("The body is not valid UTF-8.")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, badRequest("The body is empty; JSON was expected.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	p := parser{d: d, replaced: bytes.ContainsRune(body, utf8.RuneError) || bytes.Contains(bytes.ToLower(body), []byte(`\ufffd`))}
	v, err := p.value(0)
	if err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, badRequest(fmt.Sprintf("The body is not valid JSON: the mistake is at byte %d.", syntax.Offset))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, badRequest("The body is not valid JSON: it ends too early.")
		}
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, badRequest("The body goes on after the JSON value.")
	}
	return v, nil
}

type parser struct {
	d        *json.Decoder
	replaced bool // the text has replacement characters of its own
}

func (p *parser) value(depth int) (any, error) {
	t, err := p.d.Token()
	if err != nil {
		return nil, err
	}
	return p.rest(t, depth)
}

// rest reads what follows the first token of a value.
func (p *parser) rest(t json.Token, depth int) (any, error) {
	switch t := t.(type) {
	case json.Delim:
		if depth >= maxDepth {
			return nil, badRequest(fmt.Sprintf("The body is nested deeper than %d levels.", maxDepth))
		}
		if t == '{' {
			return p.object(depth)
		}
		list := []any{}
		for p.d.More() {
			v, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := p.d.Token() // the ]
		return list, err
	case string:
		return t, p.whole(t)
	default:
		return t, nil
	}
}

func (p *parser) object(depth int) (any, error) {
	var o object
	seen := map[string]bool{}
	for p.d.More() {
		t, err := p.d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if err := p.whole(name); err != nil {
			return nil, err
		}
		// encoding/json takes names of another case for a field, so do not let
		// "name" and "Name" stand side by side.
		if fold := strings.ToLower(name); seen[fold] {
			return nil, badRequest("The body has the field " + quoted(name) + " twice.")
		} else {
			seen[fold] = true
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o.names, o.values = append(o.names, name), append(o.values, v)
	}
	_, err := p.d.Token() // the }
	return o, err
}

// whole refuses half a surrogate pair, which the decoder replaces silently.
func (p *parser) whole(s string) error {
	if !p.replaced && strings.ContainsRune(s, utf8.RuneError) {
		return badRequest("The body has half of a surrogate pair in a text.")
	}
	return nil
}

// quoted shows a name that the client sent, shortened, without what could
// mislead a reader.
func quoted(name string) string {
	runes := []rune(name)
	if len(runes) > 40 {
		name = string(runes[:40]) + "…"
	}
	return fmt.Sprintf("%q", name)
}
