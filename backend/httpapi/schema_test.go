package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// mistakes reads a body as a type, as decode does, and returns what is wrong.
func mistakes(t *testing.T, typ reflect.Type, body any) []api.FieldError {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parseJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	shape := shaper{}
	if shape.check("#", tree, typ); len(shape.wrong) > 0 {
		return shape.wrong
	}
	v := reflect.New(typ)
	if err := json.Unmarshal(text, v.Interface()); err != nil {
		t.Fatal(err)
	}
	return validateStruct(v.Interface())
}

// described is a describer from which tests make values.
type described struct{ describer }

func (d *described) whole(s map[string]any) map[string]any {
	if ref, ok := s["$ref"].(string); ok {
		return d.schemas[ref[strings.LastIndex(ref, "/")+1:]].(map[string]any)
	}
	if either, ok := s["anyOf"].([]any); ok {
		return d.whole(either[0].(map[string]any))
	}
	return s
}

// least makes the smallest value that fits a schema.
func (d *described) least(s map[string]any) any {
	s = d.whole(s)
	number := func(name string) int {
		n := 0
		fmt.Sscan(fmt.Sprint(s[name]), &n)
		return n
	}
	switch typ := fmt.Sprint(s["type"]); {
	case s["enum"] != nil:
		return s["enum"].([]string)[0]
	case s["pattern"] == "^[A-Z]{3}$":
		return "EUR"
	case s["pattern"] != nil:
		return "a:b"
	case s["format"] == "email":
		return "a@example.com"
	case s["format"] == "date-time":
		return "2027-02-20T12:00:00Z"
	case strings.Contains(typ, "string"):
		return strings.Repeat("x", number("minLength"))
	case strings.Contains(typ, "integer"):
		return number("minimum")
	case strings.Contains(typ, "array"):
		return []any{}
	case strings.Contains(typ, "boolean"):
		return false
	}
	o := map[string]any{}
	for _, name := range s["required"].([]string) {
		o[name] = d.least(s["properties"].(map[string]any)[name].(map[string]any))
	}
	return o
}

// breaches are values that a schema forbids.
func (d *described) breaches(s map[string]any) map[string]any {
	s = d.whole(s)
	bad := map[string]any{}
	if n, ok := s["minLength"]; ok {
		bad["too short"] = strings.Repeat("x", int(reflect.ValueOf(n).Int())-1)
	}
	if n, ok := s["maxLength"]; ok {
		bad["too long"] = strings.Repeat("x", int(reflect.ValueOf(n).Int())+1)
	}
	if n, ok := s["minimum"]; ok {
		bad["too small"] = reflect.ValueOf(n).Int() - 1
	}
	if n, ok := s["maximum"]; ok {
		bad["too large"] = reflect.ValueOf(n).Int() + 1
	}
	if n, ok := s["maxItems"]; ok {
		bad["too many"] = slices.Repeat([]any{d.least(s["items"].(map[string]any))}, int(reflect.ValueOf(n).Int())+1)
	}
	if s["enum"] != nil || s["pattern"] != nil || s["format"] == "email" || s["format"] == "date-time" {
		bad["another value"] = "NoSuch value"
	}
	if !strings.Contains(fmt.Sprint(s["type"]), "boolean") {
		bad["another type"] = true
	}
	return bad
}

// What openapi.json says of a body is what the server asks of it: the smallest
// value that fits is taken, and every breach is refused with its pointer.
func TestSchemasAgreeWithTheRules(t *testing.T) {
	seen := map[reflect.Type]bool{}
	for _, rt := range table() {
		typ := reflect.TypeOf(rt.spec.in)
		if typ == nil || seen[typ] {
			continue
		}
		seen[typ] = true
		t.Run(typ.Name(), func(t *testing.T) {
			d := described{describer{schemas: map[string]any{}}}
			s := d.whole(d.schema(typ))
			good := d.least(s).(map[string]any)
			if wrong := mistakes(t, typ, good); len(wrong) > 0 {
				t.Fatalf("%v fits the schema, but the server says %v", good, wrong)
			}
			check := func(name, what string, value any, refused bool) {
				t.Helper()
				body := maps.Clone(good)
				if body[name] = value; what == "missing" {
					delete(body, name)
				}
				wrong := mistakes(t, typ, body)
				ours := slices.ContainsFunc(wrong, func(e api.FieldError) bool { return strings.HasPrefix(e.Pointer, "#/"+name) })
				if ours != refused || !refused && len(wrong) > 0 {
					t.Errorf("%s %s: got %v, want it refused: %v", name, what, wrong, refused)
				}
			}
			required := s["required"].([]string)
			for name, property := range s["properties"].(map[string]any) {
				p := property.(map[string]any)
				check(name, "missing", nil, slices.Contains(required, name))
				for what, value := range d.breaches(p) {
					check(name, what, value, true)
				}
				text := fmt.Sprint(p)
				if _, patches := patched[typ]; patches || slices.Contains(required, name) {
					check(name, "null", nil, !strings.Contains(text, "null"))
				}
				check(name, "as it is least", d.least(p), false)
			}
			check("x", "unknown", 1, true)
		})
	}
	if len(seen) < 15 {
		t.Errorf("only %d bodies were tried", len(seen))
	}
}
