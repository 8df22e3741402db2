package ui

import (
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// overview draws what a token is: its secrets, what it may do, its bounds.
func (p *tokenPage) overview(t api.Token) app.UI {
	return app.Div().Class("stack").Body(
		p.stats(t),
		p.secrets(t),
		app.Div().Class("token-columns").Body(p.abilities(t), p.details(t)),
	)
}

func (p *tokenPage) stats(t api.Token) app.UI {
	used := kit.StatOpts{Name: "Last used", Value: "Never", Hint: "No call was made with it yet"}
	if !t.LastUsedAt.IsZero() {
		used.Value, used.Hint = kit.Ago(p.now.Sub(t.LastUsedAt.Time)), bridge.FormatDate(t.LastUsedAt.Time, bridge.Minute)
		if t.LastUsedFrom != nil {
			used.Hint = "from " + *t.LastUsedFrom
		}
	}
	ends := kit.StatOpts{Name: "Expires", Value: "Never", Hint: "Revoke it when nothing uses it"}
	if !t.RevokedAt.IsZero() {
		ends = kit.StatOpts{Name: "Revoked", Value: kit.Ago(p.now.Sub(t.RevokedAt.Time)), Hint: bridge.FormatDate(t.RevokedAt.Time, bridge.Minute)}
	} else if !t.ExpiresAt.IsZero() {
		ends.Hint = bridge.FormatDate(t.ExpiresAt.Time, bridge.Minute)
		if left := t.ExpiresAt.Sub(p.now); left > 0 {
			ends.Value = "in " + kit.Duration(left)
			ends.Kind = warnIf(left < endsSoon)
		} else {
			ends.Name, ends.Value = "Expired", kit.Ago(-left)
		}
	}
	var calls, refused int64
	usage, _ := p.routes.Get()
	for _, s := range usage.Series {
		for _, point := range s.Points {
			calls, refused = calls+point.Calls, refused+point.Refused
		}
	}
	stats := []app.UI{
		kit.Stat(used),
		kit.Stat(kit.StatOpts{Name: "Calls in 30 days", Value: kit.Number(calls), Hint: kit.Number(refused) + " refused", Href: p.At.Path + "?tab=usage"}),
	}
	if len(t.Limits) > 0 && t.Status != api.TokenRevoked && t.Status != api.TokenExpired {
		left := t.Limits[0]
		stats = append(stats, kit.Stat(kit.StatOpts{
			Name: "Requests left now", Value: kit.Number(int64(left.Remaining)), Hint: "of " + token.LimitWords(t.RateLimit), Kind: warnIf(left.Remaining == 0),
		}))
	}
	return kit.StatRow(append(stats, kit.Stat(ends))...)
}

// editButton offers to edit one thing, if the person may and nothing else is
// being edited.
func (p *tokenPage) editButton(t api.Token, what, label string) []app.UI {
	if !mayChange(t) || p.edit.what != "" {
		return nil
	}
	return []app.UI{kit.Button(kit.ButtonOpts{
		Text: "Edit", Icon: "pencil", Small: true, Look: kit.Ghost, Label: "Edit " + label, Key: "edit " + what, ID: "edit-" + what, Wait: p.saving,
		On: func(ctx app.Context) { p.startEdit(ctx, what) },
	})}
}

func (p *tokenPage) abilities(t api.Token) app.UI {
	c, _ := p.catalogue.Get()
	if p.edit.what == "abilities" {
		return p.editCard("Abilities", abilityPicker(p.picker(c, t), &p.edit.form.Abilities, p.edit.errs.Under("#/abilities")))
	}
	o := kit.CardOpts{Title: "Abilities", Text: "What it may do, as far as its maker’s role may grant it.", Actions: p.editButton(t, "abilities", "the abilities")}
	if len(t.Abilities) == 0 {
		return kit.Card(o, kit.Empty(kit.EmptyOpts{Icon: "shield", Title: "No abilities", Text: "It can only ask who it is."}))
	}
	usage, known := p.routes.Get()
	last := token.LastUse(usage, token.Needs())
	var unused []string
	if known && mayChange(t) && p.edit.what == "" {
		unused = token.Unused(t, usage, token.Needs(), p.now)
	}
	rows := make([]app.UI, 0, len(t.Abilities))
	for _, name := range token.Ordered(c, t.Abilities) {
		a := token.Find(c, name)
		var when app.UI = app.Span().Class("muted").Text("")
		if at := last[name]; !at.IsZero() {
			when = app.Span().Class("muted").Text("used " + bridge.FormatDate(at.Time, bridge.Day))
		} else if slices.Contains(unused, name) {
			when = app.Span().Class("is-unused").Text("not used in 30 days")
		}
		rows = append(rows, app.Li().Class("ability-line").Body(
			app.Div().Class("ability-words").Body(app.Strong().Text(a.Title), app.Span().Class("muted").Text(a.Description)),
			app.Div().Class("ability-marks").Body(kit.ID(name), kit.Risk(a.Risk), when),
		))
	}
	if len(unused) > 0 && len(unused) < len(t.Abilities) {
		o.Foot = []app.UI{
			app.Span().Class("muted").Text("What it does not need can only do harm."),
			kit.Button(kit.ButtonOpts{
				Text: "Drop " + kit.Count(len(unused), "unused ability", "unused abilities"), Small: true, Wait: p.saving,
				Key: "drop " + strings.Join(unused, " "), On: func(ctx app.Context) { p.drop(ctx, unused) },
			}),
		}
	}
	return kit.Card(o, app.Ul().Class("ability-lines").Body(rows...))
}

// details draws everything else that can be edited in place.
func (p *tokenPage) details(t api.Token) app.UI {
	c, _ := p.catalogue.Get()
	row := func(what, name, label string, value app.UI) app.UI {
		if what != "" && p.edit.what == what {
			return app.Div().Class("detail-row", "is-editing").Body(
				app.Dt().Class("visually-hidden").Text(name), app.Dd().Body(p.editForm(p.editFields(t, c))),
			)
		}
		body := []app.UI{app.Div().Class("detail-value").Body(value)}
		if label != "" {
			body = append(body, p.editButton(t, what, label)...)
		}
		return app.Div().Class("detail-row").Body(app.Dt().Text(name), app.Dd().Body(body...))
	}
	return kit.Card(
		kit.CardOpts{Title: "Details", Flush: true},
		app.Dl().Class("detail-list").Body(
			row("", "Id", "", app.Span().Body(kit.ID(t.ID), &kit.CopyButton{Value: t.ID, Label: "the id"})),
			row("name", "Name", "the name", app.Text(t.Name)),
			row("note", "Note", "the note", noteText(t.Note)),
			row("addresses", "Addresses", "the addresses", addressList(t.Addresses)),
			row("limit", "Request limit", "the request limit", app.Text(token.LimitWords(t.RateLimit))),
			row("expiry", "Expires", "the expiry", kit.At(t.ExpiresAt, bridge.Minute)),
			row("", "Not before", "", notBefore(t)),
			row("", "Made", "", app.Span().Body(kit.At(t.CreatedAt, bridge.Minute), app.Text(" by "+t.CreatedBy.Name))),
		),
	)
}

func noteText(note string) app.UI {
	if note == "" {
		return app.Span().Class("muted").Text("None")
	}
	return app.Span().Class("note-text").Text(note)
}

func addressList(addresses []string) app.UI {
	if len(addresses) == 0 {
		return app.Span().Text("From anywhere")
	}
	items := make([]app.UI, len(addresses))
	for i, a := range addresses {
		items[i] = app.Li().Body(kit.ID(token.ShortAddress(a)))
	}
	return app.Ul().Class("address-list").Body(items...)
}

func notBefore(t api.Token) app.UI {
	if t.NotBefore.IsZero() {
		return app.Span().Class("muted").Text("Works since it was made")
	}
	return kit.At(t.NotBefore, bridge.Minute)
}

func (p *tokenPage) picker(c api.Catalogue, t api.Token) token.Picker {
	return token.Picker{Catalogue: c, Role: p.At.Team.Role, Platform: p.At.Team.Team.Platform, Kept: t.Abilities}
}
