package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/testskip"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// TestPartner is the journey of a partner: from signing up to the receipt of a
// revocation, with nothing secret left behind.
func TestPartner(t *testing.T) {
	for _, store := range stores {
		t.Run(store.name, func(t *testing.T) {
			testskip.Ran(t, "the journey of a partner in a browser on "+store.name)
			s := start(t, store.uri(t))
			b := openBrowser(t, s.url)
			p := &partner{t: t, s: s, b: b}
			p.signsUp()
			p.createsToken()
			p.findsToken()
			p.changesToken()
			p.suspendsAndResumes()
			p.rotates()
			p.undoes()
			p.revokes()
			p.signsOut()
			for _, secret := range p.secrets {
				if strings.Contains(s.logged(), secret) {
					t.Error("the log holds a secret")
				}
			}
		})
	}
}

// partner is somebody at the browser, with an integration beside.
type partner struct {
	t       *testing.T
	s       *server
	b       *browser
	token   string   // id
	secrets []string // the secret part of every token that was shown
	erp     *caller  // with the secret in use
}

func (p *partner) signsUp() {
	b := p.b
	b.open("/")
	b.at("/sign-in")
	b.press("Create one")
	b.at("/sign-up")
	b.fill("Your name", "Ada Lovelace")
	b.fill("E-mail address", "ada@partner.example")
	b.fill("Password", "short")
	b.fill("Team name", "Acme Logistics")
	b.press("Create account")
	b.see("12") // the rule that is broken
	b.fill("Password", password)
	b.press("Create account")
	b.see("ada@partner.example")
	link := p.s.mailedLink("ada@partner.example")
	b.open(link)
	b.at("/teams/tea_[0-9A-Z]+")
	b.see("First steps")
	if all := b.everything(); strings.Contains(all, strings.TrimPrefix(link, "/verify/")) {
		p.t.Error("the code of the mail is still in the page")
	}
}

// reveal reads the secret that is shown, keeps what is secret of it, and closes.
func (p *partner) reveal() string {
	b := p.b
	b.see("It is shown this once")
	secret := b.ask("secret")
	b.press("Copy the token")
	b.see("Copied")
	p.secrets = append(p.secrets, secret[len("gtk_live_")+13:])
	if strings.Contains(b.path(), secret[22:]) {
		p.t.Error("the secret is in the address")
	}
	b.press("I have stored it")
	b.gone("It is shown this once")
	p.nothingLeft()
	return secret
}

// nothingLeft looks for secrets in the page, its address and its storage.
func (p *partner) nothingLeft() {
	p.t.Helper()
	all := p.b.everything()
	for _, secret := range p.secrets {
		if strings.Contains(all, secret) {
			p.t.Error("a secret is still in the page")
		}
	}
	if strings.Contains(all, password) {
		p.t.Error("the password is still in the page")
	}
}

func (p *partner) createsToken() {
	b := p.b
	b.press("Create token")
	b.at("/teams/[^/]+/tokens/new")
	b.see("What this token will do")
	b.press("Create token")
	b.see("Give it a name.") // and the field has the focus, before anything is typed
	b.fill("Name", "ERP integration")
	b.tick("Live", true)
	b.tick("Read orders", true)
	b.tick("90 days", true)
	b.fill("Addresses", "127.0.0.1")
	b.press("Use my address")
	b.press("Create token")
	secret := p.reveal()
	b.at("/teams/[^/]+/tokens/[0-9A-Za-z]{12}")
	b.see("ERP integration")
	p.token = b.path()[strings.LastIndex(b.path(), "/")+1:]
	p.erp = newCaller(p.t, p.s.url, secret)
	p.erp.want(200, "GET", "/api/v1/token", "")
	p.erp.want(200, "GET", "/api/v1/orders", "")
	p.erp.want(403, "POST", "/api/v1/orders", order)
}

func (p *partner) findsToken() {
	b := p.b
	b.press("Tokens")
	b.at("/teams/[^/]+/tokens")
	b.see("ERP integration")
	b.fill("Search by name or id", "nothing like it")
	b.see("No token matches")
	b.fill("Search by name or id", "erp")
	b.see("ERP integration")
	b.choose("Status", "Suspended")
	b.see("No token matches")
	b.press("Clear the filters")
	b.see("ERP integration")
	b.press("ERP integration")
	b.at("/teams/[^/]+/tokens/" + p.token)
}

// changesToken renames the token, widens it and narrows it again. Widening asks
// for the password when the sign-in is old; a quarter of an hour is not waited
// for here, so the refusal is put in the server's mouth. That it is made at the
// right time is tested in backend/portal, with its clock.
func (p *partner) changesToken() {
	b := p.b
	b.press("Edit the name")
	b.fill("Name", "ERP integration 2")
	b.press("Save name")
	b.see("ERP integration 2")
	b.gone("Saving")

	b.press("Edit the abilities")
	b.tick("Create, change and cancel orders", true)
	b.refuseOnce("PATCH", `{"type":"/problems/fresh-sign-in-required","title":"The password is due","status":403}`)
	b.press("Save abilities")
	b.see("Confirm it is you")
	b.fill("Password", password)
	b.press("Confirm")
	b.gone("Confirm it is you")
	b.gone("Save abilities")
	b.gone("Saving")
	p.erp.want(201, "POST", "/api/v1/orders", order)
	b.press("Edit the abilities")
	b.tick("Create, change and cancel orders", false)
	b.press("Save abilities")
	b.gone("Save abilities")
	b.gone("Saving")
	p.erp.want(403, "POST", "/api/v1/orders", order)
}

func (p *partner) suspendsAndResumes() {
	b := p.b
	b.press("Suspend")
	b.press("Suspend token")
	b.see("Every call with it is refused until it is resumed")
	if text := p.erp.want(401, "GET", "/api/v1/token", ""); !strings.Contains(text, `"code":"suspended"`) {
		p.t.Errorf("suspended: got %s", text)
	}
	b.press("Resume")
	b.press("Resume token")
	b.gone("Suspended")
	b.gone("Saving")
	p.erp.want(200, "GET", "/api/v1/token", "")
}

func (p *partner) rotates() {
	b := p.b
	b.press("Rotate")
	b.press("Rotate secret")
	secret := p.reveal()
	b.see("Waits for first use")
	p.erp.want(200, "GET", "/api/v1/token", "")
	next := newCaller(p.t, p.s.url, secret)
	var me api.WhoAmI
	if err := json.Unmarshal([]byte(next.want(200, "GET", "/api/v1/token", "")), &me); err != nil || me.Generation.Number != 2 {
		p.t.Errorf("the new secret is of generation %d, %v", me.Generation.Number, err)
	}
	p.erp.want(200, "GET", "/api/v1/token", "") // the overlap
	b.see("Retiring")
	b.press("Finish now")
	b.press("End old secret")
	b.gone("Retiring")
	b.gone("Saving")
	if text := p.erp.want(401, "GET", "/api/v1/token", ""); !strings.Contains(text, `"code":"generation-ended"`) {
		p.t.Errorf("the old secret: got %s", text)
	}
	p.erp = next
}

func (p *partner) undoes() {
	b := p.b
	b.press("Rotate")
	b.press("Rotate secret")
	secret := p.reveal()
	b.see("Waits for first use")
	b.press("Undo")
	b.press("Undo rotation")
	b.gone("Waits for first use")
	b.gone("Saving")
	newCaller(p.t, p.s.url, secret).want(401, "GET", "/api/v1/token", "")
	p.erp.want(200, "GET", "/api/v1/token", "")
}

func (p *partner) revokes() {
	b := p.b
	b.press("Revoke")
	b.see("127.0.0.1") // who uses it and what will break
	b.choose("Reason", "Replaced by another token")
	b.fill("Type “ERP integration 2” to confirm", "ERP integration 2")
	b.press("Revoke token")
	b.see("Refused everywhere from this moment")
	if text := p.erp.want(401, "GET", "/api/v1/token", ""); !strings.Contains(text, `"code":"revoked"`) {
		p.t.Errorf("revoked: got %s", text)
	}
}

func (p *partner) signsOut() {
	b := p.b
	b.press("Profile: Ada Lovelace")
	b.press("Sign out")
	b.at("/sign-in")
	p.nothingLeft()
	b.open("/teams/none")
	b.at("/sign-in")
}
