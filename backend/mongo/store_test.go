package mongo

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/storetest"
	"github.com/gatehouse-portal/gatehouse/backend/testskip"
)

// openAt opens the store of a URI and closes it with the test.
func openAt(t testing.TB, uri string, opts ...Option) *Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := Open(ctx, uri, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	testskip.Ran(t, "the store contract on MongoDB")
	var uris sync.Map // by store
	var unplug func(t *testing.T, s portal.Store) (mend func())
	if os.Getenv(mongotest.URI) == "" { // a server that was given is not ours to stop
		unplug = func(t *testing.T, s portal.Store) func() { return freeze(t, s.(*Store)) }
	}
	storetest.Run(t, func(t *testing.T) portal.Store {
		uri := mongotest.Start(t)
		s := openAt(t, uri)
		uris.Store(s, uri)
		return s
	}, storetest.Options{
		Reopen: func(t *testing.T, s portal.Store) portal.Store {
			uri, _ := uris.Load(s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			again := openAt(t, uri.(string))
			uris.Store(again, uri)
			return again
		},
		Break: unplug,
	})
}
