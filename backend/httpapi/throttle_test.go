package httpapi_test

import (
	"fmt"
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

// One person makes and rotates so many tokens an hour, in all teams together,
// and what was refused counts too. Stopping has no limit.
func TestSecretsPerPerson(t *testing.T) {
	const told = "You have made and rotated too many tokens within an hour."
	w := onOneStore(t, nil)
	ada, bob := w.signUp("Ada"), w.signUp("Bob")
	bob.join(ada, "owner")
	tok := ada.token("x").Token
	w.clock.advance(20 * time.Minute)
	for i := range 298 {
		path, body := ada.path("tokens"), any(newToken("y"))
		if i%2 == 0 {
			path, body = ada.path("tokens", tok.ID, "rotate"), nil
		}
		ada.call("POST", path, body).problem(t, 403, "fresh-sign-in-required")
	}
	ada.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: password}).want(t, 200)
	bob.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: password}).want(t, 200)
	ada.call("POST", ada.path("tokens", tok.ID, "rotate"), nil).want(t, 201)
	ada.call("POST", ada.path("tokens", tok.ID, "rotate"), nil).tooMany(t, told)
	ada.call("POST", ada.path("tokens"), newToken("y")).tooMany(t, told)
	bob.call("POST", ada.path("tokens"), newToken("y")).want(t, 201) // another person of the team
	ada.call("POST", ada.path("tokens", tok.ID, "revoke"), nil).want(t, 200)
	w.clock.advance(41 * time.Minute)
	ada.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: password}).want(t, 200)
	ada.token("z")
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
