package secret

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
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
	path string
	mu   sync.Mutex // held while the file is changed
	file atomic.Pointer[keyring]
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
	hashers sync.Pool // of *pooledMAC
}

type pooledMAC struct {
	hash    hash.Hash
	in, out [32]byte // here, so that they do not escape on each call
}

func newPepper(id string, key []byte, created time.Time) *pepper {
	p := &pepper{id: id, key: key, created: created}
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
	return assemble([]*pepper{newPepper(pepperID(1), randomKey(), now)}, randomKey(), randomKey(), randomKey())
}

// assemble puts a keyring together from its peppers, newest first, and keys.
func assemble(peppers []*pepper, cookie, cursor, auditSeed []byte) *keyring {
	r := &keyring{
		peppers: peppers, byID: make(map[string]*pepper, len(peppers)),
		cookie: cookie, cursor: cursor, audit: ed25519.NewKeyFromSeed(auditSeed),
		csrf: derive(cookie, "gatehouse csrf"), opaque: derive(cookie, "gatehouse opaque"),
	}
	for _, p := range peppers {
		r.byID[p.id] = p
	}
	return r
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

// KeyID returns the id of the newest pepper, which new hashes are made with. A
// token whose hash names another is re-keyed on its next use.
func (k *Keys) KeyID() string { return k.file.Load().peppers[0].id }

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

// NewestMAC is [Keys.MAC] under the newest pepper, with its id.
func (k *Keys) NewestMAC(digest [32]byte) (id string, mac [32]byte) {
	p := k.file.Load().peppers[0]
	return p.id, p.mac(digest)
}

// DummyMAC spends the time of one [Keys.MAC], for a token that nobody has, so
// that the time of an answer does not tell known ids from unknown ones.
func (k *Keys) DummyMAC(digest [32]byte) [32]byte { return k.file.Load().peppers[0].mac(digest) }

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
