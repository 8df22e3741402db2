package ui

import (
	"cmp"
	"slices"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// tokenBulk is what is done to several tokens of the list at once.
type tokenBulk struct {
	selected map[string]api.Token
	places   map[string]int // in the list, as it was when they were selected
	verb     string         // suspend or revoke while it is asked about, "" otherwise
	reason   string
	typed    string
}

func (b *tokenBulk) open() bool { return b.verb != "" }

func (b *tokenBulk) clear() { *b = tokenBulk{} }

func (b *tokenBulk) toggle(t api.Token, place int, on bool) {
	if b.selected == nil {
		b.selected, b.places = map[string]api.Token{}, map[string]int{}
	}
	if on {
		b.selected[t.ID], b.places[t.ID] = t, place
	} else {
		delete(b.selected, t.ID)
	}
}

// tokens returns what is selected, in the order of the list.
func (b *tokenBulk) tokens() []api.Token {
	var list []api.Token
	for _, t := range b.selected {
		list = append(list, t)
	}
	slices.SortFunc(list, func(x, y api.Token) int {
		return cmp.Or(cmp.Compare(b.places[x.ID], b.places[y.ID]), cmp.Compare(x.ID, y.ID))
	})
	return list
}

// bar draws what can be done with the selection.
func (b *tokenBulk) bar(p *tokensPage) app.UI {
	bar := app.Div().Class("token-bulk").Attr("role", "status")
	if len(b.selected) == 0 {
		return bar
	}
	return bar.Class("is-on").Body(
		app.Strong().Text(kit.Count(len(b.selected), "token", "tokens")+" selected"),
		kit.Button(kit.ButtonOpts{Text: "Suspend", Icon: "pause", Small: true, Key: "bulk suspend", On: func(app.Context) { p.bulk.ask("suspend") }}),
		kit.Button(kit.ButtonOpts{Text: "Revoke", Icon: "ban", Look: kit.Danger, Small: true, Key: "bulk revoke", On: func(app.Context) { p.bulk.ask("revoke") }}),
		kit.Button(kit.ButtonOpts{Text: "Clear", Look: kit.Ghost, Small: true, Key: "bulk clear", On: func(app.Context) { p.bulk.clear() }}),
	)
}

func (b *tokenBulk) ask(verb string) {
	b.verb, b.reason, b.typed = verb, "", ""
}

// dialog asks before several tokens are stopped.
func (b *tokenBulk) dialog(p *tokensPage) app.UI {
	if !b.open() {
		return kit.Nothing()
	}
	tokens := b.tokens()
	what := kit.Count(len(tokens), "token", "tokens")
	o := kit.ConfirmOpts{
		ID: "token-bulk", Title: "Suspend " + what + "?", Verb: "Suspend " + what,
		Text:    "One after the other they are refused, from the moment you confirm, until each is resumed.",
		OnYes:   func(ctx app.Context) { p.bulk.send(ctx, p) },
		OnClose: func(app.Context) { p.bulk.verb = "" },
	}
	inUse := 0
	items := make([]app.UI, 0, len(tokens))
	for _, t := range tokens {
		if token.MustType(t, p.now) {
			inUse++
		}
		items = append(items, app.Li().Body(
			app.Strong().Text(t.Name), kit.Env(t.Env), app.Span().Class("muted").Text("last used"), kit.TimeAgo(t.LastUsedAt, p.now, "never"),
		))
	}
	o.Body = []app.UI{app.Ul().Class("token-bulk-list").Attr("tabindex", "0").Attr("aria-label", what).Body(items...)}
	if inUse > 0 {
		o.Body = append(o.Body, kit.Banner(kit.BannerOpts{
			Kind: kit.Warn,
			Text: kit.Count(inUse, "live token was", "live tokens were") + " used in the last day. Whatever does so will be refused.",
		}))
	}
	if b.verb == "revoke" {
		o.Title, o.Verb, o.Look = "Revoke "+what+"?", "Revoke "+what, kit.Danger
		o.Text = "One after the other they are refused everywhere, from the moment you confirm. This cannot be undone."
		o.Body = append(o.Body, reasonSelect("bulk-reason", &b.reason))
		if inUse > 0 {
			o.Type, o.Bind = "revoke", &b.typed
		}
	}
	return kit.Confirm(o)
}

// reasons are why a token is stopped, as the server knows them.
var reasons = []kit.Option{
	{Value: "", Text: "No reason given"},
	{Value: "superseded", Text: "Replaced by another token"},
	{Value: "compromised", Text: "Leaked, or may have"},
	{Value: "unused", Text: "Not used any more"},
	{Value: "left_team", Text: "Somebody left the team"},
	{Value: "other", Text: "Other"},
}

// reasonWords says a reason of the server in words.
func reasonWords(reason string) string {
	for _, r := range reasons {
		if r.Value == reason && reason != "" {
			return r.Text
		}
	}
	return "–"
}

func reasonSelect(id string, bind *string) app.UI {
	return kit.Select(kit.SelectOpts{
		ID: id, Label: "Reason", Options: reasons, Value: *bind, Hint: "Everybody in the team can read it in the audit log.",
		On: func(_ app.Context, v string) { *bind = v },
	})
}

// send has the tokens stopped, shows at once that they are being stopped, and lets
// the selection go.
func (b *tokenBulk) send(ctx app.Context, p *tokensPage) {
	if !b.open() {
		return
	}
	order := stopOrder{team: p.At.Team.Team.ID, verb: b.verb, reason: b.reason, tokens: b.tokens()}
	*b = tokenBulk{}
	ctx.NewActionWithValue(actionStop, order)
	later(ctx, p, func(app.Context) { bridge.Focus("#main") }) // the button that would get it back goes
}
