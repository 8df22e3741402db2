package config

import (
	"maps"
	"slices"
	"strings"
)

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// didYouMean is the fix for a word that is not known: the one it is likely meant
// to be, or all of them when there are few.
func didYouMean(word string, known []string) string {
	best, bestDistance := "", 3
	for _, k := range known {
		if n := distance(word, k); n < bestDistance {
			best, bestDistance = k, n
		}
	}
	switch {
	case best != "":
		return "Did you mean " + best + "?"
	case len(known) > 0 && len(known) <= 12:
		return "Known are " + strings.Join(known, ", ") + "."
	default:
		return "Write one that is known."
	}
}

// misspelled refuses variables that are nearly one of ours: a setting that is not
// read is easily taken for one that holds. Names that are not near any are
// somebody else's; Kubernetes alone makes a dozen for a service called gatehouse.
func misspelled(variables map[string]string, m *Mistakes) {
	var known []string
	for _, s := range Settings() {
		known = append(known, s.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		word, ours := strings.CutPrefix(name, prefix)
		if !ours || variables[name] == "" || contains(known, name) {
			continue
		}
		if setting, file := strings.CutSuffix(name, fileSuffix); file && contains(known, setting) {
			m.add(name, "", "Set "+setting+" instead"+inPlaceOfAFile(setting)+".", "only GATEHOUSE_DATABASE and GATEHOUSE_MAIL, which may hold a password, can come from a file")
			continue
		}
		allowed := min(2, len(word)/3)
		if len(word) > 12 {
			allowed = 3 // TRUSTED_PROXY
		}
		for _, k := range known {
			if distance(name, k) <= allowed { // its value may be a password
				m.add(name, "", "Did you mean "+k+"?", "there is no such setting")
				break
			}
		}
	}
}

// inPlaceOfAFile says what a setting wants whose _FILE variable there is not.
func inPlaceOfAFile(setting string) string {
	if setting == prefix+"KEYS" || setting == prefix+"CATALOGUE" {
		return ", to the path of the file itself"
	}
	return ""
}

// distance counts the insertions, removals and changes that make b out of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
