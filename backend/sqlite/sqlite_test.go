package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/storetest"
	"github.com/gatehouse-portal/gatehouse/backend/testskip"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func openNew(t *testing.T) *Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "gatehouse.db"))
}

func TestContract(t *testing.T) {
	testskip.Ran(t, "the store contract on SQLite")
	storetest.Run(t, func(t *testing.T) portal.Store { return openNew(t) }, storetest.Options{
		Reopen: func(t *testing.T, s portal.Store) portal.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, s.(*Store).path)
		},
		Records: func(s portal.Store) portal.RecordReader { return s.(*Store).Records() },
	})
}
