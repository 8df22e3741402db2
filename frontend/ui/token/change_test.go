package token

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func TestChangesOfSomebodyElse(t *testing.T) {
	before := api.Token{
		Name: "ERP", Note: "by Ada", Status: "active", Abilities: []string{"orders:read"}, Addresses: []string{"10.0.0.0/8"},
		RateLimit: api.RateLimit{Quota: 600, WindowSeconds: 60}, ExpiresAt: api.At(now), Generations: []api.Generation{{Number: 1, Status: "active"}},
	}
	tests := []struct {
		name   string
		change func(*api.Token)
		want   string
	}{
		{"nothing", func(*api.Token) {}, ""},
		{"only used", func(t *api.Token) { t.LastUsedAt = api.At(now) }, ""},
		{"name and note", func(t *api.Token) { t.Name, t.Note = "Shop", "x" }, "The name is now “Shop”. The note is now “x”."},
		{"no note", func(t *api.Token) { t.Note = "" }, "The note was taken away."},
		{"abilities", func(t *api.Token) { t.Abilities = []string{"orders:write"} }, "Abilities were added: orders:write. Abilities were taken away: orders:read."},
		{"addresses", func(t *api.Token) { t.Addresses = nil }, "It now works from any address."},
		{"limit", func(t *api.Token) { t.RateLimit = api.RateLimit{Quota: 1, WindowSeconds: 3600} }, "The limit is now 1 request an hour."},
		{"expiry", func(t *api.Token) { t.ExpiresAt = api.At(now.AddDate(0, 0, 1)) }, "It now expires on Nov 23, 2026, 10:00."},
		{"no expiry", func(t *api.Token) { t.ExpiresAt = api.Time{} }, "It does not expire any more."},
		{"status", func(t *api.Token) { t.Status = "suspended" }, "It is now suspended."},
		{"rotation", func(t *api.Token) { t.Generations = append(t.Generations, api.Generation{Number: 2}) }, "Its secret was rotated."},
		{"first use of the new secret", func(t *api.Token) { t.Generations = []api.Generation{{Number: 1, Status: "retiring"}} }, "Its secret was rotated."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			after := before
			tt.change(&after)
			if got := strings.Join(Changes(before, after), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWidens(t *testing.T) {
	usual := api.RateLimit{Quota: 600, WindowSeconds: 60}
	before := api.Token{Abilities: []string{"orders:read", "usage:read"}, Addresses: []string{"10.0.0.0/8", "203.0.113.7/32"}, RateLimit: api.RateLimit{Quota: 100, WindowSeconds: 60}, ExpiresAt: api.At(now)}
	tests := []struct {
		name string
		c    api.UpdateToken
		want bool
	}{
		{"nothing", api.UpdateToken{}, false},
		{"a name", api.UpdateToken{Name: api.Some("x")}, false},
		{"fewer abilities", api.UpdateToken{Abilities: api.Some([]string{"orders:read"})}, false},
		{"another ability", api.UpdateToken{Abilities: api.Some([]string{"orders:write"})}, true},
		{"a part of the network", api.UpdateToken{Addresses: api.Some([]string{"10.1.0.0/16", "203.0.113.7"})}, false},
		{"another network", api.UpdateToken{Addresses: api.Some([]string{"11.0.0.0/8"})}, true},
		{"the network around", api.UpdateToken{Addresses: api.Some([]string{"10.0.0.0/7"})}, true},
		{"every address", api.UpdateToken{Addresses: api.Some([]string{})}, true},
		{"a lower limit", api.UpdateToken{RateLimit: api.Some(api.RateLimit{Quota: 50, WindowSeconds: 60})}, false},
		{"the same rate in larger bursts", api.UpdateToken{RateLimit: api.Some(api.RateLimit{Quota: 6000, WindowSeconds: 3600})}, true},
		{"a higher rate", api.UpdateToken{RateLimit: api.Some(api.RateLimit{Quota: 100, WindowSeconds: 30})}, true},
		{"the usual limit", api.UpdateToken{RateLimit: api.Null[api.RateLimit]()}, true},
		{"sooner", api.UpdateToken{ExpiresAt: api.Some(api.At(now.AddDate(0, 0, -1)))}, false},
		{"later", api.UpdateToken{ExpiresAt: api.Some(api.At(now.AddDate(0, 0, 1)))}, true},
		{"never", api.UpdateToken{ExpiresAt: api.Null[api.Time]()}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Widens(before, tt.c, usual); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if Widens(api.Token{}, api.UpdateToken{Addresses: api.Some([]string{"10.0.0.1"}), ExpiresAt: api.Some(api.At(now))}, usual) {
		t.Error("a first address rule and a first expiry narrow")
	}
}

func TestUnused(t *testing.T) {
	needs := map[string][]string{"GET /api/v1/orders": {"orders:read"}, "POST /api/v1/orders": {"orders:write"}}
	usage := api.Usage{Series: []api.Series{
		{Key: "GET /api/v1/orders", Points: []api.Point{{At: api.At(now.Add(-day)), Calls: 3}, {At: api.At(now), Calls: 2, Refused: 2}}},
		{Key: "POST /api/v1/orders", Points: []api.Point{{At: api.At(now), Calls: 1, Refused: 1}}},
	}}
	tok := api.Token{Abilities: []string{"orders:read", "orders:write", "token:rotate"}, CreatedAt: api.At(now.Add(-30 * day)), LastUsedAt: api.At(now)}
	if got := Unused(tok, usage, needs, now); !slices.Equal(got, []string{"orders:write"}) {
		t.Errorf("got %v, want [orders:write]", got)
	}
	if got := LastUse(usage, needs)["orders:read"]; !got.Equal(now.Add(-day)) {
		t.Errorf("got %v", got)
	}
	tok.CreatedAt = api.At(now.Add(-day))
	if got := Unused(tok, usage, needs, now); got != nil {
		t.Errorf("a new token: got %v", got)
	}
}
