package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/deploy"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
)

// LoadCatalogue reads the catalogue that the configuration names, or the
// embedded example, and prepares it for use. Its error is [Mistakes].
func (c Config) LoadCatalogue() (*portal.Catalogue, error) {
	if c.Catalogue == "" {
		return ParseCatalogue("the embedded catalogue", []byte(deploy.Catalogue()))
	}
	text, err := os.ReadFile(c.Catalogue)
	if err != nil {
		var reason *fs.PathError
		problem := "the file cannot be read"
		if errors.As(err, &reason) {
			problem += " (" + reason.Err.Error() + ")"
		}
		return nil, Mistakes{{
			Where: "GATEHOUSE_CATALOGUE", Value: c.Catalogue, Problem: problem,
			Fix: "Name a file that this user may read, or none for the embedded example.",
		}}
	}
	return ParseCatalogue(c.Catalogue, text)
}

// Bounds of what a catalogue may say.
const (
	maxTitle       = 100 // code points
	maxDescription = 500
	day            = 24 * time.Hour
	maxOverlap     = 7 * day
	maxQuota       = 1_000_000
)

// ParseCatalogue reads the YAML of a catalogue, called name in mistakes, and
// prepares it for use. Its error is [Mistakes], in the order of their lines.
func ParseCatalogue(name string, text []byte) (*portal.Catalogue, error) {
	d, root := parseDocument(name, text)
	if root == nil {
		return nil, d.mistakes.err()
	}
	top := d.mapping(root, "the catalogue", "version", "abilities", "defaults", "grants", "lifetimes", "limits", "rotation", "retention")
	if e, ok := top["version"]; ok {
		d.number(e.value, "version", 1, 1)
	}
	c := &portal.Catalogue{
		Grants: map[portal.Role][]string{},
		Tokens: portal.TokenRules{
			DefaultLifetime: 90 * day, MaxLifetime: 365 * day, MaxPerTeam: 10_000, MaxOverlap: maxOverlap,
			DefaultLimit: portal.RateLimit{Quota: 600, Window: time.Minute},
			MaxLimit:     portal.RateLimit{Quota: 6000, Window: time.Minute},
		},
		Retention: portal.Retention{Calls: 30 * day, Events: 400 * day, EndedTokens: 90 * day},
	}
	d.abilities(root, top, c)
	d.defaults(top, c)
	d.grants(root, top, c)
	d.lifetimes(top, &c.Tokens)
	d.limits(top, &c.Tokens)
	d.rotation(top, &c.Tokens)
	d.retention(top, &c.Retention)
	if err := d.mistakes.err(); err != nil {
		slices.SortStableFunc(d.mistakes, func(a, b Mistake) int { return lineOf(a) - lineOf(b) })
		return nil, d.mistakes
	}
	return c.Prepare(), nil
}

// lineOf reads the line back from where a mistake is.
func lineOf(m Mistake) int {
	var n int
	if i := strings.LastIndex(m.Where, ", line "); i >= 0 {
		_, _ = fmt.Sscan(m.Where[i+len(", line "):], &n) // 0 if there is none
	}
	return n
}

func (d *document) abilities(root ast.Node, top map[string]entry, c *portal.Catalogue) {
	e, ok := top["abilities"]
	if !ok {
		d.wrong(root, "List them under abilities:, as the example catalogue does.", "the catalogue has no abilities")
		return
	}
	lines := map[string]int{}
	items := d.list(e.value, "abilities")
	for _, item := range items {
		a, at, ok := d.ability(item)
		if !ok {
			continue
		}
		if first, twice := lines[a.Name]; twice {
			d.wrong(at, "Remove one of the two.", "the ability %s is there twice, first in line %d", a.Name, first)
			continue
		}
		lines[a.Name] = line(at)
		c.Abilities = append(c.Abilities, a)
	}
	if _, is := e.value.(*ast.SequenceNode); is && len(items) == 0 {
		d.wrong(e.key, "Describe at least one ability.", "the catalogue has no abilities")
	}
	if len(c.Abilities) > ability.MaxAbilities {
		d.wrong(e.key, "Leave out those that nobody needs.", "there are %d abilities, more than %d", len(c.Abilities), ability.MaxAbilities)
	}
}

// ability reads one ability; at is where its name stands.
func (d *document) ability(n ast.Node) (a portal.Ability, at ast.Node, ok bool) {
	m := d.mapping(n, "an ability", "name", "title", "description", "risk", "resource", "platform")
	if m == nil {
		return a, n, false
	}
	e, named := m["name"]
	if !named {
		d.wrong(n, "Give it a name, resource:action.", "an ability has no name")
		return a, n, false
	}
	at = e.value
	if a.Name, ok = d.text(e.value, "name"); !ok {
		return a, at, false
	}
	if !ability.Valid(a.Name) {
		d.wrong(e.value, "Write resource:action in lower-case letters, digits, - and _, such as orders:read.", "%q is not the name of an ability", a.Name)
		return a, at, false
	}
	what := "the " + a.Name + " ability's "
	a.Title = d.words(n, m, "title", what, maxTitle)
	a.Description = d.words(n, m, "description", what, maxDescription)
	if e, ok := m["risk"]; !ok {
		d.wrong(n, "Write risk: low, medium or high.", "%s has no risk", a.Name)
	} else if risk, ok := d.text(e.value, what+"risk"); ok {
		if a.Risk = ability.Risk(risk); !a.Risk.Valid() {
			d.wrong(e.value, "Write low, medium or high.", "%srisk is %q", what, risk)
		}
	}
	if e, ok := m["resource"]; ok {
		resource, _ := ability.Split(a.Name)
		if got, ok := d.text(e.value, what+"resource"); ok && got != resource {
			d.wrong(e.value, "Write "+resource+", or leave it out.", "%sresource is %q, and its name says %q", what, got, resource)
		}
	}
	if e, ok := m["platform"]; ok {
		a.Platform = d.flag(e.value, what+"platform")
	}
	return a, at, true
}

// words reads a text that people see.
func (d *document) words(n ast.Node, m map[string]entry, key, what string, most int) string {
	e, ok := m[key]
	if !ok {
		d.wrong(n, "People decide by it; write one.", "%s%s is missing", what, key)
		return ""
	}
	s, ok := d.text(e.value, what+key)
	if ok && (s == "" || utf8.RuneCountInString(s) > most || strings.ContainsAny(s, "\x00\n\r")) {
		d.wrong(e.value, fmt.Sprintf("Write 1 to %d characters on one line.", most), "%s%s is empty or too long", what, key)
	}
	return s
}

// names reads a list of abilities that the catalogue has, each once.
func (d *document) names(n ast.Node, what string, c *portal.Catalogue) []string {
	names := []string{}
	for _, item := range d.list(n, what) {
		name, ok := d.text(item, "an ability in "+what)
		if !ok {
			continue
		}
		switch {
		case !has(c, name):
			known := make([]string, len(c.Abilities))
			for i, a := range c.Abilities {
				known[i] = a.Name
			}
			d.wrong(item, didYouMean(name, known), "%s names %q, which is no ability of this catalogue", what, name)
		case contains(names, name):
			d.wrong(item, "Remove one of the two.", "%s names %s twice", what, name)
		default:
			names = append(names, name)
		}
	}
	return names
}

func has(c *portal.Catalogue, name string) bool {
	return slices.ContainsFunc(c.Abilities, func(a portal.Ability) bool { return a.Name == name })
}

func (d *document) defaults(top map[string]entry, c *portal.Catalogue) {
	e, ok := top["defaults"]
	if !ok {
		return
	}
	c.Defaults = d.names(e.value, "defaults", c)
	for _, a := range c.Abilities {
		if a.Platform && contains(c.Defaults, a.Name) {
			d.wrong(e.key, "Take it out of the defaults.", "%s is a platform ability, which only few tokens can hold", a.Name)
		}
	}
}

func (d *document) grants(root ast.Node, top map[string]entry, c *portal.Catalogue) {
	roles := make([]string, len(portal.Roles))
	for i, role := range portal.Roles {
		roles[i] = string(role)
	}
	e, ok := top["grants"]
	if !ok {
		d.wrong(root, "List under grants: what each role may put on a token.", "the catalogue does not say who may grant what")
		return
	}
	for role, list := range d.mapping(e.value, "grants", roles...) {
		c.Grants[portal.Role(role)] = d.names(list.value, "grants of "+role, c)
	}
}

func (d *document) lifetimes(top map[string]entry, r *portal.TokenRules) {
	e, ok := top["lifetimes"]
	if !ok {
		return
	}
	m := d.mapping(e.value, "lifetimes", "default", "max")
	if e, ok := m["max"]; ok {
		if s, isText := e.value.(*ast.StringNode); isText && s.Value == "never" {
			r.MaxLifetime = 0
		} else if v, ok := d.duration(e.value, "the longest lifetime", time.Hour, maxDuration); ok {
			r.MaxLifetime = v
		}
	}
	if e, ok := m["default"]; ok {
		if v, ok := d.duration(e.value, "the default lifetime", time.Hour, maxDuration); ok {
			r.DefaultLifetime = v
		}
	}
	if r.MaxLifetime > 0 && r.DefaultLifetime > r.MaxLifetime {
		d.wrong(e.key, "Shorten the default or lengthen the maximum.", "the default lifetime (%s) is longer than the longest (%s)",
			formatDuration(r.DefaultLifetime), formatDuration(r.MaxLifetime))
	}
}

func (d *document) limits(top map[string]entry, r *portal.TokenRules) {
	e, ok := top["limits"]
	if !ok {
		return
	}
	m := d.mapping(e.value, "limits", "default", "max", "tokens_per_team")
	if e, ok := m["default"]; ok {
		d.rate(e.value, "the default limit", &r.DefaultLimit)
	}
	if e, ok := m["max"]; ok {
		d.rate(e.value, "the highest limit", &r.MaxLimit)
	}
	if e, ok := m["tokens_per_team"]; ok {
		if n, ok := d.number(e.value, "tokens_per_team", 1, 1_000_000); ok {
			r.MaxPerTeam = n
		}
	}
	// Rates are compared without dividing: a/b > c/d is ad > cb.
	if int64(r.DefaultLimit.Quota)*int64(r.MaxLimit.Window/time.Second) > int64(r.MaxLimit.Quota)*int64(r.DefaultLimit.Window/time.Second) {
		d.wrong(e.key, "Lower the default or raise the maximum.", "the default limit is a higher rate than the highest that may be chosen")
	}
}

func (d *document) rate(n ast.Node, what string, to *portal.RateLimit) {
	m := d.mapping(n, what, "quota", "window")
	if m == nil {
		return
	}
	quota, hasQuota := m["quota"]
	window, hasWindow := m["window"]
	if !hasQuota || !hasWindow {
		d.wrong(n, "Write { quota: 600, window: 1m }.", "%s needs a quota and a window", what)
		return
	}
	q, ok := d.number(quota.value, what+"'s quota", 1, maxQuota)
	w, also := d.duration(window.value, what+"'s window", time.Second, day)
	if ok && also {
		*to = portal.RateLimit{Quota: q, Window: w}
	}
}

func (d *document) rotation(top map[string]entry, r *portal.TokenRules) {
	e, ok := top["rotation"]
	if !ok {
		return
	}
	if e, ok := d.mapping(e.value, "rotation", "max_overlap")["max_overlap"]; ok {
		if v, ok := d.duration(e.value, "the longest overlap", 0, maxOverlap); ok {
			r.MaxOverlap = v
		}
	}
}

func (d *document) retention(top map[string]entry, r *portal.Retention) {
	e, ok := top["retention"]
	if !ok {
		return
	}
	fields := map[string]*time.Duration{"calls": &r.Calls, "events": &r.Events, "ended_tokens": &r.EndedTokens}
	for key, e := range d.mapping(e.value, "retention", "calls", "events", "ended_tokens") {
		if v, ok := d.duration(e.value, "the retention of "+key, day, maxDuration); ok {
			*fields[key] = v
		}
	}
	if r.Events < r.Calls {
		d.wrong(e.key, "Keep events at least as long.", "events are kept for a shorter time than calls")
	}
}
