// Package validate checks the validate tags of shared/api in the browser, where
// go-playground/validator would cost 400 KiB and time at every start. It knows
// the tags that shared/api uses, no others, and comes to the same verdict; a
// table and a fuzz test hold the two together. The server's answer remains the
// truth.
package validate

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// valuer is a type that says which value is to be checked in its place, nil for
// none: the interface of that shape in validator.
type valuer interface{ ValidatorValue() any }

// Check returns what is wrong with a request body, a struct or a pointer to
// one: for each field its first broken rule, in the order of the fields. It is
// empty if all is well. A tag that it does not know is a mistake in the program
// and panics.
func Check(v any) []api.FieldError {
	c := &checker{}
	c.structure(reflect.ValueOf(v), "#")
	return c.wrong
}

type checker struct{ wrong []api.FieldError }

// resolve follows pointers and valuers to the value to check. The value is
// invalid if there is none; nullable says that a pointer was on the way.
func resolve(v reflect.Value) (value reflect.Value, nullable bool) {
	for {
		if v.IsValid() && v.CanInterface() && (v.Kind() != reflect.Pointer || !v.IsNil()) {
			if w, ok := v.Interface().(valuer); ok {
				v = reflect.ValueOf(w.ValidatorValue())
				continue
			}
		}
		if v.Kind() != reflect.Pointer {
			return v, nullable
		}
		nullable = true
		v = v.Elem()
	}
}

func (c *checker) structure(v reflect.Value, at string) {
	v, _ = resolve(v)
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
		if f.Tag.Get("patch") == "keep" && v.Field(i).FieldByName("Null").Bool() {
			c.broken(at+"/"+name, "required", reflect.Invalid)
			continue
		}
		c.field(v.Field(i), at+"/"+name, rules(f.Tag.Get("validate")))
	}
}

// rules cuts a tag into its rules: "required,max=5" into two.
func rules(tag string) []string {
	if tag == "" || tag == "-" {
		return nil
	}
	return strings.Split(tag, ",")
}

// field checks one value against the rules of its tag and, if it is a struct,
// its own fields.
func (c *checker) field(v reflect.Value, at string, rules []string) {
	v, nullable := resolve(v)
	if !v.IsValid() {
		// Nothing there: fine without rules or when it may be left out.
		if len(rules) > 0 && rules[0] != "omitempty" {
			c.broken(at, rules[0], reflect.Invalid)
		}
		return
	}
	if v.Kind() == reflect.Struct && len(rules) > 0 && rules[0] == "required" {
		rules = rules[1:] // validator does not ask it of structs
	}
	for i, rule := range rules {
		switch rule {
		case "omitempty":
			if !present(v, nullable) {
				return
			}
		case "dive":
			for n := range v.Len() {
				c.field(v.Index(n), at+"/"+strconv.Itoa(n), rules[i+1:])
			}
			return
		default:
			if !keeps(v, nullable, rule) {
				c.broken(at, rule, v.Kind())
				return
			}
		}
	}
	if v.Kind() == reflect.Struct && v.Type().PkgPath() != "time" {
		c.structure(v, at)
	}
}

// present is validator's idea of a value that is there.
func present(v reflect.Value, nullable bool) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return !v.IsNil()
	}
	return nullable || !v.IsZero()
}

func keeps(v reflect.Value, nullable bool, rule string) bool {
	name, param, _ := strings.Cut(rule, "=")
	switch name {
	case "required":
		return present(v, nullable)
	case "min":
		return size(v) >= number(param)
	case "max":
		return size(v) <= number(param)
	case "len":
		return size(v) == number(param)
	case "oneof":
		return slices.Contains(strings.Fields(param), v.String())
	case "email":
		return Email(v.String())
	case "plain":
		return Plain(v.String())
	case "multiline":
		return Multiline(v.String())
	case "no_secret":
		return NoSecret(v.String())
	case "ability":
		return Ability(v.String())
	case "address":
		return Address(v.String())
	case "currency":
		return Currency(v.String())
	}
	panic("validate: unknown rule " + strconv.Quote(rule))
}

// size is what min, max and len compare: code points of text, elements of a
// list, the number itself.
func size(v reflect.Value) int64 {
	switch v.Kind() {
	case reflect.String:
		return int64(utf8.RuneCountInString(v.String()))
	case reflect.Slice, reflect.Map:
		return int64(v.Len())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	}
	panic("validate: no size of a " + v.Kind().String())
}

func number(param string) int64 {
	n, err := strconv.ParseInt(param, 10, 64)
	if err != nil {
		panic("validate: " + err.Error())
	}
	return n
}

func (c *checker) broken(at, rule string, kind reflect.Kind) {
	name, param, _ := strings.Cut(rule, "=")
	c.wrong = append(c.wrong, Broken(at, name, param, kind))
}

// Broken words one broken rule. The server calls it for what validator found,
// so that both say the same. The code of the error is the name of the rule.
func Broken(pointer, rule, param string, kind reflect.Kind) api.FieldError {
	e := api.FieldError{Pointer: pointer, Code: rule}
	many := func(one, other string) string {
		if param == "1" {
			return one
		}
		return other
	}
	things := ""
	switch kind {
	case reflect.String:
		things = " " + many("character", "characters")
	case reflect.Slice, reflect.Map:
		things = " " + many("entry", "entries")
	}
	switch rule {
	case "required":
		e.Detail = "This is needed."
	case "min":
		e.Detail = fmt.Sprintf("At least %s%s.", param, things)
	case "max":
		e.Detail = fmt.Sprintf("At most %s%s.", param, things)
	case "len":
		e.Detail = fmt.Sprintf("Exactly %s%s.", param, things)
	case "oneof":
		e.Detail = "One of " + strings.Join(strings.Fields(param), ", ") + "."
	case "email":
		e.Detail, e.Fix = "This is not an e-mail address.", "Write it like name@example.com."
	case "plain":
		e.Detail = "This must be text on one line that can be seen, without control characters and characters that show nothing."
	case "multiline":
		e.Detail = "This must be text without control characters."
	case "no_secret":
		e.Detail, e.Fix = "This holds a whole token.", "Take the secret out: others can read what stands here."
	case "ability":
		e.Detail, e.Fix = "This is not an ability.", "Write it like orders:read."
	case "address":
		e.Detail, e.Fix = "This is not an IP address or network.", "Write it like 203.0.113.7 or 203.0.113.0/24."
	case "currency":
		e.Detail, e.Fix = "This is not a currency.", "Write it like EUR."
	default:
		e.Detail = "This breaks the rule " + rule + "."
	}
	return e
}
