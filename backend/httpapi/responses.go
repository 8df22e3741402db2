package httpapi

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// responses describes what a route answers: its success, and each refusal by the
// response of its status that all routes share.
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
	all := map[string]any{strconv.Itoa(status): good, "default": sharedResponse("Problem")}
	for _, status := range rt.refusals() {
		all[strconv.Itoa(status)] = sharedResponse(responseName(status))
	}
	return all
}

func sharedResponse(name string) map[string]any {
	return map[string]any{"$ref": "#/components/responses/" + name}
}

func responseName(status int) string { return "Problem" + strconv.Itoa(status) }

// refusals lists the statuses that can be the fault of a request to this route,
// or of storage. What can befall any request, whatever it asks, is "default".
func (rt *route) refusals() []int {
	a, s := rt.access, rt.spec
	unsafe, session, public := rt.method != get, a.door == doorSession, a.door == doorPublic
	var list []int
	add := func(can bool, statuses ...int) {
		if can {
			list = append(list, statuses...)
		}
	}
	add(true, 400, 431, 500)
	add(!public || s.down, 503)
	add(session || a.door == doorToken, 401)
	add(a.door == doorToken, 403, 429)                    // its addresses, its limit
	add(session && a.action != "", 403)                   // the role
	add(!public && unsafe, 403)                           // another site
	add(s.throttled || session && unsafe && !a.stop, 429) // of its kind, of changes
	add(strings.Contains(rt.path, ":"), 404)
	add(s.absent, 404)
	add(s.in != nil, 408, 413, 415)
	add(s.in != nil || s.query != "", 422)
	add(s.once, 409, 422) // the key is in use, or was used for another request
	add(s.match, 412, 428)
	add(unsafe && (a.action != "" || s.match), 409) // a name is taken, a state does not allow it
	add(a.door == doorToken && a.stop, 409)
	return list
}

// problemResponses makes the responses that routes share: one for each status of
// the kinds, which names its problem types, and one for all.
func (s *Server) problemResponses(problem map[string]any) map[string]any {
	all := map[string]any{"Problem": map[string]any{
		"description": "A refusal (RFC 9457). The types are described at /problems.",
		"content":     map[string]any{api.ProblemType: map[string]any{"schema": problem}},
	}}
	types, titles := map[int][]string{429: {quotaExceeded}, 503: {reducedCapacity}}, map[int][]string{429: {quotaTitle}, 503: {capacityTitle}}
	for _, k := range kinds {
		types[k.status] = append(types[k.status], s.problems+k.name)
		titles[k.status] = append(titles[k.status], k.title)
	}
	for status, of := range types {
		response := map[string]any{
			"description": strings.Join(titles[status], ". ") + ".",
			"content": map[string]any{api.ProblemType: map[string]any{"schema": map[string]any{
				"allOf": []any{problem, map[string]any{"properties": map[string]any{
					"type": map[string]any{"enum": of}, "status": map[string]any{"const": status},
				}}},
			}}},
		}
		if fields := problemFields(status); fields != nil {
			headers := map[string]any{}
			for _, name := range fields {
				headers[name] = map[string]any{"required": true, "schema": map[string]any{"type": "string"}}
			}
			response["headers"] = headers
		}
		all[responseName(status)] = response
	}
	return all
}

// problemFields are the fields that every answer with a status has.
func problemFields(status int) []string {
	switch status {
	case fiber.StatusUnauthorized:
		return []string{fiber.HeaderWWWAuthenticate}
	case fiber.StatusMethodNotAllowed:
		return []string{fiber.HeaderAllow}
	case fiber.StatusTooManyRequests, fiber.StatusServiceUnavailable:
		return []string{fiber.HeaderRetryAfter}
	}
	return nil
}
