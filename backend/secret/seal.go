package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strings"
)

// sealTag is the length of the authentication tag in bytes.
const sealTag = 16

// maxSealed is the longest sealed text that [Keys.Open] looks at, in characters.
const maxSealed = 4096

// sealing refuses spare bits, so that a sealed text has exactly one spelling.
var sealing = base64.RawURLEncoding.Strict()

// Seal makes text that a client keeps for us and cannot change: a cursor. It is
// safe in a URL, the same for the same data, and opens only for the same
// purpose, which names the list and whose it is. The data is not encrypted.
//
// Encryption was considered: what a cursor holds stands in the row that the
// client was just shown, and without a nonce a page has one address.
func (k *Keys) Seal(purpose string, data []byte) string {
	sealed := k.sealTag(make([]byte, 0, sealTag+len(data)), purpose, data)
	return sealing.EncodeToString(append(sealed, data...))
}

// Open returns what was sealed for this purpose, and false for anything else.
func (k *Keys) Open(purpose, sealed string) ([]byte, bool) {
	if len(sealed) > maxSealed || strings.ContainsAny(sealed, "\r\n") {
		return nil, false // the decoder would skip line breaks
	}
	raw, err := sealing.DecodeString(sealed)
	if err != nil || len(raw) < sealTag {
		return nil, false
	}
	tag, data := raw[:sealTag], raw[sealTag:]
	if !hmac.Equal(tag, k.sealTag(nil, purpose, data)) {
		return nil, false
	}
	return data, true
}

func (k *Keys) sealTag(to []byte, purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, k.file.Load().cursor)
	writeFramed(h, purpose)
	h.Write(data)
	var sum [sha256.Size]byte
	return append(to, h.Sum(sum[:0])[:sealTag]...)
}

// writeFramed writes s with its length before it, so that two neighbours cannot
// be cut differently.
func writeFramed(w io.Writer, s string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(s)))
	_, _ = w.Write(n[:]) // a hash never fails
	_, _ = w.Write(bytesOf(s))
}
