package secret

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/gatehouse-portal/gatehouse/shared/password"
)

// The bounds of a password in code points, after normalisation.
const (
	MinPassword = password.Min
	MaxPassword = password.Max
)

// maxPasswordBytes bounds what is looked at: normalisation may shorten a text,
// but nobody types more than this for 128 code points.
const maxPasswordBytes = 4096

// commonPasswords is the list of the 30,000 most common passwords of zxcvbn
// 4.5.0 (MIT licence, Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc.;
// Python edition (c) 2016 Daniel Wolf), compressed: the first 10,000 whole, and
// of the others those that are long enough to be chosen here. It is in lower
// case, one a line, the most common first.
//
//go:embed common_passwords.txt.gz
var commonPasswords []byte

// common is unpacked at the first use, because most programs that import this
// package judge no password.
var common = sync.OnceValue(func() map[string]bool {
	z, err := gzip.NewReader(bytes.NewReader(commonPasswords))
	if err != nil {
		panic("secret: the embedded list is damaged: " + err.Error())
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic("secret: the embedded list is damaged: " + err.Error())
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	set := make(map[string]bool, len(lines))
	for _, line := range lines {
		set[line] = true
	}
	return set
})

// PasswordFault says why a password cannot be chosen: a code for programs, and
// sentences for the person.
type PasswordFault struct {
	Code   string // too_short, too_long, not_text, too_common, personal
	Detail string
	Fix    string
}

// NormalizePassword returns the password as it is counted, compared and hashed:
// in Unicode normalisation form NFKC, so that the same keys typed on another
// system give the same password. NIST SP 800-63B-4 (3.1.1.2) leaves the choice
// between NFKC and NFKD; nothing else is changed, neither case nor spaces.
func NormalizePassword(text string) string { return norm.NFKC.String(text) }

// NormalizeText returns text that is shown and compared, but not secret, in
// normalisation form NFC: what looks the same has the same characters. It stands
// here because no other package needs the tables of Unicode.
func NormalizeText(text string) string { return norm.NFC.String(text) }

// JudgePassword says whether a person of this name and e-mail address may choose
// the password, and what is wrong with it if not. It asks for 12 to 128 code
// points, refuses the most common ones whatever their case, and those that
// contain the name, the address or a part of either of four characters or more.
// There are no rules about kinds of characters, as NIST SP 800-63B-4 advises.
func JudgePassword(text, name, address string) (PasswordFault, bool) {
	if len(text) > maxPasswordBytes {
		return tooLong, false
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return PasswordFault{"not_text", "The password has characters that cannot be typed.", "Choose one of letters, digits, signs and spaces."}, false
	}
	text = NormalizePassword(text)
	switch n := utf8.RuneCountInString(text); {
	case n < MinPassword:
		return PasswordFault{"too_short", "The password has fewer than 12 characters.", "Choose a longer one; several words are easy to remember."}, false
	case n > MaxPassword:
		return tooLong, false
	}
	if common()[password.Fold(text)] {
		return PasswordFault{"too_common", "The password is one of the most common ones, which are tried first.", "Choose one that only you would think of."}, false
	}
	if part := password.Personal(text, NormalizePassword(name), NormalizePassword(address)); part != "" {
		return PasswordFault{"personal", "The password contains “" + part + "”, which is part of your name or address.", "Choose one that does not."}, false
	}
	return PasswordFault{}, true
}

var tooLong = PasswordFault{"too_long", "The password has more than 128 characters.", "Choose a shorter one."}
