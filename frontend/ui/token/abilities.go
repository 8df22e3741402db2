package token

import (
	"slices"
	"strings"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// Picker is what the choice of abilities depends on.
type Picker struct {
	Catalogue api.Catalogue
	Role      string   // of who chooses
	Platform  bool     // the team is the operator's own
	Kept      []string // what the token has already: that may stay
}

// Choice is one ability to choose.
type Choice struct {
	api.Ability
	Refused string // why it cannot be chosen, "" if it can
}

// Group is the abilities of one resource.
type Group struct {
	Resource string
	Choices  []Choice
}

// Groups returns the abilities by resource, in the order of the catalogue. Those
// of the operator's own team are not shown to others.
func (p Picker) Groups() []Group {
	var groups []Group
	for _, a := range p.Catalogue.Abilities {
		if a.Platform && !p.Platform && !slices.Contains(p.Kept, a.Name) {
			continue
		}
		if a.Resource == "" {
			a.Resource, a.Action = ability.Split(a.Name)
		}
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Resource == a.Resource })
		if i < 0 {
			i = len(groups)
			groups = append(groups, Group{Resource: a.Resource})
		}
		groups[i].Choices = append(groups[i].Choices, Choice{Ability: a, Refused: p.refused(a)})
	}
	return groups
}

// refused says why the role may not grant an ability, "" if it may.
func (p Picker) refused(a api.Ability) string {
	switch {
	case slices.Contains(p.Kept, a.Name):
		return ""
	case a.Platform && !p.Platform:
		return "Only for the operator’s own team."
	case slices.Contains(p.grants(p.Role), a.Name):
		return ""
	}
	var may []string
	for _, r := range p.Catalogue.Roles {
		if slices.Contains(r.Grants, a.Name) {
			may = append(may, r.Name)
		}
	}
	if len(may) == 0 {
		return "No role may grant this here."
	}
	return "Your role, " + p.Role + ", may not grant this. Ask " + one(may) + " of the team."
}

func (p Picker) grants(role string) []string {
	for _, r := range p.Catalogue.Roles {
		if r.Name == role {
			return r.Grants
		}
	}
	return nil
}

// Defaults returns what is ticked before anything is chosen: the defaults of the
// catalogue, as far as the role may grant them.
func (p Picker) Defaults() []string {
	var names []string
	for _, g := range p.Groups() {
		for _, c := range g.Choices {
			if c.Refused == "" && slices.Contains(p.Catalogue.Defaults, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// Title returns the title of a resource: purchase-orders is Purchase orders.
func (g Group) Title() string {
	s := strings.NewReplacer("-", " ", "_", " ").Replace(g.Resource)
	return strings.ToUpper(s[:1]) + s[1:]
}

// Shortcut sets all of a group at once.
type Shortcut struct {
	Text  string
	Names []string // that are then on, of this group
}

// Shortcuts returns none, read, and read & write, as far as the group has them
// and they may be chosen. Whatever is neither reading nor writing, such as
// rotating or deleting, is for single decisions and in none of them.
func (g Group) Shortcuts() []Shortcut {
	var read, write []string
	for _, c := range g.Choices {
		if c.Refused != "" {
			continue
		}
		switch verb, _, _ := strings.Cut(strings.ReplaceAll(c.Action, "_", "-"), "-"); verb {
		case "read", "list", "view":
			read = append(read, c.Name)
		case "write", "create", "update", "edit":
			write = append(write, c.Name)
		}
	}
	if len(read) == 0 || len(read)+len(write) < 2 {
		return nil
	}
	s := []Shortcut{{Text: "None"}, {"Read", read}}
	if len(write) > 0 {
		s = append(s, Shortcut{"Read & write", slices.Concat(read, write)})
	}
	return s
}

// Is reports whether exactly the shortcut's abilities of the group are chosen.
func (g Group) Is(s Shortcut, chosen []string) bool {
	for _, c := range g.Choices {
		if slices.Contains(chosen, c.Name) != slices.Contains(s.Names, c.Name) {
			return false
		}
	}
	return true
}

// Apply returns what is chosen after a shortcut of the group. What may not be
// chosen stays as it is.
func (g Group) Apply(s Shortcut, chosen []string) []string {
	out := slices.DeleteFunc(slices.Clone(chosen), func(name string) bool {
		return slices.ContainsFunc(g.Choices, func(c Choice) bool { return c.Name == name && c.Refused == "" })
	})
	return append(out, s.Names...)
}

// Toggle returns what is chosen after one ability was ticked or not.
func Toggle(chosen []string, name string, on bool) []string {
	out := slices.DeleteFunc(slices.Clone(chosen), func(n string) bool { return n == name })
	if on {
		out = append(out, name)
	}
	return out
}

// Find returns an ability of the catalogue; of one that left it only the name is
// known.
func Find(c api.Catalogue, name string) api.Ability {
	for _, a := range c.Abilities {
		if a.Name == name {
			return a
		}
	}
	resource, action := ability.Split(name)
	return api.Ability{Name: name, Title: name, Description: "The catalogue does not have this ability any more; it allows nothing.", Resource: resource, Action: action}
}

// Ordered returns names in the order of the catalogue, those it does not have
// last.
func Ordered(c api.Catalogue, names []string) []string {
	place := func(name string) int {
		if i := slices.IndexFunc(c.Abilities, func(a api.Ability) bool { return a.Name == name }); i >= 0 {
			return i
		}
		return len(c.Abilities)
	}
	out := slices.Clone(names)
	slices.SortStableFunc(out, func(a, b string) int { return place(a) - place(b) })
	return out
}

// one joins names for a choice: an owner, an admin or a developer.
func one(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		article := "a "
		if strings.ContainsAny(n[:1], "aeiou") {
			article = "an "
		}
		out[i] = article + n
	}
	return kit.List(out, "or")
}
