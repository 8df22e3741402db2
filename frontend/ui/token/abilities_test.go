package token

import (
	"slices"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// catalogue is a small one with every case in it.
func catalogue() api.Catalogue {
	all := []string{"orders:read", "orders:write", "orders:delete", "usage:read", "token:rotate", "tokens:verify"}
	return api.Catalogue{
		Abilities: []api.Ability{
			{Name: "orders:read", Title: "Read orders", Risk: "low", Resource: "orders", Action: "read"},
			{Name: "orders:write", Title: "Create, change and cancel orders", Risk: "high", Resource: "orders", Action: "write"},
			{Name: "orders:delete", Title: "Erase orders", Risk: "high", Resource: "orders", Action: "delete"},
			{Name: "usage:read", Title: "Read its own usage", Risk: "low", Resource: "usage", Action: "read"},
			{Name: "token:rotate", Title: "Rotate itself", Risk: "medium", Resource: "token", Action: "rotate"},
			{Name: "tokens:verify", Title: "Verify tokens", Risk: "high", Resource: "tokens", Action: "verify", Platform: true},
		},
		Defaults: []string{"orders:read", "orders:delete"},
		Roles: []api.Role{
			{Name: "owner", Grants: all},
			{Name: "admin", Grants: all},
			{Name: "developer", Grants: []string{"orders:read", "orders:write", "usage:read"}},
			{Name: "auditor"},
		},
		Tokens: api.TokenPolicy{
			DefaultLifetimeDays: 90, MaxLifetimeDays: 365, MaxPerTeam: 10000, MaxOverlapSeconds: 604800,
			DefaultRateLimit: api.RateLimit{Quota: 600, WindowSeconds: 60}, MaxRateLimit: api.RateLimit{Quota: 6000, WindowSeconds: 60},
		},
	}
}

func TestWhatARoleMayGrant(t *testing.T) {
	tests := []struct {
		name     string
		picker   Picker
		ability  string
		refused  string
		shown    bool
		defaults []string
	}{
		{"granted", Picker{Role: "developer"}, "orders:write", "", true, []string{"orders:read"}},
		{"not granted", Picker{Role: "developer"}, "token:rotate", "Your role, developer, may not grant this. Ask an owner or an admin of the team.", true, []string{"orders:read"}},
		{"not granted, but there already", Picker{Role: "developer", Kept: []string{"token:rotate"}}, "token:rotate", "", true, []string{"orders:read"}},
		{"an owner", Picker{Role: "owner"}, "token:rotate", "", true, []string{"orders:read", "orders:delete"}},
		{"platform, elsewhere", Picker{Role: "owner"}, "tokens:verify", "", false, []string{"orders:read", "orders:delete"}},
		{"platform, there", Picker{Role: "owner", Platform: true}, "tokens:verify", "", true, []string{"orders:read", "orders:delete"}},
		{"an auditor", Picker{Role: "auditor"}, "orders:read", "Your role, auditor, may not grant this. Ask an owner, an admin or a developer of the team.", true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.picker.Catalogue = catalogue()
			shown := false
			for _, g := range tt.picker.Groups() {
				for _, c := range g.Choices {
					if c.Name == tt.ability {
						shown = true
						if c.Refused != tt.refused {
							t.Errorf("got %q, want %q", c.Refused, tt.refused)
						}
					}
				}
			}
			if shown != tt.shown {
				t.Errorf("shown: got %v, want %v", shown, tt.shown)
			}
			if got := tt.picker.Defaults(); !slices.Equal(got, tt.defaults) {
				t.Errorf("defaults: got %v, want %v", got, tt.defaults)
			}
		})
	}
}

func TestShortcuts(t *testing.T) {
	groups := Picker{Catalogue: catalogue(), Role: "owner"}.Groups()
	orders := groups[0]
	texts := func(g Group) []string {
		var out []string
		for _, s := range g.Shortcuts() {
			out = append(out, s.Text)
		}
		return out
	}
	if got := texts(orders); !slices.Equal(got, []string{"None", "Read", "Read & write"}) {
		t.Fatalf("got %v", got)
	}
	if got := texts(groups[1]); got != nil {
		t.Errorf("a single ability needs no shortcut, got %v", got)
	}
	chosen := []string{"usage:read", "orders:delete"}
	for i, want := range [][]string{{"usage:read"}, {"usage:read", "orders:read"}, {"usage:read", "orders:read", "orders:write"}} {
		s := orders.Shortcuts()[i]
		got := orders.Apply(s, chosen)
		if !slices.Equal(got, want) || !orders.Is(s, got) || orders.Is(s, append(got, "orders:delete")) {
			t.Errorf("%s: got %v, want %v", s.Text, got, want)
		}
	}
}

func TestAShortcutLeavesWhatMayNotBeChosen(t *testing.T) {
	g := Group{Resource: "orders", Choices: []Choice{
		{Ability: api.Ability{Name: "orders:read", Action: "read"}},
		{Ability: api.Ability{Name: "orders:write", Action: "write"}, Refused: "no"},
		{Ability: api.Ability{Name: "orders:list", Action: "list"}},
	}}
	if got := g.Apply(g.Shortcuts()[0], []string{"orders:read", "orders:write"}); !slices.Equal(got, []string{"orders:write"}) {
		t.Errorf("got %v", got)
	}
	if n := len(g.Shortcuts()); n != 2 {
		t.Errorf("got %d shortcuts, want none and read", n)
	}
}

func TestToggleAndOrder(t *testing.T) {
	chosen := Toggle(nil, "usage:read", true)
	chosen = Toggle(chosen, "orders:read", true)
	chosen = Toggle(chosen, "orders:read", true)
	if got := Ordered(catalogue(), append(chosen, "gone:away")); !slices.Equal(got, []string{"orders:read", "usage:read", "gone:away"}) {
		t.Errorf("got %v", got)
	}
	if got := Toggle(chosen, "usage:read", false); !slices.Equal(got, []string{"orders:read"}) {
		t.Errorf("got %v", got)
	}
}
