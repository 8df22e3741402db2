package ui

import (
	"slices"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
	"github.com/gatehouse-portal/gatehouse/shared/client"
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

func TestFiltersStayAboveWhatFailed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		chain any
		wants []string
	}{
		{"the network", client.ErrOffline, []string{"cannot be reached", "!Whether the chain"}},
		{"the chain alone", problem(503, "busy", ""), []string{"Whether the chain of events is whole could not be found out."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &auditPage{At: at(deskWith(map[string]any{"GET /events": client.ErrOffline, "GET /events/chain": tt.chain}), "owner", "/audit")}
			page(t, p)
			drawn(t, p, tt.wants...)
			html := app.HTMLString(p)
			filters, failed := strings.Index(html, `id="audit-action"`), strings.Index(html, "Try again")
			if filters < 0 || failed < filters {
				t.Errorf("the filters are at %d, what failed at %d", filters, failed)
			}
		})
	}
}

func TestChainWords(t *testing.T) {
	for _, tt := range []struct {
		first, last int64
		want        string
	}{
		{1, 1, "Event 1 is not changed."},
		{1, 214, "Events 1 to 214, none missing and none changed."},
		{37, 214, "Events 37 to 214, none missing and none changed; older ones are no longer kept."},
	} {
		if got := chainWords(api.ChainState{First: tt.first, Seq: tt.last}); got != tt.want {
			t.Errorf("%d to %d: got %q, want %q", tt.first, tt.last, got, tt.want)
		}
	}
}
