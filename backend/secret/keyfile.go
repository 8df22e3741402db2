package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// keyFile is the JSON of the key file.
type keyFile struct {
	Version int         `json:"version"`
	Peppers []pepperRow `json:"peppers"` // newest first
	Cookie  []byte      `json:"cookie"`
	Cursor  []byte      `json:"cursor"`
	Audit   []byte      `json:"audit"` // seed of an Ed25519 key
}

type pepperRow struct {
	ID         string    `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	ActiveFrom time.Time `json:"active_from,omitzero"` // absent: from the start
	Key        []byte    `json:"key"`
}

const (
	keyFileVersion = 1
	maxKeyFile     = 1 << 20
)

// InitKeys makes a key file with mode 0600, its directory too if need be, and
// returns its keys. It never replaces a file: that is an error that wraps
// [fs.ErrExist].
func InitKeys(path string) (*Keys, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("the directory of the key file cannot be made: %w", err)
	}
	ring := newKeyring(time.Now().UTC())
	if err := makeKeyFile(path, ring); err != nil {
		return nil, err
	}
	return newKeys(path, ring), nil
}

// Save writes the keys in use to a key file that is not there yet: what a process
// still has when its own file is lost.
func (k *Keys) Save(path string) error { return makeKeyFile(path, k.file.Load()) }

func makeKeyFile(path string, ring *keyring) error {
	_, err := replaceKeyFile(path, func() (*keyring, error) {
		if _, err := os.Lstat(path); err == nil {
			return nil, fmt.Errorf("the key file %s exists and is left as it is: %w", path, fs.ErrExist)
		}
		return ring, nil
	})
	return err
}

// LoadKeys reads a key file. An absent one is an error that wraps
// [fs.ErrNotExist]; one that others than its owner may read is refused. The
// errors are sentences for the operator.
func LoadKeys(path string) (*Keys, error) {
	ring, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	return newKeys(path, ring), nil
}

func newKeys(path string, ring *keyring) *Keys {
	k := &Keys{path: path}
	k.file.Store(ring)
	return k
}

// AddPepper adds a new pepper to the key file and returns its id. From the given
// instant on, zero meaning at once, it is used for new hashes; the older ones
// stay, for the tokens that are hashed with them. Until then it is only accepted,
// so that no node meets a hash before it has the file. [Keys.Reload] reads it. A
// file that does not succeed the keys in use is left as it is.
func (k *Keys) AddPepper(from time.Time) (id string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ring, err := replaceKeyFile(k.path, func() (*keyring, error) {
		// What the file says now counts: another process may have added one.
		ring, err := k.readSuccessor()
		if err != nil {
			return nil, err
		}
		added := newPepper(pepperID(len(ring.peppers)+1), randomKey(), k.now().UTC(), from)
		return assemble(append([]*pepper{added}, ring.peppers...), ring.cookie, ring.cursor, ring.audit.Seed()), nil
	})
	if err != nil {
		return "", err
	}
	k.file.Store(ring)
	return ring.peppers[0].id, nil
}

// Reload reads the key file again. When it cannot be read, or does not succeed
// the keys in use, these stay as they are: a file may gain peppers, but one that
// lacks a pepper or has another key belongs to another deployment, or is an old
// copy, and tokens and sessions would not hold with it.
func (k *Keys) Reload() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	ring, err := k.readSuccessor()
	if err != nil {
		return err
	}
	k.file.Store(ring)
	return nil
}

// seekEvery is how often the file is read for a pepper that is not there.
const seekEvery = time.Second

// Seek reports whether there is a pepper of this id, and reads the key file again
// if not: a node may meet a hash before it noticed that its file has the key. It
// reads at most once a second, whoever asks; an error says what came of it if
// there still is no such pepper.
func (k *Keys) Seek(id string) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.file.Load().byID[id]; ok {
		return true, nil
	}
	now := k.now()
	if passed := now.Sub(k.sought); passed >= 0 && passed < seekEvery {
		return false, nil
	}
	k.sought = now
	ring, err := k.readSuccessor()
	if err != nil {
		return false, err
	}
	k.file.Store(ring)
	if _, ok := ring.byID[id]; !ok {
		return false, fmt.Errorf("the key file %s has no pepper %s", k.path, id)
	}
	return true, nil
}

// readSuccessor reads the key file and refuses it unless every key in use is in
// it.
func (k *Keys) readSuccessor() (*keyring, error) {
	ring, err := readKeyFile(k.path)
	if err != nil {
		return nil, err
	}
	if lacks := ring.lacks(k.file.Load()); lacks != "" {
		return nil, fmt.Errorf("the key file %s is not the one in use or a later one: %s. Put back a copy of the right file. This process keeps its keys until it ends: gatehouse keys save FILE writes them down", k.path, lacks)
	}
	return ring, nil
}

// lacks says which key of an older ring is not in this one, "" if all are.
func (r *keyring) lacks(old *keyring) string {
	switch {
	case !bytes.Equal(r.cookie, old.cookie):
		return "its cookie key is another one"
	case !bytes.Equal(r.cursor, old.cursor):
		return "its cursor key is another one"
	case !r.audit.Equal(old.audit):
		return "its audit key is another one"
	}
	for _, p := range old.peppers {
		if has, ok := r.byID[p.id]; !ok || !bytes.Equal(has.key, p.key) {
			return "it lacks the pepper " + p.id + ", which tokens may be hashed with"
		}
	}
	return ""
}

func readKeyFile(path string) (*keyring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the key file cannot be read: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("the key file cannot be read: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the key file %s is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("the key file %s may be read by others than its owner (mode %04o): run chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("the key file cannot be read: %w", err)
	}
	ring, err := parseKeyFile(text)
	if err != nil {
		return nil, fmt.Errorf("the key file %s is damaged (%w): put back a copy of it, because without its keys no token and no session holds", path, err)
	}
	return ring, nil
}

// parseKeyFile never quotes the text in its errors.
func parseKeyFile(text []byte) (*keyring, error) {
	var file keyFile
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, errors.New("it is not the JSON that it was")
	}
	if file.Version != keyFileVersion {
		return nil, fmt.Errorf("its version is %d, not %d", file.Version, keyFileVersion)
	}
	if len(file.Peppers) == 0 {
		return nil, errors.New("it has no pepper")
	}
	for _, key := range [][]byte{file.Cookie, file.Cursor, file.Audit} {
		if len(key) != keyLength {
			return nil, errors.New("a key is missing or cut")
		}
	}
	seen := make(map[string]bool, len(file.Peppers))
	peppers := make([]*pepper, 0, len(file.Peppers))
	for _, row := range file.Peppers {
		if row.ID == "" || seen[row.ID] || len(row.Key) != keyLength {
			return nil, errors.New("a pepper is cut, or there twice")
		}
		seen[row.ID] = true
		peppers = append(peppers, newPepper(row.ID, row.Key, row.CreatedAt, row.ActiveFrom))
	}
	return assemble(peppers, file.Cookie, file.Cursor, file.Audit), nil
}

func formatKeyFile(r *keyring) ([]byte, error) {
	file := keyFile{Version: keyFileVersion, Cookie: r.cookie, Cursor: r.cursor, Audit: r.audit.Seed()}
	for _, p := range r.peppers {
		file.Peppers = append(file.Peppers, pepperRow{ID: p.id, CreatedAt: p.created, ActiveFrom: p.from, Key: p.key})
	}
	text, err := json.MarshalIndent(file, "", "  ")
	return append(text, '\n'), err
}

// replaceKeyFile writes what next returns beside the key file and renames it
// into place, so that at every moment the old or the new file is there whole.
// The new file's own name, made exclusively, is also the lock between processes.
func replaceKeyFile(path string, next func() (*keyring, error)) (_ *keyring, err error) {
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("the key file is being changed by another process, or one was cut off while it did: if none is running, remove %s", temp)
	}
	if err != nil {
		return nil, fmt.Errorf("the key file cannot be written: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp))
		}
	}()
	defer f.Close() // a second Close does no harm
	ring, err := next()
	if err != nil {
		return nil, err
	}
	text, err := formatKeyFile(ring)
	if err != nil {
		return nil, fmt.Errorf("the key file cannot be written: %w", err)
	}
	if err := writeSynced(f, text); err != nil {
		return nil, fmt.Errorf("the key file cannot be written: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		return nil, fmt.Errorf("the key file cannot be put in its place: %w", err)
	}
	syncDir(filepath.Dir(path))
	return ring, nil
}

func writeSynced(f *os.File, text []byte) error {
	if _, err := f.Write(text); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// syncDir makes a rename last through a power cut. Some file systems cannot;
// the file itself is written all the same, so that is no error.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
