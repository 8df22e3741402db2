package ui

import (
	"testing"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// An event is told in words before it is shown as it is hashed.
func TestAnEventIsToldInFacts(t *testing.T) {
	from := func(from, to any) map[string]any { return map[string]any{"from": from, "to": to} }
	for _, tt := range []struct {
		name  string
		event api.Event
		wants []string
	}{
		{
			"a revocation",
			api.Event{Action: audit.TokenRevoked, Data: map[string]any{"reason": "compromised", "note": "Ticket OPS-4711"}},
			[]string{"Leaked, or may have", "Ticket OPS-4711"},
		},
		{"without a word", api.Event{Action: audit.TokenRevoked, Data: map[string]any{"reason": "", "note": ""}}, []string{"!Reason", "!Note"}},
		{
			"a change",
			api.Event{Action: audit.TokenUpdated, Data: map[string]any{
				"abilities": from([]any{"orders:read"}, []any{"orders:read", "orders:write"}), "addresses": from([]any{}, []any{"10.0.0.0/8"}),
				"rate_limit": from("", "10 requests in 60 s"), "expires_at": from("2026-11-22T01:02:03.456Z", ""),
			}},
			[]string{
				">orders:read<", " → ", ">orders:read, orders:write<", ">any<", ">10.0.0.0/8<", ">the usual one<", ">10 requests in 60 s<",
				">never<", "!>2026-11-22T01:02:03.456Z<",
			},
		},
		{
			"of another kind",
			api.Event{Action: audit.TokenCreated, Data: map[string]any{"name": "ERP", "abilities": []any{"orders:read"}, "note": 7}},
			[]string{"! → ", "!Note"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.event.Seq, tt.event.At = 7, api.At(today)
			d := deskWith(map[string]any{"GET /events": api.List[api.Event]{Data: []api.Event{tt.event}}})
			l := &eventLog{At: at(d, "owner", "/audit")}
			page(t, l)(func(app.Context) { l.open = 7 })
			drawn(t, l, tt.wants...)
		})
	}
}
