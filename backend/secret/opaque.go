package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// opaqueLength is how many base62 characters hold 256 bits.
const opaqueLength = 43

// NewOpaque makes a secret of 256 bits that says nothing: a session id, a code
// in a mailed link. The prefix, such as "ses_", tells a reader and a secret
// scanner what it is; it may be empty.
func NewOpaque(prefix string) string {
	b := make([]byte, len(prefix)+opaqueLength)
	random62(b[copy(b, prefix):])
	return string(b)
}

// HashOpaque returns the keyed hash under which an opaque secret is stored and
// looked up, 64 hexadecimal characters. The purpose, such as "session", keeps
// the hash of one kind of secret from being taken for another's.
//
// The key is not a pepper: the hash is the key of a lookup, so it has to stay
// the same while peppers are rotated.
func (k *Keys) HashOpaque(purpose, value string) string {
	h := hmac.New(sha256.New, k.file.Load().opaque)
	writeFramed(h, purpose)
	writeFramed(h, value)
	return hex.EncodeToString(h.Sum(nil))
}
