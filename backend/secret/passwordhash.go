package secret

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// argonParams are the costs of Argon2id.
type argonParams struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// current is OWASP's smallest recommended setting: 30 ms and 19 MiB. One thread,
// so that one sign-in cannot take every core.
var current = argonParams{memory: 19456, time: 2, threads: 1}

// Bounds of hashes that were imported: a stored cost is work that anyone can
// make the server do.
const (
	maxArgonMemory = 256 << 10 // KiB
	maxArgonTime   = 16
	maxBcryptCost  = 14
)

const (
	saltLength = 16
	hashLength = 32
	// maxBcryptPassword is all that bcrypt looks at. A longer password is
	// refused rather than compared by its beginning.
	maxBcryptPassword = 72
)

// errHash says that a stored hash cannot be read, without quoting it.
var errHash = errors.New("the stored password hash has an unknown form")

// hashPassword returns the PHC string of a password: Argon2id with 19 MiB, two
// passes and one lane. It costs tens of milliseconds; [Hasher] bounds how many
// run at once.
func hashPassword(password string) string {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt)
	return phc(current, salt, argon(current, NormalizePassword(password), salt, hashLength))
}

// verifyPassword compares a password with a stored hash: Argon2id as a PHC
// string, or bcrypt ($2a$, $2b$, $2y$) from another system. Upgrade says that
// the password is right and should be hashed anew.
func verifyPassword(stored, password string) (ok, upgrade bool, err error) {
	switch {
	case strings.HasPrefix(stored, "$argon2id$"):
		p, salt, want, err := parsePHC(stored)
		if err != nil {
			return false, false, err
		}
		got := argon(p, NormalizePassword(password), salt, len(want))
		ok = subtle.ConstantTimeCompare(got, want) == 1
		return ok, ok && (p != current || len(want) != hashLength || len(salt) < saltLength), nil
	case strings.HasPrefix(stored, "$2"):
		cost, err := bcrypt.Cost([]byte(stored))
		if err != nil || cost > maxBcryptCost {
			return false, false, errHash
		}
		ok, err = verifyBcrypt(stored, password)
		return ok, ok, err
	default:
		return false, false, errHash
	}
}

// verifyBcrypt tries the password as it was typed, because other systems do not
// normalise, and then normalised if that differs.
func verifyBcrypt(stored, password string) (bool, error) {
	tried := []string{password}
	if normal := NormalizePassword(password); normal != password {
		tried = append(tried, normal)
	}
	for _, p := range tried {
		if len(p) > maxBcryptPassword {
			continue
		}
		err := bcrypt.CompareHashAndPassword([]byte(stored), []byte(p))
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			return false, errHash
		}
	}
	return false, nil
}

func argon(p argonParams, password string, salt []byte, length int) []byte {
	return argon2.IDKey([]byte(password), salt, p.time, p.memory, p.threads, uint32(length))
}

func phc(p argonParams, salt, hash []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads,
		b64.EncodeToString(salt), b64.EncodeToString(hash))
}

func parsePHC(stored string) (p argonParams, salt, hash []byte, err error) {
	fields := strings.Split(stored, "$") // "", argon2id, v=, m=,t=,p=, salt, hash
	if len(fields) != 6 {
		return p, nil, nil, errHash
	}
	var version int
	if _, err := fmt.Sscanf(fields[2]+"\n", "v=%d\n", &version); err != nil || version != argon2.Version {
		return p, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(fields[3]+"\n", "m=%d,t=%d,p=%d\n", &p.memory, &p.time, &p.threads); err != nil {
		return p, nil, nil, errHash
	}
	if p.memory == 0 || p.memory > maxArgonMemory || p.time == 0 || p.time > maxArgonTime || p.threads == 0 {
		return p, nil, nil, errHash
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, saltErr := b64.DecodeString(fields[4])
	hash, hashErr := b64.DecodeString(fields[5])
	if saltErr != nil || hashErr != nil || len(salt) < 8 || len(hash) < 16 || len(hash) > 64 {
		return p, nil, nil, errHash
	}
	return p, salt, hash, nil
}

// dummyHash is the hash of no password, with the costs of a real one.
var dummyHash = sync.OnceValue(func() string {
	b := make([]byte, saltLength+hashLength)
	_, _ = rand.Read(b)
	return phc(current, b[:saltLength], b[saltLength:])
})
