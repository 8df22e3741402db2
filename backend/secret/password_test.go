package secret

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/gatehouse-portal/gatehouse/shared/password"
)

func TestJudgePassword(t *testing.T) {
	const name, address = "Ada Lovelace-King", "ada.byron@analytical-engine.example"
	tests := []struct {
		name, password, want string
	}{
		{"words", "correct horse battery", ""},
		{"exactly 12", "hjk4 ]oq.Öe%", ""},
		{"11", "hjk4 ]oq.Öe", "too_short"},
		{"exactly 128", strings.Repeat("hjk4 ]oq", 16), ""},
		{"129", strings.Repeat("hjk4 ]oq", 16) + "x", "too_long"},
		{"128 emoji are 512 bytes", strings.Repeat("🐧🦉🐝🦊", 32), ""},
		{"12 emoji", "🐧🦉🐝🦊🐧🦉🐝🦊🐧🦉🐝🦊", ""},
		{"11 code points of 22 bytes", "öäüöäüöäüöä", "too_short"},
		{"short once normalised", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", "too_short"},
		{"a megabyte", strings.Repeat("x", 1<<20), "too_long"},
		{"common", "1qaz2wsx3edc", "too_common"},
		{"common in other case", "1QAZ2wsx3EDC", "too_common"},
		{"NUL", "hjk4 ]oq.Öe%\x00", "not_text"},
		{"a line break", "hjk4 ]oq.Öe%\n", "not_text"},
		{"not UTF-8", "hjk4 ]oq.\xff\xfee%", "not_text"},
		{"a part of the name", "my LOVELACE rocks", "personal"},
		{"full-width letters are the same", "ＬＯＶＥＬＡＣＥ 1815", "personal"},
	}
	for _, tt := range tests {
		fault, ok := JudgePassword(tt.password, name, address)
		if fault.Code != tt.want || ok != (tt.want == "") {
			t.Errorf("%s: got %q and %v, want %q", tt.name, fault.Code, ok, tt.want)
		}
		if !ok && (fault.Detail == "" || fault.Fix == "") {
			t.Errorf("%s: the refusal has no words", tt.name)
		}
	}
	if fault, _ := JudgePassword("the king is dead!", name, address); !strings.Contains(fault.Detail, "“king”") {
		t.Errorf("it is not said which part: %s", fault.Detail)
	}
	if _, ok := JudgePassword("correct horse battery", "", ""); !ok {
		t.Error("a person without name and address may choose nothing")
	}
}

func TestCommonPasswords(t *testing.T) {
	if n := len(common()); n < 10_000 {
		t.Fatalf("the list has %d passwords, want 10,000", n)
	}
	long := 0
	for p := range common() {
		if p == "" || p != password.Fold(p) {
			t.Errorf("%q could never be matched", p)
		}
		if len(p) >= MinPassword {
			long++
			if fault, ok := JudgePassword(strings.ToUpper(p), "", ""); ok || fault.Code != "too_common" {
				t.Errorf("%q in upper case: got %q", p, fault.Code)
			}
		}
	}
	if long < 200 {
		t.Errorf("only %d of them could be chosen at all", long)
	}
}

func verify(t *testing.T, stored, password string) (ok, upgrade bool) {
	t.Helper()
	ok, upgrade, err := NewHasher().Verify(t.Context(), stored, password)
	if err != nil {
		t.Fatal(err)
	}
	return ok, upgrade
}

func TestHashAndVerify(t *testing.T) {
	h := NewHasher()
	stored, err := h.Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %s, want Argon2id with 19 MiB, t=2, p=1", stored)
	}
	if again, _ := h.Hash(t.Context(), "correct horse battery"); again == stored {
		t.Error("two hashes have one salt")
	}
	if ok, upgrade := verify(t, stored, "correct horse battery"); !ok || upgrade {
		t.Errorf("got %v and upgrade %v, want true and false", ok, upgrade)
	}
	for _, wrong := range []string{"", "correct horse batterY", "correct horse battery ", strings.Repeat("x", 1<<20)} {
		if ok, upgrade := verify(t, stored, wrong); ok || upgrade {
			t.Errorf("%.30q: got %v and upgrade %v", wrong, ok, upgrade)
		}
	}
}

func TestPasswordIsNormalised(t *testing.T) {
	stored := hashPassword("pa\u0301ss ｗｏｒｄ long enough")
	for _, same := range []string{"p\u00e1ss word long enough", "pa\u0301ss word long enough"} {
		if ok, _ := verify(t, stored, same); !ok {
			t.Errorf("%q is refused", same)
		}
	}
	if ok, _ := verify(t, stored, "pass word long enough"); ok {
		t.Error("an accent makes no difference")
	}
}

// The hash is from the reference implementation's own tests.
func TestForeignArgon2(t *testing.T) {
	const stored = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if ok, upgrade := verify(t, stored, "password"); !ok || !upgrade {
		t.Errorf("got %v and upgrade %v, want both", ok, upgrade)
	}
	if ok, upgrade := verify(t, stored, "Password"); ok || upgrade {
		t.Errorf("a wrong one: got %v and upgrade %v", ok, upgrade)
	}
}

// Laravel writes $2y$; the other two spellings are the same hash.
func TestBcryptIsAcceptedAndUpgraded(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse battery"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"$2a$", "$2b$", "$2y$"} {
		stored := version + string(hash[4:])
		if ok, upgrade := verify(t, stored, "correct horse battery"); !ok || !upgrade {
			t.Errorf("%s: got %v and upgrade %v, want both", version, ok, upgrade)
		}
		if ok, upgrade := verify(t, stored, "correct horse"); ok || upgrade {
			t.Errorf("%s: a wrong one: got %v and upgrade %v", version, ok, upgrade)
		}
	}
}

func TestBcryptIsNotComparedByItsBeginning(t *testing.T) {
	whole := strings.Repeat("0123456789ab", 6)
	hash, err := bcrypt.GenerateFromPassword([]byte(whole), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := verify(t, string(hash), whole); !ok {
		t.Error("72 bytes are refused")
	}
	if ok, _ := verify(t, string(hash), whole+"x"); ok {
		t.Error("a longer password with the same beginning is accepted")
	}
}

func TestBcryptOfUnnormalisedPassword(t *testing.T) {
	typed := "pa\u0301ss word long"
	hash, err := bcrypt.GenerateFromPassword([]byte(typed), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := verify(t, string(hash), typed); !ok {
		t.Error("the password is refused as it was typed")
	}
}

func TestUnreadableHashes(t *testing.T) {
	good := hashPassword("correct horse battery")
	for _, stored := range []string{
		"x", "$", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$", good + "$", good[:len(good)-40],
		strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=19456", "m=0", 1),
		strings.Replace(good, "m=19456", "m=4294967295", 1),
		strings.Replace(good, "t=2", "t=999", 1),
		strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "t=2", "t=2x", 1),
		strings.Replace(good, "$v", "$x=1$v", 1),
		"$2a$99$abc", "$2a$20$" + strings.Repeat("a", 53), "$2a$10$short",
	} {
		ok, upgrade, err := NewHasher().Verify(t.Context(), stored, "correct horse battery")
		if ok || upgrade || err == nil {
			t.Errorf("%q: got %v, upgrade %v and %v, want an error", stored, ok, upgrade, err)
		}
		if err != nil && strings.Contains(err.Error(), "argon") {
			t.Errorf("the error quotes the hash: %v", err)
		}
	}
}

// An unknown address must cost what a known one does.
func TestUnknownAddressTakesAsLong(t *testing.T) {
	stored := hashPassword("correct horse battery")
	dummyHash()
	shortest := func(stored string) time.Duration {
		best := time.Hour
		for range 7 {
			began := time.Now()
			if ok, _ := verify(t, stored, "wrong password"); ok {
				t.Fatal("accepted")
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	var known, unknown time.Duration
	for range 3 { // a busy machine may disturb one comparison, hardly three
		known, unknown = shortest(stored), shortest("")
		if unknown > known*2/3 && known > unknown*2/3 {
			return
		}
	}
	t.Errorf("a known address takes %v, an unknown one %v", known, unknown)
}

func TestHasherBoundsItsQueue(t *testing.T) {
	h := newHasher(1, 2)
	done, err := h.turn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var served atomic.Int32
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if d, err := h.turn(context.Background()); err == nil {
				served.Add(1)
				d()
			}
		})
	}
	for len(h.waiting) < 3 { // the one at work and the two that wait
		time.Sleep(time.Millisecond)
	}
	if n := h.Waiting(); n != 2 {
		t.Errorf("got %d that wait, want 2", n)
	}
	var busy *BusyError
	if _, err := h.Hash(t.Context(), "x"); !errors.As(err, &busy) || !errors.Is(err, ErrBusy) || busy.RetryAfter < time.Second {
		t.Errorf("got %v, want a busy error with a time to wait", err)
	}
	if _, _, err := h.Verify(t.Context(), "", "x"); !errors.As(err, &busy) {
		t.Errorf("got %v, want a busy error", err)
	}
	done()
	wg.Wait()
	if served.Load() != 2 || h.Waiting() != 0 || len(h.waiting) != 0 || len(h.turns) != 0 {
		t.Errorf("%d of 2 were served, %d wait, %d work", served.Load(), len(h.waiting), len(h.turns))
	}
}

func TestHasherGivesUpWithItsCaller(t *testing.T) {
	h := newHasher(1, 2)
	done, err := h.turn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	done()
	if _, err := h.Hash(t.Context(), "x"); err != nil || len(h.waiting) != 0 {
		t.Errorf("afterwards: got %v, and %d wait", err, len(h.waiting))
	}
}

func TestHasherHashesOncePerCore(t *testing.T) {
	h := newHasher(2, 100)
	var now, most atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			done, err := h.turn(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Millisecond)
			now.Add(-1)
			done()
		})
	}
	wg.Wait()
	if most.Load() != 2 {
		t.Errorf("%d hashed at once, want 2", most.Load())
	}
}

func BenchmarkHashPassword(b *testing.B) {
	for b.Loop() {
		hashPassword("correct horse battery")
	}
}
