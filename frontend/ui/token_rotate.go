package ui

import (
	"context"
	"strconv"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// tokenRotation is the dialog that moves a token to a new secret, and those that
// end such a move.
type tokenRotation struct {
	open     bool
	ask      string // finish or undo while it is asked about
	overlap  string // seconds
	activate string // on_first_use or now
	errs     kit.Errors
	failed   string
	lost     bool // made by an earlier try whose answer did not arrive
	request  once[api.RotateToken]
}

func (p *tokenPage) askRotate(app.Context) {
	if p.saving {
		return
	}
	p.rotation = tokenRotation{open: true, overlap: "86400", activate: "on_first_use"}
	c, _ := p.catalogue.Get()
	if most := c.Tokens.MaxOverlapSeconds; most < 86400 {
		overlaps := token.Overlaps(c.Tokens)
		p.rotation.overlap = overlaps[len(overlaps)-1].Value
	}
}

func (p *tokenPage) closeRotate(app.Context) {
	if !p.rotation.request.busy {
		p.rotation = tokenRotation{}
	}
}

// dialog draws what is asked, nothing if nothing is.
func (r *tokenRotation) dialog(p *tokenPage) app.UI {
	switch {
	case r.ask != "":
		return r.endDialog(p)
	case !r.open:
		return kit.Nothing()
	}
	c, _ := p.catalogue.Get()
	t, _ := p.token.Get()
	body := []app.UI{r.errs.Rest("#/overlap_seconds", "#/activate")}
	if token.TimelineOf(t.Token, p.now).Pending {
		body = append(body, app.Div().Class("banner", kit.Warn).Body(kit.Icon("triangle-alert"),
			app.P().Text("A new secret waits for its first use already. It is cancelled, and the next one takes its place.")))
	}
	if r.lost {
		body = append(body, app.Div().Class("banner", kit.Warn).Attr("role", "alert").Body(kit.Icon("triangle-alert"),
			app.P().Text("Your first try went through, but its answer was lost on the way. A secret is never shown twice: rotate again to get another one.")))
	}
	start := "The overlap begins when the new secret is first used. Until then nothing changes, and the rotation can be undone."
	if r.activate == "now" {
		start = "The overlap begins now, whether or not the new secret is in use."
	}
	body = append(
		body,
		kit.Segmented(kit.SelectOpts{
			ID: "rotate-activate", Label: "The overlap begins", Value: r.activate, Hint: start,
			Options: []kit.Option{{Value: "on_first_use", Text: "At the first use"}, {Value: "now", Text: "Now"}},
			On:      func(_ app.Context, v string) { r.activate = v },
		}),
		kit.Segmented(kit.SelectOpts{
			ID: "rotate-overlap", Label: "Both secrets work for", Value: r.overlap, Error: r.errs.At("#/overlap_seconds"),
			Options: token.Overlaps(c.Tokens), Hint: overlapHint(r.overlap, r.activate),
			On: func(_ app.Context, v string) { r.overlap = v },
		}),
	)
	return kit.Dialog(kit.DialogOpts{
		ID: "rotate", Title: "Rotate “" + t.Name + "”", OnClose: p.closeRotate, OnSubmit: p.rotate, Body: body,
		Text: "You get a new secret for the same token: same name, abilities and limits.",
		Foot: []app.UI{
			kit.Button(kit.ButtonOpts{Text: "Cancel", Key: "cancel rotate", On: p.closeRotate}),
			kit.Button(kit.ButtonOpts{Text: "Rotate secret", Look: kit.Primary, Submit: true, Busy: r.request.busy}),
		},
	})
}

// overlapHint says what an overlap means for the old secret.
func overlapHint(overlap, activate string) string {
	switch {
	case overlap == "0" && activate == "now":
		return "The old secret is refused at once. Choose this when it has leaked."
	case overlap == "0":
		return "The old secret is refused as soon as the new one is used."
	}
	return "Long enough to put the new secret into every place that has the old one."
}

func (p *tokenPage) rotate(ctx app.Context) {
	r := &p.rotation
	if r.request.busy {
		return
	}
	seconds, err := strconv.Atoi(r.overlap)
	if err != nil {
		return
	}
	body := api.RotateToken{OverlapSeconds: &seconds, Activate: r.activate}
	if !r.errs.Check(body) {
		return
	}
	key, body := r.request.prepare([]string{r.overlap, r.activate}, body)
	r.request.busy = true
	r.lost = false
	at := p.At
	type outcome struct {
		issued api.IssuedToken
		fresh  taggedToken
	}
	kit.Ask(ctx, p, func(ctx context.Context) (o outcome, err error) {
		if o.issued, err = at.API.RotateToken(ctx, at.Team.Team.ID, at.ID, key, body); err != nil {
			return o, err
		}
		if o.fresh, err = p.get(ctx, at); err != nil {
			// The secret must be shown whatever else fails.
			o.fresh = taggedToken{Token: o.issued.Token}
		}
		return o, nil
	}, func(ctx app.Context, o outcome, err error) {
		r.request.busy = false
		if r.errs.Take(err); err != nil {
			return
		}
		p.changed(ctx, o.fresh)
		if o.issued.Secret == "" {
			r.lost, r.request = true, once[api.RotateToken]{}
			return
		}
		p.rotation = tokenRotation{}
		p.reveal.open(ctx, p, o.issued, func(ctx app.Context) { p.fetch(ctx) })
	})
}
