package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// csrfRandom is the length of the random half of a cross-site token in bytes.
const csrfRandom = 16

// NewCSRF makes the cross-site token of a session: a signed double submit after
// the OWASP cheat sheet, in 97 characters. Every call makes another; all of them
// hold for as long as the session does.
func (k *Keys) NewCSRF(session string) string {
	var random [csrfRandom]byte
	_, _ = rand.Read(random[:])
	return csrfToken(k.file.Load().csrf, session, hex.EncodeToString(random[:]))
}

// CheckCSRF reports whether the token was made for the session.
func (k *Keys) CheckCSRF(session, token string) bool {
	_, random, ok := strings.Cut(token, ".")
	if !ok || len(random) != 2*csrfRandom {
		return false
	}
	return hmac.Equal([]byte(token), []byte(csrfToken(k.file.Load().csrf, session, random)))
}

// csrfToken is hex(HMAC-SHA256(key, len(sid)!sid!len(rnd)!rnd)).rnd
func csrfToken(key []byte, session, random string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(strconv.Itoa(len(session)) + "!" + session + "!" + strconv.Itoa(len(random)) + "!" + random))
	return hex.EncodeToString(h.Sum(nil)) + "." + random
}
