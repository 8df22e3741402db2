package secret

import (
	"crypto/sha256"
	"hash/crc32"
)

// The environments that a token names.
const (
	Live = "live"
	Test = "test"
)

// The layout of a token:
//
//	gtk_{live|test}_{lookup: 12}_{secret: 32}{check: 6}
const (
	tokenPrefix  = "gtk_"
	lookupLength = 12
	secretLength = 32
	checkLength  = 6

	lookupStart = len(tokenPrefix) + 4 + 1
	secretStart = lookupStart + lookupLength + 1
	checkStart  = secretStart + secretLength

	// TokenLength is the length of every token in bytes.
	TokenLength = checkStart + checkLength
)

// TokenPattern finds tokens in any text: for secret scanners and for redaction.
const TokenPattern = `\bgtk_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}\b`

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

// NewToken makes a token for an environment, [Live] or [Test]: its lookup part
// names it in public, its secret is 190 bits from the system's generator.
func NewToken(env string) string {
	return NewTokenFor(env, NewLookup())
}

// NewLookup makes the public part of a token, which is also its id.
func NewLookup() string {
	var b [lookupLength]byte
	random62(b[:])
	return string(b[:])
}

// NewTokenFor makes another secret for the token with this lookup part: the
// next generation. It panics if either part has a wrong shape, because both
// come from the program and not from a client.
func NewTokenFor(env, lookup string) string {
	if env != Live && env != Test || !isBase62(lookup) || len(lookup) != lookupLength {
		panic("secret: a token needs an environment and a lookup part of 12 characters")
	}
	var b [TokenLength]byte
	n := copy(b[:], tokenPrefix)
	n += copy(b[n:], env)
	b[n] = '_'
	copy(b[lookupStart:], lookup)
	b[secretStart-1] = '_'
	random62(b[secretStart:checkStart])
	check := crc32.ChecksumIEEE(b[:checkStart])
	for i := TokenLength - 1; i >= checkStart; i-- {
		b[i] = alphabet[check%62]
		check /= 62
	}
	token := string(b[:])
	clear(b[:])
	return token
}

// ParseToken takes a token apart and checks its checksum, without I/O and
// without allocating. Env and Lookup share the memory of s.
func ParseToken(s string) (Token, Fault) {
	if len(s) != TokenLength || s[:len(tokenPrefix)] != tokenPrefix ||
		s[lookupStart-1] != '_' || s[secretStart-1] != '_' {
		return Token{}, Malformed
	}
	env := s[len(tokenPrefix) : lookupStart-1]
	if env != Live && env != Test || !isBase62(s[lookupStart:secretStart-1]) || !isBase62(s[secretStart:]) {
		return Token{}, Malformed
	}
	var check uint64 // six digits of base62 need 36 bits
	for i := checkStart; i < TokenLength; i++ {
		check = check*62 + uint64(digits[s[i]])
	}
	if check != uint64(crc32.ChecksumIEEE(bytesOf(s[:checkStart]))) {
		return Token{}, WrongChecksum
	}
	return Token{Env: env, Lookup: s[lookupStart : secretStart-1]}, Fine
}

// IsLookup reports whether s has the shape of a lookup part.
func IsLookup(s string) bool { return len(s) == lookupLength && isBase62(s) }

// Digest is the SHA-256 of a whole token. Whoever knows it can report the token
// but never use it: what is stored is [Keys.MAC] of it.
func Digest(token string) [32]byte { return sha256.Sum256(bytesOf(token)) }

func isBase62(s string) bool {
	for i := 0; i < len(s); i++ {
		if digits[s[i]] < 0 {
			return false
		}
	}
	return true
}
