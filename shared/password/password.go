// Package password holds what of the rules for a new password the browser checks
// while it is typed and the server when it is sent. Which passwords are too common
// the server alone knows; see package secret.
//
// Texts are to be in Unicode normalisation form NFKC: the server has a table for
// it, the browser its own function, and neither weighs on the other.
package password

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of a password in code points, after normalisation.
const (
	Min = 12
	Max = 128
)

// minPersonal is the length from which a part of a name or an address counts:
// shorter ones, like "Al", are in too many passwords by chance.
const minPersonal = 4

// Personal returns the part of a person's name or e-mail address that a password
// contains, whatever its case, and "" if there is none: the whole name or
// address, a word of either, its words run together, or the domain without its
// last label, of four characters or more.
func Personal(password, name, address string) string {
	password, name, address = Fold(password), Fold(name), Fold(address)
	local, domain, _ := strings.Cut(address, "@")
	if dot := strings.LastIndexByte(domain, '.'); dot >= 0 {
		domain = domain[:dot]
	}
	between := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }
	parts := []string{strings.TrimSpace(name), address, local, domain}
	for _, s := range []string{name, local, domain} {
		words := strings.FieldsFunc(s, between)
		parts = append(parts, words...)
		parts = append(parts, strings.Join(words, ""))
	}
	for _, part := range parts {
		if utf8.RuneCountInString(part) >= minPersonal && strings.Contains(password, part) {
			return part
		}
	}
	return ""
}

// Fold makes texts that differ only in case equal.
func Fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }
