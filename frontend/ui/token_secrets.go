package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

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
		if t.Status == api.TokenRevoked || t.Status == api.TokenExpired {
			bars[i].Kind, bars[i].Marks = kit.Neutral, kit.Status(t.Status)
		}
	}
	o := kit.CardOpts{Title: "Secrets", Text: "One secret works. Rotate to move to a new one without a gap."}
	switch {
	case t.Status == api.TokenRevoked || t.Status == api.TokenExpired:
		o.Text = "No secret of this token works any more."
	case tl.Pending:
		o.Text = "A new secret waits for its first use; the old one works until then, and after that for the overlap."
	case tl.Rotating:
		o.Text = "Both secrets work until the overlap is over."
	}
	if tl.Rotating && mayChange(t) {
		o.Actions = append(o.Actions, kit.Button(kit.ButtonOpts{Text: "Finish now", Icon: "check", Small: true, Key: "finish rotation", On: p.askFinish}))
		if tl.Pending {
			o.Actions = append([]app.UI{kit.Button(kit.ButtonOpts{Text: "Undo", Icon: "undo-2", Small: true, Key: "undo rotation", On: p.askUndo})}, o.Actions...)
		}
	}
	return kit.Card(o, kit.Timeline("Secrets of "+t.Name, tl.From, tl.To, p.now, bars...))
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
func (p *tokenPage) askFinish(app.Context) { p.rotation = tokenRotation{ask: "finish"} }
func (p *tokenPage) askUndo(app.Context)   { p.rotation = tokenRotation{ask: "undo"} }

// endDialog asks before the old secret, or the new one, is ended.
func (r *tokenRotation) endDialog(p *tokenPage) app.UI {
	t, _ := p.token.Get()
	o := kit.ConfirmOpts{
		ID: "end-rotation", Busy: r.request.busy, Error: r.failed, OnYes: p.endRotation,
		OnClose: func(app.Context) {
			if !p.rotation.request.busy {
				p.rotation = tokenRotation{}
			}
		},
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

func (p *tokenPage) endRotation(ctx app.Context) {
	r := &p.rotation
	if r.request.busy {
		return
	}
	r.request.busy = true
	at, undo := p.At, r.ask == "undo"
	kit.Ask(ctx, p, func(ctx context.Context) (taggedToken, error) {
		var err error
		if undo {
			_, err = at.API.UndoRotation(ctx, at.Team.Team.ID, at.ID)
		} else {
			_, err = at.API.FinishRotation(ctx, at.Team.Team.ID, at.ID)
		}
		if err != nil {
			return taggedToken{}, err
		}
		return p.get(ctx, at)
	}, func(ctx app.Context, t taggedToken, err error) {
		r.request.busy = false
		if err != nil {
			r.failed = sentence(err)
			return
		}
		p.rotation = tokenRotation{}
		p.changed(ctx, t)
		if undo {
			kit.Toast(ctx, kit.Good, "The rotation was undone. Only the old secret works.")
		} else {
			kit.Toast(ctx, kit.Good, "The old secret is refused from now on.")
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
