package storetest

import (
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func testEmpty(t *testing.T, s portal.Store) {
	ctx := begin(t)
	equal(t, "empty before anybody came", get[bool](t)(s.Empty(ctx)), true)
	u := newUser()
	noError(t, s.InsertUser(ctx, u))
	equal(t, "empty with a user", get[bool](t)(s.Empty(ctx)), false)
	noError(t, s.DeleteUser(ctx, u.ID))
	equal(t, "empty after the user has gone", get[bool](t)(s.Empty(ctx)), true)
}
