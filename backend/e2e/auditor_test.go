package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"github.com/gatehouse-portal/gatehouse/backend/testskip"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// TestAuditor is the journey of an owner who looks at what an integration did:
// calls within two seconds, charts, last use, every event, the export, and the
// person's own security log.
func TestAuditor(t *testing.T) {
	for _, store := range stores {
		t.Run(store.name, func(t *testing.T) {
			testskip.Ran(t, "the journey of an auditor in a browser on "+store.name)
			s := start(t, store.uri(t))
			ada := signUp(t, s, "Ada", "ada@partner.example", "Acme")
			token, secret := ada.token(api.CreateToken{Name: "ERP integration"}, "orders:read")
			b := openBrowser(t, s.url)
			b.expect("422") // the wrong password below
			b.open("/sign-in")
			b.fill("E-mail address", "ada@partner.example")
			b.fill("Password", "not the password")
			b.press("Sign in")
			b.see("do not match")
			b.fill("Password", password)
			b.press("Sign in")
			b.at("/teams/" + ada.team)

			callsAppear(t, s, b, secret)
			usageIsShown(t, b, ada, token)
			if _, err := ada.api.RevokeToken(t.Context(), ada.team, token.ID, api.Reason{Reason: "unused"}); err != nil {
				t.Fatal(err)
			}
			newCaller(t, s.url, secret).want(401, "GET", "/api/v1/orders", "")
			eventsAreShown(b)
			exportVerifies(t, b, ada)

			b.press("Profile: Ada")
			b.press("Account")
			b.at("/account")
			b.press("Security log")
			b.see("signed in")
			b.see("tried a wrong password")
			b.see("signed up")
		})
	}
}

// callsAppear watches the call log while an integration calls.
func callsAppear(t *testing.T, s *server, b *browser, secret string) {
	t.Helper()
	b.press("Usage")
	b.press("Calls")
	b.see("No calls yet")
	erp := newCaller(t, s.url, secret)
	erp.want(200, "GET", "/api/v1/orders", "", "User-Agent", "erp/1.0")
	began := time.Now()
	// The log looks every two seconds for what was stored within half of one.
	b.askWithin(4*time.Second, "see", "/api/v1/orders")
	t.Logf("the call was on the screen after %v", time.Since(began).Round(10*time.Millisecond))
	erp.want(403, "POST", "/api/v1/orders", order)
	b.askWithin(4*time.Second, "see", "403")
	b.see("127.0.0.1")
	b.see("ERP integration")
}

func usageIsShown(t *testing.T, b *browser, ada *owner, token api.Token) {
	t.Helper()
	within(t, 2*time.Second, "the call is in the log", func(ctx context.Context) bool {
		calls, err := ada.api.TokenCalls(ctx, ada.team, token.ID, client.CallQuery{})
		return err == nil && len(calls.Data) == 2 && calls.Data[1].UserAgent == "erp/1.0"
	})
	b.press("Charts")
	b.see("Calls per day")
	// West of UTC a day's sum still stands under the day it is the sum of.
	b.run(emulation.SetTimezoneOverride("America/Los_Angeles"))
	today := time.Now().UTC()
	b.press("Show as table")
	b.see(today.Format("Jan 2, 2006"))
	b.see("GET /api/v1/orders")
	b.press("Tokens")
	b.see("ERP integration")
	b.gone("Never") // used, and so its last use is there
}

func eventsAreShown(b *browser) {
	b.press("Audit")
	for _, summary := range []string{
		"created the team Acme", "created the live token ERP integration", "revoked the token ERP integration", "tried a dead secret", "Chain verified",
	} {
		b.see(summary)
	}
	b.press("Ada revoked the token")
	b.see("token.revoked")
	b.press("Close")
	b.choose("Events", "Revoked")
	b.gone("created the team Acme")
}

// exportVerifies downloads the log from the page, verifies it with the command
// line, and finds out a change of one byte.
func exportVerifies(t *testing.T, b *browser, ada *owner) {
	t.Helper()
	text := b.download("Export")
	path, _ := binary()
	verify := func(content string) (string, error) {
		file := filepath.Join(t.TempDir(), "events.ndjson")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(path, "audit", "verify", file).CombinedOutput()
		return string(out), err
	}
	if out, err := verify(string(text)); err != nil || !strings.Contains(out, ada.team) {
		t.Errorf("audit verify: %v\n%s", err, out)
	}
	if out, err := verify(strings.Replace(string(text), `"reason":"unused"`, `"reason":"other"`, 1)); err == nil {
		t.Errorf("audit verify of a changed export found nothing:\n%s", out)
	}
}
