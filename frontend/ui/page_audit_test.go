package ui

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

func TestEveryGroupOfEventsSelectsSome(t *testing.T) {
	for _, g := range eventGroups {
		if g.Value == "" {
			continue
		}
		for _, action := range strings.Split(g.Value, ",") {
			some := slices.ContainsFunc(audit.Actions(), func(known string) bool {
				return action == known || strings.HasSuffix(action, ".") && strings.HasPrefix(known, action)
			})
			if !some {
				t.Errorf("%s: no event has the action %q", g.Text, action)
			}
		}
	}
}
