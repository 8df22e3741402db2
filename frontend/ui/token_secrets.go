package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// secrets draws the secrets of a token as bars on one timeline, and what can be
// done about a rotation.
func (p *tokenPage) secrets(t api.Token) app.UI {
	tl := token.TimelineOf(t, p.now)
	bars := make([]kit.Bar, len(tl.Spans))
	for i, s := range tl.Spans {
		bars[i] = kit.Bar{
			Label: "Secret " + kit.Number(int64(s.Generation.Number)), Kind: generationKind(s.Generation.Status),
			From: s.From, To: s.To, Detail: s.Says, Marks: kit.GenerationStatus(s.Generation.Status),
		}
		if t.Status != api.TokenActive { // then none of its secrets works
			bars[i].Kind, bars[i].Marks = kit.Neutral, kit.Status(t.Status)
		}
	}
	o := kit.CardOpts{Title: "Secrets", Text: "One secret works. Rotate to move to a new one without a gap."}
	switch {
	case t.Status == api.TokenRevoked || t.Status == api.TokenExpired:
		o.Text = "No secret of this token works any more."
	case t.Status == api.TokenSuspended:
		o.Text = "No secret works while the token is suspended."
	case t.Status == api.TokenPending:
		o.Text = "No secret works before the token becomes valid."
	case tl.Pending:
		o.Text = "A new secret waits for its first use; the old one works until then, and after that for the overlap."
	case tl.Rotating:
		o.Text = "Both secrets work until the overlap is over."
	}
	if tl.Rotating && mayChange(t) {
		o.Actions = append(o.Actions, kit.Button(kit.ButtonOpts{Text: "Finish now", Icon: "check", Small: true, Key: "finish rotation", Wait: p.saving, On: p.askFinish}))
		if tl.Pending {
			o.Actions = append([]app.UI{kit.Button(kit.ButtonOpts{Text: "Undo", Icon: "undo-2", Small: true, Key: "undo rotation", Wait: p.saving, On: p.askUndo})}, o.Actions...)
		}
	}
	return kit.Card(o, app.Div().ID("secrets").Attr("tabindex", "-1").Attr("role", "group").Attr("aria-label", "Secrets").Body(
		kit.Timeline("Secrets of "+t.Name, tl.From, tl.To, p.now, bars...),
	))
}

func generationKind(status string) string {
	switch status {
	case api.GenerationActive:
		return kit.Good
	case api.GenerationRetiring:
		return kit.Warn
	case api.GenerationPending:
		return kit.Note
	}
	return kit.Neutral
}

// askFinish and askUndo ask before a rotation is ended.
func (p *tokenPage) askFinish(app.Context) { p.askEnd("finish") }
func (p *tokenPage) askUndo(app.Context)   { p.askEnd("undo") }

func (p *tokenPage) askEnd(how string) {
	if !p.saving {
		p.rotation = tokenRotation{ask: how}
	}
}

// endDialog asks before the old secret, or the new one, is ended.
func (r *tokenRotation) endDialog(p *tokenPage) app.UI {
	t, _ := p.token.Get()
	o := kit.ConfirmOpts{
		ID: "end-rotation", Error: r.failed, OnYes: p.endRotation,
		OnClose: func(app.Context) { p.rotation = tokenRotation{} },
	}
	if r.ask == "undo" {
		o.Title, o.Verb = "Undo the rotation?", "Undo rotation"
		o.Text = "The new secret is cancelled before its first use; only the old one goes on working. If somebody uses the new one after all, it is refused and reported as an alarm."
		return kit.Confirm(o)
	}
	o.Title, o.Verb, o.Look = "End the old secret now?", "End old secret", kit.Danger
	o.Text = "From this moment only the newest secret works."
	tl := token.TimelineOf(t.Token, p.now)
	if len(tl.Spans) > 1 {
		o.Body = []app.UI{app.Div().Class("banner", kit.Warn).Body(kit.Icon("triangle-alert"), app.P().Text("The old secret: "+tl.Spans[1].Says))}
	}
	if tl.Pending {
		o.Text += " It was not used yet: be sure that it is in place."
	}
	return kit.Confirm(o)
}

// endRotation closes the dialog and shows the secrets as they will be. If it is
// refused the dialog is there again and says why.
func (p *tokenPage) endRotation(ctx app.Context) {
	t, ok := p.token.Get()
	if !ok || p.rotation.ask == "" || p.saving {
		return
	}
	at, asked := p.At, p.rotation
	undo := asked.ask == "undo"
	end, what, done := at.API.FinishRotation, "The rotation of “"+t.Name+"” is not finished.", "The old secret is refused from now on."
	if undo {
		end, what, done = at.API.UndoRotation, "The rotation of “"+t.Name+"” is not undone.", "The rotation was undone. Only the old secret works."
	}
	p.rotation = tokenRotation{}
	later(ctx, p, func(app.Context) { bridge.Focus("#secrets") }) // the button that would get the focus back goes
	p.attempt(ctx, what, token.EndRotation(t.Token, undo, p.now), func(ctx context.Context) (taggedToken, error) {
		if _, err := end(ctx, at.Team.Team.ID, at.ID); err != nil {
			return taggedToken{}, err
		}
		return p.get(ctx, at)
	}, func(ctx app.Context, _ taggedToken, err error) {
		if err == nil {
			kit.Toast(ctx, kit.Good, done)
		} else if !kit.Silent(err) {
			p.rotation = asked
			p.rotation.failed = sentence(err)
		}
	})
}

// sentence is what a dialog says about an error; giving up is not worth a word.
func sentence(err error) string {
	if err == nil || kit.Silent(err) {
		return ""
	}
	return kit.Sentence(err)
}
