package portal

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// broken writes the rules that an error names as "#/name name, #/env oneof".
func broken(err error) string {
	e := (*Error)(nil)
	if !asError(err, &e) {
		return fmt.Sprint(err)
	}
	var list []string
	for _, f := range e.Fields {
		list = append(list, f.Pointer+" "+f.Code)
	}
	return strings.Join(list, ", ")
}

func TestNewTokenRules(t *testing.T) {
	p := newPortal(t, nil)
	team := Team{ID: "tea_1"}
	tests := []struct {
		name   string
		role   Role
		change func(in *NewToken, team *Team)
		want   string
	}{
		{"plain", Owner, func(*NewToken, *Team) {}, ""},
		{"no name", Owner, func(in *NewToken, _ *Team) { in.Name = "" }, "#/name name"},
		{"a blank name", Owner, func(in *NewToken, _ *Team) { in.Name = " \t\u00a0" }, "#/name name"},
		{"a name of 100", Owner, func(in *NewToken, _ *Team) { in.Name = strings.Repeat("é", 100) }, ""},
		{"a name of 101", Owner, func(in *NewToken, _ *Team) { in.Name = strings.Repeat("é", 101) }, "#/name name"},
		{"100 after trimming", Owner, func(in *NewToken, _ *Team) { in.Name = "  " + strings.Repeat("x", 100) + " " }, ""},
		{"a control character in the name", Owner, func(in *NewToken, _ *Team) { in.Name = "a\x00b" }, "#/name name"},
		{"a line end in the name", Owner, func(in *NewToken, _ *Team) { in.Name = "a\nb" }, "#/name name"},
		{"a name that is no UTF-8", Owner, func(in *NewToken, _ *Team) { in.Name = "a\xff" }, "#/name name"},
		{"right to left and emoji", Owner, func(in *NewToken, _ *Team) { in.Name = "שלום 👩‍👩‍👧" }, ""},
		{"an operator as name", Owner, func(in *NewToken, _ *Team) { in.Name = `{"$gt":""}` }, ""},
		{"a note of lines", Owner, func(in *NewToken, _ *Team) { in.Note = "a\r\n\tb" }, ""},
		{"a control character in the note", Owner, func(in *NewToken, _ *Team) { in.Note = "\x1b[1m" }, "#/note multiline"},
		{"a note that is no UTF-8", Owner, func(in *NewToken, _ *Team) { in.Note = "\xff" }, "#/note multiline"},
		{"a whole token as name", Owner, func(in *NewToken, _ *Team) { in.Name = secret.NewToken("live") }, "#/name no_secret"},
		{"a whole token in the note", Owner, func(in *NewToken, _ *Team) { in.Note = "it is " + secret.NewToken("test") + "." }, "#/note no_secret"},
		{"a note of 1001", Owner, func(in *NewToken, _ *Team) { in.Note = strings.Repeat("é", 1001) }, "#/note max"},
		{"no env", Owner, func(in *NewToken, _ *Team) { in.Env = "" }, "#/env oneof"},
		{"another env", Owner, func(in *NewToken, _ *Team) { in.Env = "Live" }, "#/env oneof"},
		{"no abilities", Owner, func(in *NewToken, _ *Team) { in.Abilities = nil }, ""},
		{"an ability twice", Owner, func(in *NewToken, _ *Team) { in.Abilities = []string{"orders:read", "orders:read"} }, "#/abilities/1 unique"},
		{"an unknown ability", Owner, func(in *NewToken, _ *Team) { in.Abilities = []string{"orders:read", "orders:*"} }, "#/abilities/1 unknown"},
		{"not grantable", Developer, func(in *NewToken, _ *Team) { in.Abilities = []string{"orders:write"} }, "#/abilities/0 not_grantable"},
		{"an auditor grants nothing", Auditor, func(in *NewToken, _ *Team) {}, "#/abilities/0 not_grantable"},
		{"platform only", Owner, func(in *NewToken, _ *Team) { in.Abilities = []string{"tokens:verify"} }, "#/abilities/0 platform_only"},
		{"in the platform team", Owner, func(in *NewToken, team *Team) { in.Abilities, team.Platform = []string{"tokens:verify"}, true }, ""},
		{"in the platform team, but not grantable", Developer, func(in *NewToken, team *Team) { in.Abilities, team.Platform = []string{"tokens:verify"}, true }, "#/abilities/0 not_grantable"},
		{"against the team's policy, owners too", Owner, func(_ *NewToken, team *Team) { team.Policy.Abilities = []string{"orders:write"} }, "#/abilities/0 team_policy"},
		{"a policy of nothing", Owner, func(_ *NewToken, team *Team) { team.Policy.Abilities = []string{} }, "#/abilities/0 team_policy"},
		{"an address", Owner, func(in *NewToken, _ *Team) { in.Addresses = []string{"203.0.113.7", " 2001:db8::/32 "} }, ""},
		{"no address", Owner, func(in *NewToken, _ *Team) { in.Addresses = []string{"203.0.113.7", "203.0.113.0/33"} }, "#/addresses/1 address"},
		{"51 addresses", Owner, func(in *NewToken, _ *Team) { in.Addresses = slices.Repeat([]string{"10.0.0.1"}, 51) }, "#/addresses max"},
		{"expires now", Owner, func(in *NewToken, _ *Team) { in.ExpiresAt = now }, "#/expires_at past"},
		{"expires in less than a millisecond", Owner, func(in *NewToken, _ *Team) { in.ExpiresAt = now.Add(ms - 1) }, "#/expires_at past"},
		{"expires in a millisecond", Owner, func(in *NewToken, _ *Team) { in.ExpiresAt = now.Add(ms) }, ""},
		{"the longest life", Owner, func(in *NewToken, _ *Team) { in.ExpiresAt = now.Add(365 * day) }, ""},
		{"a longer life", Owner, func(in *NewToken, _ *Team) { in.ExpiresAt = now.Add(365*day + ms) }, "#/expires_at too_far"},
		{"never", Owner, func(in *NewToken, _ *Team) { in.NeverExpires = true }, "#/expires_at required"},
		{"begins after its end", Owner, func(in *NewToken, _ *Team) { in.NotBefore, in.ExpiresAt = now.Add(2*day), now.Add(day) }, "#/not_before too_far"},
		{"begins at its end", Owner, func(in *NewToken, _ *Team) { in.NotBefore, in.ExpiresAt = now.Add(day), now.Add(day) }, "#/not_before too_far"},
		{"began long ago", Owner, func(in *NewToken, _ *Team) { in.NotBefore = now.Add(-1000 * day) }, ""},
		{"no requests", Owner, func(in *NewToken, _ *Team) { in.RateLimit = &RateLimit{0, time.Minute} }, "#/rate_limit min"},
		{"no window", Owner, func(in *NewToken, _ *Team) { in.RateLimit = &RateLimit{1, 0} }, "#/rate_limit min"},
		{"a broken window", Owner, func(in *NewToken, _ *Team) { in.RateLimit = &RateLimit{1, 1500 * ms} }, "#/rate_limit min"},
		{"negative", Owner, func(in *NewToken, _ *Team) { in.RateLimit = &RateLimit{-5, -time.Second} }, "#/rate_limit min"},
		{"more than a day", Owner, func(in *NewToken, _ *Team) { in.RateLimit = &RateLimit{1, 25 * time.Hour} }, "#/rate_limit min"},
		{"the highest limit", Owner, func(in *NewToken, _ *Team) { in.RateLimit = &RateLimit{600, time.Minute} }, ""},
		{"a higher rate", Owner, func(in *NewToken, _ *Team) { in.RateLimit = &RateLimit{11, time.Second} }, "#/rate_limit too_high"},
		{"a higher burst", Owner, func(in *NewToken, _ *Team) { in.RateLimit = &RateLimit{601, time.Hour} }, "#/rate_limit too_high"},
		{"every mistake at once", Developer, func(in *NewToken, _ *Team) {
			*in = NewToken{Env: "x", Abilities: []string{"y"}, Addresses: []string{"z"}, ExpiresAt: now, RateLimit: &RateLimit{}}
		}, "#/env oneof, #/name name, #/abilities/0 unknown, #/addresses/0 address, #/expires_at past, #/rate_limit min"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, team := NewToken{Name: "ERP", Env: Live, Abilities: []string{"orders:read"}}, team
			tt.change(&in, &team)
			_, err := p.newToken(Person{User: User{ID: "usr_1"}}, Member{Role: tt.role}, team, in)
			if err == nil && tt.want == "" {
				return
			}
			if got := broken(err); got != tt.want || KindOf(err) != Invalid {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestNewTokenIsStoredAsJudged(t *testing.T) {
	p := newPortal(t, nil)
	got, err := p.newToken(Person{User: User{ID: "usr_1"}}, Member{Role: Admin}, Team{ID: "tea_1"}, NewToken{
		Name: "  ERP ", Env: Test, Abilities: []string{"orders:write", "orders:read"},
		Addresses: []string{"203.0.113.9/24", "203.0.113.0/24", "::ffff:10.0.0.1"}, NotBefore: now.Add(time.Hour + 123456),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Token{
		ID: got.ID, Team: "tea_1", Name: "ERP", Env: Test, Abilities: []string{"orders:read", "orders:write"},
		Addresses: prefixes("203.0.113.0/24", "10.0.0.1/32"), Maker: "usr_1", CreatedAt: now,
		ExpiresAt: now.Add(90 * day), NotBefore: now.Add(time.Hour), Standing: Standing{MakerRole: Admin},
	}
	equal(t, "token", got, want)
}

func TestTokensMayLiveForEver(t *testing.T) {
	p := newPortal(t, nil)
	p.catalogue.Tokens.MaxLifetime = 0
	for _, tt := range []struct {
		name string
		in   NewToken
		want string
	}{
		{"never", NewToken{NeverExpires: true}, ""},
		{"in the year 9999", NewToken{ExpiresAt: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}, ""},
		{"in the year 10000", NewToken{ExpiresAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "#/expires_at too_far"},
		{"from the year 10000 on", NewToken{NeverExpires: true, NotBefore: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "#/not_before too_far"},
	} {
		tt.in.Name, tt.in.Env = "ERP", Live
		got, err := p.newToken(Person{}, Member{Role: Owner}, Team{}, tt.in)
		if err == nil && tt.want == "" && got.ExpiresAt.Equal(tt.in.ExpiresAt) {
			continue
		}
		if b := broken(err); b != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, b, tt.want)
		}
	}
}

func TestChangeRules(t *testing.T) {
	p := newPortal(t, nil)
	at := func(d time.Duration) *time.Time { a := now.Add(d); return &a }
	never := &time.Time{}
	text := func(s string) *string { return &s }
	list := func(s ...string) *[]string { return &s }
	tests := []struct {
		name  string
		role  Role
		in    TokenChange
		wide  bool   // needs a fresh sign-in
		diff  string // the keys of the event, sorted
		wrong string
	}{
		{"nothing", Developer, TokenChange{}, false, "", ""},
		{"the same", Developer, TokenChange{Name: text("ERP"), Abilities: list("orders:write", "orders:read")}, false, "", ""},
		{"name and note", Developer, TokenChange{Name: text(" CRM "), Note: text("x")}, false, "name note", ""},
		{"a bad name", Developer, TokenChange{Name: text("")}, false, "", "#/name name"},
		{"fewer abilities", Developer, TokenChange{Abilities: list("orders:write")}, false, "abilities", ""},
		{"no abilities", Developer, TokenChange{Abilities: list()}, false, "abilities", ""},
		{"one more", Developer, TokenChange{Abilities: list("orders:read", "orders:write", "token:rotate")}, true, "abilities", ""},
		{"one for another", Developer, TokenChange{Abilities: list("token:rotate")}, true, "abilities", ""},
		{"what it had may stay, though the role could not grant it", Developer, TokenChange{Abilities: list("orders:write", "token:rotate")}, true, "abilities", ""},
		{"unknown", Owner, TokenChange{Abilities: list("orders:burn")}, false, "", "#/abilities/0 unknown"},
		{"platform", Owner, TokenChange{Abilities: list("tokens:verify")}, false, "", "#/abilities/0 platform_only"},
		{"narrower addresses", Developer, TokenChange{Addresses: list("10.1.0.0/16", "10.2.3.4")}, false, "addresses", ""},
		{"another address", Developer, TokenChange{Addresses: list("10.0.0.0/8", "192.0.2.1")}, true, "addresses", ""},
		{"a wider prefix", Developer, TokenChange{Addresses: list("10.0.0.0/7")}, true, "addresses", ""},
		{"another family", Developer, TokenChange{Addresses: list("::/0")}, true, "addresses", ""},
		{"from anywhere", Developer, TokenChange{Addresses: list()}, true, "addresses", ""},
		{"a lower limit", Developer, TokenChange{RateLimit: &RateLimit{10, time.Minute}}, false, "rate_limit", ""},
		{"the same rate in smaller bursts", Developer, TokenChange{RateLimit: &RateLimit{1, 3 * time.Second}}, false, "rate_limit", ""},
		{"the same rate in larger bursts", Developer, TokenChange{RateLimit: &RateLimit{40, 2 * time.Minute}}, true, "rate_limit", ""},
		{"a higher limit", Developer, TokenChange{RateLimit: &RateLimit{21, time.Minute}}, true, "rate_limit", ""},
		{"the default, which is higher", Developer, TokenChange{RateLimit: &RateLimit{}}, true, "rate_limit", ""},
		{"no requests", Developer, TokenChange{RateLimit: &RateLimit{0, time.Minute}}, false, "", "#/rate_limit min"},
		{"an earlier end", Developer, TokenChange{ExpiresAt: at(time.Hour)}, false, "expires_at", ""},
		{"a later end", Developer, TokenChange{ExpiresAt: at(2 * day)}, true, "expires_at", ""},
		{"the latest end, counted from the making", Developer, TokenChange{ExpiresAt: at(364 * day)}, true, "expires_at", ""},
		{"too late an end", Developer, TokenChange{ExpiresAt: at(364*day + ms)}, false, "", "#/expires_at too_far"},
		{"no end", Developer, TokenChange{ExpiresAt: never}, false, "", "#/expires_at required"},
		{"an end in the past", Developer, TokenChange{ExpiresAt: at(0)}, false, "", "#/expires_at past"},
		{"an end before it begins", Developer, TokenChange{ExpiresAt: at(time.Minute)}, false, "", "#/expires_at past"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old := Token{
				Name: "ERP", Abilities: []string{"orders:read", "orders:write"}, Addresses: prefixes("10.0.0.0/8"),
				RateLimit: RateLimit{20, time.Minute}, CreatedAt: now.Add(-day), ExpiresAt: now.Add(day), NotBefore: now.Add(time.Minute),
			}
			tok := old.clone()
			err := p.applyChange(&tok, tt.in, tt.role, Team{})
			if tt.wrong != "" {
				if got := broken(err); got != tt.wrong {
					t.Errorf("got %v, want %s", got, tt.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := widens(&old, &tok, p.catalogue); got != tt.wide {
				t.Errorf("widens: got %v, want %v", got, tt.wide)
			}
			var keys []string
			for k := range tokenDiff(&old, &tok) {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			if got := strings.Join(keys, " "); got != tt.diff {
				t.Errorf("event: got %q, want %q", got, tt.diff)
			}
		})
	}
}

func TestWideningAnEnd(t *testing.T) {
	c := testCatalogue()
	for _, tt := range []struct {
		name     string
		from, to time.Time
		want     bool
	}{
		{"for ever", now, time.Time{}, true},
		{"no more for ever", time.Time{}, now, false},
		{"still for ever", time.Time{}, time.Time{}, false},
		{"a millisecond more", now, now.Add(ms), true},
	} {
		if got := widens(&Token{ExpiresAt: tt.from}, &Token{ExpiresAt: tt.to}, c); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestMoreAddresses(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     bool
	}{
		{"", "", false},
		{"", "10.0.0.0/8", false}, // from anywhere to somewhere
		{"10.0.0.0/8", "", true},
		{"10.0.0.0/8 ::1/128", "::1/128", false},
		{"10.0.0.0/24", "10.0.0.128/25", false},
		{"10.0.0.128/25", "10.0.0.0/24", true},
		{"10.0.0.0/8", "11.0.0.0/8", true},
		{"0.0.0.0/0", "2001:db8::/32", true},
		{"::/0", "10.0.0.1/32", true},
	} {
		if got := moreAddresses(prefixes(strings.Fields(tt.from)...), prefixes(strings.Fields(tt.to)...)); got != tt.want {
			t.Errorf("%q to %q: got %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestExceeds(t *testing.T) {
	for _, tt := range []struct {
		a, b RateLimit
		want bool
	}{
		{RateLimit{60, time.Minute}, RateLimit{60, time.Minute}, false},
		{RateLimit{1, time.Second}, RateLimit{60, time.Minute}, false},
		{RateLimit{60, time.Minute}, RateLimit{1, time.Second}, true},
		{RateLimit{2, time.Second}, RateLimit{60, time.Minute}, true},
		{RateLimit{1_000_000, 24 * time.Hour}, RateLimit{1_000_000, 24*time.Hour - time.Second}, false},
		{RateLimit{1_000_000, 24*time.Hour - time.Second}, RateLimit{1_000_000, 24 * time.Hour}, true},
	} {
		if got := exceeds(tt.a, tt.b); got != tt.want {
			t.Errorf("%v over %v: got %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestParsePrefix(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"203.0.113.7", "203.0.113.7/32"},
		{" 203.0.113.7\t", "203.0.113.7/32"},
		{"203.0.113.7/24", "203.0.113.0/24"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"2001:db8::1", "2001:db8::1/128"},
		{"2001:DB8::1/64", "2001:db8::/64"},
		{"::/0", "::/0"},
		{"::ffff:10.0.0.1", "10.0.0.1/32"},
		{"::ffff:10.0.0.1/120", "10.0.0.0/24"},
		{"::ffff:10.0.0.1/96", "0.0.0.0/0"},
		{"::ffff:10.0.0.1/95", ""},
		{"", ""},
		{"10.0.0.0/33", ""},
		{"::/129", ""},
		{"10.0.0.0/-1", ""},
		{"10.0.0.0/08", ""},
		{"010.0.0.1", ""},
		{"10.0.0", ""},
		{"fe80::1%eth0", ""},
		{"fe80::1%eth0/64", ""},
		{"10.0.0.1/24/24", ""},
		{"10.0.0.1:80", ""},
		{"example.com", ""},
		{"10.0.0.1\x00", ""},
	} {
		got, err := ParsePrefix(tt.text)
		if (err == nil) != (tt.want != "") || err == nil && got.String() != tt.want {
			t.Errorf("%q: got %v, %v, want %q", tt.text, got, err, tt.want)
		}
	}
}

func FuzzParsePrefix(f *testing.F) {
	for _, s := range []string{"203.0.113.7", "203.0.113.7/24", "::ffff:10.0.0.1/120", "2001:db8::/32", "fe80::1%eth0", "", "::/0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParsePrefix(text)
		if err != nil {
			return
		}
		if !got.IsValid() || got != got.Masked() || got.Addr().Zone() != "" || got.Addr().Is4In6() {
			t.Errorf("%q: got %v, want a masked prefix without a zone that is not mapped", text, got)
		}
		if again, err := ParsePrefix(got.String()); err != nil || again != got {
			t.Errorf("%q: %v reads back as %v, %v", text, got, again, err)
		}
		if a, err := netip.ParseAddr(strings.TrimSpace(text)); err == nil && !(&Token{Addresses: []netip.Prefix{got}}).allowsAddress(a) {
			t.Errorf("%q does not admit itself", text)
		}
	})
}

func TestReason(t *testing.T) {
	for _, tt := range []struct {
		why  Reason
		want string
	}{
		{Reason{}, "<nil>"},
		{Reason{Reason: "compromised", Note: "seen\nin a log"}, "<nil>"},
		{Reason{Reason: "because"}, "#/reason oneof"},
		{Reason{Note: "\x00"}, "#/note multiline"},
		{Reason{Note: secret.NewToken("live")}, "#/note no_secret"},
		{Reason{Reason: "x", Note: strings.Repeat("x", 1001)}, "#/reason oneof, #/note max"},
	} {
		if got := broken(tt.why.check()); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.why, got, tt.want)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		match *int64
		want  Kind
	}{{nil, MatchRequired}, {new(int64(7)), ""}, {new(int64(8)), Changed}, {new(int64(0)), Changed}, {new(AnyRev), ""}} {
		if got := KindOf(matches(tt.match, 7)); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
