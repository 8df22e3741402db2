// Package tokentext is the shape of a token as text: what the server makes and
// takes apart, and what the browser recognises so that no secret leaves it by
// mistake.
package tokentext

import (
	"hash/crc32"
	"strings"
	"unsafe"
)

// The environments that a token names.
const (
	Live = "live"
	Test = "test"
)

// Alphabet is base62 in the order of its digits, of which all but the prefix and
// the environment of a token is made.
const Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// The layout of a token, in bytes:
//
//	gtk_{live|test}_{lookup: 12}_{secret: 32}{check: 6}
const (
	Prefix       = "gtk_"
	LookupLength = 12
	secretLength = 32
	checkLength  = 6

	LookupStart = len(Prefix) + 4 + 1
	SecretStart = LookupStart + LookupLength + 1
	CheckStart  = SecretStart + secretLength

	// Length is that of every token.
	Length = CheckStart + checkLength
)

// digits maps a byte to its base62 digit, or -1.
var digits = func() (table [256]int8) {
	for i := range table {
		table[i] = -1
	}
	for i, c := range Alphabet {
		table[c] = int8(i)
	}
	return table
}()

// Token is what a well-formed token tells before anything is looked up.
type Token struct {
	Env    string // Live or Test
	Lookup string // 12 characters, public; part of the string that was parsed
}

// Fault says why a string is no token.
type Fault uint8

// The faults. A wrong checksum is a typo or a truncation rather than an attack,
// and is counted apart.
const (
	Fine Fault = iota
	Malformed
	WrongChecksum
)

// Parse takes a token apart and checks its checksum, without I/O and without
// allocating. Env and Lookup share the memory of s.
func Parse(s string) (Token, Fault) {
	if len(s) != Length || s[:len(Prefix)] != Prefix ||
		s[LookupStart-1] != '_' || s[SecretStart-1] != '_' {
		return Token{}, Malformed
	}
	env := s[len(Prefix) : LookupStart-1]
	if env != Live && env != Test || !IsBase62(s[LookupStart:SecretStart-1]) || !IsBase62(s[SecretStart:]) {
		return Token{}, Malformed
	}
	var check uint64 // six digits of base62 need 36 bits
	for i := CheckStart; i < Length; i++ {
		check = check*62 + uint64(digits[s[i]])
	}
	// Not copied: the checksum only reads, but makes its argument escape.
	if check != uint64(crc32.ChecksumIEEE(unsafe.Slice(unsafe.StringData(s), CheckStart))) {
		return Token{}, WrongChecksum
	}
	return Token{Env: env, Lookup: s[LookupStart : SecretStart-1]}, Fine
}

// Within reports whether what has the shape of a token stands anywhere in a text,
// whatever its checksum and whatever it is glued to.
func Within(text string) bool {
	for {
		from := strings.Index(text, Prefix)
		if from < 0 {
			return false
		}
		text = text[from:]
		if len(text) >= Length {
			if _, fault := Parse(text[:Length]); fault != Malformed {
				return true
			}
		}
		text = text[len(Prefix):]
	}
}

// PutCheck writes the checksum of a token to its end.
func PutCheck(token *[Length]byte) {
	check := crc32.ChecksumIEEE(token[:CheckStart])
	for i := Length - 1; i >= CheckStart; i-- {
		token[i] = Alphabet[check%62]
		check /= 62
	}
}

// IsLookup reports whether s has the shape of a lookup part.
func IsLookup(s string) bool { return len(s) == LookupLength && IsBase62(s) }

// IsBase62 reports whether s has no character but those of [Alphabet].
func IsBase62(s string) bool {
	for i := 0; i < len(s); i++ {
		if digits[s[i]] < 0 {
			return false
		}
	}
	return true
}
