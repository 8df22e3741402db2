package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// tokenEdit is the one thing of a token that is being edited in place.
type tokenEdit struct {
	what    string      // name, note, abilities, addresses, limit, expiry; "" for nothing
	form    token.Form  // as it is typed
	base    taggedToken // that the edit began from
	errs    kit.Errors
	asking  bool     // for the reader's own address
	changes []string // what the token has become meanwhile
}

func (p *tokenPage) startEdit(ctx app.Context, what string) {
	t, ok := p.token.Get()
	if !ok || p.saving || !mayChange(t.Token) {
		return
	}
	c, _ := p.catalogue.Get()
	f := token.Form{
		Name: t.Name, Note: t.Note, Abilities: slices.Clone(t.Abilities), Expiry: token.ExpiryOf(t.ExpiresAt), Limit: token.LimitOf(t.RateLimit),
	}
	f.Limit.Own = t.RateLimit != c.Tokens.DefaultRateLimit
	for i, a := range t.Addresses {
		if i > 0 {
			f.Addresses += "\n"
		}
		f.Addresses += token.ShortAddress(a)
	}
	p.edit = tokenEdit{what: what, form: f, base: t}
	later(ctx, p, focusEdit)
}

// focusEdit goes to the first field, of several to choose from to the chosen one:
// another would become it at the first press of an arrow.
func focusEdit(app.Context) {
	if !bridge.Focus(".edit-form :is(input:not([type=radio]), input:checked, textarea)") {
		bridge.Focus(".edit-form input") // none is chosen
	}
}

func (p *tokenPage) cancelEdit(ctx app.Context) {
	what := p.edit.what
	p.edit = tokenEdit{}
	later(ctx, p, func(app.Context) { bridge.Focus("#edit-" + what) })
}

func (p *tokenPage) editKeys(ctx app.Context, e app.Event) {
	if e.Get("key").String() == "Escape" && !e.Get("isComposing").Truthy() {
		p.cancelEdit(ctx)
	}
}

// later runs f once the page is drawn again. What the context of a button is
// asked for is lost if the button goes.
func later(ctx app.Context, page app.Composer, f func(app.Context)) {
	kit.Do(ctx, page, func(context.Context) error { return nil }, func(ctx app.Context, _ error) { ctx.Defer(f) })
}

// editCard draws the edit of something that has a card of its own.
func (p *tokenPage) editCard(title string, fields app.UI) app.UI {
	return kit.Card(kit.CardOpts{Title: title}, p.editForm(fields))
}

// editForm puts fields between what went wrong and the buttons.
func (p *tokenPage) editForm(fields app.UI) app.UI {
	e := &p.edit
	body := []app.UI{}
	if len(e.changes) > 0 {
		items := make([]app.UI, len(e.changes))
		for i, c := range e.changes {
			items[i] = app.Li().Text(c)
		}
		body = append(body, app.Div().Class("banner", kit.Warn).Attr("role", "alert").Body(kit.Icon("triangle-alert"), app.Div().Body(
			app.P().Text("This token was changed meanwhile, by somebody else or in another tab. What you typed is still here; save again to put it in place of what is there now."),
			app.Ul().Class("change-list").Body(items...),
		)))
	}
	body = append(body, e.errs.Rest("#/"+pointers[e.what], "#/rate_limit/quota", "#/rate_limit/window_seconds"), fields)
	widens := kit.Nothing()
	c, _ := p.catalogue.Get()
	if change, wrong := p.change(p.now); len(wrong) == 0 && token.Widens(e.base.Token, change, c.Tokens.DefaultRateLimit) {
		widens = app.Span().Class("muted").Body(kit.Icon("lock"), app.Text("This lets it do more: your password may be asked for."))
	}
	body = append(body, app.Div().Class("form-foot").Body(widens, app.Div().Class("row").Body(
		kit.Button(kit.ButtonOpts{Text: "Cancel", Small: true, Key: "cancel edit", On: p.cancelEdit}),
		kit.Button(kit.ButtonOpts{Text: "Save " + editWords[e.what], Small: true, Look: kit.Primary, Submit: true}),
	)))
	return app.Form().Class("edit-form").Attr("novalidate", "").Attr("aria-label", "Edit "+editWords[e.what]).OnSubmit(kit.Submit("save edit", p.saveEdit)).
		OnKeyDown(kit.On("edit keys", p.editKeys)).Body(body...)
}

// pointers name the field of the request, editWords what its button says.
var (
	pointers = map[string]string{
		"name": "name", "note": "note", "abilities": "abilities", "addresses": "addresses", "limit": "rate_limit", "expiry": "expires_at",
	}
	editWords = map[string]string{
		"name": "name", "note": "note", "abilities": "abilities", "addresses": "addresses", "limit": "limit", "expiry": "expiry",
	}
)

// editFields draws the fields of what is edited within the details.
func (p *tokenPage) editFields(t api.Token, c api.Catalogue) app.UI {
	e := &p.edit
	switch e.what {
	case "name":
		return kit.Text(kit.TextOpts{ID: "edit-token-name", Label: "Name", Bind: &e.form.Name, Error: e.errs.At("#/name")})
	case "note":
		return kit.Area(kit.TextOpts{ID: "edit-token-note", Label: "Note", Optional: true, Bind: &e.form.Note, Error: e.errs.At("#/note"), Max: 1000})
	case "addresses":
		return addressField("edit-token-addresses", &e.form.Addresses, e.errs.Lines("#/addresses", len(token.Lines(e.form.Addresses))), e.asking, p.editMine)
	case "limit":
		return limitFields("edit-token", &e.form.Limit, kit.First(e.errs.At("#/rate_limit"), e.errs.At("#/rate_limit/quota"), e.errs.At("#/rate_limit/window_seconds")), c.Tokens)
	case "expiry":
		return expiryFields("edit-token", &e.form.Expiry, e.errs.At("#/expires_at"), expiryBounds{policy: c.Tokens, now: p.now, made: t.CreatedAt.Time})
	}
	return kit.Nothing()
}

func (p *tokenPage) editMine(ctx app.Context) {
	p.edit.asking = true
	useMyAddress(ctx, p, p.At, func(_ app.Context, address string) {
		p.edit.asking = false
		if address != "" && p.edit.what == "addresses" {
			p.edit.form.Addresses = token.AddLine(p.edit.form.Addresses, address)
		}
	})
}

// change returns the edit as the server takes it, and what is wrong with it that
// the rules of shared/api do not cover.
func (p *tokenPage) change(now time.Time) (c api.UpdateToken, wrong []api.FieldError) {
	e := &p.edit
	catalogue, _ := p.catalogue.Get()
	refuse := func(detail string) {
		if detail != "" {
			wrong = append(wrong, api.FieldError{Pointer: "#/" + pointers[e.what], Detail: detail})
		}
	}
	switch e.what {
	case "name":
		c.Name = api.Some(strings.TrimSpace(e.form.Name))
		if c.Name.Value == "" {
			refuse(token.Nameless)
		}
	case "note":
		c.Note = api.Some(e.form.Note)
	case "abilities":
		c.Abilities = api.Some(ability.Normalize(e.form.Abilities))
	case "addresses":
		c.Addresses = api.Some(token.Lines(e.form.Addresses))
	case "limit":
		limit, detail := e.form.Limit.Rate(catalogue.Tokens)
		refuse(detail)
		c.RateLimit = api.Null[api.RateLimit]()
		if limit != nil {
			c.RateLimit = api.Some(*limit)
		}
	case "expiry":
		at, detail := e.form.Expiry.Time(now, e.base.CreatedAt.Time, catalogue.Tokens)
		refuse(detail)
		c.ExpiresAt = api.Null[api.Time]()
		if !at.IsZero() {
			c.ExpiresAt = api.Some(api.At(at))
		}
	}
	return c, wrong
}

// checkable is the edit as a new token, for the rules that both have: those of a
// patch are the server's.
func (e *tokenEdit) checkable(c api.UpdateToken) api.CreateToken {
	none := []string{}
	r := api.CreateToken{Name: e.base.Name, Env: e.base.Env, Abilities: &none}
	if c.Name.Set {
		r.Name = c.Name.Value
	}
	r.Note, r.Addresses = c.Note.Value, c.Addresses.Value
	return r
}

func (p *tokenPage) saveEdit(ctx app.Context) {
	e := &p.edit
	if p.saving || e.what == "" {
		return
	}
	c, wrong := p.change(time.Now())
	if !e.errs.Check(e.checkable(c), wrong...) {
		focusWrong(ctx)
		return
	}
	p.send(ctx, c)
}

// drop takes abilities away in one click.
func (p *tokenPage) drop(ctx app.Context, names []string) {
	t, ok := p.token.Get()
	if !ok || p.saving || p.edit.what != "" {
		return
	}
	p.startEdit(ctx, "abilities")
	p.edit.form.Abilities = slices.DeleteFunc(p.edit.form.Abilities, func(n string) bool { return slices.Contains(names, n) })
	p.edit.base = t
	c, _ := p.change(p.now)
	p.send(ctx, c)
}

// send shows the change that the edit holds and has the server make it. If it is
// refused the edit opens again as it was left; if it was changed meanwhile, what it
// has become is shown with it.
func (p *tokenPage) send(ctx app.Context, c api.UpdateToken) {
	at, edit := p.At, p.edit
	base, words := edit.base, editWords[edit.what]
	catalogue, _ := p.catalogue.Get()
	p.cancelEdit(ctx)
	p.attempt(ctx, "The "+words+" of “"+base.Name+"” "+isAre(edit.what)+" not saved.", token.Apply(base.Token, c, catalogue.Tokens.DefaultRateLimit),
		func(ctx context.Context) (taggedToken, error) {
			t, etag, err := at.API.UpdateToken(ctx, at.Team.Team.ID, base.ID, base.etag, c)
			if client.Status(err) == 412 {
				fresh, failed := p.get(ctx, at)
				return fresh, cmp.Or(failed, err)
			}
			return taggedToken{t, etag}, err
		}, func(ctx app.Context, t taggedToken, err error) {
			switch {
			case err == nil:
				kit.Toast(ctx, kit.Good, "The "+words+" "+isAre(edit.what)+" saved.")
			case client.Status(err) == 412 && t.ID != "":
				p.edit = edit
				p.conflict(ctx, t)
			default:
				if p.At.Get("tab") != "" && !kit.Silent(err) { // the form is on another tab
					kit.Toast(ctx, kit.Bad, "The "+words+" "+isAre(edit.what)+" not saved. "+kit.Sentence(err)+" What you typed is on the overview.")
				}
				p.edit = edit
				p.edit.errs.Take(err)
				focusWrong(ctx)
			}
		})
}

func isAre(what string) string {
	if what == "abilities" || what == "addresses" {
		return "are"
	}
	return "is"
}

// conflict keeps the edit on top of what the token has become. Whoever changed
// it may be the same person in another tab.
func (p *tokenPage) conflict(ctx app.Context, fresh taggedToken) {
	p.edit.changes = token.Changes(p.edit.base.Token, fresh.Token)
	if len(p.edit.changes) == 0 {
		p.edit.changes = []string{"Nothing that you see here has changed."}
	}
	p.edit.base = fresh
	p.changed(ctx, fresh)
	later(ctx, p, focusEdit)
	if !mayChange(fresh.Token) {
		p.edit = tokenEdit{}
		later(ctx, p, func(app.Context) { bridge.Focus("#main") })
		kit.Toast(ctx, kit.Bad, "The token has ended meanwhile and cannot be changed any more.")
	}
}
