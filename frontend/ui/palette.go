package ui

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// palette jumps to a page or a token, by name, by lookup id, or by a whole token
// that is pasted: that is checked here, and only its lookup id leaves the page.
type palette struct {
	app.Compo
	At      Place
	Home    string // the team that the shell stands in
	OnClose func(app.Context)

	text   string
	note   string // about a pasted token
	kind   string
	at     int
	turn   int
	tokens []api.Token
	busy   bool
	enter  bool // was pressed before the answer that it is about
}

// entry is one line of the results.
type entry struct {
	icon, text, hint, href string
	mark                   app.UI
}

// entries returns what matches, pages first.
func (p *palette) entries() []entry {
	var list []entry
	words := strings.ToLower(p.text)
	add := func(e entry) {
		if words == "" || strings.Contains(strings.ToLower(e.text), words) {
			list = append(list, e)
		}
	}
	all := routes()
	for _, x := range all {
		if x.nav != "" && p.Home != "" {
			add(entry{icon: x.icon, text: x.nav, hint: "Page", href: strings.Replace(x.pattern, "{team}", url.PathEscape(p.Home), 1)})
		}
	}
	var extra []entry
	if makesTokens(p.At.Teams, p.Home) {
		extra = append(extra, entry{icon: "plus", text: "New token", hint: "n", href: teamPath(p.Home, "tokens", "new")})
	}
	extra = append(extra, entry{icon: "circle-user-round", text: "Account", hint: "Page", href: "/account"})
	for _, m := range p.At.Teams {
		extra = append(extra, entry{icon: "users", text: m.Team.Name, hint: "Team", href: teamPath(m.Team.ID)})
	}
	for _, e := range extra {
		if _, _, ok := match(all, e.href); ok {
			add(e)
		}
	}
	for _, t := range p.tokens {
		list = append(list, entry{icon: "key-round", text: t.Name, hint: t.ID, href: teamPath(p.Home, "tokens", t.ID), mark: kit.Status(t.Status)})
	}
	return list
}

// makesTokens reports whether a person in these teams may make tokens of one of
// them.
func makesTokens(teams []api.Membership, team string) bool {
	m, ok := membership(teams, team)
	return ok && slices.Contains(tokenMakers, m.Role)
}

// Render draws the dialog.
func (p *palette) Render() app.UI {
	list := p.entries()
	p.at = min(p.at, max(len(list)-1, 0))
	rows := make([]app.UI, len(list))
	for i, e := range list {
		body := []app.UI{kit.Icon(e.icon), app.Span().Class("palette-text").Text(e.text)}
		if e.mark != nil {
			body = append(body, e.mark)
		}
		body = append(body, app.Span().Class("palette-hint").Text(e.hint))
		row := app.A().Class("palette-row").ID("palette-"+strconv.Itoa(i)).Attr("role", "option").Attr("tabindex", "-1").
			Attr("aria-selected", strconv.FormatBool(i == p.at)).Href(e.href).OnClick(kit.Click("go "+e.href, p.OnClose))
		if i == p.at {
			row = row.Class("is-on")
		}
		rows[i] = row.Body(body...)
	}
	in := app.Input().Class("palette-input").ID("palette-input").Type("text").Attr("autocomplete", "off").Attr("spellcheck", "false").AutoFocus(true).
		Attr("role", "combobox").Attr("aria-expanded", "true").Attr("aria-controls", "palette-list").
		Attr("aria-label", "Go to a page, find a token by name or id, or paste a token").
		Placeholder("Page, token name or id, or paste a token").
		Value(p.text).OnInput(kit.On("input", p.input)).OnKeyDown(kit.On("keys", p.keys))
	if len(list) > 0 {
		in = in.Attr("aria-activedescendant", "palette-"+strconv.Itoa(p.at))
	}
	body := []app.UI{app.Div().Class("palette-field").Body(kit.IconSize("search", 18), in)}
	if p.note != "" {
		body = append(body, app.Div().Class("banner", p.kind).Attr("role", "status").Body(kit.Icon(kit.KindIcon(p.kind)), app.P().Text(p.note)))
	}
	body = append(body, app.Div().Class("palette-list").ID("palette-list").Attr("role", "listbox").Attr("aria-label", "Results").Body(rows...))
	if len(list) == 0 {
		text := "Nothing matches."
		if p.busy {
			text = "Looking for it."
		}
		body = append(body, app.P().Class("palette-none").Attr("role", "status").Text(text))
	}
	return kit.Dialog(kit.DialogOpts{ID: "palette", Title: "Search", OnClose: p.OnClose, Body: body})
}

func (p *palette) input(ctx app.Context, _ app.Event) {
	p.typed(ctx, ctx.JSSrc().Get("value").String())
}

// typed takes what stands in the field now.
func (p *palette) typed(ctx app.Context, typed string) {
	p.note, p.at, p.enter = "", 0, false
	lookup, kind := readToken(typed)
	switch kind {
	case wholeToken:
		// The secret leaves the field, and with it the page, at once.
		typed = lookup
		p.note, p.kind = "The checksum is right: nothing is missing or changed. Only the id was sent.", kit.Good
	case brokenToken:
		typed = ""
		p.note, p.kind = "This looks like a token, but a character is missing or changed. It was taken out of the field and not sent.", kit.Bad
	case partToken:
		p.note, p.kind = "This begins like a token. Paste all of it to have it checked: only its id is sent.", kit.Note
	}
	p.text = typed
	if kind == wholeToken || kind == brokenToken {
		bridge.SetValue("palette-input", typed)
	}
	p.find(ctx)
}

// find asks for tokens a moment after the last key.
func (p *palette) find(ctx app.Context) {
	p.turn++
	turn, words, team := p.turn, searchWords(p.text), p.Home
	if words == "" || team == "" {
		p.tokens, p.busy = nil, false
		return
	}
	// What was found for other words must not be opened for these.
	p.tokens = slices.DeleteFunc(slices.Clone(p.tokens), func(t api.Token) bool {
		return t.ID != words && !strings.Contains(strings.ToLower(t.Name), strings.ToLower(words))
	})
	p.busy = true
	kit.After(ctx, p, 150*time.Millisecond, func(ctx app.Context) {
		if turn != p.turn {
			return
		}
		calls := p.At.API
		kit.Ask(ctx, p, func(ctx context.Context) (api.List[api.Token], error) {
			return calls.Tokens(ctx, team, client.TokenQuery{Q: words, Limit: 8})
		}, func(ctx app.Context, l api.List[api.Token], err error) {
			if turn != p.turn {
				return
			}
			p.busy, p.tokens = false, l.Data
			if list := p.entries(); p.enter && len(list) > 0 {
				p.open(ctx, list[0])
			}
			p.enter = false
			if err != nil && !kit.Silent(err) {
				p.note, p.kind = kit.Sentence(err), kit.Bad
			}
		})
	})
}

func (p *palette) keys(ctx app.Context, e app.Event) {
	list := p.entries()
	switch e.Get("key").String() {
	case "ArrowDown":
		p.at = (p.at + 1) % max(len(list), 1)
	case "ArrowUp":
		p.at = (p.at - 1 + len(list)) % max(len(list), 1)
	case "Enter":
		p.enterKey(ctx)
	default:
		return
	}
	e.PreventDefault()
}

// enterKey opens what is marked. If nothing is there yet it waits for the answer
// to what was typed.
func (p *palette) enterKey(ctx app.Context) {
	if list := p.entries(); p.at < len(list) {
		p.open(ctx, list[p.at])
	} else {
		p.enter = p.busy
	}
}

func (p *palette) open(ctx app.Context, e entry) {
	p.OnClose(ctx)
	Go(ctx, e.href)
}
