package httpapi

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-portal/gatehouse/shared/ability"
)

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

// object describes the fields of a struct. Those of a request say in their tags
// what is needed; of an answer every key is there that is not tagged omitempty.
func (d *describer) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	answer := isAnswer(t)
	for i := range t.NumField() {
		f := t.Field(i)
		name := jsonName(f)
		if !f.IsExported() || name == "" {
			continue
		}
		properties[name] = d.field(t, f)
		if answer && !strings.Contains(f.Tag.Get("json"), ",omit") || needed(f) {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// isAnswer reports whether a type is only answered and never read.
func isAnswer(t reflect.Type) bool {
	for i := range t.NumField() {
		_, optional := optionalOf(t.Field(i).Type)
		if _, rules := t.Field(i).Tag.Lookup("validate"); rules || optional {
			return false
		}
	}
	return true
}

// needed reports whether a field of a request has to be there: it says so, or
// the zero that it is without it breaks its rules.
func needed(f reflect.StructField) bool {
	tag := f.Tag.Get("validate")
	return hasRule(tag, "required") || isWhole(f.Type) && strings.HasPrefix(tag, "min=") && !strings.HasPrefix(tag, "min=0")
}

func isWhole(t reflect.Type) bool { return t.Kind() == reflect.Int || t.Kind() == reflect.Int64 }

func hasRule(tag, rule string) bool { return slices.Contains(strings.Split(tag, ","), rule) }

// field describes one field. That of a merge patch keeps the rules that it has
// at creation, and may be null unless it has to stay.
func (d *describer) field(t reflect.Type, f reflect.StructField) map[string]any {
	typ, tag := f.Type, f.Tag.Get("validate")
	if inner, ok := optionalOf(typ); ok {
		if create, ok := patched[t]; ok {
			tag, _ = tagOf(create, jsonName(f))
		}
		if s := constrain(d.schema(inner), tag); mayNotGo(f) {
			return s
		} else {
			return nullable(s)
		}
	}
	if needed(f) && typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	return constrain(d.schema(typ), tag)
}

// constrain adds what the validate tag says; what follows dive is said of the
// items.
func constrain(s map[string]any, tag string) map[string]any {
	own, items, _ := strings.Cut(tag, ",dive,")
	for rule := range strings.SplitSeq(own, ",") {
		name, param, _ := strings.Cut(rule, "=")
		switch name {
		case "min", "max":
			n, _ := strconv.ParseInt(param, 10, 64) // validator has read it before
			s[bound(s, name)] = n
		case "required", "plain": // text that can be seen
			if s["type"] == "string" && s["minLength"] == nil {
				s["minLength"] = 1
			}
		case "currency":
			s["pattern"] = "^[A-Z]{3}$"
		case "ability":
			s["pattern"], s["maxLength"] = "^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$", ability.MaxName
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
