package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var testTime = time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)

func initKeys(t *testing.T) (*Keys, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data", "keys")
	k, err := InitKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	return k, path
}

func load(t *testing.T, path string) *Keys {
	t.Helper()
	k, err := LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyFileKeepsTheKeys(t *testing.T) {
	k, path := initKeys(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("got %v and %v, want mode 0600", info.Mode(), err)
	}
	again := load(t, path)
	digest := Digest(vectorToken)
	one, _ := k.MAC(k.KeyID(), digest)
	two, ok := again.MAC(k.KeyID(), digest)
	if !ok || one != two || k.KeyID() != again.KeyID() {
		t.Error("the pepper changed")
	}
	if k.HashOpaque("session", "x") != again.HashOpaque("session", "x") || k.Seal("p", nil) != again.Seal("p", nil) {
		t.Error("the cookie or the cursor key changed")
	}
	if !k.AuditKey().Equal(again.AuditKey()) || !bytes.Equal(k.Cookie("a"), again.Cookie("a")) || bytes.Equal(k.Cookie("a"), k.Cookie("b")) {
		t.Error("the audit key or the cookie key changed, or two uses share one")
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestInitKeysReplacesNothing(t *testing.T) {
	k, path := initKeys(t)
	if _, err := InitKeys(path); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("got %v, want %v", err, fs.ErrExist)
	}
	if load(t, path).KeyID() != k.KeyID() {
		t.Error("the file was replaced")
	}
}

// Of many processes that start at once, exactly one makes the file.
func TestInitKeysOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	var made sync.Map
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if k, err := InitKeys(path); err == nil {
				made.Store(i, k.KeyID())
			}
		})
	}
	wg.Wait()
	n := 0
	made.Range(func(_, id any) bool {
		n++
		if got := load(t, path).KeyID(); got != id {
			t.Errorf("the file has pepper %s, its maker %s", got, id)
		}
		return true
	})
	if n != 1 {
		t.Errorf("%d made the file, want 1", n)
	}
}

func TestAbsentKeyFile(t *testing.T) {
	if _, err := LoadKeys(filepath.Join(t.TempDir(), "keys")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
}

func TestKeyFileThatOthersReadIsRefused(t *testing.T) {
	_, path := initKeys(t)
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKeys(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %o: got %v, want a refusal that says how to mend it", mode, err)
		}
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	load(t, path) // less than 0600 is fine
}

func TestDamagedKeyFileIsRefused(t *testing.T) {
	k, path := initKeys(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file keyFile
	if err := json.Unmarshal(whole, &file); err != nil {
		t.Fatal(err)
	}
	change := func(do func(f *keyFile)) []byte {
		f := file
		do(&f)
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	tests := map[string][]byte{
		"empty":         {},
		"cut":           whole[:len(whole)/2],
		"not JSON":      []byte("pepper"),
		"version":       change(func(f *keyFile) { f.Version = 2 }),
		"no pepper":     change(func(f *keyFile) { f.Peppers = nil }),
		"pepper twice":  change(func(f *keyFile) { f.Peppers = append(f.Peppers, f.Peppers[0]) }),
		"short pepper":  change(func(f *keyFile) { f.Peppers = []pepperRow{{ID: "k1", Key: []byte("x")}} }),
		"nameless":      change(func(f *keyFile) { f.Peppers = []pepperRow{{Key: f.Cookie}} }),
		"no cookie key": change(func(f *keyFile) { f.Cookie = nil }),
		"short cursor":  change(func(f *keyFile) { f.Cursor = f.Cursor[:31] }),
		"long audit":    change(func(f *keyFile) { f.Audit = append(f.Audit[:32:32], 0) }),
	}
	for name, text := range tests {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadKeys(path)
		if err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
		if err := k.Reload(); err == nil {
			t.Errorf("%s: reloaded", name)
		}
	}
	if _, ok := k.MAC(k.KeyID(), [32]byte{}); !ok {
		t.Error("a failed reload lost the keys")
	}
}

func TestAddPepper(t *testing.T) {
	k, path := initKeys(t)
	other := load(t, path) // another node
	digest := Digest(vectorToken)
	first := k.KeyID()
	before, _ := k.MAC(first, digest)

	second, err := k.AddPepper(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if k.KeyID() != second || second == first {
		t.Errorf("the newest pepper is %s, want %s", k.KeyID(), second)
	}
	if after, ok := k.MAC(first, digest); !ok || after != before {
		t.Error("tokens of the older pepper no longer verify")
	}
	if newest, _ := k.MAC(second, digest); newest == before {
		t.Error("both peppers give the same hash")
	}
	if _, ok := other.MAC(second, digest); ok {
		t.Error("the other node knows the pepper before it reloads")
	}
	if err := other.Reload(); err != nil {
		t.Fatal(err)
	}
	if got, want := other.KeyIDs(), []string{second, first}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if k.HashOpaque("session", "x") != other.HashOpaque("session", "x") {
		t.Error("a new pepper ended the sessions")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v and %v, want mode 0600", info.Mode(), err)
	}
}

// A pepper that waits is accepted by everybody who has it, and used by nobody.
func TestPepperWaits(t *testing.T) {
	k, path := initKeys(t)
	first, digest, clock := k.KeyID(), Digest(vectorToken), testTime
	k.Now = func() time.Time { return clock }
	second, err := k.AddPepper(clock.Add(10 * time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	other := load(t, path)
	other.Now = func() time.Time { return clock.Add(time.Minute) } // its clock is ahead
	before := func(k *Keys) {
		t.Helper()
		if id, _ := k.NewestMAC(digest); id != first || k.KeyID() != first || k.Outdated(first) || k.Outdated(second) {
			t.Errorf("got %s for new hashes, want %s while %s waits, and nothing made anew", id, first, second)
		}
		if _, ok := k.MAC(second, digest); !ok {
			t.Error("the pepper that waits is not accepted")
		}
		if id, from := k.Waiting(); id != second || !from.Equal(testTime.Add(10*time.Minute)) {
			t.Errorf("got %s waiting until %v, want %s", id, from, second)
		}
	}
	before(k)
	before(other)
	clock = testTime.Add(9 * time.Minute)
	before(k)
	for range 2 { // also with the clock set back
		if id, _ := other.NewestMAC(digest); id != second || !other.Outdated(first) || other.Outdated(second) {
			t.Errorf("got %s for new hashes at its instant, want %s", id, second)
		}
		if id, _ := other.Waiting(); id != "" {
			t.Errorf("got %s waiting, want none", id)
		}
		clock = testTime
	}
	clock = testTime.Add(10 * time.Minute)
	if k.KeyID() != second || !k.Outdated(first) || k.Outdated("k9-elsewhere") {
		t.Errorf("got %s, want %s", k.KeyID(), second)
	}
}

func TestSeek(t *testing.T) {
	maker, path := initKeys(t)
	k, clock := load(t, path), testTime
	k.Now = func() time.Time { return clock }
	if ok, err := k.Seek(k.KeyID()); !ok || err != nil {
		t.Errorf("a pepper that is there: got %v and %v", ok, err)
	}
	second, err := maker.AddPepper(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := k.Seek(second); !ok || err != nil {
		t.Errorf("a pepper that the file has: got %v and %v", ok, err)
	}
	third, err := maker.AddPepper(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := k.Seek(third); ok || err != nil {
		t.Errorf("within the second: got %v and %v, want that the file is not read", ok, err)
	}
	clock = clock.Add(time.Second)
	if ok, err := k.Seek(third); !ok || err != nil {
		t.Errorf("a second later: got %v and %v", ok, err)
	}
	clock = clock.Add(time.Second)
	if ok, err := k.Seek("k9-elsewhere"); ok || err == nil {
		t.Errorf("a pepper of nobody: got %v and %v, want an error", ok, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(time.Second)
	if ok, err := k.Seek("k9-elsewhere"); ok || err == nil || k.KeyID() != third {
		t.Errorf("without a file: got %v and %v, want an error and the keys kept", ok, err)
	}
}

// A server that runs outlives a mistake with its key file.
func TestForeignKeyFileIsRefused(t *testing.T) {
	_, path := initKeys(t)
	older, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	k := load(t, path)
	second, err := k.AddPepper(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	newest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, foreign := initKeys(t)
	other, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	change := func(do func(f *keyFile)) []byte {
		t.Helper()
		var f keyFile
		if err := json.Unmarshal(newest, &f); err != nil {
			t.Fatal(err)
		}
		do(&f)
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	tests := []struct {
		name string
		text []byte
		want string
	}{
		{"another deployment's", other, "its cookie key"},
		{"an older copy", older, "it lacks the pepper " + second},
		{"another cookie key", change(func(f *keyFile) { f.Cookie = randomKey() }), "its cookie key"},
		{"another cursor key", change(func(f *keyFile) { f.Cursor = randomKey() }), "its cursor key"},
		{"another audit key", change(func(f *keyFile) { f.Audit = randomKey() }), "its audit key"},
		{"another pepper of the same name", change(func(f *keyFile) { f.Peppers[1].Key = randomKey() }), "it lacks the pepper k1-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(path, tt.text, 0o600); err != nil {
				t.Fatal(err)
			}
			_, added := k.AddPepper(time.Time{})
			for what, err := range map[string]error{"reload": k.Reload(), "a new pepper": added} {
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "Put back a copy") {
					t.Errorf("%s: got %v, want a refusal with %q that says what to do", what, err, tt.want)
				}
			}
			if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, tt.text) {
				t.Errorf("got %v and another file, want it as it was", err)
			}
			if k.KeyID() != second || len(k.KeyIDs()) != 2 {
				t.Errorf("got the peppers %v, want those in use kept", k.KeyIDs())
			}
		})
	}
	if err := k.Save(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("saved over a file: got %v, want %v", err, fs.ErrExist)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := k.Save(path); err != nil {
		t.Fatal(err)
	}
	if saved, err := os.ReadFile(path); err != nil || !bytes.Equal(saved, newest) {
		t.Errorf("got %v and another file, want the keys in use written down", err)
	}
	if err := k.Reload(); err != nil {
		t.Errorf("the right file, put back: %v", err)
	}
}

// Peppers that two processes add at once are both kept, or one is told to wait.
func TestAddPepperFromManyProcesses(t *testing.T) {
	_, path := initKeys(t)
	var added sync.Map
	var wg sync.WaitGroup
	for range 8 {
		k := load(t, path)
		wg.Go(func() {
			id, err := k.AddPepper(time.Time{})
			if err != nil && !strings.Contains(err.Error(), "another process") {
				t.Error(err)
			}
			if err == nil {
				added.Store(id, true)
			}
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	for _, id := range load(t, path).KeyIDs() {
		ids[id] = true
	}
	added.Range(func(id, _ any) bool {
		if !ids[id.(string)] {
			t.Errorf("pepper %s was lost", id)
		}
		return true
	})
}

func TestKeysAreUsedWhileAPepperIsAdded(t *testing.T) {
	k, _ := initKeys(t)
	first := k.KeyID()
	want, _ := k.MAC(first, Digest(vectorToken))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got, ok := k.MAC(first, Digest(vectorToken)); !ok || got != want {
					t.Error("wrong hash")
					return
				}
			}
		})
	}
	for range 3 {
		if _, err := k.AddPepper(time.Time{}); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

func TestCutOffRotationIsExplained(t *testing.T) {
	k, path := initKeys(t)
	if err := os.WriteFile(path+".new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.AddPepper(time.Time{}); err == nil || !strings.Contains(err.Error(), "remove "+path+".new") {
		t.Errorf("got %v, want a sentence that names the file to remove", err)
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	k := vectorKeys(t)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("loaded", "keys", k)
	inJSON, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s %x %d", k, k, k, k, k, k), log.String(), string(inJSON),
	} {
		if strings.Contains(text, "pepper") || !strings.Contains(text, "[keys]") {
			t.Errorf("printed: %s", text)
		}
	}
}
