package portal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// machine is a node with a key file of its own.
type machine struct {
	*portal.Portal
	w    *world
	keys *secret.Keys
	path string
}

// machine returns another node over the store, with a copy of a key file.
func (w *world) machine(file []byte) *machine {
	w.t.Helper()
	m := &machine{w: w, path: filepath.Join(w.t.TempDir(), "keys")}
	m.copies(file)
	m.keys = get[*secret.Keys](w.t)(secret.LoadKeys(m.path))
	m.keys.Now = func() time.Time { return w.now }
	first := w.keys
	w.keys = m.keys
	m.Portal = w.process()
	w.keys = first
	return m
}

// copies puts a copy of a key file in the place of this machine's.
func (m *machine) copies(file []byte) {
	m.w.t.Helper()
	noError(m.w.t, os.WriteFile(m.path, file, 0o600))
}

func (m *machine) file() []byte {
	m.w.t.Helper()
	return get[[]byte](m.w.t)(os.ReadFile(m.path))
}

func (m *machine) decides(text string) portal.Code {
	d := m.Decide(m.w.ctx, &portal.Ask{Secret: text, Address: home.Address, At: m.w.now})
	return d.Code
}

// settles waits until what was re-keyed beside requests is stored.
func (m *machine) settles() {
	m.w.t.Helper()
	noError(m.w.t, m.Close(m.w.ctx))
}

func keyFile(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	get[*secret.Keys](t)(secret.InitKeys(path))
	return get[[]byte](t)(os.ReadFile(path))
}

// Two nodes with a key file each: between the rotation on one and the arrival of
// the file on the other no token is refused, and none is re-keyed.
func TestRotationWithAKeyFilePerMachine(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	a := w.machine(keyFile(t))
	b := w.machine(a.file())
	w.Portal, w.keys = a.Portal, a.keys // tokens are made on a
	tok := w.token(ada, nil)
	keyOf := func(id string) string {
		t.Helper()
		return get[portal.Token](t)(w.store.Token(w.ctx, ada.team, id)).Generations[0].KeyID
	}
	old := keyOf(tok.ID)
	wanted := func(step, text string) {
		t.Helper()
		for name, m := range map[string]*machine{"a": a, "b": b} {
			if got := m.decides(text); got != portal.OK {
				t.Errorf("%s, on %s: got %s, want ok", step, name, got)
			}
			m.settles()
		}
	}
	added := get[string](t)(a.keys.AddPepper(w.now.Add(10 * time.Minute)))
	made := w.token(ada, nil)
	wanted("b has the old file", tok.secret)
	wanted("b has the old file", made.secret)
	if got := keyOf(tok.ID) + keyOf(made.ID); got != old+old {
		t.Errorf("got the keys %s while the new one waits, want %s", got, old)
	}

	w.now = w.now.Add(9 * time.Minute)
	b.copies(a.file())
	noError(t, b.keys.Reload())
	wanted("both have the new file", tok.secret)
	w.now = w.now.Add(time.Minute)
	made = w.token(ada, nil)
	wanted("the new one is used", tok.secret)
	wanted("the new one is used", made.secret)
	if got := keyOf(tok.ID) + keyOf(made.ID); got != added+added {
		t.Errorf("got the keys %s, want %s", got, added)
	}
}

// A node whose file has a key that it did not notice yet reads it before it
// refuses a token; one whose file lacks it says what is the matter.
func TestUnknownKeyIsSought(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	a := w.machine(keyFile(t))
	b := w.machine(a.file())
	w.Portal, w.keys = a.Portal, a.keys
	get[string](t)(a.keys.AddPepper(time.Time{}))
	tok := w.token(ada, nil)
	if got := b.decides(tok.secret); got != portal.UnknownKey {
		t.Errorf("got %s before b has the file, want %s", got, portal.UnknownKey)
	}
	b.copies(a.file())
	w.now = w.now.Add(time.Second)
	if got := b.decides(tok.secret); got != portal.OK {
		t.Errorf("got %s once b's file has the key, want ok", got)
	}
}

// A database knows its keys from the first start on, and which pepper is used.
func TestMarkKeys(t *testing.T) {
	w := newWorld(t)
	fits := func(step string, m *machine, want string) {
		t.Helper()
		for what, err := range map[string]error{"check": portal.CheckKeys(w.ctx, w.store, m.keys), "mark": portal.MarkKeys(w.ctx, w.store, m.keys)} {
			misfit, is := errors.AsType[*portal.MisfitError](err)
			switch {
			case err == nil && want == "":
			case !is || want == "" || !strings.Contains(misfit.Error(), want) || !strings.Contains(misfit.Error(), m.path):
				t.Errorf("%s, %s: got %v, want %q and the file", step, what, err, want)
			}
		}
	}
	a := w.machine(keyFile(t))
	foreign := w.machine(keyFile(t))
	noError(t, portal.CheckKeys(w.ctx, w.store, foreign.keys)) // nothing is marked yet, and nothing is hashed

	w.Portal, w.keys = a.Portal, a.keys
	w.token(w.signedUp("Ada"), nil)
	fits("tokens, but no mark yet", foreign, "does not belong to this database")
	noError(t, portal.MarkKeys(w.ctx, w.store, a.keys))
	fits("the first start", a, "")
	fits("foreign keys", foreign, "does not belong to this database")

	old := w.machine(a.file())
	added := get[string](t)(a.keys.AddPepper(w.now.Add(time.Minute)))
	noError(t, portal.MarkKeys(w.ctx, w.store, a.keys))
	fits("the new pepper waits", old, "")
	w.now = w.now.Add(time.Minute)
	noError(t, portal.MarkKeys(w.ctx, w.store, a.keys))
	fits("the new pepper is used", old, "lacks") // and names it
	fits("the new pepper is used", old, added)
	w.now = w.now.Add(time.Minute)
	behind := w.machine(a.file())
	behind.keys.Now = func() time.Time { return w.now.Add(-time.Hour) }
	fits("a clock that is behind", behind, "")
	if m := get[portal.KeyMark](t)(w.store.KeyMark(w.ctx)); m.Pepper != added {
		t.Errorf("got the mark %+v, want that of the newest pepper in use", m)
	}
	old.copies(a.file())
	fits("the file has arrived", old, "")
}
