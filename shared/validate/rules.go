package validate

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/tokentext"
)

// The rules about text, each for one tag. The server registers the ones that
// validator does not have under the same names, so that there is one spelling
// of each.

// Plain reports whether s is text on one line that can be seen: without control
// characters, without characters that only make it differ from what it looks
// like, and not only of space, marks and characters without a shape.
func Plain(s string) bool {
	visible := false
	for _, r := range s {
		unseen := Invisible(r)
		if unicode.IsControl(r) || misleads(r) || r == '\u2028' || r == '\u2029' || unseen && !shapes(r) {
			return false
		}
		visible = visible || !unseen && strconv.IsPrint(r) && r != ' ' && r != emptyBraille && !unicode.IsMark(r)
	}
	return visible
}

// Multiline reports whether s has no control characters but tabs and line ends.
func Multiline(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' || misleads(r)
	})
}

// NoSecret reports whether no whole token stands anywhere in s: text that others
// can read is no place for a secret. Its shape is enough, whatever its checksum.
func NoSecret(s string) bool { return !tokentext.Within(s) }

// emptyBraille is a symbol without ink: the Braille pattern without dots.
const emptyBraille = '\u2800'

// Invisible reports characters that show nothing by themselves, so that two texts
// can look the same and differ in them: what Unicode calls
// Default_Ignorable_Code_Point, and the few format characters beside it. The marks
// that enclose the digits after them are format characters too, but can be seen.
func Invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) &&
		!unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// shapes reports invisible characters that texts are not written right without:
// what joins and parts letters in Persian, the scripts of India and emoji, selects
// their form, sets the direction of a sign between words, and spells a flag.
func shapes(r rune) bool {
	return unicode.In(r, unicode.Join_Control, unicode.Variation_Selector, unicode.Bidi_Control) ||
		r == '\u180e' || r >= '\U000e0020' && r <= '\U000e007f'
}

// misleads reports characters that set the direction of what follows, by which
// a name can show the text around it in another order. Languages that are
// written from right to left do without them.
func misleads(r rune) bool { return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' }

// Ability reports whether s is spelled resource:action.
func Ability(s string) bool { return ability.Valid(s) }

// Address reports whether s is an IP address or a CIDR prefix, without a zone;
// space around it does no harm.
func Address(s string) bool {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Zone() == ""
	}
	_, err := netip.ParsePrefix(s)
	return err == nil
}

// Currency reports whether s is three upper-case ASCII letters (ISO 4217).
func Currency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range 3 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// Email reports whether s is an address as validator's rule of that name sees
// it: an addr-spec of RFC 5322 without comments, address literals or folding,
// whose domain has a dot and does not end in a digit.
func Email(s string) bool {
	local, domain, ok := cutAddress(s)
	return ok && validDomain(domain) && local
}

// cutAddress cuts at the @ that ends the local part and says whether that part
// is valid.
func cutAddress(s string) (valid bool, domain string, ok bool) {
	if strings.HasPrefix(s, `"`) {
		end := quotedEnd(s)
		if end < 0 || !strings.HasPrefix(s[end:], "@") {
			return false, "", false
		}
		return true, s[end+1:], true
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok {
		return false, "", false
	}
	for part := range strings.SplitSeq(local, ".") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return !isAtom(r) }) {
			return false, "", false
		}
	}
	return true, domain, true
}

// quotedEnd returns where the quoted string that begins s ends, -1 if it is not
// one.
func quotedEnd(s string) int {
	escaped := false
	for i, r := range s[1:] {
		printable := r == ' ' || r == '\t' || r > ' ' && r < 0x7f || isWide(r)
		switch {
		case !printable:
			return -1
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '"' && i == 0:
			return -1 // nobody's mailbox is the empty string
		case r == '"':
			return i + 2
		}
	}
	return -1
}

// validDomain reports whether some dot has before it a name, and after it one
// that begins and ends with a letter.
func validDomain(domain string) bool {
	runes := []rune(domain)
	n := len(runes)
	if n < 3 || !isNameEdge(runes[0]) || !isLetter(runes[n-1]) {
		return false
	}
	split := false
	for i, r := range runes {
		switch {
		case r == '.':
			if i == n-1 || runes[i+1] == '.' {
				return false
			}
			split = split || isNameEdge(runes[i-1]) && isLetter(runes[i+1])
		case !isNameEdge(r) && r != '-' && r != '~':
			return false
		}
	}
	return split
}

func isAtom(r rune) bool {
	return isNameEdge(r) || r < 0x80 && strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func isNameEdge(r rune) bool { return isLetter(r) || r >= '0' && r <= '9' }

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || isWide(r)
}

// isWide reports the characters beyond ASCII that the rule takes.
func isWide(r rune) bool {
	return r >= 0xa0 && r <= 0xd7ff || r >= 0xf900 && r <= 0xfdcf || r >= 0xfdf0 && r <= 0xffef
}
