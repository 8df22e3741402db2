package secret

import (
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/tokentext"
)

// The vectors were computed outside this project.
const (
	vectorToken  = "gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"
	vectorDigest = "67c5f53b998c85a7d7aef98f0c09a55f6bce6739ebcee615117d0caad9add228"
	vectorPepper = "pepper-k1-for-tests-only-32bytes"
	vectorMAC    = "16ea1020ddb59f444436a95ee254054c5dd7a58fb0f2a25a680aab1fa9606dc2"
)

// vectorKeys are keys whose newest pepper is that of the vectors.
func vectorKeys(t testing.TB) *Keys {
	t.Helper()
	ring := newKeyring(testTime)
	ring = assemble([]*pepper{newPepper("k1", []byte(vectorPepper), testTime, time.Time{})}, ring.cookie, ring.cursor, ring.audit.Seed())
	return newKeys("", ring)
}

func TestTokenVectors(t *testing.T) {
	token, fault := ParseToken(vectorToken)
	if want := (Token{Env: Test, Lookup: "7Hq2LmZx9RtB"}); token != want || fault != Fine {
		t.Fatalf("got %+v and fault %d, want %+v", token, fault, want)
	}
	digest := Digest(vectorToken)
	if got := hex.EncodeToString(digest[:]); got != vectorDigest {
		t.Errorf("digest: got %s, want %s", got, vectorDigest)
	}
	k := vectorKeys(t)
	mac, ok := k.MAC("k1", digest)
	if got := hex.EncodeToString(mac[:]); !ok || got != vectorMAC {
		t.Errorf("MAC: got %s and %v, want %s", got, ok, vectorMAC)
	}
	if id, newest := k.NewestMAC(digest); id != "k1" || newest != mac {
		t.Errorf("newest MAC: got %s and %x", id, newest)
	}
	if _, ok := k.MAC("k2", digest); ok {
		t.Error("a MAC was made under a pepper that is not there")
	}
}

func TestNewTokensParse(t *testing.T) {
	pattern := regexp.MustCompile(TokenPattern)
	seen := map[string]bool{}
	for _, env := range []string{Live, Test} {
		for range 2000 {
			s := NewToken(env)
			token, fault := ParseToken(s)
			if fault != Fine || token.Env != env || !IsLookup(token.Lookup) || !strings.HasPrefix(s, "gtk_"+env+"_"+token.Lookup+"_") {
				t.Fatalf("%q: got %+v and fault %d", s, token, fault)
			}
			if got := pattern.FindString("x " + s + "."); got != s {
				t.Fatalf("the pattern finds %q in %q", got, s)
			}
			if seen[s] || seen[token.Lookup] {
				t.Fatalf("%q was made twice", s)
			}
			seen[s], seen[token.Lookup] = true, true
		}
	}
}

func TestNextGenerationKeepsTheLookup(t *testing.T) {
	one, two := NewTokenFor(Live, "7Hq2LmZx9RtB"), NewTokenFor(Live, "7Hq2LmZx9RtB")
	a, _ := ParseToken(one)
	b, _ := ParseToken(two)
	if a != b || a.Lookup != "7Hq2LmZx9RtB" || one == two {
		t.Errorf("got %+v and %+v", a, b)
	}
}

// Rejection sampling leaves no character likelier than another: the chi-squared
// sum over 61 degrees of freedom passes 110 once in ten thousand runs.
func TestRandomIsUniform(t *testing.T) {
	const n = 620_000
	b := make([]byte, n)
	random62(b)
	var counts [62]int
	for _, c := range b {
		counts[strings.IndexByte(tokentext.Alphabet, c)]++
	}
	chi := 0.0
	for _, c := range counts {
		d := float64(c) - n/62
		chi += d * d / (n / 62)
	}
	if chi > 120 {
		t.Errorf("chi-squared is %.1f, want at most 120: %v", chi, counts)
	}
}

// raceEnabled is set by the race detector's build, in which sync.Pool throws
// away items by chance, so that nothing can be said about allocations.
var raceEnabled bool

func TestHotPathDoesNotAllocate(t *testing.T) {
	k := vectorKeys(t)
	typo := vectorToken[:59] + "B"
	tests := []struct {
		name string
		do   func() bool
	}{
		{"parse", func() bool { _, f := ParseToken(vectorToken); return f == Fine }},
		{"reject a typo", func() bool { _, f := ParseToken(typo); return f == WrongChecksum }},
		{"reject garbage", func() bool { _, f := ParseToken("garbage"); return f == Malformed }},
		{"digest", func() bool { return Digest(vectorToken)[0] == 0x67 }},
		{"MAC", func() bool { m, ok := k.MAC("k1", Digest(vectorToken)); return ok && m[0] == 0x16 }},
		{"dummy MAC", func() bool { return k.DummyMAC(Digest(typo)) != [32]byte{} }},
		{"newest MAC", func() bool { id, _ := k.NewestMAC(Digest(typo)); return id == "k1" }},
	}
	for _, tt := range tests {
		if !tt.do() {
			t.Fatalf("%s: wrong answer", tt.name)
		}
		if n := testing.AllocsPerRun(1000, func() { tt.do() }); n != 0 && !raceEnabled {
			t.Errorf("%s: got %v allocations, want 0", tt.name, n)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(vectorToken)
	f.Add(NewToken(Live))
	f.Add("gtk_live_")
	f.Add(strings.Repeat("_", TokenLength))
	f.Fuzz(func(t *testing.T, s string) {
		token, fault := ParseToken(s)
		if fault != Fine {
			if token != (Token{}) {
				t.Fatalf("%q is refused and yet %+v", s, token)
			}
			return
		}
		if len(s) != TokenLength || !IsLookup(token.Lookup) || token.Env != Live && token.Env != Test {
			t.Fatalf("%q gives %+v", s, token)
		}
		if !regexp.MustCompile(`^` + TokenPattern + `$`).MatchString(s) {
			t.Fatalf("%q does not match the pattern", s)
		}
	})
}

func BenchmarkParseToken(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ParseToken(vectorToken)
	}
}

// BenchmarkCheckToken is all that a request spends on its secret.
func BenchmarkCheckToken(b *testing.B) {
	k := vectorKeys(b)
	b.ReportAllocs()
	for b.Loop() {
		ParseToken(vectorToken)
		k.MAC("k1", Digest(vectorToken))
	}
}

func BenchmarkNewToken(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewToken(Live)
	}
}
