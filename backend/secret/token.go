package secret

import (
	"crypto/sha256"

	"github.com/gatehouse-portal/gatehouse/shared/tokentext"
)

// The environments that a token names.
const (
	Live = tokentext.Live
	Test = tokentext.Test
)

// TokenLength is the length of every token in bytes.
const TokenLength = tokentext.Length

// TokenPattern finds tokens in any text: for secret scanners and for redaction.
const TokenPattern = `\bgtk_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}\b`

// Token is what a well-formed token tells before anything is looked up.
type Token = tokentext.Token

// Fault says why a string is no token.
type Fault = tokentext.Fault

// The faults.
const (
	Fine          = tokentext.Fine
	Malformed     = tokentext.Malformed
	WrongChecksum = tokentext.WrongChecksum
)

// NewToken makes a token for an environment, [Live] or [Test]: its lookup part
// names it in public, its secret is 190 bits from the system's generator.
func NewToken(env string) string {
	return NewTokenFor(env, NewLookup())
}

// NewLookup makes the public part of a token, which is also its id.
func NewLookup() string {
	var b [tokentext.LookupLength]byte
	random62(b[:])
	return string(b[:])
}

// NewTokenFor makes another secret for the token with this lookup part: the
// next generation. It panics if either part has a wrong shape, because both
// come from the program and not from a client.
func NewTokenFor(env, lookup string) string {
	if env != Live && env != Test || !IsLookup(lookup) {
		panic("secret: a token needs an environment and a lookup part of 12 characters")
	}
	var b [TokenLength]byte
	n := copy(b[:], tokentext.Prefix)
	n += copy(b[n:], env)
	b[n] = '_'
	copy(b[tokentext.LookupStart:], lookup)
	b[tokentext.SecretStart-1] = '_'
	random62(b[tokentext.SecretStart:tokentext.CheckStart])
	tokentext.PutCheck(&b)
	token := string(b[:])
	clear(b[:])
	return token
}

// ParseToken takes a token apart and checks its checksum, without I/O and
// without allocating. Env and Lookup share the memory of s.
func ParseToken(s string) (Token, Fault) { return tokentext.Parse(s) }

// IsLookup reports whether s has the shape of a lookup part.
func IsLookup(s string) bool { return tokentext.IsLookup(s) }

// Digest is the SHA-256 of a whole token. Whoever knows it can report the token
// but never use it: what is stored is [Keys.MAC] of it.
func Digest(token string) [32]byte { return sha256.Sum256(bytesOf(token)) }
