package ui

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// tokenStop is the dialog that suspends, resumes or revokes a token.
type tokenStop struct {
	verb   string // suspend, resume or revoke; "" if closed
	reason string
	note   string
	typed  string
	failed string
	errs   kit.Errors
	use    kit.Load[tokenUse]
}

// tokenUse is who uses a token today.
type tokenUse struct {
	today int64
	calls []api.Call
}

func (p *tokenPage) askSuspend(ctx app.Context) { p.askStop(ctx, "suspend") }
func (p *tokenPage) askResume(ctx app.Context)  { p.askStop(ctx, "resume") }
func (p *tokenPage) askRevoke(ctx app.Context)  { p.askStop(ctx, "revoke") }

func (p *tokenPage) askStop(ctx app.Context, verb string) {
	if p.saving {
		return
	}
	p.stop = tokenStop{verb: verb}
	if verb == "resume" {
		return
	}
	at, from, to := p.At, token.Midnight(p.now, bridge.LocalTime), p.now
	p.stop.use.Fetch(ctx, p, func(ctx context.Context) (tokenUse, error) { return fetchUse(ctx, at, from, to) })
}

// fetchUse asks how often a token was used since from, and by whom.
func fetchUse(ctx context.Context, at Place, from, to time.Time) (tokenUse, error) {
	var use tokenUse
	usage, err := at.API.TokenUsage(ctx, at.Team.Team.ID, at.ID, client.UsageQuery{From: from, To: to, Step: "hour"})
	if err != nil {
		return use, err
	}
	for _, s := range usage.Series {
		for _, point := range s.Points {
			if !point.At.Before(from.Truncate(time.Hour)) {
				use.today += point.Calls
			}
		}
	}
	calls, err := at.API.TokenCalls(ctx, at.Team.Team.ID, at.ID, client.CallQuery{Limit: token.LastCalls})
	use.calls = calls.Data
	return use, err
}

func (p *tokenPage) closeStop(app.Context) { p.stop = tokenStop{} }

// dialog asks before a token is stopped, or started again.
func (s *tokenStop) dialog(p *tokenPage) app.UI {
	t, ok := p.token.Get()
	if s.verb == "" || !ok {
		return kit.Nothing()
	}
	o := kit.ConfirmOpts{ID: "stop-token", Error: s.failed, OnYes: p.sendStop, OnClose: p.closeStop}
	switch s.verb {
	case "resume":
		o.Title, o.Verb = "Resume “"+t.Name+"”?", "Resume token"
		o.Text = "Its secret works again from the moment you confirm. Your password may be asked for."
		return kit.Confirm(o)
	case "suspend":
		o.Title, o.Verb = "Suspend “"+t.Name+"”?", "Suspend token"
		o.Text = "Every call with it is refused from the moment you confirm, until it is resumed."
		o.Body = []app.UI{s.breakage(t.Token, p.now), reasonSelect("stop-reason", &s.reason)}
	default:
		o.Title, o.Verb, o.Look = "Revoke “"+t.Name+"”?", "Revoke token", kit.Danger
		o.Text = "It is refused everywhere from the moment you confirm. This cannot be undone."
		o.Body = []app.UI{
			s.breakage(t.Token, p.now), reasonSelect("stop-reason", &s.reason),
			kit.Area(kit.TextOpts{ID: "stop-note", Label: "Note", Optional: true, Bind: &s.note, Error: s.errs.At("#/note"), Rows: 2, Max: 1000, Hint: "For whoever reads the audit log later."}),
		}
		if token.MustType(t.Token, p.now) {
			o.Type, o.Bind = t.Name, &s.typed
		}
	}
	return kit.Confirm(o)
}

// breakage says what stops with the token. Its place is there from the first, so
// that nothing jumps.
func (s *tokenStop) breakage(t api.Token, now time.Time) app.UI {
	use, known := s.use.Get()
	if !known {
		use.today = -1
	}
	b := token.WillBreak(t, use.today, use.calls, now)
	kind := kit.Neutral
	if b.Grave {
		kind = kit.Warn
	}
	body := []app.UI{app.P().Text(b.Text)}
	if len(b.Callers) > 2 { // two are in the sentence
		items := make([]app.UI, 0, len(b.Callers))
		for _, c := range b.Callers {
			line := []app.UI{kit.ID(c.Address)}
			if c.Client != "" {
				line = append(line, app.Span().Text(c.Client))
			}
			items = append(items, app.Li().Body(append(line, app.Span().Class("muted").Text(kit.Number(int64(c.Calls))+" of the latest "+kit.Number(int64(len(use.calls)))))...))
		}
		body = append(body, app.Ul().Class("caller-list").Body(items...))
	}
	return app.Div().Class("banner", kind).Attr("role", "status").Attr("aria-busy", kit.Aria(s.use.Busy())).Body(kit.Icon(kit.KindIcon(kind)), app.Div().Body(body...))
}

// sendStop closes the dialog and shows what was asked for. If it is refused the
// dialog is there again and says why.
func (p *tokenPage) sendStop(ctx app.Context) {
	t, ok := p.token.Get()
	if !ok || p.stop.verb == "" || p.saving {
		return
	}
	why := api.Reason{Reason: p.stop.reason, Note: p.stop.note}
	if !p.stop.errs.Check(why) {
		focusWrong(ctx)
		return
	}
	at, stop := p.At, p.stop
	next, act := t.Token, at.API.RevokeToken
	switch stop.verb {
	case "suspend":
		next.Status, act = api.TokenSuspended, at.API.SuspendToken
		if why.Reason != "" {
			next.SuspendReason = &why.Reason
		}
	case "resume":
		next.Status, act = token.Resumed(t.Token, p.now), at.API.ResumeToken
	default:
		next.Status, next.RevokedAt = api.TokenRevoked, api.At(p.now)
	}
	p.stop, p.edit, p.rotation = tokenStop{}, tokenEdit{}, tokenRotation{}
	if stop.verb == "revoke" { // the button that would get the focus back goes
		later(ctx, p, func(app.Context) { bridge.Focus("#main") })
	}
	var receipt api.Receipt
	p.attempt(ctx, "“"+t.Name+"” is not "+stopped[stop.verb]+".", next, func(ctx context.Context) (fresh taggedToken, err error) {
		if receipt, err = act(ctx, at.Team.Team.ID, at.ID, why); err != nil {
			return fresh, err
		}
		return p.get(ctx, at)
	}, func(ctx app.Context, fresh taggedToken, err error) {
		switch {
		case err != nil:
			p.stop = stop
			p.stop.failed = sentence(err)
			if kit.Silent(err) {
				p.stop = tokenStop{}
			}
		case stop.verb == "suspend":
			kit.Toast(ctx, kit.Good, "The token is suspended.")
		case stop.verb == "resume":
			kit.Toast(ctx, kit.Good, "The token works again.")
		case fresh.Status == api.TokenRevoked:
			p.receipt.Set(api.List[api.Event]{Data: []api.Event{{
				Seq: receipt.Rev, At: receipt.At, ActorName: p.At.User.Name, Data: map[string]any{"note": why.Note},
			}}})
		}
	})
}

// stopped is what a token is after each of the verbs.
var stopped = map[string]string{"suspend": "suspended", "resume": "resumed", "revoke": "revoked"}

// revoked draws the receipt of a revocation.
func (p *tokenPage) revoked(t api.Token) app.UI {
	by := "–"
	if t.RevokedBy != nil {
		by = t.RevokedBy.Name
	}
	facts := []kit.Pair{
		{Name: "When", Value: kit.At(t.RevokedAt, bridge.Second)},
		{Name: "By whom", Value: app.Text(by)},
	}
	var event api.Event
	if list, ok := p.receipt.Get(); ok && len(list.Data) > 0 {
		event = list.Data[0]
		facts = append(facts, kit.Pair{Name: "Revision", Value: kit.ID(kit.Number(event.Seq))})
	}
	if t.RevokeReason != nil {
		facts = append(facts, kit.Pair{Name: "Reason", Value: app.Text(reasonWords(*t.RevokeReason))})
	}
	facts = append(facts, noteFact(event)...)
	facts = append(facts, kit.Pair{Name: "Token", Value: kit.ID(t.ID)})
	return kit.Receipt("This token is revoked", "Refused everywhere from this moment.", facts...)
}
