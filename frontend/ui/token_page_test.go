package ui

import (
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// tokenDesk is a server with one token, and the page that shows it to somebody.
func tokenDesk(t *testing.T, tok api.Token, role, query string) (*desk, *tokenPage, func(func(app.Context))) {
	t.Helper()
	d := deskWith(map[string]any{
		"GET /tokens/tok1":       answer(tok, `"7"`),
		"GET /tokens/tok1/usage": api.Usage{Series: []api.Series{{Points: []api.Point{{At: api.At(today), Calls: 214}}}}},
		"GET /tokens/tok1/calls": api.List[api.Call]{Data: []api.Call{{At: api.At(today), Address: "10.2.3.4", UserAgent: "curl/8"}}},
	})
	place := at(d, role, "/tokens/tok1"+query)
	place.ID = "tok1"
	p := &tokenPage{At: place}
	return d, p, page(t, p)
}

func TestTokenPageOffersWhatMayBeDone(t *testing.T) {
	tests := []struct {
		name, role string
		change     func(*api.Token)
		wants      []string
	}{
		{"the maker", "developer", nil, []string{"Rotate", "Suspend", "Revoke", "Edit the name", "Events", "!Resume"}},
		{
			"another developer", "developer", func(t *api.Token) { t.MayManage, t.CreatedBy = false, api.Person{ID: "usr_ben", Name: "Ben"} },
			[]string{"Only Ben, who made it", "!Rotate<", "!Edit the name", "!Events"},
		},
		{
			"an auditor", "auditor", func(t *api.Token) { t.MayManage, t.CreatedBy = false, api.Person{ID: "usr_ben", Name: "Ben"} },
			[]string{"Events", "!Only Ben", "!Rotate<", "!Edit the name"},
		},
		{"suspended", "owner", func(t *api.Token) { t.Status = "suspended" }, []string{"Resume", "Every call with it is refused until it is resumed.", "No secret works while the token is suspended.", "!One secret works", "!is-active", "!>Suspend<"}},
		{"revoked", "owner", func(t *api.Token) { t.Status, t.RevokedAt = "revoked", api.At(today) }, []string{"This token is revoked", "Refused everywhere from this moment.", "!Rotate<", "!Edit the name"}},
		{
			"under its limit", "owner", func(t *api.Token) { t.Limits = []api.Limit{{Quota: 600, WindowSeconds: 60, Remaining: 598}} },
			[]string{"Requests left now", ">598<"},
		},
		{"expiring", "owner", func(t *api.Token) { t.ExpiresAt = api.At(today.AddDate(0, 0, 3)) }, []string{"It expires in 3 days", "Change the expiry"}},
		{"not begun", "owner", func(t *api.Token) { t.Status, t.NotBefore = "pending", api.At(today.AddDate(0, 0, 3)) }, []string{"It starts to work on", "No secret works before the token becomes valid.", "!One secret works"}},
		{
			"rotating", "owner", func(t *api.Token) {
				t.Generations = append(t.Generations, api.Generation{Number: 2, Status: "pending", CreatedAt: api.At(today)})
			},
			[]string{"Finish now", "Undo", "Waits for first use"},
		},
		{
			"in overlap", "owner", func(t *api.Token) {
				t.Generations[0].Status, t.Generations[0].EndsAt = "retiring", api.At(today.AddDate(0, 0, 1))
				t.Generations = append(t.Generations, api.Generation{Number: 2, Status: "active", CreatedAt: api.At(today)})
			},
			[]string{"Finish now", "!>Undo<", "Retiring"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, p, _ := tokenDesk(t, live(tt.change), tt.role, "")
			drawn(t, p, append(tt.wants, "ERP", "Read orders")...)
		})
	}
}

func TestTokenPageOfNothing(t *testing.T) {
	place := at(deskWith(nil), "owner", "/tokens/tok9")
	place.ID = "tok9"
	p := &tokenPage{At: place}
	page(t, p)
	drawn(t, p, "Not found", "<h1", "There is nothing here", "!Rotate", "!Try again")
}

func TestEditKeepsWhatWasTypedWhenSomebodyWasFaster(t *testing.T) {
	d, p, do := tokenDesk(t, live(nil), "owner", "")
	d.on("PATCH /tokens/tok1",
		problem(412, "changed", ""),
		answer(live(func(t *api.Token) { t.Name, t.Note = "Shop", "by Ben" }), `"9"`))
	d.on("GET /tokens/tok1", answer(live(func(t *api.Token) { t.Note = "by Ben" }), `"8"`))
	do(func(ctx app.Context) { p.startEdit(ctx, "name") })
	drawn(t, p, "Save name", "!Edit the note")
	do(func(ctx app.Context) {
		p.edit.form.Name = "Shop"
		p.saveEdit(ctx)
		p.saveEdit(ctx) // a double click
	})
	drawn(t, p, "This token was changed meanwhile", "The note is now “by Ben”.", `value="Shop"`)
	do(func(ctx app.Context) { p.saveEdit(ctx) })
	drawn(t, p, "!Save name", "Shop", "by Ben")
	sent := d.sent("PATCH", "/tok1")
	if len(sent) != 2 || sent[0].Header["If-Match"] != `"7"` || sent[1].Header["If-Match"] != `"8"` {
		t.Fatalf("got %+v", sent)
	}
	if got := string(sent[1].Body); got != `{"name":"Shop"}` {
		t.Errorf("got %s, want only the name", got)
	}
}

func TestEditSendsOneThing(t *testing.T) {
	tests := []struct {
		what   string
		change func(*token.Form)
		want   string
		shown  string // while it is edited
	}{
		{"note", func(f *token.Form) { f.Note = "" }, `{"note":""}`, "Save note"},
		{"abilities", func(f *token.Form) { f.Abilities = []string{"orders:write", "orders:read"} }, `{"abilities":["orders:read","orders:write"]}`, "your password may be asked for"},
		{"abilities", func(f *token.Form) { f.Abilities = nil }, `{"abilities":[]}`, "Save abilities"},
		{"addresses", func(f *token.Form) { f.Addresses = "10.0.0.0/8\n203.0.113.7" }, `{"addresses":["10.0.0.0/8","203.0.113.7"]}`, "Save addresses"},
		{"limit", func(f *token.Form) { f.Limit = token.Limit{Own: true, Quota: "6000", Per: "minute"} }, `{"rate_limit":{"quota":6000,"window_seconds":60}}`, "your password may be asked for"},
		{"limit", func(f *token.Form) { f.Limit.Own = false }, `{"rate_limit":null}`, "Save limit"},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			d, p, do := tokenDesk(t, live(func(t *api.Token) { t.Note = "x" }), "owner", "")
			d.on("PATCH /tokens/tok1", answer(live(nil), `"8"`))
			do(func(ctx app.Context) {
				p.startEdit(ctx, tt.what)
				tt.change(&p.edit.form)
			})
			drawn(t, p, tt.shown)
			do(func(ctx app.Context) { p.saveEdit(ctx) })
			sent := d.sent("PATCH", "/tok1")
			if len(sent) != 1 || string(sent[0].Body) != tt.want {
				t.Errorf("got %+v, want %s", sent, tt.want)
			}
			if p.edit.what != "" {
				t.Error("the edit is still open")
			}
		})
	}
}

func TestEditIsCheckedHere(t *testing.T) {
	tests := []struct {
		what   string
		change func(*token.Form)
		want   string
	}{
		{"name", func(f *token.Form) { f.Name = " " }, "Give it a name."},
		{"note", func(f *token.Form) { f.Note = "\x00" }, "without control characters"},
		{"note", func(f *token.Form) { f.Note = "gtk_live_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A" }, "Take the secret out"},
		{"addresses", func(f *token.Form) { f.Addresses = "home" }, "This is not an IP address or network."},
		{"limit", func(f *token.Form) { f.Limit = token.Limit{Own: true, Quota: "0", Per: "minute"} }, "at least 1"},
		{"expiry", func(f *token.Form) { f.Expiry = token.Expiry{Choice: token.OnDate, Date: "2001-01-01"} }, "This day is over."},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			d, p, do := tokenDesk(t, live(nil), "owner", "")
			do(func(ctx app.Context) {
				p.startEdit(ctx, tt.what)
				tt.change(&p.edit.form)
				p.saveEdit(ctx)
			})
			drawn(t, p, tt.want)
			if n := len(d.sent("PATCH", "/tok1")); n != 0 || p.edit.what == "" {
				t.Errorf("%d requests were sent, editing %q", n, p.edit.what)
			}
		})
	}
}

func TestUnusedAbilitiesAreDroppedInOneClick(t *testing.T) {
	d, p, do := tokenDesk(t, live(func(t *api.Token) { t.Abilities = []string{"orders:read", "orders:write"} }), "owner", "")
	d.on("GET /tokens/tok1/usage", api.Usage{Series: []api.Series{{Key: "GET /api/v1/orders", Points: []api.Point{{At: api.At(today), Calls: 1}}}}})
	d.on("PATCH /tokens/tok1", answer(live(nil), `"8"`))
	do(func(ctx app.Context) { p.fetchRoutes(ctx) })
	drawn(t, p, "Drop 1 unused ability", "not used in 30 days")
	do(func(ctx app.Context) { p.drop(ctx, []string{"orders:write"}) })
	if sent := d.sent("PATCH", "/tok1"); len(sent) != 1 || string(sent[0].Body) != `{"abilities":["orders:read"]}` {
		t.Errorf("got %+v", sent)
	}
	drawn(t, p, "!unused ability")
}

func TestRotationShowsTheNewSecretOnce(t *testing.T) {
	const secret = "gtk_live_tok1_new"
	d, p, do := tokenDesk(t, live(nil), "owner", "")
	rotating := live(func(t *api.Token) {
		t.Generations = append(t.Generations, api.Generation{Number: 2, Status: "pending", CreatedAt: api.At(today)})
	})
	d.on("POST /tokens/tok1/rotate", api.IssuedToken{Token: rotating, Secret: secret})
	do(func(ctx app.Context) { p.askRotate(ctx) })
	drawn(t, p, "Rotate “ERP”", "At the first use", "7 days")
	d.on("GET /tokens/tok1", answer(rotating, `"8"`))
	do(func(ctx app.Context) {
		p.rotation.overlap = "3600"
		p.rotate(ctx)
		p.rotate(ctx)
	})
	drawn(t, p, secret, "Undo", "!Rotate secret")
	sent := d.sent("POST", "/rotate")
	if len(sent) != 1 || sent[0].Header["Idempotency-Key"] == "" || string(sent[0].Body) != `{"overlap_seconds":3600,"activate":"on_first_use"}` {
		t.Errorf("got %+v", sent)
	}
	do(p.reveal.stored)
	drawn(t, p, "!"+secret)

	d.on("POST /tokens/tok1/rotate/undo", live(nil))
	d.on("GET /tokens/tok1", answer(live(nil), `"9"`))
	do(func(ctx app.Context) { p.askUndo(ctx) })
	drawn(t, p, "Undo the rotation?")
	do(func(ctx app.Context) { p.endRotation(ctx) })
	drawn(t, p, "!Undo", "!Finish now")
}

func TestRotationWhoseAnswerWasLost(t *testing.T) {
	d, p, do := tokenDesk(t, live(nil), "owner", "")
	d.on("POST /tokens/tok1/rotate", api.IssuedToken{Token: live(nil)})
	do(func(ctx app.Context) {
		p.askRotate(ctx)
		p.rotate(ctx)
	})
	drawn(t, p, "its answer was lost on the way")
	first := d.sent("POST", "/rotate")[0].Header["Idempotency-Key"]
	do(func(ctx app.Context) { p.rotate(ctx) })
	if again := d.sent("POST", "/rotate")[1].Header["Idempotency-Key"]; again == first {
		t.Error("another try would get the same answer")
	}
}

// What is asked for is shown before the server has answered, and taken back if it
// refuses: with what was typed, and why.
func TestChangesAreShownAtOnce(t *testing.T) {
	rotating := func(t *api.Token) {
		t.Generations = append(t.Generations, api.Generation{Number: 2, Status: "pending", CreatedAt: api.At(today)})
	}
	tests := []struct {
		name, key string
		from      func(*api.Token)
		ask       func(*tokenPage, app.Context)
		send      func(*tokenPage, app.Context)
		shown     []string // while the server is asked
		back      []string // after it refused
	}{
		{
			"a name", "PATCH /tokens/tok1", nil,
			func(p *tokenPage, ctx app.Context) { p.startEdit(ctx, "name"); p.edit.form.Name = "Shop" }, (*tokenPage).saveEdit,
			[]string{">Shop<", "!Save name", "Saving"},
			[]string{`value="Shop"`, "Not today."},
		},
		{
			"fewer abilities", "PATCH /tokens/tok1", nil,
			func(p *tokenPage, ctx app.Context) { p.startEdit(ctx, "abilities"); p.edit.form.Abilities = nil }, (*tokenPage).saveEdit,
			[]string{"No abilities", "Saving"},
			[]string{"Save abilities", "Not today."},
		},
		{
			"suspend", "POST /tokens/tok1/suspend", nil,
			func(p *tokenPage, ctx app.Context) { p.askSuspend(ctx) }, (*tokenPage).sendStop,
			[]string{">Suspended<", "It is being suspended.", "!is refused until"},
			[]string{"Suspend “ERP”?", "Not today.", ">Active<"},
		},
		{
			"resume", "POST /tokens/tok1/resume", func(t *api.Token) { t.Status = "suspended" },
			func(p *tokenPage, ctx app.Context) { p.askResume(ctx) }, (*tokenPage).sendStop,
			[]string{">Active<", "Saving"},
			[]string{"Resume “ERP”?", "Not today.", ">Suspended<"},
		},
		{
			// That it is refused everywhere is for the server to say.
			"revoke", "POST /tokens/tok1/revoke", nil,
			func(p *tokenPage, ctx app.Context) { p.askRevoke(ctx) }, (*tokenPage).sendStop,
			[]string{">Revoked<", "It is being revoked.", "!Refused everywhere", "!>Rotate<"},
			[]string{"Revoke “ERP”?", "Not today.", ">Active<"},
		},
		{
			"undo a rotation", "POST /tokens/tok1/rotate/undo", rotating,
			func(p *tokenPage, ctx app.Context) { p.askUndo(ctx) }, (*tokenPage).endRotation,
			[]string{"!Waits for first use", "!Undo"},
			[]string{"Undo the rotation?", "Not today.", "Waits for first use"},
		},
		{
			"finish a rotation", "POST /tokens/tok1/rotate/finish", rotating,
			func(p *tokenPage, ctx app.Context) { p.askFinish(ctx) }, (*tokenPage).endRotation,
			[]string{"!Waits for first use", "!Finish now"},
			[]string{"End the old secret now?", "Not today.", "Waits for first use"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, p, do := tokenDesk(t, live(tt.from), "owner", "")
			asked := false
			d.on(tt.key, func() client.Response {
				asked = true
				drawn(t, p.Render(), tt.shown...) // as it will be drawn next
				return problem(403, "role-not-allowed", "Not today.")
			})
			do(func(ctx app.Context) {
				tt.ask(p, ctx)
				tt.send(p, ctx)
				tt.send(p, ctx) // a double click
			})
			drawn(t, p, append(tt.back, "!Saving")...)
			if !asked || p.saving {
				t.Errorf("asked %v, still saving %v", asked, p.saving)
			}
		})
	}
}

func TestRevocationSaysWhatItBreaksAndProvesIt(t *testing.T) {
	d, p, do := tokenDesk(t, live(nil), "owner", "")
	do(func(ctx app.Context) { p.askRevoke(ctx) })
	drawn(t, p, "Revoke “ERP”?", "214 times today by 10.2.3.4 (curl/8)", "Type “ERP” to confirm", "This cannot be undone.")
	over := live(func(t *api.Token) {
		why := "compromised"
		t.Status, t.RevokedAt, t.RevokedBy, t.RevokeReason = "revoked", api.At(today), &api.Person{ID: "usr_ada", Name: "Ada"}, &why
	})
	d.on("POST /tokens/tok1/revoke", api.Receipt{ID: "tok1", Status: "revoked", At: api.At(today), Rev: 48214})
	d.on("GET /tokens/tok1", answer(over, `"8"`))
	do(func(ctx app.Context) {
		p.stop.reason, p.stop.note = "compromised", "in a public repository"
		p.sendStop(ctx)
		p.sendStop(ctx)
	})
	sent := d.sent("POST", "/revoke")
	if len(sent) != 1 || string(sent[0].Body) != `{"reason":"compromised","note":"in a public repository"}` {
		t.Errorf("got %+v", sent)
	}
	drawn(t, p, "This token is revoked", "48214", "Leaked, or may have", "in a public repository", "Ada", "!Revoke token", "!Suspend<")
}

func TestAStopThatIsRefusedIsSaid(t *testing.T) {
	d, p, do := tokenDesk(t, live(func(t *api.Token) { t.Env = "test" }), "owner", "")
	d.on("POST /tokens/tok1/suspend", problem(403, "role-not-allowed", "This token was made by somebody else."))
	do(func(ctx app.Context) { p.askSuspend(ctx) })
	drawn(t, p, "Suspend “ERP”?", "!to confirm")
	do(func(ctx app.Context) { p.sendStop(ctx) })
	drawn(t, p, "This token was made by somebody else.", "Suspend “ERP”?")
}

func TestAReasonIsCheckedHere(t *testing.T) {
	d, p, do := tokenDesk(t, live(nil), "owner", "")
	do(func(ctx app.Context) {
		p.askRevoke(ctx)
		p.stop.note = "it was gtk_live_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"
		p.sendStop(ctx)
	})
	drawn(t, p, "Revoke “ERP”?", "This holds a whole token. Take the secret out")
	if n := len(d.sent("POST", "/revoke")); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestAReceiptIsThereAfterReloading(t *testing.T) {
	over := live(func(t *api.Token) { t.Status, t.RevokedAt = "revoked", api.At(today) })
	d, p, do := tokenDesk(t, over, "owner", "")
	d.on("GET /tokens/tok1/events", api.List[api.Event]{Data: []api.Event{{Seq: 48214, Data: map[string]any{"note": "Ticket OPS-4711"}}}})
	p.receipt.Reset()
	do(func(ctx app.Context) { p.fetch(ctx) })
	drawn(t, p, "48214", "Ticket OPS-4711")
	if r := d.sent("GET", "/events"); !strings.Contains(r[len(r)-1].Path, "action=token.revoked&limit=1") {
		t.Errorf("got %s", r[len(r)-1].Path)
	}
}
