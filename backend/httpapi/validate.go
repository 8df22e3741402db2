package httpapi

import (
	"errors"
	"reflect"
	"strings"

	"github.com/go-playground/validator/v10"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/validate"
)

// checks is the validator with our tags. It caches what it learns of types and
// is safe for use by many goroutines; nothing else can change it.
var checks = newChecks()

func newChecks() *validator.Validate {
	v := validator.New() // as shared/validate is held to
	v.RegisterTagNameFunc(jsonName)
	for tag, ok := range map[string]func(string) bool{
		"plain": validate.Plain, "multiline": validate.Multiline, "no_secret": validate.NoSecret,
		"ability": validate.Ability, "address": validate.Address, "currency": validate.Currency,
	} {
		err := v.RegisterValidation(tag, func(f validator.FieldLevel) bool { return ok(f.Field().String()) })
		if err != nil {
			panic(err) // a tag without a name: cannot happen
		}
	}
	return v
}

// validateStruct checks a decoded body, given by pointer, against its tags, and
// the fields of a merge patch against the tags that the type of creation has
// for them.
func validateStruct(body any) []api.FieldError {
	wrong := broken(checks.Struct(body), "")
	v := reflect.ValueOf(body).Elem()
	if create, ok := patched[v.Type()]; ok {
		wrong = append(wrong, validatePatch(v, create)...)
	}
	return wrong
}

// patched names for each merge patch the type whose rules its fields keep.
var patched = map[reflect.Type]reflect.Type{
	typeOf[api.UpdateAccount](): typeOf[api.SignUp](),
	typeOf[api.UpdateTeam]():    typeOf[api.CreateTeam](),
	typeOf[api.UpdateToken]():   typeOf[api.CreateToken](),
	typeOf[api.UpdateOrder]():   typeOf[api.CreateOrder](),
}

// validatePatch checks the fields that a merge patch sets, and refuses to take
// away what has to stay.
func validatePatch(patch reflect.Value, create reflect.Type) []api.FieldError {
	var wrong []api.FieldError
	for i := range patch.NumField() {
		name := jsonName(patch.Type().Field(i))
		field := patch.Field(i)
		if !field.FieldByName("Set").Bool() {
			continue
		}
		tag, pointer := tagOf(create, name)
		value := field.FieldByName("Value")
		if field.FieldByName("Null").Bool() {
			if mayNotGo(patch.Type().Field(i)) {
				wrong = append(wrong, validate.Broken("#/"+name, "required", "", value.Kind()))
			}
			continue
		}
		if tag != "" && value.Kind() != reflect.Struct { // the rules in a struct were asked with the patch
			if pointer { // there, so it is what is needed, if it is 0 too
				value = value.Addr()
			}
			wrong = append(wrong, broken(checks.Var(value.Interface(), tag), name)...)
		}
	}
	return wrong
}

// mayNotGo reports whether a field of a merge patch cannot be taken away.
func mayNotGo(f reflect.StructField) bool { return f.Tag.Get("patch") == "keep" }

// tagOf returns the rules of a field, and whether it is a pointer.
func tagOf(t reflect.Type, name string) (tag string, pointer bool) {
	for i := range t.NumField() {
		if f := t.Field(i); jsonName(f) == name {
			return f.Tag.Get("validate"), f.Type.Kind() == reflect.Pointer
		}
	}
	return "", false
}

// broken words what validator found. With a field given, err is about that
// field's value and not about a struct.
func broken(err error, field string) []api.FieldError {
	var found validator.ValidationErrors
	if !errors.As(err, &found) {
		return nil
	}
	var wrong []api.FieldError
	for _, e := range found {
		if len(wrong) == maxMistakes {
			break
		}
		pointer := pointerOf(e.Namespace())
		if field != "" {
			pointer = pointerIn(field, e.Namespace())
		}
		wrong = append(wrong, validate.Broken(pointer, e.Tag(), e.Param(), e.Kind()))
	}
	return wrong
}

// pointerIn places a namespace that begins at the value of a field: "",
// "[0].sku" of a list, or "RateLimit.quota" of a struct.
func pointerIn(field, namespace string) string {
	if i := strings.IndexAny(namespace, ".["); i >= 0 {
		return pointerOf("." + field + namespace[i:])
	}
	return "#/" + field
}
