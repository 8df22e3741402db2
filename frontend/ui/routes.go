package ui

import (
	"net/url"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"
)

// route is one page of the program.
type route struct {
	pattern  string // {team}, {id} and {code} stand for one part of the path
	title    string
	open     bool   // for anybody: drawn without the shell
	settled  bool   // and not before it is known who is there
	nav      string // its word in the sidebar, "" if it is not there
	icon     string
	under    string   // the nav word that is marked while it is shown
	skeleton []string // what is drawn while the session is awaited, see kit.Skeleton
	heading  string   // above that, "" if it is the name of the team or depends on what the page shows
	text     string   // below the heading
	back     bool     // above it is the way to the tokens
	page     func(Place) app.UI
}

// The lines below the headings of pages, which stand there before the page does.
const (
	overviewText = "How this team's integrations are doing: their calls, what was refused or failed, and which tokens end soon."
	tokensText   = "One token for each integration, so that each can be changed and stopped by itself."
	newTokenText = "Give it a name, an end, and only the abilities that the integration needs. Its secret is shown once, as soon as it is made."
	tokenText    = "What this token may do, where it works and until when, which secrets it has, and what was done with it and to it."
	usageText    = "What the tokens of this team did with the API, by day, route, status and token."
	auditText    = "Who changed what, when and from where. Each event is linked to the one before it."
	settingsText = "The name of this team, who is in it, and the rules for its tokens."
	accountText  = "Your name, your password, and what happened to your account."
)

// routes lists the pages, those with a word in the sidebar in its order.
func routes() []route {
	return []route{
		{pattern: "/sign-in", title: "Sign in", open: true, page: func(at Place) app.UI { return &signInPage{At: at} }},
		{pattern: "/sign-up", title: "Create an account", open: true, page: func(at Place) app.UI { return &signUpPage{At: at} }},
		{pattern: "/verify", title: "Confirm your address", open: true, settled: true, skeleton: []string{"line", "line"}, page: func(at Place) app.UI { return &verifyPage{At: at} }},
		{pattern: "/verify/{code}", title: "Confirm your address", open: true, settled: true, skeleton: []string{"line", "line"}, page: func(at Place) app.UI { return &verifyPage{At: at} }},
		{pattern: "/outbox", title: "Outbox", open: true, page: func(at Place) app.UI { return &outboxPage{At: at} }},
		{pattern: "/outbox/{id}", title: "Outbox", open: true, page: func(at Place) app.UI { return &mailPage{At: at} }},
		{pattern: "/", title: "New team", page: func(at Place) app.UI { return &newTeamPage{At: at} }},
		{pattern: "/teams/new", title: "New team", skeleton: []string{"form"}, heading: "New team", page: func(at Place) app.UI { return &newTeamPage{At: at} }},
		{pattern: "/teams/{team}", title: "Overview", nav: "Overview", icon: "layout-dashboard", skeleton: []string{"stats", "chart"}, text: overviewText, page: func(at Place) app.UI { return &overviewPage{At: at} }},
		{pattern: "/teams/{team}/tokens", title: "Tokens", nav: "Tokens", icon: "key-round", skeleton: []string{"bar", "table"}, heading: "Tokens", text: tokensText, page: func(at Place) app.UI { return &tokensPage{At: at} }},
		{pattern: "/teams/{team}/tokens/new", title: "New token", under: "Tokens", skeleton: []string{"form"}, heading: "New token", text: newTokenText, back: true, page: func(at Place) app.UI { return &newTokenPage{At: at} }},
		{pattern: "/teams/{team}/tokens/{id}", title: "Token", under: "Tokens", skeleton: []string{"tabs", "stats", "block"}, heading: "Token", text: tokenText, back: true, page: func(at Place) app.UI { return &tokenPage{At: at} }},
		{pattern: "/teams/{team}/usage", title: "Usage", nav: "Usage", icon: "chart-column", skeleton: []string{"stats", "chart"}, heading: "Usage", text: usageText, page: func(at Place) app.UI { return &usagePage{At: at} }},
		{pattern: "/teams/{team}/audit", title: "Audit", nav: "Audit", icon: "scroll-text", skeleton: []string{"row", "row", "row"}, heading: "Audit", text: auditText, page: func(at Place) app.UI { return &auditPage{At: at} }},
		{pattern: "/teams/{team}/settings", title: "Settings", nav: "Settings", icon: "settings", skeleton: []string{"card"}, heading: "Settings", text: settingsText, page: func(at Place) app.UI { return &settingsPage{At: at} }},
		{pattern: "/account", title: "Account", skeleton: []string{"card", "card"}, heading: "Account", text: accountText, page: func(at Place) app.UI { return &accountPage{At: at} }},
	}
}

// match finds the route of a path with the values of its parameters.
func match(routes []route, path string) (route, map[string]string, bool) {
	for _, r := range routes {
		if params, ok := matchPattern(r.pattern, path); ok {
			return r, params, true
		}
	}
	return route{}, nil, false
}

func matchPattern(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	params := map[string]string{}
	for i, w := range want {
		name, ok := strings.CutPrefix(w, "{")
		if !ok {
			if w != got[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(got[i])
		if err != nil || value == "" {
			return nil, false
		}
		params[strings.TrimSuffix(name, "}")] = value
	}
	return params, true
}
