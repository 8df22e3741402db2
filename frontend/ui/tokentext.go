package ui

import (
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/tokentext"
)

// What a text that was pasted or typed is, seen as a token.
type tokenKind int

const (
	notToken    tokenKind = iota
	partToken             // the beginning of one: it may still be being typed
	brokenToken           // begins like one, but its length or checksum is wrong
	wholeToken
)

// readToken looks for a whole token in a text, wherever it stands (a header, a
// line of an .env), and returns its public lookup id, also of a broken one as
// far as it is there. It runs in the browser only, so that a secret need not be
// sent to be checked.
func readToken(text string) (lookup string, kind tokenKind) {
	from := strings.Index(text, tokentext.Prefix)
	if from < 0 {
		return "", notToken
	}
	text = text[from:]
	if end := strings.IndexFunc(text, func(r rune) bool { return r != '_' && !strings.ContainsRune(tokentext.Alphabet, r) }); end >= 0 {
		if rest := text[end:]; end < tokentext.Length && strings.Trim(rest, " \t\r\n\"'`") != "" {
			return "", brokenToken
		}
		text = text[:end]
	}
	parts := strings.Split(text, "_")
	env := parts[1]
	if len(parts) > 2 && len(parts[2]) == tokentext.LookupLength {
		lookup = parts[2]
	}
	begins := strings.HasPrefix(tokentext.Live, env) || strings.HasPrefix(tokentext.Test, env)
	switch {
	case !begins && len(text) < tokentext.SecretStart:
		return "", notToken // too short to hold a secret: a name such as gtk_old
	case begins && len(text) < tokentext.Length && len(parts) <= 4:
		return lookup, partToken
	}
	if _, fault := tokentext.Parse(text); fault != tokentext.Fine {
		return lookup, brokenToken
	}
	return lookup, wholeToken
}

// searchWords returns what of a text in a search field may be sent and stand in
// an address: of a token its lookup id only.
func searchWords(text string) string {
	lookup, kind := readToken(text)
	if kind == notToken {
		return strings.TrimSpace(text)
	}
	return lookup
}

// withoutSecret takes a token out of the search field with this id as soon as it
// is all there, and says so.
func withoutSecret(ctx app.Context, id string, text *string) {
	lookup, kind := readToken(*text)
	if kind != wholeToken && kind != brokenToken {
		return
	}
	*text = lookup
	bridge.SetValue(id, lookup)
	kit.Toast(ctx, kit.Note, "That was a token: its secret was taken out of the field and not sent. Only its id is searched for.")
}
