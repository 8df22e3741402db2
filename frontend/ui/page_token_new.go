package ui

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"reflect"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// newTokenPage makes a token, at /teams/{team}/tokens/new.
type newTokenPage struct {
	app.Compo
	At Place

	now       time.Time
	catalogue kit.Load[api.Catalogue]
	picker    token.Picker
	form      token.Form
	begun     token.Form // as the form is at first
	kept      bool       // the form is a draft that was left before
	done      bool       // the draft is not wanted any more
	errs      kit.Errors
	taken     string // id of the token that has the name
	asking    bool   // for the reader's own address
	request   once[api.CreateToken]
	release   []func()   // what keeps the page from being left while the token is made
	lost      *api.Token // made by an earlier try whose answer did not arrive
	reveal    secretReveal
}

// once is a request that must not be made twice: as long as what was typed is
// the same, a repetition carries the same key and the same body.
type once[T any] struct {
	busy  bool
	key   string
	typed string
	body  T
}

// prepare returns the key and body to send for what was typed.
func (o *once[T]) prepare(typed any, body T) (key string, same T) {
	text, err := json.Marshal(typed)
	if err != nil {
		panic(err) // text and numbers: cannot happen
	}
	if o.key == "" || o.typed != string(text) {
		o.key, o.typed, o.body = rand.Text(), string(text), body
	}
	return o.key, o.body
}

// OnMount fetches what can be granted and begins the form.
func (p *newTokenPage) OnMount(ctx app.Context) {
	kit.WatchNow(ctx, &p.now)
	at := p.At
	p.catalogue.FetchThen(ctx, p, at.API.Catalogue, func(_ app.Context, c api.Catalogue) {
		p.picker = token.Picker{Catalogue: c, Role: at.Team.Role, Platform: at.Team.Team.Platform}
		p.begun = token.NewForm(p.picker)
		p.form, p.kept = at.Drafts[at.Team.Team.ID]
		if !p.kept {
			p.form = p.begun
		}
	})
}

// OnDismount forgets the secret and keeps a form that was begun, however the page
// was left; one that is being sent comes back only if it is refused.
func (p *newTokenPage) OnDismount() {
	p.reveal.wipe()
	p.unguard()
	if _, there := p.catalogue.Get(); !there || p.At.Drafts == nil {
		return
	}
	if p.done || p.request.busy || reflect.DeepEqual(p.form, p.begun) {
		delete(p.At.Drafts, p.At.Team.Team.ID)
	} else {
		p.At.Drafts[p.At.Team.Team.ID] = p.form.WithoutSecret()
	}
}

// startOver forgets what was typed before.
func (p *newTokenPage) startOver(ctx app.Context) {
	p.form, p.kept, p.errs, p.taken = p.begun, false, kit.Errors{}, ""
	later(ctx, p, func(app.Context) { bridge.Focus("#token-name") })
}

// giveUp leaves the page without keeping what was typed.
func (p *newTokenPage) giveUp(ctx app.Context) {
	if p.request.busy {
		p.wait(ctx)
		return
	}
	p.done = true
	ctx.Navigate(p.At.InTeam("tokens"))
}

// Render draws the page.
func (p *newTokenPage) Render() app.UI {
	header := kit.Header(kit.HeaderOpts{Title: "New token", Text: newTokenText, Back: p.At.InTeam("tokens"), BackTo: "Tokens"})
	if !p.At.May(tokenMakers...) {
		return app.Div().Class("new-token-page").Body(header, kit.Empty(kit.EmptyOpts{
			Icon: "lock", Title: "Your role cannot make tokens",
			Text:   "Owners, admins and developers of a team make its tokens; yours is " + p.At.Team.Role + ". Ask one of them.",
			Action: "Back to the tokens", Href: p.At.InTeam("tokens"),
		}))
	}
	return app.Div().Class("new-token-page").Body(header, p.catalogue.View(kit.Skeleton("form"), p.draw), p.reveal.view())
}

func (p *newTokenPage) draw(c api.Catalogue) app.UI {
	if p.lost != nil {
		return p.drawLost()
	}
	t, unsettled := p.form.Token(p.now, c)
	return app.Form().Class("with-panel").Attr("novalidate", "").Attr("aria-label", "New token").OnSubmit(kit.Submit("create token", p.send)).Body(
		app.Div().Class("token-form").Body(
			p.draft(),
			p.errs.Rest("#/name", "#/env", "#/note", "#/abilities", "#/expires_at", "#/not_before", "#/addresses", "#/rate_limit", "#/rate_limit/quota", "#/rate_limit/window_seconds"),
			p.about(), p.abilities(), p.lifetime(c), p.bounds(c),
		),
		tokenPanel(t, unsettled, c, p.now), // read before it is decided
		app.Div().Class("form-foot").Body(
			kit.Button(kit.ButtonOpts{Text: "Cancel", Key: "cancel new token", On: p.giveUp}),
			kit.Button(kit.ButtonOpts{Text: "Create token", Look: kit.Primary, Submit: true, Busy: p.request.busy}),
		),
	)
}

// draft says that the form was not begun just now.
func (p *newTokenPage) draft() app.UI {
	if !p.kept {
		return kit.Nothing()
	}
	return kit.Banner(kit.BannerOpts{
		Kind: kit.Note, Text: "You began this token before and left. What you typed is still here.", Action: "Start over", OnAction: p.startOver,
	})
}

// drawLost says that the token is there but its secret never arrived.
func (p *newTokenPage) drawLost() app.UI {
	return kit.Empty(kit.EmptyOpts{
		Icon: "triangle-alert", Title: "The token was made, but its secret did not arrive", Alert: true,
		Text:   "Your first try went through although its answer was lost on the way. A secret is never shown twice: rotate “" + p.lost.Name + "” to get a new one, or revoke it.",
		Action: "Open the token", Href: p.At.InTeam("tokens", p.lost.ID),
	})
}

// send checks the form here and then has the server make the token.
func (p *newTokenPage) send(ctx app.Context) {
	c, ok := p.catalogue.Get()
	if !ok || p.request.busy {
		return
	}
	body, wrong := p.form.Request(time.Now(), c)
	p.taken = ""
	if !p.errs.Check(body, wrong...) {
		focusWrong(ctx)
		return
	}
	key, body := p.request.prepare(p.form, body)
	p.request.busy = true
	p.guard(ctx)
	at, form, d := p.At, p.form.WithoutSecret(), ctx.Dispatcher()
	kit.Change(ctx, p, "You left while the token “"+body.Name+"” was being made.", func(ctx context.Context) (api.IssuedToken, error) {
		t, err := at.API.CreateToken(ctx, at.Team.Team.ID, key, body)
		d.Dispatch(app.Dispatch{Mode: app.Next, Function: func(ctx app.Context) { // of the whole program, which stays
			if !p.Mounted() {
				madeUnseen(ctx, at, form, err)
			}
		}})
		return t, err
	}, func(ctx app.Context, t api.IssuedToken, err error) {
		p.request.busy = false
		p.unguard()
		p.errs.Take(err)
		switch {
		case err != nil:
			if problem := client.ProblemOf(err); problem != nil {
				p.taken = problem.Conflict
			}
			focusWrong(ctx)
		case t.Secret == "":
			p.lost, p.done = &t.Token, true
			ctx.Defer(func(app.Context) { bridge.Focus("#main") })
		default:
			p.done = true
			p.reveal.open(ctx, p, t, func(ctx app.Context) {
				Replace(ctx, p.At.InTeam("tokens", t.Token.ID)) // going back leads to the list, not to an empty form
			})
		}
	})
}

// guard keeps the page from being left while the token is made: its secret would
// be shown to nobody.
func (p *newTokenPage) guard(ctx app.Context) {
	d := ctx.Dispatcher()
	p.release = []func(){bridge.GuardLeaving(), bridge.GuardBack(func() {
		d.Dispatch(app.Dispatch{Mode: app.Update, Source: p, Function: p.wait})
	})}
}

func (p *newTokenPage) unguard() {
	for _, release := range p.release {
		release()
	}
	p.release = nil
}

// wait says why the page is not left.
func (p *newTokenPage) wait(ctx app.Context) {
	kit.Toast(ctx, kit.Note, "The token is being made. Stay until its secret is shown: that happens only once.")
}

// madeUnseen ends a request whose page was left. A secret that came is gone, which
// is told until it is closed; a form that was refused becomes a draft again, but not
// for whoever signs in next.
func madeUnseen(ctx app.Context, at Place, form token.Form, err error) {
	team := at.Team.Team.ID
	switch _, other := at.Drafts[team]; {
	case err == nil:
		kit.Toast(ctx, kit.Bad, "The token “"+form.Name+"” was made, but you left before its secret was shown. Rotate the token to get another one.")
	case at.Drafts != nil && !other && client.Status(err) != 401:
		at.Drafts[team] = form
	}
}

// focusWrong moves the focus to the first field that is wrong, once it is drawn, or
// to what is said above the fields. If nothing is said the focus stays where it is.
func focusWrong(ctx app.Context) {
	ctx.Defer(func(app.Context) {
		for _, at := range []string{"[aria-invalid=true]", ".field.is-wrong input", ".banner.is-bad[tabindex]", focusLost + "#main"} {
			if bridge.Focus(at) {
				return
			}
		}
	})
}

// focusLost begins a selector that finds something only if what had the focus is
// gone.
const focusLost = ":root:not(:has(:focus)) "
