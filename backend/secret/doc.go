// Package secret makes, parses, checks and hashes everything that is secret:
// tokens, session ids, one-time links, passwords, cursors, cross-site tokens,
// and the keys that do so. It also makes ids, because they come from the same
// source of randomness.
//
// Nothing here touches storage except the key file, and nothing here decides
// what a secret is good for. No function puts a secret into an error.
package secret

import (
	"crypto/rand"
	"unsafe"

	"github.com/gatehouse-portal/gatehouse/shared/tokentext"
)

// random62 fills b with uniformly random base62 characters. Bytes from 248 up
// are thrown away: 248 is the largest multiple of 62, so no character is
// likelier than another.
func random62(b []byte) {
	var pool [64]byte
	for n := 0; n < len(b); {
		_, _ = rand.Read(pool[:]) // never fails: it ends the program instead
		for _, r := range pool {
			if r < 248 && n < len(b) {
				b[n] = tokentext.Alphabet[r%62]
				n++
			}
		}
	}
	clear(pool[:])
}

// bytesOf returns the bytes of s without copying, for functions that only read
// them but make their argument escape. The result must not be written to.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
