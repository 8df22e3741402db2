package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// TestLeavingAndReturning leaves the list of tokens while many are being revoked,
// and the portal from another team than the first.
func TestLeavingAndReturning(t *testing.T) {
	s := start(t, stores[0].uri(t))
	ada := signUp(t, s, "Ada", "ada@partner.example", "Acme")
	const many = 20
	for i := range many {
		ada.token(api.CreateToken{Name: fmt.Sprintf("Shop %02d", i)}, "orders:read")
	}
	second, err := ada.api.CreateTeam(t.Context(), api.CreateTeam{Name: "Second"})
	if err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t, s.url)
	signIn := func() {
		b.fill("E-mail address", "ada@partner.example")
		b.fill("Password", password)
		b.press("Sign in")
	}
	b.open("/sign-in")
	signIn()
	b.at("/teams/" + ada.team)

	b.press("Tokens")
	b.see("Shop 19")
	b.tick("Select every token of this page", true)
	b.see("20 tokens selected")
	b.press("Revoke")
	b.press("Revoke 20 tokens")
	b.press("Audit")
	b.at("/teams/" + ada.team + "/audit")
	b.see("20 tokens revoked.")
	list, err := ada.api.Tokens(t.Context(), ada.team, client.TokenQuery{Status: "active"})
	if err != nil || len(list.Data) != 0 {
		t.Errorf("%d tokens are still active, %v", len(list.Data), err)
	}

	b.open("/teams/" + second.ID)
	b.see("Second")
	within(t, patience, "the team is remembered", func(ctx context.Context) bool {
		session, err := ada.api.Session(ctx)
		return err == nil && session.User.LastTeam == second.ID
	})
	b.press("Profile: Ada")
	b.press("Sign out")
	b.at("/sign-in")
	signIn()
	b.at("/teams/" + second.ID)
}
