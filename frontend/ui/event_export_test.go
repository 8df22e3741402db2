package ui

import (
	"context"
	"testing"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

func TestExportSaysHowItEnded(t *testing.T) {
	tests := []struct {
		name   string
		answer any
		wants  []string
	}{
		{"whole", client.Response{Status: 200}, []string{"Exported: 0 events, 0 bytes", "!Try again"}},
		{"cut off", bridge.ErrCutOff, []string{"cut off after", "Nothing was saved", "Try again", `href="/portal/v1/teams/tea_1/events/export"`}},
		{"refused", problem(403, "role-not-allowed", "Only owners may."), []string{"Only owners may.", "Try again"}},
		{"no network", client.ErrOffline, []string{"cannot be reached", "Try again"}},
		{"cancelled", context.Canceled, []string{"!Exported", "!Try again"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := deskWith(map[string]any{
				"GET /events/export": tt.answer, "GET /events": api.List[api.Event]{},
				"GET /events/chain": api.ChainState{First: 3, Seq: 6, Verified: true},
			})
			p := &auditPage{At: at(d, "owner", "/audit")}
			do := page(t, p)
			if got := p.events(); got != 4 {
				t.Errorf("got %d events that are kept, want 4", got)
			}
			do(func(ctx app.Context) { p.export.start(ctx, p, p.At) })
			drawn(t, p, append(tt.wants, "!Cancel")...)
		})
	}
}

func TestExportCanBeCancelled(t *testing.T) {
	p := &auditPage{At: at(deskWith(map[string]any{"GET /events": api.List[api.Event]{}}), "owner", "/audit")}
	do := page(t, p)
	asked := make(chan struct{})
	p.At.API = client.New(client.TransportFunc(func(ctx context.Context, _ client.Request) (client.Response, error) {
		close(asked)
		<-ctx.Done()
		return client.Response{}, ctx.Err()
	}))
	go func() { // as the button: the page is settled only once the request has ended
		<-asked
		p.export.stop()
	}()
	do(func(ctx app.Context) {
		p.export.start(ctx, p, p.At)
		drawn(t, p.export.view(p, p.At, 0), "being exported", "0 events, 0 bytes", "Cancel")
	})
	if p.export.busy || p.export.done || p.export.err != nil {
		t.Errorf("got %+v, want that nothing is under way", p.export)
	}
}
