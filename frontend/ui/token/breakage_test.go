package token

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func text(s string) *string { return &s }

// used is a live token that was used so long ago.
func used(ago time.Duration) api.Token {
	return api.Token{Env: "live", LastUsedAt: api.At(now.Add(-ago)), LastUsedFrom: text("10.2.3.4")}
}

func TestWillBreak(t *testing.T) {
	call := func(address, agent string, ago time.Duration) api.Call {
		return api.Call{Address: address, UserAgent: agent, At: api.At(now.Add(-ago))}
	}
	tests := []struct {
		name  string
		t     api.Token
		today int64
		calls []api.Call
		want  string
		grave bool
	}{
		{"never used", api.Token{}, 0, nil, "It has never been used. Nothing will break.", false},
		{"used long ago", used(40 * day), 0, nil, "It was last used 40 days ago from 10.2.3.4. What called it then will be refused if it comes back.", false},
		{"a day ago to the minute", used(day), 0, nil, "It was last used 24 hours ago from 10.2.3.4. What called it then will be refused if it comes back.", false},
		{"used today", used(3 * time.Minute), 214, []api.Call{call("10.2.3.4", "curl/8.5 (x)", time.Minute)}, "Used 214 times today by 10.2.3.4 (curl/8.5), last 3 minutes ago. These calls will be refused.", true},
		{"once", used(3 * time.Minute), 1, nil, "Used 1 time today by 10.2.3.4, last 3 minutes ago. These calls will be refused.", true},
		{"used yesterday evening", used(20 * time.Hour), 0, nil, "Last used 20 hours ago by 10.2.3.4. These calls will be refused.", true},
		{"usage not known", used(time.Hour), -1, nil, "Last used 60 minutes ago by 10.2.3.4. These calls will be refused.", true},
		{
			"by many", used(time.Minute), 9,
			[]api.Call{call("10.0.0.1", "", 0), call("10.0.0.2", "", 0), call("10.0.0.2", "", 0), call("10.0.0.3", "", 0), call("10.0.0.4", "", 0), call("10.9.9.9", "", 30*time.Hour)},
			"Used 9 times today by 10.0.0.2, 10.0.0.1 and 2 other addresses, last 1 minute ago. These calls will be refused.", true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := WillBreak(tt.t, tt.today, tt.calls, now)
			if b.Text != tt.want || b.Grave != tt.grave {
				t.Errorf("got %q %v, want %q %v", b.Text, b.Grave, tt.want, tt.grave)
			}
			if MustType(tt.t, now) != tt.grave {
				t.Errorf("must type: got %v, want %v", !tt.grave, tt.grave)
			}
		})
	}
	test := used(time.Minute)
	test.Env = "test"
	if MustType(test, now) {
		t.Error("a test token asks for its name")
	}
}

func TestClientName(t *testing.T) {
	for agent, want := range map[string]string{
		"curl/8.5.0": "curl/8.5.0", "Mozilla/5.0 (X11) Gecko": "Mozilla/5.0", "": "", strings.Repeat("x", 50): strings.Repeat("x", 40) + "…",
		strings.Repeat("é", 30): strings.Repeat("é", 20) + "…",
	} {
		if got := ClientName(agent); got != want {
			t.Errorf("%q: got %q, want %q", agent, got, want)
		}
	}
}

func TestMidnight(t *testing.T) {
	east := time.FixedZone("", 5*3600)
	local := func(text string) (time.Time, bool) {
		at, err := time.ParseInLocation("2006-01-02T15:04", text, east)
		return at, err == nil
	}
	if got := Midnight(now, local); !got.Equal(time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)) {
		t.Errorf("got %v", got)
	}
	if got := Midnight(now, func(string) (time.Time, bool) { return time.Time{}, false }); !got.Equal(now.Truncate(day)) {
		t.Errorf("got %v", got)
	}
}

func TestSources(t *testing.T) {
	got := Sources([]api.Call{
		{Address: "10.0.0.1", UserAgent: "curl/8 x", Status: 200, At: api.At(now)},
		{Address: "10.0.0.2", UserAgent: "go", Status: 403, At: api.At(now.Add(-time.Minute))},
		{Address: "10.0.0.2", UserAgent: "go", Status: 500, At: api.At(now.Add(-time.Hour))},
		{Address: "10.0.0.1", UserAgent: "go", Status: 200, At: api.At(now.Add(-time.Hour))},
	})
	want := []Source{
		{"10.0.0.2", "go", 2, 1, now.Add(-time.Minute)},
		{"10.0.0.1", "curl/8", 1, 0, now},
		{"10.0.0.1", "go", 1, 0, now.Add(-time.Hour)},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
