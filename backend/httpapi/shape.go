package httpapi

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

var timeType = typeOf[api.Time]()

// optionalOf returns the T of an api.Optional[T].
func optionalOf(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() == reflect.Struct && t.PkgPath() == timeType.PkgPath() && strings.HasPrefix(t.Name(), "Optional[") {
		f, _ := t.FieldByName("Value")
		return f.Type, true
	}
	return nil, false
}

// shaper compares a JSON value with a Go type and lists every difference with
// its pointer, where encoding/json stops at the first and forgets the place.
type shaper struct{ wrong []api.FieldError }

func (s *shaper) add(pointer, code, detail string) {
	if len(s.wrong) < maxMistakes {
		s.wrong = append(s.wrong, api.FieldError{Pointer: pointer, Code: code, Detail: detail})
	}
}

// check compares v, which parseJSON made, with t. Null fits every field, since
// it means the same as leaving it out; it does not fit an element of a list.
func (s *shaper) check(pointer string, v any, t reflect.Type) {
	if inner, ok := optionalOf(t); ok {
		t = inner
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == timeType {
		s.time(pointer, v)
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		o, ok := v.(object)
		if !ok {
			s.add(pointer, "type", "An object is expected here.")
			return
		}
		s.object(pointer, o, t)
	case reflect.Slice:
		list, ok := v.([]any)
		if !ok {
			s.add(pointer, "type", "A list is expected here.")
			return
		}
		for i, e := range list {
			s.check(pointer+"/"+strconv.Itoa(i), e, t.Elem())
		}
	case reflect.String:
		if _, ok := v.(string); !ok {
			s.add(pointer, "type", "Text is expected here.")
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			s.add(pointer, "type", "True or false is expected here.")
		}
	case reflect.Int, reflect.Int64:
		s.integer(pointer, v, t.Bits())
	default:
		s.add(pointer, "type", "This is not expected here.")
	}
}

func (s *shaper) object(pointer string, o object, t reflect.Type) {
	fields := fieldsOf(t)
	for i, name := range o.names {
		at := pointer + "/" + escapePointer(name)
		field, ok := fields[name]
		switch {
		case !ok:
			s.add(at, "unknown_field", "There is no field "+quoted(name)+" here.")
		case o.values[i] != nil:
			s.check(at, o.values[i], field)
		}
	}
}

func (s *shaper) integer(pointer string, v any, bits int) {
	n, ok := v.(json.Number)
	if !ok {
		s.add(pointer, "type", "A number is expected here.")
		return
	}
	if _, err := strconv.ParseInt(n.String(), 10, bits); err != nil {
		s.add(pointer, "type", "A whole number is expected here, written without fraction and exponent, and not this large.")
	}
}

func (s *shaper) time(pointer string, v any) {
	text, ok := v.(string)
	if !ok {
		s.add(pointer, "type", "A time is expected here, as text.")
		return
	}
	if _, err := api.ParseTime(text); err != nil {
		s.add(pointer, "time", "A time is written as in RFC 3339: 2027-02-20T12:00:00Z.")
	}
}

var shapes sync.Map // reflect.Type → map[string]reflect.Type, by JSON name

func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if known, ok := shapes.Load(t); ok {
		return known.(map[string]reflect.Type)
	}
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			if name := jsonName(f); name != "" {
				fields[name] = f.Type
			}
		}
	}
	shapes.Store(t, fields)
	return fields
}

// jsonName returns the name of a field on the wire, "" if it has none.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// escapePointer writes one name of a JSON Pointer (RFC 6901) as it stands in a
// URI fragment. Very long ones are cut; they are wrong anyway.
func escapePointer(name string) string {
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "") + "…"
	}
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
}

// pointerOf turns the validator's CreateOrder.lines[0].quantity into
// #/lines/0/quantity.
func pointerOf(namespace string) string {
	_, path, _ := strings.Cut(namespace, ".")
	path = strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(path)
	return "#/" + path
}
