package httpapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// showOpenAPI answers GET /openapi.json: the table of routes and the types of
// shared/api, read by reflection, so that it cannot say anything else than the
// program does.
func (s *Server) showOpenAPI(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, jsonType)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return c.Send(s.spec)
}

// openAPI describes the routes as OpenAPI 3.1.
func (s *Server) openAPI() ([]byte, error) {
	d := describer{schemas: map[string]any{}}
	paths := map[string]map[string]any{}
	for i := range s.routes {
		rt := &s.routes[i]
		path := bracePath(rt.path)
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(rt.method)] = d.operation(rt)
	}
	problem := d.schema(typeOf[api.Problem]())
	return json.Marshal(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Gatehouse", "version": "1",
			"description": "The public API is under /api/v1 and takes a bearer token. What is under /portal/v1 is for the portal's own pages.",
		},
		"servers": []any{map[string]any{"url": s.url}},
		"paths":   paths,
		"components": map[string]any{
			"schemas": d.schemas,
			"responses": map[string]any{"Problem": map[string]any{
				"description": "A refusal (RFC 9457). The types are described at /problems.",
				"content":     map[string]any{api.ProblemType: map[string]any{"schema": problem}},
			}},
			"securitySchemes": map[string]any{
				"bearerAuth":    map[string]any{"type": "http", "scheme": "bearer", "bearerFormat": "gtk_{live|test}_…"},
				"sessionCookie": map[string]any{"type": "apiKey", "in": "cookie", "name": s.cookie},
			},
		},
	})
}

// bracePath writes :id as {id}.
func bracePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[i] = "{" + p[1:] + "}"
		}
	}
	return strings.Join(parts, "/")
}

// describer turns routes and types into schemas, each named type once.
type describer struct{ schemas map[string]any }

func (d *describer) operation(rt *route) map[string]any {
	op := map[string]any{"operationId": operationID(rt), "summary": rt.about, "responses": d.responses(rt)}
	switch rt.access.door {
	case doorToken:
		op["security"] = []any{map[string]any{"bearerAuth": texts(rt.access.abilities)}}
	case doorSession:
		op["security"] = []any{map[string]any{"sessionCookie": []string{}}}
		op["x-access"] = rt.access.String()
	}
	if rt.spec.in != nil {
		op["requestBody"] = map[string]any{
			"content": map[string]any{fiber.MIMEApplicationJSON: map[string]any{"schema": d.schema(reflect.TypeOf(rt.spec.in))}},
		}
	}
	if params := parameters(rt); len(params) > 0 {
		op["parameters"] = params
	}
	return op
}

func parameters(rt *route) []any {
	var list []any
	add := func(name, in string, required bool) {
		list = append(list, map[string]any{"name": name, "in": in, "required": required, "schema": map[string]any{"type": "string"}})
	}
	for part := range strings.SplitSeq(rt.path, "/") {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			add(name, "path", true)
		}
	}
	for _, name := range strings.Fields(rt.spec.query) {
		add(name, "query", false)
	}
	if rt.spec.match {
		add(fiber.HeaderIfMatch, "header", true)
	}
	if rt.spec.once {
		add(headerIdempotencyKey, "header", false)
	}
	if rt.access.door == doorSession && rt.method != get {
		add(headerCSRF, "header", true)
	}
	return list
}

func (d *describer) responses(rt *route) map[string]any {
	status := rt.spec.status
	if status == 0 {
		status = fiber.StatusOK
	}
	good := map[string]any{"description": "Done."}
	switch out := rt.spec.out.(type) {
	case nil:
	case plainText:
		good["content"] = map[string]any{"*/*": map[string]any{}}
	case ndjson:
		good["content"] = map[string]any{"application/x-ndjson": map[string]any{"schema": map[string]any{"type": "object"}}}
	default:
		good["content"] = map[string]any{fiber.MIMEApplicationJSON: map[string]any{"schema": d.schema(reflect.TypeOf(out))}}
	}
	return map[string]any{
		strconv.Itoa(status): good,
		"default":            map[string]any{"$ref": "#/components/responses/Problem"},
	}
}

// operationID makes a name of the method and the path: getPortalTeamsTokens.
func operationID(rt *route) string {
	var b strings.Builder
	b.WriteString(strings.ToLower(rt.method))
	for _, word := range strings.FieldsFunc(rt.path, func(r rune) bool { return !isWord(byte(r)) || r == '-' || r == '_' || r == ':' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// schema describes a type; a struct with a name is described once and referred
// to.
func (d *describer) schema(t reflect.Type) map[string]any {
	if inner, ok := optionalOf(t); ok {
		return nullable(d.schema(inner))
	}
	if t == timeType {
		return map[string]any{"type": []string{"string", "null"}, "format": "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(d.schema(t.Elem()))
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map, reflect.Interface:
		return map[string]any{"type": "object"}
	case reflect.Struct:
		name := schemaName(t)
		if _, ok := d.schemas[name]; !ok {
			d.schemas[name] = nil // a type within itself ends here
			d.schemas[name] = d.object(t)
		}
		return map[string]any{"$ref": "#/components/schemas/" + name}
	default: // the sizes of int
		return map[string]any{"type": "integer"}
	}
}

func (d *describer) object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name := jsonName(f)
		if !f.IsExported() || name == "" {
			continue
		}
		tag := f.Tag.Get("validate")
		properties[name] = constrain(d.schema(f.Type), tag)
		if strings.HasPrefix(tag, "required") {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// constrain adds what the validate tag says; what follows dive is said of the
// items.
func constrain(s map[string]any, tag string) map[string]any {
	own, items, _ := strings.Cut(tag, ",dive,")
	for rule := range strings.SplitSeq(own, ",") {
		name, param, _ := strings.Cut(rule, "=")
		switch name {
		case "min", "max":
			n, _ := strconv.ParseInt(param, 10, 64)
			s[bound(s, name)] = n
		case "oneof":
			s["enum"] = strings.Fields(param)
		case "email":
			s["format"] = "email"
		}
	}
	if inner, ok := s["items"].(map[string]any); ok && items != "" {
		constrain(inner, items)
	}
	return s
}

// bound names the keyword for min and max of a type.
func bound(s map[string]any, name string) string {
	switch typ := fmt.Sprint(s["type"]); {
	case strings.Contains(typ, "string"):
		return name + "Length"
	case strings.Contains(typ, "array"):
		return name + "Items"
	default:
		return name + "imum"
	}
}

func nullable(s map[string]any) map[string]any {
	if typ, ok := s["type"].(string); ok {
		s["type"] = []string{typ, "null"}
		return s
	}
	if _, ok := s["$ref"]; ok {
		return map[string]any{"anyOf": []any{s, map[string]any{"type": "null"}}}
	}
	return s
}

// schemaName writes List[…/api.Token] as TokenList.
func schemaName(t reflect.Type) string {
	name, inner, generic := strings.Cut(t.Name(), "[")
	if generic {
		inner = strings.TrimSuffix(inner[strings.LastIndexAny(inner, "./")+1:], "]")
		name = inner + name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
