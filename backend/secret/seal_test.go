package secret

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestSealAndOpen(t *testing.T) {
	k := vectorKeys(t)
	for _, data := range [][]byte{{}, {0}, []byte("2026-11-22T01:00:00.000Z\x00ord_1"), bytes.Repeat([]byte("ü"), 500)} {
		sealed := k.Seal("orders tea_acme", data)
		if got, ok := k.Open("orders tea_acme", sealed); !ok || !bytes.Equal(got, data) {
			t.Errorf("got %q and %v, want %q", got, ok, data)
		}
		if url.QueryEscape(sealed) != sealed {
			t.Errorf("%q is not safe in a URL", sealed)
		}
		if k.Seal("orders tea_acme", data) != sealed {
			t.Error("the same page has two addresses")
		}
	}
}

func TestOpenRefusesWhatWasNotSealed(t *testing.T) {
	k := vectorKeys(t)
	sealed := k.Seal("orders tea_acme", []byte("ord_1"))
	if _, ok := k.Open("orders tea_other", sealed); ok {
		t.Error("opened for another purpose")
	}
	if _, ok := vectorKeys(t).Open("orders tea_acme", sealed); ok {
		t.Error("opened with other keys")
	}
	for i := range sealed {
		for _, c := range []byte("AZaz09-_=+/ \n\x00") {
			if c == sealed[i] {
				continue
			}
			if _, ok := k.Open("orders tea_acme", sealed[:i]+string(c)+sealed[i+1:]); ok {
				t.Fatalf("opened with character %d changed to %q", i, c)
			}
		}
		if _, ok := k.Open("orders tea_acme", sealed[:i]); ok {
			t.Fatalf("opened when cut to %d", i)
		}
	}
	for _, s := range []string{"", "=", sealed + "A", sealed + "=", sealed + "\n", strings.Repeat("A", 1<<20)} {
		if _, ok := k.Open("orders tea_acme", s); ok {
			t.Errorf("opened %.40q", s)
		}
	}
}

// The frame around the purpose keeps its end from moving into the data.
func TestPurposeAndDataAreApart(t *testing.T) {
	k := vectorKeys(t)
	one, two := k.Seal("ab", []byte("c")), k.Seal("a", []byte("bc"))
	if one[:20] == two[:20] {
		t.Error("two cuts of the same bytes have one tag")
	}
	if k.HashOpaque("ab", "c") == k.HashOpaque("a", "bc") {
		t.Error("two cuts of the same bytes have one hash")
	}
}

func FuzzOpen(f *testing.F) {
	k := vectorKeys(f)
	f.Add(k.Seal("p", []byte("x")))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if data, ok := k.Open("p", s); ok && k.Seal("p", data) != s {
			t.Fatalf("%q opens but is not what is sealed", s)
		}
	})
}

func TestCSRFVector(t *testing.T) {
	got := csrfToken([]byte("csrf-test-key-csrf-test-key-1234"), "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210")
	want := "b416b0e0edfffc22fdbeefb4111ec33c1fa8c26c404731fdd972544ff9045955.fedcba9876543210fedcba9876543210"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCSRFBelongsToItsSession(t *testing.T) {
	k := vectorKeys(t)
	token := k.NewCSRF("ses_1")
	if !k.CheckCSRF("ses_1", token) || token == k.NewCSRF("ses_1") {
		t.Fatalf("%q is refused, or made twice", token)
	}
	mac, random, _ := strings.Cut(token, ".")
	for _, tt := range []struct{ session, token string }{
		{"ses_2", token},
		{"", token},
		{"ses_1", ""},
		{"ses_1", "."},
		{"ses_1", mac},
		{"ses_1", mac + "."},
		{"ses_1", "." + random},
		{"ses_1", strings.ToUpper(mac) + "." + random},
		{"ses_1", token + "0"},
		{"ses_1", mac + "." + strings.Repeat("0", 32)},
	} {
		if k.CheckCSRF(tt.session, tt.token) {
			t.Errorf("session %q: accepted %q", tt.session, tt.token)
		}
	}
}

func TestOpaque(t *testing.T) {
	k := vectorKeys(t)
	shape := regexp.MustCompile(`^ses_[0-9A-Za-z]{43}$`)
	seen := map[string]bool{}
	for range 1000 {
		s := NewOpaque("ses_")
		if !shape.MatchString(s) || seen[s] {
			t.Fatalf("got %q", s)
		}
		seen[s] = true
	}
	hash := k.HashOpaque("session", "ses_x")
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(hash) {
		t.Errorf("got %q, want 64 hexadecimal characters", hash)
	}
	if hash != k.HashOpaque("session", "ses_x") || hash == k.HashOpaque("session", "ses_y") || hash == k.HashOpaque("code", "ses_x") {
		t.Error("the hash does not depend on purpose and value alone")
	}
	if hash == vectorKeys(t).HashOpaque("session", "ses_x") {
		t.Error("the hash is not keyed")
	}
}

func TestIDs(t *testing.T) {
	shape := regexp.MustCompile(`^usr_[0-9A-HJKMNP-TV-Z]{26}$`)
	var seen sync.Map
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				id := NewID(UserID)
				if _, twice := seen.LoadOrStore(id, true); twice || !shape.MatchString(id) {
					t.Errorf("got %q (made before: %v)", id, twice)
					return
				}
			}
		})
	}
	wg.Wait()
	earlier, later := NewIDAt(EventID, testTime), NewIDAt(EventID, testTime.Add(time.Millisecond))
	if earlier >= later || len(earlier) != 30 {
		t.Errorf("got %s and then %s", earlier, later)
	}
	if got := NewIDAt("a-long-prefix_", testTime); len(got) != 14+26 {
		t.Errorf("got %q", got)
	}
}

func BenchmarkNewID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewID(OrderID)
	}
}
