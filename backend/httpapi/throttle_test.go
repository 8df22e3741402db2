package httpapi_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// tooMany checks a refusal because of a limit an hour.
func (a answer) tooMany(t *testing.T, detail string) {
	t.Helper()
	p := a.problem(t, 429, "too-many-requests")
	if p.Detail != detail || p.RetryAfterSeconds < 1 || p.RetryAfterSeconds > 3601 || a.header.Get("Retry-After") != fmt.Sprint(p.RetryAfterSeconds) {
		t.Errorf("got %s and Retry-After %q", a.body, a.header.Get("Retry-After"))
	}
}

// One person makes and rotates so many tokens an hour, in all teams together. What
// was refused is not among them, so that nobody without the password uses them up.
// Stopping has no limit.
func TestSecretsPerPerson(t *testing.T) {
	const told = "You have made and rotated too many tokens within an hour."
	w := onOneStore(t, nil)
	ada, bob := w.signUp("Ada"), w.signUp("Bob")
	bob.join(ada, "owner")
	tok := ada.token("x").Token
	rotate := ada.path("tokens", tok.ID, "rotate")
	others := make([]string, 5) // one is rotated only so often a day
	for i := range others {
		others[i] = ada.path("tokens", ada.token(fmt.Sprint("other ", i)).Token.ID, "rotate")
	}
	key := func(i int) []string { // every other request has one
		if i%2 == 0 {
			return nil
		}
		return []string{"Idempotency-Key", fmt.Sprint("k", i)}
	}
	for i := range 160 {
		if i%4 < 2 {
			ada.call("POST", ada.path("tokens"), newToken("y", "no:such"), key(i)...).problem(t, 422, "invalid")
		} else {
			ada.call("POST", ada.path("tokens"), newToken("x"), key(i)...).problem(t, 409, "name-taken")
		}
	}
	w.clock.advance(20 * time.Minute)
	for i := range 160 {
		path, body := ada.path("tokens"), any(newToken("y"))
		if i%4 < 2 {
			path, body = rotate, nil
		}
		ada.call("POST", path, body, key(i)...).problem(t, 403, "fresh-sign-in-required")
	}
	ada.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: password}).want(t, 200)
	bob.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: password}).want(t, 200)
	ada.token("z")
	for i := range 293 {
		ada.call("POST", others[i%len(others)], nil, key(i)...).want(t, 201)
	}
	for i := range 4 {
		ada.call("POST", rotate, nil, key(1000+i)...).tooMany(t, told)
		ada.call("POST", ada.path("tokens"), newToken("y"), key(2000+i)...).tooMany(t, told)
	}
	ada.call("POST", others[1], nil, key(1)...).want(t, 201)         // the same answer again
	bob.call("POST", ada.path("tokens"), newToken("y")).want(t, 201) // another person of the team
	ada.call("POST", ada.path("tokens", tok.ID, "revoke"), nil).want(t, 200)
	w.clock.advance(41 * time.Minute)
	ada.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: password}).want(t, 200)
	ada.token("later")
}

// A limit is exact also for many requests at once, and those that it refused do not
// count.
func TestALimitHoldsForManyAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		for i := range 12 {
			ada.call("POST", "/portal/v1/teams", api.CreateTeam{Name: fmt.Sprint("team ", i)}).want(t, 201)
		}
		var wg sync.WaitGroup
		statuses := make([]int, 50)
		for i := range statuses {
			wg.Go(func() {
				var key []string
				if i%2 == 0 {
					key = []string{"Idempotency-Key", fmt.Sprint("k", i)}
				}
				statuses[i] = ada.call("POST", "/portal/v1/teams", api.CreateTeam{Name: fmt.Sprint("one of many ", i)}, key...).status
			})
		}
		wg.Wait()
		slices.Sort(statuses)
		want := append(slices.Repeat([]int{201}, 8), slices.Repeat([]int{429}, 42)...)
		if !slices.Equal(statuses, want) {
			t.Errorf("got %v, want 8 to be made", statuses)
		}
	})
}

func TestTeamsPerPerson(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada, bob := w.signUp("Ada"), w.signUp("Bob")
		for range 30 { // one is made, and told again as often as it is asked for
			ada.call("POST", "/portal/v1/teams", api.CreateTeam{Name: "the first"}, "Idempotency-Key", "k").want(t, 201)
		}
		for i := range 19 {
			ada.call("POST", "/portal/v1/teams", api.CreateTeam{Name: fmt.Sprint("team ", i)}).want(t, 201)
		}
		ada.call("POST", "/portal/v1/teams", api.CreateTeam{Name: "one more"}).tooMany(t, "You have made too many teams within an hour.")
		bob.call("POST", "/portal/v1/teams", api.CreateTeam{Name: "another's"}).want(t, 201)
		w.clock.advance(time.Hour + time.Second)
		ada.call("POST", "/portal/v1/teams", api.CreateTeam{Name: "later"}).want(t, 201)
	})
}

// One person asks for so many changes a minute, whatever becomes of them. What makes
// things safer goes on: whoever has a copy of the session must not keep its owner from
// it.
func TestChangesPerPerson(t *testing.T) {
	const told = "You have asked for too many changes within a minute."
	onEachStore(t, func(t *testing.T, w *world) {
		ada, bob := w.signUp("Ada"), w.signUp("Bob")
		tok := func(name string) string { return ada.path("tokens", ada.token(name).Token.ID) }
		stopped, ended, rotated := tok("a"), tok("b"), tok("c")
		w.clock.advance(time.Minute)
		for i := range 600 {
			if i%2 == 0 {
				ada.call("PATCH", "/portal/v1/account", api.UpdateAccount{Name: api.Some(fmt.Sprint("Ada ", i))}).want(t, 200)
			} else {
				ada.call("PATCH", ada.path(), api.UpdateTeam{Name: api.Some("x")}).problem(t, 428, "precondition-required")
			}
		}
		for _, refused := range []struct {
			method, path string
			body         any
		}{
			{"PATCH", "/portal/v1/account", api.UpdateAccount{Name: api.Some("Eve")}},
			{"PATCH", ada.path(), api.UpdateTeam{Name: api.Some("Eve's")}},
			{"PATCH", stopped, api.UpdateToken{Name: api.Some("e")}},
			{"POST", "/portal/v1/teams", api.CreateTeam{Name: "Eve's"}},
			{"POST", ada.path("tokens"), newToken("e")},
			{"POST", stopped + "/resume", nil},
		} {
			a := ada.call(refused.method, refused.path, refused.body)
			if a.tooMany(t, told); into[api.Problem](t, a).RetryAfterSeconds > 61 {
				t.Errorf("%s %s: got %s, want to wait a minute at most", refused.method, refused.path, a.body)
			}
		}
		if got := ada.session().User.Name; got != "Ada 598" {
			t.Errorf("got the name %q, want that of the last change before the limit", got)
		}
		ada.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: password}).want(t, 200)
		secret := into[api.IssuedToken](t, ada.call("POST", rotated+"/rotate", nil).want(t, 201)).Secret
		ada.call("POST", rotated+"/rotate/undo", nil).want(t, 200)
		w.integration(secret).call("GET", "/api/v1/token", nil).want(t, 401)
		secret = into[api.IssuedToken](t, ada.call("POST", rotated+"/rotate", nil).want(t, 201)).Secret
		w.integration(secret).call("GET", "/api/v1/token", nil).want(t, 200)
		ada.call("POST", rotated+"/rotate/finish", nil).want(t, 200)
		ada.call("POST", stopped+"/suspend", nil).want(t, 200)
		ada.call("POST", ended+"/revoke", nil).want(t, 200)
		ada.call("POST", ada.path("tokens", "revoke-all"), nil).want(t, 200)
		ada.call("POST", "/portal/v1/account/password", api.ChangePassword{Current: password, Password: "another " + password}).want(t, 204)
		bob.call("PATCH", "/portal/v1/account", api.UpdateAccount{Name: api.Some("Robert")}).want(t, 200)
		w.clock.advance(61 * time.Second)
		ada.call("PATCH", "/portal/v1/account", api.UpdateAccount{Name: api.Some("Ada")}).want(t, 200)
		ada.call("DELETE", "/portal/v1/session", nil).want(t, 204)
	})
}

// To verify a chain and to export it reads all of it.
func TestChainsPerPerson(t *testing.T) {
	const told = "You have verified or exported events too often within a minute."
	onEachStore(t, func(t *testing.T, w *world) {
		ada, bob := w.signUp("Ada"), w.signUp("Bob")
		bob.join(ada, "auditor")
		chain, export := ada.path("events", "chain"), ada.path("events", "export")
		for range 10 {
			ada.call("GET", chain, nil).want(t, 200)
			ada.call("GET", export, nil).want(t, 200)
			ada.call("HEAD", export, nil).want(t, 200)
		}
		ada.call("GET", chain, nil).tooMany(t, told)
		ada.call("GET", export, nil).tooMany(t, told)
		ada.call("GET", ada.path("events"), nil).want(t, 200)
		bob.call("GET", chain, nil).want(t, 200)
		w.clock.advance(61 * time.Second)
		ada.call("GET", chain, nil).want(t, 200)
	})
}
