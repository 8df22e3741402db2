package storetest

import (
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func newSignup(emailKey string) portal.Signup {
	return portal.Signup{
		ID: newID("sup"), Name: "Ada", Email: "Ada@Example.com", EmailKey: emailKey, PasswordHash: "$argon2id$x", TeamName: "Acme",
		CodeHash: newID("code"), BrowserHash: "browser", CreatedAt: now, ExpiresAt: now.Add(24 * time.Hour),
	}
}

var signupTests = []test{
	{"found by code and by address", func(t *testing.T, s portal.Store) {
		ctx, key := begin(t), newID("mail")
		var made []portal.Signup
		for i := range 22 {
			su := newSignup(key)
			su.CreatedAt = now.Add(time.Duration(i) * time.Millisecond)
			if i == 0 || i == 5 {
				su.BrowserHash = "another"
			}
			noError(t, s.SaveSignup(ctx, su))
			made = append(made, su)
		}
		whole(t, made[3])
		other := newSignup(newID("mail"))
		noError(t, s.SaveSignup(ctx, other))
		equal(t, "by code", get[portal.Signup](t)(s.SignupByCode(ctx, made[3].CodeHash)), made[3])
		list := get[[]portal.Signup](t)(s.Signups(ctx, key, ""))
		if len(list) != 20 || list[0] != made[21] || list[19] != made[2] {
			t.Errorf("got %d from %v, want the 20 newest from %v", len(list), list[0], made[21])
		}
		// However many there are of others.
		equal(t, "of a browser", get[[]portal.Signup](t)(s.Signups(ctx, key, "another")), []portal.Signup{made[5], made[0]})
		if list := get[[]portal.Signup](t)(s.Signups(ctx, key, "a third")); len(list) != 0 {
			t.Errorf("got %v of a browser that never signed up, want none", list)
		}
		old := made[3].CodeHash
		made[3].CodeHash, made[3].ExpiresAt = newID("code"), now.Add(48*time.Hour)
		noError(t, s.SaveSignup(ctx, made[3]))
		kind[portal.Signup](t, portal.NotFound)(s.SignupByCode(ctx, old))
		equal(t, "by its new code", get[portal.Signup](t)(s.SignupByCode(ctx, made[3].CodeHash)), made[3])

		noError(t, s.DeleteSignups(ctx, key))
		noError(t, s.DeleteSignups(ctx, key))
		kind[portal.Signup](t, portal.NotFound)(s.SignupByCode(ctx, made[3].CodeHash))
		equal(t, "another's", get[portal.Signup](t)(s.SignupByCode(ctx, other.CodeHash)), other)
	}},
}
