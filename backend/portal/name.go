package portal

import (
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/validate"
)

// normalName returns a name as it is stored: trimmed, and in Unicode normalisation
// form C, so that what looks the same is the same however it was typed.
func normalName(name string) string { return secret.NormalizeText(strings.TrimSpace(name)) }

// nameKey returns a stored name as the names of a team's tokens are compared: the
// joiners, direction marks and forms of characters that [validate.Plain] takes
// make no other name.
func nameKey(name string) string {
	return secret.NormalizeText(strings.Map(func(r rune) rune {
		if validate.Invisible(r) {
			return -1
		}
		return r
	}, name))
}

// checkName holds the rule of every name, as it is stored: 1 to 100 characters as
// [validate.Plain] has them, and no whole token. pointer says which name it is. A
// few letters have a normal form of several characters, so a hundred of them,
// which the browser lets pass, are too many here.
func checkName(pointer, name string) error {
	detail := ""
	switch {
	case name == "":
		detail = "A name is needed."
	case utf8.RuneCountInString(name) > maxNameLength:
		detail = "A name has at most 100 characters."
	case !utf8.ValidString(name), !validate.Plain(name):
		detail = "A name can be seen, and has no control characters and none that show nothing."
	case !validate.NoSecret(name):
		return invalid(FieldError{Pointer: pointer, Code: "no_secret", Detail: "This name holds a whole token.", Fix: "Take its secret out."})
	default:
		return nil
	}
	return invalid(FieldError{Pointer: pointer, Code: "name", Detail: detail, Fix: "Choose a name of 1 to 100 characters."})
}
