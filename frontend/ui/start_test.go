package ui

import (
	"context"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// What is drawn first is what is there to see: who is signed in is known by then.
func TestStartDrawsNothingInVain(t *testing.T) {
	s := &server{}
	s.set("GET /portal/v1/session", 200, ada("tea_1"))
	tests := []struct {
		path    string
		session bool
		want    string
		not     string
	}{
		{"/sign-in", false, `id="email"`, "sidebar"},
		{"/teams/tea_1/tokens", true, ">Tokens</h1>", `id="email"`},
		{"/teams/tea_1", true, "Team tea_1", `id="email"`},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			s.asked = nil
			r := newRoot(s)
			r.begin(bridge.Config{Version: "v1", Session: tt.session}, "https://portal.example"+tt.path)
			d := app.NewClientTester(r)
			defer d.Close()
			if drawn := app.HTMLString(r); !strings.Contains(drawn, tt.want) || strings.Contains(drawn, tt.not) {
				t.Errorf("drawn at first:\n%s", drawn)
			}
			d.Consume()
			if n := strings.Count(strings.Join(s.asked, "\n"), "GET /portal/v1/session"); n > 1 || tt.session && n == 0 {
				t.Errorf("the session was asked for %d times", n)
			}
		})
	}
	r := newRoot(&server{})
	r.begin(bridge.Config{Session: true}, "https://portal.example/teams/tea_1")
	if drawn := app.HTMLString(r.Render()); r.failed == nil || !strings.Contains(drawn, "Not available") {
		t.Errorf("without an answer:\n%s", drawn)
	}
	r = newRoot(unreachable{})
	r.begin(bridge.Config{Session: true}, "https://portal.example/teams/tea_1")
	if !r.offline { // so that it is asked again until the server is back
		t.Error("a start without the network does not say so")
	}
}

// unreachable is a network that is down.
type unreachable struct{}

func (unreachable) Do(context.Context, client.Request) (client.Response, error) {
	return client.Response{}, client.ErrOffline
}
