package ui

import (
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func TestFiltersThatCannotBeReadCanBeCleared(t *testing.T) {
	d := deskWith(map[string]any{"GET /calls": problem(422, "invalid", "The input breaks a rule.")})
	l := &callLog{At: at(d, "owner", "/usage?tab=calls&status=9")}
	page(t, l)
	drawn(t, l, "These filters cannot be read", "Clear the filters", "!The input breaks a rule.", "!Try again")
}

func TestWhereNoCallsAreTheFirstActionIsOffered(t *testing.T) {
	one := api.List[api.Token]{Data: []api.Token{live(nil)}}
	tests := []struct {
		name, role string
		tokens     any
		wants      []string
	}{
		{"no token", "developer", api.List[api.Token]{}, []string{"Create token", "!curl"}},
		{"a token", "developer", one, []string{"curl http", "!Create token"}},
		{"nobody knows", "developer", problem(503, "busy", ""), []string{"curl http", "!Create token"}},
		{"an auditor", "auditor", api.List[api.Token]{}, []string{"within two seconds", "!curl", "!Create token"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, query := range []string{"", "?tab=calls"} {
				d := deskWith(map[string]any{
					"GET /tokens": tt.tokens, "GET /calls": api.List[api.Call]{},
					"GET /usage": api.Usage{Step: "day", Series: []api.Series{{}}},
				})
				p := &usagePage{At: at(d, tt.role, "/usage"+query)}
				page(t, p)
				drawn(t, p, append(tt.wants, "No calls")...)
			}
		})
	}
}
