package ui

import (
	"hash/crc32"
	"strings"
)

// What a text that was pasted is, seen as a token.
type tokenKind int

const (
	notToken    tokenKind = iota
	brokenToken           // begins like one, but its length or checksum is wrong
	wholeToken
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// readToken looks at a text that may be a whole token,
// gtk_{live|test}_{lookup}_{secret and check}, and returns its public lookup id.
// It runs in the browser only, so that a secret need not be sent to be checked.
func readToken(text string) (lookup string, kind tokenKind) {
	text = strings.TrimSpace(text)
	rest, ok := strings.CutPrefix(text, "gtk_")
	if !ok {
		return "", notToken
	}
	parts := strings.Split(rest, "_")
	if len(parts) != 3 || parts[0] != "live" && parts[0] != "test" || len(parts[1]) != 12 || len(parts[2]) != 38 {
		return "", brokenToken
	}
	for _, p := range parts[1:] {
		if strings.Trim(p, base62) != "" {
			return "", brokenToken
		}
	}
	body, check := text[:len(text)-6], text[len(text)-6:]
	sum := crc32.ChecksumIEEE([]byte(body))
	want := make([]byte, 6)
	for i := len(want) - 1; i >= 0; i-- {
		want[i] = base62[sum%62]
		sum /= 62
	}
	if string(want) != check {
		return "", brokenToken
	}
	return parts[1], wholeToken
}
