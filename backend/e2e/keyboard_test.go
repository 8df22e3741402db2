package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp/kb"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// TestKeyboard reaches things without the mouse: the keys of the portal, and a
// token that is pasted into the palette, of which only the lookup id is used.
func TestKeyboard(t *testing.T) {
	s := start(t, "")
	ada := signUp(t, s, "Ada", "ada@partner.example", "Acme")
	token, secret := ada.token(api.CreateToken{Name: "ERP integration"}, "orders:read")
	b := openBrowser(t, s.url)
	b.open("/sign-in")
	b.fill("E-mail address", "ada@partner.example")
	b.fill("Password", password)
	b.keys(kb.Enter)
	b.at("/teams/" + ada.team)
	b.ask("heading")

	b.keys("n")
	b.at("/teams/[^/]+/tokens/new")
	b.open("/teams/" + ada.team + "/tokens")
	b.see("ERP integration")
	b.keys("/")
	b.ask("focused", "Search by name or id")
	b.open("/teams/" + ada.team)
	b.ask("heading")
	b.keys("?")
	b.see("Keyboard shortcuts")
	b.keys(kb.Escape)
	b.gone("Keyboard shortcuts")

	b.keys("k", input.ModifierCtrl)
	b.ask("dialog")
	b.run(input.InsertText(secret))
	b.see(token.ID)
	if strings.Contains(b.everything(), secret[len("gtk_live_")+13:]) {
		t.Error("the pasted secret is in the page")
	}
	b.keys(kb.Enter)
	b.at("/teams/[^/]+/tokens/" + token.ID)
	if strings.Contains(s.logged(), secret[len("gtk_live_")+13:]) {
		t.Error("the pasted secret was sent to the server")
	}
}
