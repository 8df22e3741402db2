package config

import (
	"fmt"
	"net/url"
	"strings"
)

// Mistake is one thing about the configuration that has to be mended.
type Mistake struct {
	Where   string // a variable, or a file with its line
	Value   string // what it holds, without secrets; "" if that says nothing
	Problem string // what is wrong, such as "the port is missing"
	Fix     string // what to do, a sentence
}

// String is a sentence or two: where, what, and how to mend it.
func (m Mistake) String() string {
	where := m.Where
	if m.Value != "" {
		where += " is " + m.Value
	}
	return strings.TrimSpace(where + ": " + m.Problem + ". " + m.Fix)
}

// Mistakes are all that was found. As an error it has one line for each.
type Mistakes []Mistake

func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.String()
	}
	return strings.Join(lines, "\n")
}

// err returns the mistakes as an error, nil if there are none.
func (m Mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	return m
}

func (m *Mistakes) add(where, value, fix, problem string, args ...any) {
	*m = append(*m, Mistake{Where: where, Value: value, Problem: fmt.Sprintf(problem, args...), Fix: fix})
}

// mask returns a URL without the password in it, and without anything that
// could be one when it cannot be taken apart.
func mask(value string) string {
	scheme, rest, ok := strings.Cut(value, "://")
	if !ok {
		if strings.ContainsAny(value, "@") {
			return "(not shown: it may hold a password)"
		}
		return value
	}
	// The last @ of all: a password may hold any character that somebody forgot
	// to escape.
	user := ""
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		name, _, has := strings.Cut(rest[:at], ":")
		if has {
			name += ":…"
		}
		user, rest = name+"@", rest[at+1:]
	}
	hosts, query, asked := strings.Cut(rest, "?")
	if asked {
		query = maskQuery("?" + query)
	}
	// With the host forgotten, what stands where its port would be is a password.
	authority, path, _ := strings.Cut(hosts, "/")
	if _, port, has := strings.Cut(authority[strings.LastIndexByte(authority, ']')+1:], ":"); has && strings.Trim(port, "0123456789") != "" && !strings.Contains(port, ",") {
		authority = strings.TrimSuffix(authority, port) + "…"
	}
	if path != "" || strings.HasSuffix(hosts, "/") {
		path = "/" + path
	}
	return scheme + "://" + user + authority + path + query
}

// maskQuery hides the values of a query: options may hold secrets too, such as
// tlsCertificateKeyFilePassword.
func maskQuery(query string) string {
	if query == "" {
		return ""
	}
	values, err := url.ParseQuery(query[1:])
	if err != nil {
		return "?…"
	}
	for name := range values {
		if strings.Contains(strings.ToLower(name), "pass") || strings.Contains(strings.ToLower(name), "auth") {
			return "?…"
		}
	}
	return query
}
