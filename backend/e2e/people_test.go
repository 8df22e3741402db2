package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
	"github.com/gatehouse-portal/gatehouse/shared/client/nethttp"
)

const password = "a long phrase nobody guesses"

// owner is somebody who signed up through the API, with a team.
type owner struct {
	t    *testing.T
	api  *client.Client
	team string
}

// signUp makes an account as the portal's program does, mail included.
func signUp(t *testing.T, s *server, name, email, team string) *owner {
	t.Helper()
	o := &owner{t: t, api: nethttp.Portal(s.url)}
	ctx := t.Context()
	if err := o.api.SignUp(ctx, api.SignUp{Name: name, Email: email, Password: password, TeamName: team}); err != nil {
		t.Fatal(err)
	}
	code := strings.TrimPrefix(s.mailedLink(email), "/verify/")
	result, err := o.api.VerifyEmail(ctx, code)
	if err != nil || result.Status != api.SignedIn {
		t.Fatalf("verify: got %q, %v, want %q", result.Status, err, api.SignedIn)
	}
	session, err := o.api.Session(ctx)
	if err != nil || len(session.Teams) != 1 {
		t.Fatalf("session: %v, %d teams", err, len(session.Teams))
	}
	o.team = session.Teams[0].Team.ID
	return o
}

// token makes a token and returns it with its secret.
func (o *owner) token(r api.CreateToken, abilities ...string) (api.Token, string) {
	o.t.Helper()
	r.Abilities = &abilities
	if r.Env == "" {
		r.Env = "live"
	}
	issued, err := o.api.CreateToken(o.t.Context(), o.team, "", r)
	if err != nil {
		o.t.Fatalf("create %s: %v", r.Name, err)
	}
	return issued.Token, issued.Secret
}

// within repeats look until it is true.
func within(t *testing.T, limit time.Duration, what string, look func(ctx context.Context) bool) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(25 * time.Millisecond) {
		if look(t.Context()) {
			return
		}
		if time.Since(begin) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}
