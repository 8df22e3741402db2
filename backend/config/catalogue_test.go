package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/deploy"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
)

func parse(t *testing.T, text string) *portal.Catalogue {
	t.Helper()
	c, err := ParseCatalogue("c.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestExampleCatalogue(t *testing.T) {
	c, err := Config{}.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	var names, platform []string
	for _, a := range c.Abilities {
		names = append(names, a.Name)
		if a.Platform {
			platform = append(platform, a.Name)
		}
		if !strings.HasSuffix(a.Description, ".") {
			t.Errorf("%s is not described in a sentence", a.Name)
		}
	}
	all := []string{"orders:read", "orders:write", "usage:read", "token:rotate", "tokens:verify", "tokens:introspect"}
	if !reflect.DeepEqual(names, all) || !reflect.DeepEqual(platform, all[4:]) {
		t.Errorf("got abilities %v and platform abilities %v", names, platform)
	}
	want := map[portal.Role][]string{portal.Owner: all, portal.Admin: all, portal.Developer: all[:4], portal.Auditor: {}}
	if !reflect.DeepEqual(c.Grants, want) {
		t.Errorf("got grants %v, want %v", c.Grants, want)
	}
	if _, ok := c.Ability("orders:read"); !ok || !slices.Contains(c.Defaults, "orders:read") {
		t.Error("orders:read is not prepared, or no default")
	}
	rules := portal.TokenRules{
		DefaultLifetime: 90 * day, MaxLifetime: 365 * day, MaxPerTeam: 10_000, MaxOverlap: 7 * day,
		DefaultLimit: portal.RateLimit{Quota: 600, Window: time.Minute}, MaxLimit: portal.RateLimit{Quota: 6000, Window: time.Minute},
	}
	if c.Tokens != rules || c.Retention != (portal.Retention{Calls: 30 * day, Events: 400 * day, EndedTokens: 90 * day}) {
		t.Errorf("got %+v and %+v", c.Tokens, c.Retention)
	}
}

// What may be left out has the value that the example writes out.
func TestCatalogueDefaultsAreTheExample(t *testing.T) {
	example := parse(t, deploy.Catalogue())
	least := parse(t, `
abilities:
  - {name: "a:b", title: T, description: D., risk: low, resource: a}
grants: {owner: ["a:b"]}
`)
	if least.Tokens != example.Tokens || least.Retention != example.Retention {
		t.Errorf("got %+v and %+v", least.Tokens, least.Retention)
	}
	if got := least.Grants; len(got) != 1 || len(got[portal.Owner]) != 1 {
		t.Errorf("got grants %v", got)
	}
	if got := least.Abilities[0]; got != (portal.Ability{Name: "a:b", Title: "T", Description: "D.", Risk: ability.Low}) {
		t.Errorf("got %+v", got)
	}
}

func TestNeverExpires(t *testing.T) {
	c := parse(t, strings.Replace(deploy.Catalogue(), "max: 365d", "max: never", 1))
	if c.Tokens.MaxLifetime != 0 || c.Tokens.DefaultLifetime != 90*day {
		t.Errorf("got %+v", c.Tokens)
	}
}

// Each case changes the example in one place.
func TestCatalogueMistakes(t *testing.T) {
	tests := []struct{ name, old, new, problem, fix string }{
		{"no YAML", "version: 1", "version: [", "not YAML", ""},
		{"tab", "  - name: orders:read", "\t- name: orders:read", "not YAML", ""},
		{"version", "version: 1", "version: 2", "version is not", "from 1 to 1"},
		{"unknown key", "defaults:", "default:", `no key "default"`, "Did you mean defaults?"},
		{"key twice", "version: 1", "version: 1\nversion: 1", `"version" is there twice, first in line 9`, "Remove"},
		{"unknown key of an ability", "    risk: low\n\n  - name: orders:write", "    riks: low\n    risk: low\n\n  - name: orders:write", `no key "riks"`, "Did you mean risk?"},
		{"no name", "- name: usage:read\n    title", "- title", "no name", "resource:action"},
		{"bad name", "name: usage:read", "name: Usage:read", `"Usage:read" is not the name`, "lower-case"},
		{"wildcard", "name: usage:read", "name: usage:*", `is not the name`, "lower-case"},
		{"ability twice", "name: usage:read", "name: orders:read", "orders:read is there twice", "Remove"},
		{"no title", "    title: Read orders\n", "", "title is missing", ""},
		{"empty title", "title: Read orders", `title: ""`, "title is empty", ""},
		{"long title", "title: Read orders", "title: " + strings.Repeat("x", 101), "empty or too long", "100"},
		{"title as a list", "title: Read orders", "title: [Read]", "title is not text", ""},
		{"no risk", "    risk: medium\n", "", "token:rotate has no risk", "low, medium or high"},
		{"bad risk", "risk: medium", "risk: mediun", `risk is "mediun"`, "low, medium or high"},
		{"wrong resource", "risk: medium", "risk: medium\n    resource: tokens", `resource is "tokens"`, "token"},
		{"platform in words", "platform: true", "platform: yes please", "neither true nor false", ""},
		{"abilities as a mapping", "abilities:\n  - name: orders:read", "abilities:\n  name: orders:read", "", ""},
		{"unknown default", "defaults:\n  - orders:read", "defaults:\n  - orders:raed", `"orders:raed", which is no ability`, "Did you mean orders:read?"},
		{"default twice", "defaults:\n  - orders:read", "defaults:\n  - orders:read\n  - orders:read", "twice", "Remove"},
		{"platform default", "defaults:\n  - orders:read", "defaults:\n  - tokens:verify", "platform ability", ""},
		{"unknown role", "  auditor: []", "  auditors: []", `no key "auditors"`, "Did you mean auditor?"},
		{"unknown ability of a role", "  developer:\n    - orders:read", "  developer:\n    - orders:all", `grants of developer names "orders:all"`, ""},
		{"grants as text", "auditor: []", "auditor: none", "not a list", ""},
		{"unknown alias", "admin: *everything", "admin: *evrything", "stands for nothing", ""},
		{"duration", "default: 90d", "default: 90 days", "not a length of time", "90d"},
		{"duration without unit", "default: 90d", "default: 90", "not a length of time", "90d"},
		{"negative duration", "default: 90d", "default: -90d", "not a length of time", "90d"},
		{"overflowing duration", "default: 90d", "default: 99999999999w", "not a length of time", "90d"},
		{"too long a duration", "max: 365d", "max: 3651d", "not a length of time", ""},
		{"too short a duration", "default: 90d", "default: 59m", "out of bounds", "1h"},
		{"default over max", "default: 90d", "default: 366d", "longer than the longest", "Shorten"},
		{"never by default", "default: 90d", "default: never", "not a length of time", ""},
		{"quota", "quota: 600,", "quota: 0,", "quota", "1 to 1000000"},
		{"quota as text", "quota: 600,", `quota: "600",`, "quota", "1 to 1000000"},
		{"no window", "{ quota: 600, window: 1m }", "{ quota: 600 }", "needs a quota and a window", "window: 1m"},
		{"limit as a number", "{ quota: 600, window: 1m }", "600", "not a mapping", ""},
		{"default limit over max", "quota: 600,", "quota: 6001,", "higher rate", "Lower"},
		{"default limit over max by its window", "{ quota: 600, window: 1m }", "{ quota: 600, window: 5s }", "higher rate", "Lower"},
		{"tokens per team", "tokens_per_team: 10000", "tokens_per_team: many", "tokens_per_team", "whole number"},
		{"overlap", "max_overlap: 7d", "max_overlap: 8d", "out of bounds", "7d"},
		{"retention", "calls: 30d", "calls: 12h", "out of bounds", "1d"},
		{"events shorter than calls", "events: 400d", "events: 10d", "shorter time than calls", ""},
		{"unknown retention", "ended_tokens: 90d", "tokens: 90d", `no key "tokens"`, "Known are"},
	}
	for _, tt := range tests {
		text := strings.Replace(deploy.Catalogue(), tt.old, tt.new, 1)
		if text == deploy.Catalogue() {
			t.Errorf("%s: the example has no %q", tt.name, tt.old)
			continue
		}
		_, err := ParseCatalogue("c.yaml", []byte(text))
		var m Mistakes
		if !errors.As(err, &m) {
			t.Errorf("%s: got %v, want a mistake", tt.name, err)
			continue
		}
		found := slices.IndexFunc(m, func(m Mistake) bool {
			return strings.Contains(m.Problem, tt.problem) && strings.Contains(m.Fix, tt.fix) && strings.HasPrefix(m.Where, "c.yaml, line ")
		})
		if found < 0 {
			t.Errorf("%s: got\n%v, want one with a line, about %q, mended by %q", tt.name, m, tt.problem, tt.fix)
		}
	}
}

func TestMistakeNamesTheLine(t *testing.T) {
	_, err := ParseCatalogue("c.yaml", []byte(`abilities:
  - name: orders:read
    title: Read orders
    description: See them.
    risk: huge
  - name: orders:write
    title: Write orders
    descripton: Change them.
    risk: low
defaults: [orders:red]
grants:
  owner: [orders:read]
  boss: []
lifetimes: {max: 90 days}
`))
	want := []string{
		`c.yaml, line 5: the orders:read ability's risk is "huge". Write low, medium or high.`,
		`c.yaml, line 6: the orders:write ability's description is missing. People decide by it; write one.`,
		`c.yaml, line 8: an ability has no key "descripton". Did you mean description?`,
		`c.yaml, line 10: defaults names "orders:red", which is no ability of this catalogue. Did you mean orders:read?`,
		`c.yaml, line 13: grants has no key "boss". Known are owner, admin, developer, auditor.`,
		`c.yaml, line 14: the longest lifetime is "90 days", which is not a length of time. Write such as 90d, 12h, 30m or 1d12h.`,
	}
	if got := fmt.Sprint(err); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// Editors on Windows write a mark before the text, which nobody sees.
func TestByteOrderMark(t *testing.T) {
	if _, err := ParseCatalogue("c.yaml", []byte("\ufeff"+deploy.Catalogue())); err != nil {
		t.Error(err)
	}
}

func TestAbsentCatalogueSaysWhy(t *testing.T) {
	_, err := Config{Catalogue: "/nowhere/at/all"}.LoadCatalogue()
	if err == nil || !strings.Contains(err.Error(), "cannot be read (no such file or directory)") {
		t.Errorf("got %v, want why", err)
	}
}

func TestOddFiles(t *testing.T) {
	var many strings.Builder
	many.WriteString("grants: {}\nabilities:\n")
	for i := range ability.MaxAbilities + 1 {
		fmt.Fprintf(&many, "- {name: \"r%d:a\", title: T, description: D, risk: low}\n", i)
	}
	for name, text := range map[string]string{
		"empty":             "",
		"only a comment":    "# nothing\n",
		"a list":            "- a\n",
		"text":              "abilities",
		"two documents":     "a: 1\n---\nb: 2\n",
		"no abilities":      "grants: {}\n",
		"null abilities":    "abilities:\ngrants: {}\n",
		"endless alias":     "a: &a *a\n",
		"merge key":         "abilities: []\ngrants:\n  <<: {owner: []}\n",
		"too many":          many.String(),
		"too large":         "# " + strings.Repeat("x", maxCatalogue),
		"binary":            "\x00\x01\x02",
		"a number as a key": "1: 2\n",
	} {
		c, err := ParseCatalogue("c.yaml", []byte(text))
		var m Mistakes
		if !errors.As(err, &m) || c != nil {
			t.Errorf("%s: got %v and %v, want mistakes", name, c, err)
		}
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"1s": time.Second, "30m": 30 * time.Minute, "90d": 90 * day, "2w": 14 * day, "1d12h": 36 * time.Hour, "1h0m5s": time.Hour + 5*time.Second, "0s": 0,
	} {
		got, err := parseDuration(s)
		if err != nil || got != want {
			t.Errorf("%s: got %v and %v, want %v", s, got, err, want)
		}
		if again, err := parseDuration(formatDuration(got)); err != nil || again != got {
			t.Errorf("%s is formatted as %s", s, formatDuration(got))
		}
	}
	for _, s := range []string{"", "d", "1", "1.5d", "1d 2h", "1h1d", "1d1d", "+1d", " 1d", "1D", "1ms", "1y"} {
		if got, err := parseDuration(s); err == nil {
			t.Errorf("%q is read as %v", s, got)
		}
	}
}

func FuzzParseCatalogue(f *testing.F) {
	f.Add(deploy.Catalogue())
	f.Add("a: &a [*a]\nb: !!str x\n? c\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCatalogue("c.yaml", []byte(text))
		var m Mistakes
		if (err == nil) == (c == nil) || err != nil && (!errors.As(err, &m) || len(m) == 0) {
			t.Fatalf("got %v and %v", c, err)
		}
	})
}
