// Package ability names what a token may do and how a request's need is
// matched against it. The same code runs in the browser and on the server.
//
// An ability is a permission to act on a resource, spelled resource:action
// ("orders:read"). Matching is exact and case-sensitive: write does not imply
// read, and there is no wildcard, because a wildcard would also grant abilities
// that are invented later.
package ability

import "slices"

// Risk says how much harm an ability can do in the wrong hands.
type Risk string

// The risks, from harmless to dangerous.
const (
	Low    Risk = "low"
	Medium Risk = "medium"
	High   Risk = "high"
)

// Valid reports whether r is one of the three risks.
func (r Risk) Valid() bool { return r == Low || r == Medium || r == High }

// MaxName is the longest ability name in bytes.
const MaxName = 64

// Valid reports whether name is spelled resource:action: two parts of lower-case
// ASCII letters, digits, '-' and '_' that start with a letter.
func Valid(name string) bool {
	if len(name) > MaxName {
		return false
	}
	colon := -1
	start := true // at the start of a part
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == ':':
			if colon >= 0 || start {
				return false
			}
			colon, start = i, true
		case c >= 'a' && c <= 'z':
			start = false
		case start || c != '-' && c != '_' && (c < '0' || c > '9'):
			return false
		}
	}
	return colon > 0 && !start
}

// Split cuts a valid name into its resource and its action.
func Split(name string) (resource, action string) {
	for i := 0; i < len(name); i++ {
		if name[i] == ':' {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}

// Normalize sorts names and drops repetitions, in a new slice that is never nil.
func Normalize(names []string) []string {
	out := make([]string, 0, len(names))
	out = append(out, names...)
	slices.Sort(out)
	return slices.Compact(out)
}

// Wider returns the names in to that are not in from: what a change would add.
func Wider(from, to []string) []string {
	var added []string
	for _, name := range to {
		if !slices.Contains(from, name) {
			added = append(added, name)
		}
	}
	return added
}
