package token

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/validate"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func TestExpiryChoicesFollowThePolicy(t *testing.T) {
	tests := []struct {
		name       string
		usual, max int
		want       string
		chosen     string
	}{
		{"usual", 90, 365, "30 60 90 date", "90"},
		{"never is allowed", 90, 0, "30 60 90 date never", "90"},
		{"short lives", 14, 30, "14 30 date", "14"},
		{"very short lives", 0, 7, "date", "date"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := catalogue()
			c.Tokens.DefaultLifetimeDays, c.Tokens.MaxLifetimeDays = tt.usual, tt.max
			var got []string
			for _, o := range ExpiryChoices(c.Tokens) {
				got = append(got, o.Value)
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
			if f := NewForm(Picker{Catalogue: c, Role: "owner"}); f.Expiry.Choice != tt.chosen {
				t.Errorf("chosen: got %s, want %s", f.Expiry.Choice, tt.chosen)
			}
		})
	}
}

func TestExpiry(t *testing.T) {
	year := api.TokenPolicy{MaxLifetimeDays: 365}
	tests := []struct {
		name   string
		e      Expiry
		policy api.TokenPolicy
		want   string
		wrong  string
	}{
		{"days", Expiry{Choice: "90"}, year, "2027-02-20T10:00:00.000Z", ""},
		{"as many days as there may be", Expiry{Choice: "365"}, year, "2027-11-22T09:59:00.000Z", ""},
		{"the end of a day", Expiry{Choice: OnDate, Date: "2026-12-31"}, year, "2026-12-31T23:59:00.000Z", ""},
		{"today", Expiry{Choice: OnDate, Date: "2026-11-22"}, year, "2026-11-22T23:59:00.000Z", ""},
		{"yesterday", Expiry{Choice: OnDate, Date: "2026-11-21"}, year, "", "This day is over. Choose a later one."},
		{"the last day there may be", Expiry{Choice: OnDate, Date: "2027-11-21"}, year, "2027-11-21T23:59:00.000Z", ""},
		{"too far", Expiry{Choice: OnDate, Date: "2027-11-22"}, year, "", "Tokens live at most 365 days here. Choose Nov 21, 2027 or earlier."},
		{"no day", Expiry{Choice: OnDate}, year, "", "Choose the last day on which the token shall work."},
		{"half a day", Expiry{Choice: OnDate, Date: "2027-02"}, year, "", "Choose the last day on which the token shall work."},
		{"never", Expiry{Choice: Never}, api.TokenPolicy{}, "", ""},
		{"never, against the policy", Expiry{Choice: Never}, year, "", "Tokens must expire here. Choose a date."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at, wrong := tt.e.Time(now, now, tt.policy)
			if got := api.At(at).String(); got != tt.want || wrong != tt.wrong {
				t.Errorf("got %q %q, want %q %q", got, wrong, tt.want, tt.wrong)
			}
		})
	}
	if e := ExpiryOf(api.At(time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC))); e.Date != "2026-12-31" || e.Choice != OnDate {
		t.Errorf("got %+v", e)
	}
	// An edit that changes nothing keeps the very instant, which is no widening.
	as := time.Date(2026, 12, 31, 9, 30, 0, 0, time.UTC)
	e := ExpiryOf(api.At(as))
	if at, wrong := e.Time(now, now, year); !at.Equal(as) || wrong != "" {
		t.Errorf("kept as %v, %q, want %v", at, wrong, as)
	}
	e.Date = "2026-12-30"
	if at, _ := e.Time(now, now, year); at.Day() != 30 || at.Hour() != 23 {
		t.Errorf("another day: got %v", at)
	}
	if e := ExpiryOf(api.Time{}); e.Choice != Never {
		t.Errorf("got %+v", e)
	}
}

func TestExpiryInWords(t *testing.T) {
	if got := ExpiryWords(now.AddDate(0, 0, 30), now); got != "It stops working on Tuesday, 22 December 2026, in 30 days." {
		t.Error(got)
	}
	if got := ExpiryWords(now.AddDate(0, 0, -30), now); got != "It expired on Friday, 23 October 2026." {
		t.Error(got)
	}
}

func TestFormBecomesARequest(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Form)
		wrong  string // pointers
	}{
		{"as it begins", func(*Form) {}, ""},
		{"no name", func(f *Form) { f.Name = "  " }, "#/name"},
		{"no abilities", func(f *Form) { f.Abilities = nil }, ""},
		{"a wrong address", func(f *Form) { f.Addresses = "10.0.0.1\nhome" }, "#/addresses/1"},
		{"a limit", func(f *Form) { f.Limit = Limit{Own: true, Quota: " 100 ", Per: "second"} }, ""},
		{"a limit beyond the policy", func(f *Form) { f.Limit = Limit{Own: true, Quota: "101", Per: "second"} }, "#/rate_limit"},
		{"a burst beyond the policy", func(f *Form) { f.Limit = Limit{Own: true, Quota: "6001", Per: "day"} }, "#/rate_limit"},
		{"no limit at all", func(f *Form) { f.Limit = Limit{Own: true, Quota: "many", Per: "day"} }, "#/rate_limit"},
		{"a start", func(f *Form) { f.NotBefore = "2026-12-01T08:00" }, ""},
		{"a start that is not one", func(f *Form) { f.NotBefore = "soon" }, "#/not_before"},
		{"a start after the end", func(f *Form) { f.NotBefore = "2027-12-01T08:00" }, "#/not_before"},
		{"a day that is over", func(f *Form) { f.Expiry = Expiry{Choice: OnDate, Date: "2020-01-01"} }, "#/expires_at"},
		{"a note with a control character", func(f *Form) { f.Note = "a\x00b" }, "#/note"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewForm(Picker{Catalogue: catalogue(), Role: "developer"})
			f.Name = " ERP integration "
			tt.change(&f)
			r, wrong := f.Request(now, catalogue())
			wrong = append(wrong, validate.Check(r)...)
			var got []string
			for _, w := range wrong {
				got = append(got, w.Pointer)
			}
			if s := strings.Join(slices.Compact(got), " "); s != tt.wrong {
				t.Errorf("got %v, want %s", wrong, tt.wrong)
			}
		})
	}
}

func TestRequestOfAWholeForm(t *testing.T) {
	f := Form{
		Name: " ERP ", Env: "live", Expiry: Expiry{Choice: "90"}, Abilities: []string{"orders:write", "orders:read", "orders:read"},
		Addresses: "10.0.0.0/8, 203.0.113.7\n\n", Limit: Limit{Own: true, Quota: "10", Per: "1800"}, NotBefore: "2026-12-01T08:00",
	}
	r, wrong := f.Request(now, catalogue())
	if len(wrong) != 0 || r.Name != "ERP" || !slices.Equal(*r.Abilities, []string{"orders:read", "orders:write"}) ||
		!slices.Equal(r.Addresses, []string{"10.0.0.0/8", "203.0.113.7"}) || *r.RateLimit != (api.RateLimit{Quota: 10, WindowSeconds: 1800}) ||
		r.NotBefore.String() != "2026-12-01T08:00:00.000Z" {
		t.Errorf("got %+v, %v", r, wrong)
	}
}

func TestLimitGoesIntoAFormAndBack(t *testing.T) {
	for _, r := range []api.RateLimit{{Quota: 1, WindowSeconds: 1}, {Quota: 600, WindowSeconds: 60}, {Quota: 5, WindowSeconds: 3600}, {Quota: 9, WindowSeconds: 86400}, {Quota: 7, WindowSeconds: 10}} {
		got, wrong := LimitOf(r).Rate(api.TokenPolicy{})
		if wrong != "" || *got != r {
			t.Errorf("%+v: got %+v %q", r, got, wrong)
		}
		if !slices.ContainsFunc(Windows(LimitOf(r).Per), func(o kit.Option) bool { return o.Value == LimitOf(r).Per }) {
			t.Errorf("%+v: no choice for it", r)
		}
	}
	if got := LimitWords(api.RateLimit{Quota: 1, WindowSeconds: 90}); got != "1 request in 90 seconds" {
		t.Error(got)
	}
}

func TestAddLine(t *testing.T) {
	if got := AddLine("10.0.0.1, 10.0.0.2", "10.0.0.3"); got != "10.0.0.1\n10.0.0.2\n10.0.0.3" {
		t.Errorf("got %q", got)
	}
	if got := AddLine("10.0.0.1", "10.0.0.1"); got != "10.0.0.1" {
		t.Errorf("got %q", got)
	}
}

// What is still being written is not told as if it were meant.
func TestNothingIsSaidOfWhatIsWrong(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Form)
		want   Unsettled
		not    string
	}{
		{"as it begins", func(*Form) {}, Unsettled{}, "nothing of this"},
		{"never", func(f *Form) { f.Expiry.Choice = Never }, Unsettled{Expiry: true}, "It will never expire"}, // which the policy forbids
		{"half a date", func(f *Form) { f.Expiry = Expiry{Choice: OnDate} }, Unsettled{Expiry: true}, "It will never expire"},
		{"addresses", func(f *Form) { f.Addresses = "10.0.0.1" }, Unsettled{}, "any address"},
		{"half an address", func(f *Form) { f.Addresses = "10.0.0.1\n999.1" }, Unsettled{Addresses: true}, "It works from"},
		{"too many requests", func(f *Form) { f.Limit = Limit{Own: true, Quota: "999999999", Per: "second"} }, Unsettled{Limit: true}, "It may make"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewForm(Picker{Catalogue: catalogue(), Role: "developer"})
			tt.change(&f)
			tok, u := f.Token(now, catalogue())
			if u != tt.want {
				t.Errorf("got %+v, want %+v", u, tt.want)
			}
			if said := strings.Join(Describe(tok, u, catalogue(), now).Bounds, " "); strings.Contains(said, tt.not) {
				t.Errorf("%q is in %q", tt.not, said)
			}
		})
	}
}
