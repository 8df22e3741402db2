package secret

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// keyLength is the length of every key in bytes.
const keyLength = 32

// Keys are the secrets of one deployment, shared by all of its nodes: peppers
// for the hashes of tokens, a key each for cookies and cursors, and the key that
// signs audit checkpoints. They are safe for use by many goroutines, also while
// a pepper is added.
type Keys struct {
	// Now is the clock by which a pepper becomes active; nil: time.Now. A test
	// sets it before anything else.
	Now func() time.Time

	path   string
	mu     sync.Mutex // held while the file is changed
	sought time.Time  // when the file was last read for a pepper that was not there
	file   atomic.Pointer[keyring]
}

// keyring is the content of the key file, ready for use and never changed.
type keyring struct {
	peppers []*pepper // newest first, at least one
	byID    map[string]*pepper
	cookie  []byte
	cursor  []byte
	audit   ed25519.PrivateKey

	csrf, opaque []byte // derived from cookie
}

// pepper is one key for the hashes of tokens, with ready-made HMACs, because
// making one costs six allocations.
type pepper struct {
	id      string
	key     []byte
	created time.Time
	from    time.Time   // when it may be used for new hashes; zero: at once
	age     int         // 0 is the newest
	active  atomic.Bool // from has passed; saves the clock
	hashers sync.Pool   // of *pooledMAC
}

type pooledMAC struct {
	hash    hash.Hash
	in, out [32]byte // here, so that they do not escape on each call
}

func newPepper(id string, key []byte, created, from time.Time) *pepper {
	p := &pepper{id: id, key: key, created: created, from: from}
	p.hashers.New = func() any { return &pooledMAC{hash: hmac.New(sha256.New, key)} }
	return p
}

func (p *pepper) mac(digest [32]byte) [32]byte {
	m := p.hashers.Get().(*pooledMAC)
	m.in = digest
	m.hash.Reset()
	m.hash.Write(m.in[:])
	m.hash.Sum(m.out[:0])
	out := m.out
	p.hashers.Put(m)
	return out
}

// newKeyring makes a set of random keys with one pepper.
func newKeyring(now time.Time) *keyring {
	return assemble([]*pepper{newPepper(pepperID(1), randomKey(), now, time.Time{})}, randomKey(), randomKey(), randomKey())
}

// assemble puts a keyring together from its peppers, newest first, and keys.
func assemble(peppers []*pepper, cookie, cursor, auditSeed []byte) *keyring {
	r := &keyring{
		peppers: peppers, byID: make(map[string]*pepper, len(peppers)),
		cookie: cookie, cursor: cursor, audit: ed25519.NewKeyFromSeed(auditSeed),
		csrf: derive(cookie, "gatehouse csrf"), opaque: derive(cookie, "gatehouse opaque"),
	}
	for i, p := range peppers {
		p.age = i
		r.byID[p.id] = p
	}
	return r
}

// current returns the newest pepper that is active; the oldest is active always.
func (k *Keys) current(r *keyring) *pepper {
	for _, p := range r.peppers {
		if p.active.Load() {
			return p
		}
		if p.from.IsZero() || !k.now().Before(p.from) {
			p.active.Store(true)
			return p
		}
	}
	return r.peppers[len(r.peppers)-1]
}

func (k *Keys) now() time.Time {
	if k.Now == nil {
		return time.Now()
	}
	return k.Now()
}

// pepperID names the nth pepper. Its random end makes peppers of two key files
// differ in name, so that a node with the wrong file says "unknown key" instead
// of refusing every token as forged.
func pepperID(n int) string {
	var end [6]byte
	random62(end[:])
	return fmt.Sprintf("k%d-%s", n, end[:])
}

func randomKey() []byte {
	key := make([]byte, keyLength)
	_, _ = rand.Read(key)
	return key
}

// derive makes a key for one use out of another.
func derive(key []byte, use string) []byte {
	derived, err := hkdf.Expand(sha256.New, key, use, keyLength)
	if err != nil {
		panic(err) // only for a length that is not ours
	}
	return derived
}

// KeyID returns the id of the newest active pepper, which new hashes are made
// with.
func (k *Keys) KeyID() string { return k.current(k.file.Load()).id }

// Outdated reports whether a hash should be made anew: its pepper is older than
// the newest active one. A pepper that is not active here may be on another node
// whose clock is ahead; its hashes stay. It does not allocate.
func (k *Keys) Outdated(id string) bool {
	r := k.file.Load()
	current := k.current(r)
	if id == current.id {
		return false
	}
	p, ok := r.byID[id]
	return ok && p.age > current.age
}

// Waiting returns the newest pepper that is not active yet and when it will be,
// "" if there is none.
func (k *Keys) Waiting() (id string, from time.Time) {
	r := k.file.Load()
	if p := r.peppers[0]; p != k.current(r) {
		return p.id, p.from
	}
	return "", time.Time{}
}

// KeyIDs returns the ids of all peppers, newest first.
func (k *Keys) KeyIDs() []string {
	ids := make([]string, 0, len(k.file.Load().peppers))
	for _, p := range k.file.Load().peppers {
		ids = append(ids, p.id)
	}
	return ids
}

// MAC returns what is stored for a token: HMAC-SHA-256 of its [Digest] under the
// pepper with this id. It is false if there is no such pepper. It does not
// allocate.
func (k *Keys) MAC(id string, digest [32]byte) ([32]byte, bool) {
	p, ok := k.file.Load().byID[id]
	if !ok {
		return [32]byte{}, false
	}
	return p.mac(digest), true
}

// NewestMAC is [Keys.MAC] under the newest active pepper, with its id.
func (k *Keys) NewestMAC(digest [32]byte) (id string, mac [32]byte) {
	p := k.current(k.file.Load())
	return p.id, p.mac(digest)
}

// DummyMAC spends the time of one [Keys.MAC], for a token that nobody has, so
// that the time of an answer does not tell known ids from unknown ones.
func (k *Keys) DummyMAC(digest [32]byte) [32]byte { return k.file.Load().peppers[0].mac(digest) }

// Path returns where the key file is.
func (k *Keys) Path() string { return k.path }

// Fingerprint tells the keys of one deployment from those of another: a keyed
// hash of the cookie, the cursor and the audit key, 64 hexadecimal characters. It
// stays the same while peppers are added, and is nothing secret.
func (k *Keys) Fingerprint() string {
	r := k.file.Load()
	h := hmac.New(sha256.New, derive(r.cookie, "gatehouse fingerprint"))
	h.Write(derive(r.cursor, "gatehouse fingerprint"))
	h.Write(r.audit.Public().(ed25519.PublicKey))
	return hex.EncodeToString(h.Sum(nil))
}

// AuditKey returns the key that signs audit checkpoints.
func (k *Keys) AuditKey() ed25519.PrivateKey { return k.file.Load().audit }

// Cookie returns a key for one use of signed or hashed cookies, 32 bytes, the
// same for the same name of the use.
func (k *Keys) Cookie(use string) []byte {
	return derive(k.file.Load().cookie, "gatehouse cookie "+use)
}

// Format keeps keys out of whatever prints them.
func (k *Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[keys]") }

// LogValue keeps keys out of logs.
func (k *Keys) LogValue() slog.Value { return slog.StringValue("[keys]") }

// MarshalText keeps keys out of JSON and the like.
func (k *Keys) MarshalText() ([]byte, error) { return []byte("[keys]"), nil }
