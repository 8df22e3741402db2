package token

import (
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func TestDescribe(t *testing.T) {
	live := func(change func(*api.Token)) api.Token {
		tok := api.Token{Env: "live", Abilities: []string{"orders:read"}, RateLimit: api.RateLimit{Quota: 600, WindowSeconds: 60}, ExpiresAt: api.At(now.AddDate(0, 0, 90))}
		change(&tok)
		return tok
	}
	tests := []struct {
		name                       string
		t                          api.Token
		can, cannot, bound, advice string
	}{
		{
			"reads", live(func(*api.Token) {}), "read orders",
			"create, change or cancel orders; erase orders; do anything else; sign in here, or manage people or other tokens",
			"It works from any address.", "",
		},
		{
			"writes from anywhere", live(func(t *api.Token) { t.Abilities = []string{"orders:write"} }),
			"create, change and cancel orders", "read orders; erase orders; do anything else; sign in here, or manage people or other tokens",
			"It works on live data.", "Whoever gets hold of it can use its high-risk abilities from anywhere. If the caller has a fixed address, add it.",
		},
		{
			"writes test data", live(func(t *api.Token) { t.Abilities, t.Env = []string{"orders:write"}, "test" }),
			"create, change and cancel orders", "read orders; erase orders; do anything else; sign in here, or manage people or other tokens",
			"It works on test data only; live data is out of its reach.", "",
		},
		{
			"writes for ever", live(func(t *api.Token) {
				t.Abilities, t.ExpiresAt, t.Addresses = []string{"orders:write"}, api.Time{}, []string{"10.0.0.0/8", "203.0.113.7/32"}
			}),
			"create, change and cancel orders", "read orders; erase orders; do anything else; sign in here, or manage people or other tokens",
			"It works from 10.0.0.0/8 and 203.0.113.7 only.", "A token with high risk that never expires is worth stealing. Consider an expiry and rotate in time.",
		},
		{
			"nothing", live(func(t *api.Token) { t.Abilities = nil }), "",
			"read orders; create, change or cancel orders; erase orders; read its own usage; rotate itself; sign in here, or manage people or other tokens",
			"It may make 600 requests a minute; what is beyond is answered with 429.", "Without an ability it can only ask who it is. Choose at least one.",
		},
		{
			"an ability that left the catalogue, later, from many places", live(func(t *api.Token) {
				t.Abilities, t.NotBefore = []string{"gone:away", "usage:read"}, api.At(now.AddDate(0, 0, 1))
				t.Addresses = []string{"10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32", "10.0.0.4/32", "2001:db8::/32"}
			}),
			"read its own usage", "do anything else; sign in here, or manage people or other tokens",
			"It works from 10.0.0.1, 10.0.0.2, 10.0.0.3 and 2 other networks only.", "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := Describe(tt.t, Unsettled{}, catalogue(), now)
			if got := strings.Join(d.Can, "; "); got != tt.can {
				t.Errorf("can: got %q, want %q", got, tt.can)
			}
			if got := strings.Join(d.Cannot, "; "); got != tt.cannot {
				t.Errorf("cannot: got %q, want %q", got, tt.cannot)
			}
			if got := strings.Join(d.Bounds, "|"); !strings.Contains("|"+got+"|", "|"+tt.bound+"|") {
				t.Errorf("bounds: got %q, want %q in it", got, tt.bound)
			}
			if d.Advice != tt.advice {
				t.Errorf("advice: got %q, want %q", d.Advice, tt.advice)
			}
		})
	}
}

func TestTitlesAreReadInASentence(t *testing.T) {
	for title, want := range map[string]string{"Read orders": "read orders", "API keys of others": "API keys of others", "Öffnen": "öffnen", "": ""} {
		if got := sentence(title, false); got != want {
			t.Errorf("%q: got %q, want %q", title, got, want)
		}
	}
}

func TestFirstCall(t *testing.T) {
	tests := []struct{ name, abilities, bearer, want string }{
		{"reads", "orders:write orders:read", "", "curl http://h/api/v1/orders \\\n  -H \"Authorization: Bearer $GATEHOUSE_TOKEN\""},
		{"writes", "orders:write", "gtk_x", "-d '{\"reference\":\"PO-1001\""},
		{"usage", "usage:read", "", "curl http://h/api/v1/usage \\"},
		{"nothing", "", "gtk_x", "curl http://h/api/v1/token \\\n  -H \"Authorization: Bearer gtk_x\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := FirstCall("http://h", strings.Fields(tt.abilities), tt.bearer); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestEnvFile(t *testing.T) {
	got := EnvFile("https://h", api.Token{Name: "ERP\u2028X=1", Env: "live", ExpiresAt: api.At(now)}, "gtk_live_x")
	want := "# ERP X=1 (live), expires 2026-11-22 10:00 UTC.\n# Keep this file out of version control.\nGATEHOUSE_URL=https://h\nGATEHOUSE_TOKEN=gtk_live_x\n"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, want := range map[string]string{
		"ERP integration": "erp-integration.env", "../../etc/passwd": "etc-passwd.env", "Büro (2)": "b-ro-2.env", "日本": "gatehouse.env",
		strings.Repeat("x", 200): strings.Repeat("x", 60) + ".env",
	} {
		if got := EnvName(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
