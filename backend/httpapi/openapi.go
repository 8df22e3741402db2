package httpapi

import (
	"cmp"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// showOpenAPI answers GET /openapi.json: the table of routes and the types of
// shared/api, read by reflection, so that it cannot say anything else than the
// program does.
func (s *Server) showOpenAPI(c *fiber.Ctx) error {
	return sendPublic(c, jsonType, s.spec)
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
	problems := s.problemResponses(d.schema(typeOf[api.Problem]()))
	return json.Marshal(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Gatehouse", "version": "1",
			"description": "The public API is under /api/v1 and takes a bearer token. What is under /portal/v1 is for the portal's own pages.",
		},
		"servers": []any{map[string]any{"url": s.url}},
		"paths":   paths,
		"components": map[string]any{
			"schemas":   d.schemas,
			"responses": problems,
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
		body := map[string]any{"schema": d.schema(reflect.TypeOf(rt.spec.in))}
		content := map[string]any{fiber.MIMEApplicationJSON: body}
		if rt.method == patch {
			content[mergePatchType] = body
		}
		op["requestBody"] = map[string]any{"required": !rt.spec.bare, "content": content}
	}
	if params := parameters(rt); len(params) > 0 {
		op["parameters"] = params
	}
	return op
}

func parameters(rt *route) []any {
	var list []any
	add := func(name, in string, required bool, rules map[string]any) {
		list = append(list, map[string]any{"name": name, "in": in, "required": required, "schema": rules})
	}
	for part := range strings.SplitSeq(rt.path, "/") {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			add(name, "path", true, text(1, maxID))
		}
	}
	for _, name := range strings.Fields(rt.spec.query) {
		name, of, _ := strings.Cut(name, "=")
		add(name, "query", false, queryRules(cmp.Or(of, name)))
	}
	if rt.spec.match {
		add(fiber.HeaderIfMatch, "header", true, text(1, 0))
	}
	if rt.spec.once {
		add(headerIdempotencyKey, "header", false, text(1, 0))
	}
	if rt.access.door == doorSession && rt.method != get {
		add(headerCSRF, "header", true, text(1, 0))
	}
	return list
}

// queryRules describes a query parameter, as [query] reads it.
func queryRules(name string) map[string]any {
	switch name {
	case "limit":
		return map[string]any{"type": "integer", "minimum": 1, "maximum": maxLimit, "default": usualLimit}
	case "cursor":
		return text(1, 0)
	case "from", "to":
		return map[string]any{"type": "string", "anyOf": []any{map[string]any{"format": "date-time"}, map[string]any{"format": "date"}}}
	case "env":
		return map[string]any{"type": "string", "enum": envs}
	case "sort":
		return map[string]any{"type": "string", "enum": sorts}
	case "step":
		return map[string]any{"type": "string", "enum": steps}
	case "by":
		return map[string]any{"type": "string", "enum": bys}
	case "token-status": // separated by commas
		one := "(" + strings.Join(tokenStatuses, "|") + ")"
		return map[string]any{"type": "string", "pattern": "^" + one + "(," + one + ")*$"}
	case "call-status":
		return map[string]any{"type": "string", "pattern": "^([1-5]|[1-5]xx|[1-5][0-9][0-9])$"}
	default:
		return text(0, maxQueryText)
	}
}

// text describes a text by its bounds; 0 is none.
func text(least, most int) map[string]any {
	rules := map[string]any{"type": "string"}
	if least > 0 {
		rules["minLength"] = least
	}
	if most > 0 {
		rules["maxLength"] = most
	}
	return rules
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
