package portal

import (
	"context"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

func TestRefusals(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Token)
		want   Code
	}{
		{"plain", func(*Token) {}, OK},
		{"expires now", func(t *Token) { t.ExpiresAt = now }, Expired},
		{"expires in a nanosecond", func(t *Token) { t.ExpiresAt = now.Add(1) }, OK},
		{"not begun", func(t *Token) { t.NotBefore = now.Add(1) }, NotYetValid},
		{"begins now", func(t *Token) { t.NotBefore = now }, OK},
		{"suspended", func(t *Token) { t.SuspendedAt = now }, Suspended},
		{"the maker left", func(t *Token) { t.Standing.MakerRole = "" }, MakerGone},
		{"the maker is an auditor", func(t *Token) { t.Standing.MakerRole = Auditor }, OK}, // needs nothing here
		{"retiring", func(t *Token) { t.Generations[0].EndsAt = now.Add(1) }, OK},
		// What is told first, where several hold.
		{"expired and suspended", func(t *Token) { t.ExpiresAt, t.SuspendedAt = now, now }, Expired},
		{"suspended and not begun", func(t *Token) { t.SuspendedAt, t.NotBefore = now, now.Add(1) }, Suspended},
		{"suspended, the maker left", func(t *Token) { t.SuspendedAt, t.Standing.MakerRole = now, "" }, Suspended},
		{"not begun, the maker left", func(t *Token) { t.NotBefore, t.Standing.MakerRole = now.Add(1), "" }, NotYetValid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := memoryRecords{}
			p := newPortal(t, records)
			tok, text := newToken(p, tt.change)
			records[tok.ID] = tok
			d := p.Decide(context.Background(), &Ask{Secret: text, At: now})
			if d.Code != tt.want || d.Token != tok || d.Generation != &tok.Generations[0] || d.Allowed() != (tt.want == OK) {
				t.Errorf("got %v with %v, want %v", d.Code, d.Token, tt.want)
			}
			if got := p.Stats().Decisions()[tt.want]; got != 1 {
				t.Errorf("got %d counted, want 1", got)
			}
		})
	}
}

// What is dead is told before anything else is. That it is also an alarm needs a
// store to show, see TestDeadSecrets.
func TestDeadSecretsComeFirst(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Token)
		want   Code
	}{
		{"retired", func(t *Token) { t.Generations[0].EndsAt = now }, GenerationEnded},
		{"cancelled", func(t *Token) { t.Generations[0].CancelledAt = now }, GenerationEnded},
		{"retired and suspended, not begun, the maker gone", func(t *Token) {
			t.Generations[0].EndsAt, t.SuspendedAt, t.NotBefore, t.Standing.MakerRole = now, now, now.Add(1), ""
		}, GenerationEnded},
		{"retired and expired", func(t *Token) { t.Generations[0].EndsAt, t.ExpiresAt = now, now }, GenerationEnded},
		{"revoked and retired", func(t *Token) { t.RevokedAt, t.Generations[0].EndsAt = now, now }, Revoked},
		{"revoked and expired", func(t *Token) { t.RevokedAt, t.ExpiresAt = now, now }, Revoked},
	} {
		p := newPortal(t, nil)
		tok, _ := newToken(p, tt.change)
		if got := tok.refusal(&tok.Generations[0], now); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Strangers learn nothing: what does not match whole is one and the same.
func TestInvalidTokens(t *testing.T) {
	records := memoryRecords{}
	p := newPortal(t, records)
	tok, text := newToken(p, func(t *Token) { t.RevokedAt = now })
	records[tok.ID] = tok
	for _, tt := range []struct {
		name, secret         string
		malformed, checksums int64
	}{
		{"empty", "", 1, 0},
		{"garbage", "gtk_live_", 1, 0},
		{"a letter too few", text[:len(text)-1], 1, 0},
		{"a letter too many", text + "0", 1, 0},
		{"64 KiB", string(make([]byte, 1<<16)), 1, 0},
		{"another check", text[:len(text)-1] + other(text[len(text)-1]), 0, 1},
		{"another secret", secret.NewTokenFor(secret.Live, tok.ID), 0, 0},
		{"another environment", secret.NewTokenFor(secret.Test, tok.ID), 0, 0},
		{"an unknown token", secret.NewToken(secret.Live), 0, 0},
	} {
		malformed, checksums := p.Stats().Malformed.Load(), p.Stats().WrongChecksum.Load()
		d := p.Decide(context.Background(), &Ask{Secret: tt.secret, At: now})
		if d.Code != InvalidToken || d.Token != nil || d.Generation != nil || d.Limit != (LimitState{}) {
			t.Errorf("%s: got %+v, want invalid-token and nothing else", tt.name, d)
		}
		if m, c := p.Stats().Malformed.Load()-malformed, p.Stats().WrongChecksum.Load()-checksums; m != tt.malformed || c != tt.checksums {
			t.Errorf("%s: got %d malformed and %d wrong checksums, want %d and %d", tt.name, m, c, tt.malformed, tt.checksums)
		}
	}
}

func other(c byte) string {
	if c == '0' {
		return "1"
	}
	return "0"
}

func TestUndecided(t *testing.T) {
	t.Run("the database does not answer", func(t *testing.T) {
		p := newPortal(t, failingRecords{})
		d := p.Decide(context.Background(), &Ask{Secret: secret.NewToken(secret.Live), At: now})
		if d.Code != Undecided || d.Allowed() || p.Stats().LookupErrors.Load() != 1 {
			t.Errorf("got %v, want a refusal that is undecided", d.Code)
		}
	})
	t.Run("the key file lacks the pepper", func(t *testing.T) {
		records := memoryRecords{}
		p := newPortal(t, records)
		tok, text := newToken(p, func(t *Token) { t.Generations[0].KeyID = "k9-elsewhere" })
		records[tok.ID] = tok
		if d := p.Decide(context.Background(), &Ask{Secret: text, At: now}); d.Code != UnknownKey || d.Token != nil || p.Stats().Decisions()[UnknownKey] != 1 {
			t.Errorf("got %v, want that the key is unknown: nobody can say whether it matches", d.Code)
		}
	})
	t.Run("it lacks the pepper of another generation", func(t *testing.T) {
		records := memoryRecords{}
		p := newPortal(t, records)
		tok, text := newToken(p, func(t *Token) {
			t.Generations = append(t.Generations, Generation{Number: 2, KeyID: "k9-elsewhere"})
		})
		records[tok.ID] = tok
		if d := p.Decide(context.Background(), &Ask{Secret: text, At: now}); d.Code != OK {
			t.Errorf("got %v, want ok", d.Code)
		}
	})
}

func TestEachGenerationIsFound(t *testing.T) {
	records := memoryRecords{}
	p := newPortal(t, records)
	tok, first := newToken(p, nil)
	if _, err := p.keys.AddPepper(time.Time{}); err != nil {
		t.Fatal(err)
	}
	secrets := []string{first}
	for n := 2; n <= MaxGenerations; n++ {
		text := secret.NewTokenFor(secret.Live, tok.ID)
		g := p.newGeneration(n, text, now)
		g.ActivatedAt = now
		tok.Generations = append(tok.Generations, g)
		secrets = append(secrets, text)
	}
	for i, text := range secrets {
		g, unknown := p.matching(tok, secret.Digest(text))
		if g == nil || g.Number != i+1 || unknown != "" {
			t.Errorf("secret %d: got %v, %q", i+1, g, unknown)
		}
	}
	if g, unknown := p.matching(tok, secret.Digest("x")); g != nil || unknown != "" {
		t.Errorf("got %v, %q, want nothing", g, unknown)
	}
}

// TestEffectiveRight: what passes is in the catalogue, on the token, lent by the
// maker's role now, and allowed by the team; owners too.
func TestEffectiveRight(t *testing.T) {
	all := []string{"orders:read", "orders:write", "token:rotate", "tokens:verify"}
	tests := []struct {
		name   string
		has    []string
		change func(*Standing)
		need   string
		want   Code
		byRole bool
	}{
		{"nothing is needed", nil, func(*Standing) {}, "", OK, false},
		{"it has it", []string{"orders:read"}, func(*Standing) {}, "orders:read", OK, false},
		{"it has nothing", nil, func(*Standing) {}, "orders:read", Insufficient, false},
		{"write does not imply read", []string{"orders:write"}, func(*Standing) {}, "orders:read", Insufficient, false},
		{"read does not imply write", []string{"orders:read"}, func(*Standing) {}, "orders:write", Insufficient, false},
		{"a star is nothing", []string{"*", "orders:*"}, func(*Standing) {}, "orders:read", Insufficient, false},
		{"the role of the maker shrank", all, func(s *Standing) { s.MakerRole = Developer }, "orders:write", Insufficient, true},
		{"what the role still lends", all, func(s *Standing) { s.MakerRole = Developer }, "orders:read", OK, false},
		{"a maker who may grant nothing now", all, func(s *Standing) { s.MakerRole = Auditor }, "orders:read", Insufficient, true},
		{"it has it neither by itself nor by role", nil, func(s *Standing) { s.MakerRole = Auditor }, "orders:read", Insufficient, false},
		{"the team's policy, for an owner too", all, func(s *Standing) { s.TeamAbilities = []string{"orders:read"} }, "orders:write", Insufficient, true},
		{"the team allows it", all, func(s *Standing) { s.TeamAbilities = []string{"orders:read"} }, "orders:read", OK, false},
		{"the team allows nothing", all, func(s *Standing) { s.TeamAbilities = []string{} }, "orders:read", Insufficient, true},
		{"a team cannot allow what the token lacks", nil, func(s *Standing) { s.TeamAbilities = []string{"orders:read"} }, "orders:read", Insufficient, false},
		{"platform abilities in another team", all, func(*Standing) {}, "tokens:verify", Insufficient, true},
		{"platform abilities in the platform team", all, func(s *Standing) { s.PlatformTeam = true }, "tokens:verify", OK, false},
		{"an ability that left the catalogue", []string{"orders:burn"}, func(*Standing) {}, "orders:read", Insufficient, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := memoryRecords{}
			p := newPortal(t, records)
			tok, text := newToken(p, func(t *Token) { t.Abilities = tt.has; tt.change(&t.Standing) })
			records[tok.ID] = tok
			index := p.Catalogue().Index()
			need := index.Set(nil)
			if tt.need != "" {
				need = index.Set([]string{tt.need})
			}
			d := p.Decide(context.Background(), &Ask{Secret: text, Need: need, At: now})
			if d.Code != tt.want || d.ByRole != tt.byRole {
				t.Errorf("got %v, by role %v, want %v, %v", d.Code, d.ByRole, tt.want, tt.byRole)
			}
			if want := need.Without(d.Effective); d.Missing != want {
				t.Errorf("missing: got %v, want %v", index.Names(d.Missing), index.Names(want))
			}
		})
	}
}

func TestMissingInPart(t *testing.T) {
	records := memoryRecords{}
	p := newPortal(t, records)
	tok, text := newToken(p, func(t *Token) { t.Abilities, t.Standing.MakerRole = []string{"orders:read", "orders:write"}, Developer })
	records[tok.ID] = tok
	index := p.Catalogue().Index()
	d := p.Decide(context.Background(), &Ask{Secret: text, Need: index.Set([]string{"orders:read", "orders:write", "token:rotate"}), At: now})
	equal(t, "missing", index.Names(d.Missing), []string{"orders:write", "token:rotate"})
	equal(t, "effective", index.Names(d.Effective), []string{"orders:read"})
	if d.ByRole {
		t.Error("got by role, want not: the token itself lacks token:rotate")
	}
}

func TestAddresses(t *testing.T) {
	tests := []struct {
		rules, from string
		want        bool
	}{
		{"", "203.0.113.9", true},
		{"", "", true}, // no rule, no address needed
		{"203.0.113.0/24", "203.0.113.9", true},
		{"203.0.113.0/24", "203.0.114.0", false},
		{"203.0.113.0/24", "::ffff:203.0.113.9", true},
		{"203.0.113.0/24", "::ffff:203.0.114.9", false},
		{"203.0.113.0/24", "", false},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "203.0.113.9", false},
		{"::/0", "::ffff:203.0.113.9", false},
		{"fe80::/10", "fe80::1%eth0", true},
		{"2001:db8::/64", "2001:db8::1", true},
		{"2001:db8::/64", "2001:db8:0:1::1", false},
	}
	for _, tt := range tests {
		records := memoryRecords{}
		p := newPortal(t, records)
		tok, text := newToken(p, func(t *Token) {
			if tt.rules != "" {
				t.Addresses = prefixes(tt.rules)
			}
		})
		records[tok.ID] = tok
		var from netip.Addr
		if tt.from != "" {
			from = addr(tt.from)
		}
		d := p.Decide(context.Background(), &Ask{Secret: text, Address: from, At: now})
		if want := map[bool]Code{true: OK, false: AddressDenied}[tt.want]; d.Code != want {
			t.Errorf("%q from %q: got %v, want %v", tt.rules, tt.from, d.Code, want)
		}
	}
}

// 403 counts against the limit, 401 does not: there is no token to count for.
func TestWhatCounts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Token)
		codes  []Code
	}{
		{"allowed", func(*Token) {}, []Code{OK, OK, RateLimited}},
		{"another address", func(t *Token) { t.Addresses = prefixes("192.0.2.0/24") }, []Code{AddressDenied, AddressDenied, RateLimited}},
		{"an ability is missing", func(t *Token) { t.Abilities = nil }, []Code{Insufficient, Insufficient, RateLimited}},
		{"expired", func(t *Token) { t.ExpiresAt = now }, []Code{Expired, Expired, Expired}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records := memoryRecords{}
			p := newPortal(t, records)
			tok, text := newToken(p, func(t *Token) { t.RateLimit = RateLimit{2, time.Minute}; tt.change(t) })
			records[tok.ID] = tok
			need := p.Catalogue().Index().Set([]string{"orders:read"})
			for i, want := range tt.codes {
				d := p.Decide(context.Background(), &Ask{Secret: text, Need: need, Address: addr("203.0.113.9"), At: now})
				if d.Code != want {
					t.Errorf("try %d: got %v, want %v", i+1, d.Code, want)
				}
				if want == RateLimited && (d.Limit.RetryAfter != 30*time.Second || d.Limit.Remaining != 0) {
					t.Errorf("got %+v, want 30 s to wait", d.Limit)
				}
			}
		})
	}
}

func TestDecisionID(t *testing.T) {
	// The example of the ULID specification.
	known := DecisionID{0x01, 0x56, 0x3e, 0x3a, 0xb5, 0xd3, 0xd6, 0x76, 0x4c, 0x61, 0xef, 0xb9, 0x93, 0x02, 0xbd, 0x5b}
	if got := known.String(); got != "01ARZ3NDEKTSV4RRFFQ69G5FAV" {
		t.Errorf("got %s, want 01ARZ3NDEKTSV4RRFFQ69G5FAV", got)
	}
	at := now.Add(123 * ms)
	id := newDecisionID(at)
	if got := binary.BigEndian.Uint64(id[:8]) >> 16; got != uint64(at.UnixMilli()) {
		t.Errorf("got the time %d, want %d", got, at.UnixMilli())
	}
	if newDecisionID(at) == id {
		t.Error("got the same id twice")
	}
	for _, later := range []time.Duration{16, time.Microsecond, ms - 1, ms, time.Hour} {
		if first, second := newDecisionID(at).String(), newDecisionID(at.Add(later)).String(); first >= second {
			t.Errorf("%v later: got %s before %s, want them in the order of time", later, second, first)
		}
	}
}

func TestNetwork(t *testing.T) {
	for _, tt := range []struct{ address, want string }{
		{"203.0.113.9", "203.0.113.9/32"},
		{"::ffff:203.0.113.9", "203.0.113.9/32"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64"},
	} {
		if got := Network(addr(tt.address)).String(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.address, got, tt.want)
		}
	}
	if got := Network(netip.Addr{}); got.IsValid() {
		t.Errorf("got %v, want no network of no address", got)
	}
}
