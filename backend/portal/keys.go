package portal

import (
	"context"
	"fmt"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// KeyMark says in a database which keys belong to it. It holds nothing secret.
type KeyMark struct {
	Ring   string // [secret.Keys.Fingerprint]
	Pepper string // id of the newest pepper that hashes are made with
}

// KeyStore is what the keys need from storage.
type KeyStore interface {
	KeyMark(ctx context.Context) (KeyMark, error) // NotFound: nothing was marked yet
	SaveKeyMark(ctx context.Context, m KeyMark) error
	SomeToken(ctx context.Context) (Token, error) // whichever; NotFound: there is none
}

// MisfitError says that a key file does not belong to a database. It is for the
// operator, and names nothing secret.
type MisfitError struct {
	Path  string // of the key file
	Lacks string // the pepper that the database needs and the file lacks; "": all of its keys are others
}

func (e *MisfitError) Error() string {
	if e.Lacks != "" {
		return fmt.Sprintf("the key file %s is an old copy: tokens of the database are hashed with the pepper %s, which it lacks. Put back the newest copy, or that of another node", e.Path, e.Lacks)
	}
	return fmt.Sprintf("the key file %s does not belong to this database, whose tokens and sessions would not hold with it: put back the right one, from a copy or from another node, or name the right database", e.Path)
}

// CheckKeys fails with [MisfitError] unless the keys belong to the database. It
// changes nothing.
func CheckKeys(ctx context.Context, s KeyStore, keys *secret.Keys) error {
	m, err := s.KeyMark(ctx)
	if KindOf(err) == NotFound {
		return fitUnmarked(ctx, s, keys)
	} else if err != nil {
		return err
	}
	return m.fits(keys)
}

// fitUnmarked fails with [MisfitError] if a database that has no mark yet has
// tokens, and they are hashed with other keys: a mark would then keep the right
// ones out.
func fitUnmarked(ctx context.Context, s KeyStore, keys *secret.Keys) error {
	t, err := s.SomeToken(ctx)
	if KindOf(err) == NotFound {
		return nil
	} else if err != nil {
		return err
	}
	for _, g := range t.Generations {
		if has, _ := keys.Seek(g.KeyID); has { // ids of peppers end by chance: of another file none is the same
			return nil
		}
	}
	return &MisfitError{Path: keys.Path()}
}

func (m KeyMark) fits(keys *secret.Keys) error {
	if m.Ring != keys.Fingerprint() {
		return &MisfitError{Path: keys.Path()}
	}
	if has, _ := keys.Seek(m.Pepper); !has { // that it is not there says enough
		return &MisfitError{Path: keys.Path(), Lacks: m.Pepper}
	}
	return nil
}

// MarkKeys is [CheckKeys], and marks the database with the keys if it was not, or
// with a newer pepper. What starts to use keys calls it, and whoever begins to use
// another pepper: so a node that lacks it is noticed, and not sent any requests.
func MarkKeys(ctx context.Context, s Store, keys *secret.Keys) error {
	return s.Atomically(ctx, func(ctx context.Context) error {
		mine := KeyMark{Ring: keys.Fingerprint(), Pepper: keys.KeyID()}
		m, err := s.KeyMark(ctx)
		switch {
		case KindOf(err) == NotFound:
			if err := fitUnmarked(ctx, s, keys); err != nil {
				return err
			}
			return s.SaveKeyMark(ctx, mine)
		case err != nil:
			return err
		}
		if err := m.fits(keys); err != nil || !keys.Outdated(m.Pepper) {
			return err
		}
		return s.SaveKeyMark(ctx, mine)
	})
}

// Ready reports that requests can be served: the store is, and its keys are here.
func (p *Portal) Ready(ctx context.Context) error {
	if err := p.store.Ready(ctx); err != nil {
		return err
	}
	return CheckKeys(ctx, p.store, p.keys)
}
