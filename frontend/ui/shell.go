package ui

import (
	"net/url"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
)

// Render draws the page that was chosen, in the shell if somebody is signed in.
func (r *root) Render() app.UI {
	var page app.UI
	bare := r.route.open || r.standing == nobody
	switch {
	case r.failed != nil:
		bare = true
		page = authCard("Not available", kit.Failed(r.failed, func(ctx app.Context) { r.fetchSession(ctx, r.settleIn) }))
	case r.visits == 0:
		page = kit.Nothing() // the first navigation is on its way
	case !r.found && r.standing != unknown:
		page = r.missing(bare)
	case r.route.open && r.route.settled && r.standing == unknown:
		page = authCard(r.route.title, kit.Skeleton(r.route.skeleton...))
	case r.route.open:
		page = r.route.page(r.place)
	case r.standing != somebody, !r.drawn, r.path == "/" && len(r.session.Teams) > 0:
		page = r.awaited()
	default:
		page = r.route.page(r.place)
	}
	// Another path is another element, so that nothing of the page before stays:
	// go-app would keep a component of the same type with all its state.
	if r.visits%2 == 0 {
		page = app.Div().Class("page-place").Body(page)
	} else {
		page = app.Section().Class("page-place").Body(page)
	}
	var frame app.UI
	if bare {
		frame = app.Div().Class("bare").Body(r.banners(), app.Main().Class("auth").ID("main").Attr("tabindex", "-1").Body(page))
	} else {
		frame = r.shell(page)
	}
	return app.Div().Class("app").Body(frame, r.dialogs(), r.toastList())
}

// awaited draws the place of a page until it is known who is signed in.
func (r *root) awaited() app.UI {
	title := r.route.heading
	if r.route.text != "" && title == "" {
		title = r.place.Team.Team.Name
	}
	if title == "" {
		return kit.Skeleton(append([]string{"title"}, r.route.skeleton...)...)
	}
	header := kit.HeaderOpts{Title: title, Text: r.route.text}
	if r.route.back {
		header.Back, header.BackTo = r.place.InTeam("tokens"), "Tokens"
	}
	return app.Div().Class("stack").Body(kit.Header(header), kit.Skeleton(r.route.skeleton...))
}

func (r *root) missing(bare bool) app.UI {
	if bare {
		return authCard("Not found", kit.Missing())
	}
	return app.Div().Body(kit.Header(kit.HeaderOpts{Title: "Not found"}), kit.Missing())
}

func (r *root) shell(page app.UI) app.UI {
	return app.Div().Class("shell").Body(
		app.Button().Type("button").Class("skip").OnClick(kit.Click("skip", func(app.Context) { bridge.Focus("#main") })).Text("Skip to the page"),
		app.Aside().Class("sidebar").Attr("aria-label", "Sidebar").Body(
			r.switcher("team-switcher", false),
			app.Nav().Class("sidebar-nav").Attr("aria-label", "Team").Body(r.navItems("nav-item")...),
			app.Div().Class("sidebar-foot").Body(kit.Brand(), app.Span().Text("Gatehouse")),
		),
		app.Div().Class("shell-main").Body(
			app.Header().Class("topbar").Body(
				app.Div().Class("topbar-team").Body(r.switcher("team-switcher-top", true)),
				app.Button().Type("button").Class("topbar-search").Attr("aria-keyshortcuts", "Control+K Meta+K").
					OnClick(kit.Click("palette", func(app.Context) { r.palette = true })).
					Body(kit.Icon("search"), app.Span().Text("Search or jump to"), app.Kbd().Attr("aria-hidden", "true").Text("Ctrl K")),
				r.profile(),
			),
			r.banners(),
			app.Main().Class("page-main").ID("main").Attr("tabindex", "-1").Body(page),
		),
		app.Nav().Class("bottom-bar").Attr("aria-label", "Team, short").Body(r.navItems("bottom-item")...),
	)
}

// here returns the team that the shell stands in: that of the page, or the one
// looked at last on pages without a team.
func (r *root) here() string {
	if id := r.place.Team.Team.ID; id != "" {
		return id
	}
	return r.home()
}

func (r *root) navItems(class string) []app.UI {
	var items []app.UI
	team := r.here()
	for _, x := range routes() {
		if x.nav == "" || team == "" {
			continue
		}
		a := app.A().Class(class).Href(strings.Replace(x.pattern, "{team}", url.PathEscape(team), 1))
		if r.found && r.place.Team.Team.ID != "" && (r.route.nav == x.nav || r.route.under == x.nav) {
			a = a.Class("is-on").Attr("aria-current", "page")
		}
		items = append(items, a.Body(kit.IconSize(x.icon, 18), app.Span().Text(x.nav)))
	}
	return items
}

func (r *root) switcher(id string, short bool) app.UI {
	name, role := "No team", ""
	team := r.here()
	var items []kit.MenuItem
	for i, m := range r.session.Teams {
		on := m.Team.ID == team
		if on {
			name, role = m.Team.Name, m.Role
		}
		item := kit.MenuItem{Text: m.Team.Name, Hint: m.Role, Href: teamPath(m.Team.ID), Checked: &on}
		if i == 0 {
			item.Head = "Teams"
		}
		items = append(items, item)
	}
	items = append(items, kit.MenuItem{Text: "New team", Icon: "plus", Line: true, On: func(ctx app.Context) { ctx.Navigate("/teams/new") }})
	if r.standing == unknown {
		name, role = "", ""
	}
	words := []app.UI{app.Span().Class("switcher-name").Dir("auto").Text(name)}
	if !short {
		words = append(words, app.Span().Class("switcher-role").Text(role))
	}
	return &kit.Menu{
		ID: id, Label: "Team:", Class: "switcher", Start: true, Items: items,
		Button: []app.UI{
			app.Span().Class("switcher-mark").Attr("aria-hidden", "true").Text(initials(name, 1)),
			app.Span().Class("switcher-words").Body(words...),
			kit.Icon("chevrons-up-down"),
		},
	}
}

func (r *root) profile() app.UI {
	var items []kit.MenuItem
	add := func(item kit.MenuItem) {
		if _, _, ok := match(routes(), item.Href); ok {
			items = append(items, item)
		}
	}
	add(kit.MenuItem{Text: "API tokens", Icon: "key-round", Href: teamPath(r.here(), "tokens")})
	add(kit.MenuItem{Text: "Account", Icon: "circle-user-round", Href: "/account"})
	if len(items) > 0 {
		items[0].Head = r.session.User.Email
	}
	for i, t := range []struct{ name, text string }{{"system", "System"}, {"light", "Light"}, {"dark", "Dark"}} {
		on := r.theme == t.name
		item := kit.MenuItem{Text: t.text, Checked: &on, On: func(app.Context) {
			r.theme = t.name
			bridge.SetTheme(t.name)
		}}
		if i == 0 {
			item.Head = "Theme"
		}
		items = append(items, item)
	}
	items = append(items,
		kit.MenuItem{Text: "Keyboard shortcuts", Icon: "keyboard", Hint: "?", Line: true, On: func(app.Context) { r.keys = true }},
		kit.MenuItem{Text: "Sign out", Icon: "log-out", On: func(ctx app.Context) { ctx.NewAction(actionSignOut) }},
	)
	return &kit.Menu{
		ID: "profile", Label: "Profile: " + r.session.User.Name, Class: "avatar-button", Items: items,
		Button: []app.UI{app.Span().Class("avatar").Attr("aria-hidden", "true").Text(initials(r.session.User.Name, 2))},
	}
}

// initials returns the first letters of the first words of a name.
func initials(name string, most int) string {
	out := ""
	for _, word := range strings.Fields(name) {
		if most--; most < 0 {
			break
		}
		out += strings.ToUpper(string([]rune(word)[:1]))
	}
	return out
}

func (r *root) banners() app.UI {
	var list []app.UI
	if r.offline {
		list = append(list, app.Div().Class("banner", kit.Warn).Attr("role", "status").Body(kit.Icon("wifi-off"), app.P().Text("No connection to the server. What you see may be out of date; changes cannot be saved now.")))
	}
	if r.newer {
		list = append(list, kit.Banner(kit.BannerOpts{Kind: kit.Note, Text: "A new version of the portal is there.", Action: "Reload", OnAction: func(app.Context) { bridge.Reload() }}))
	}
	for _, n := range r.session.Notices {
		if !r.closed[n] {
			list = append(list, kit.Banner(kit.BannerOpts{Kind: kit.Note, Text: n, OnClose: func(app.Context) { r.closed[n] = true }}))
		}
	}
	return app.Div().Class("banners").Body(list...)
}
