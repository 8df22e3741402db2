package web

import "strings"

// Page is what the server needs to know of a page before the program draws it.
type Page struct {
	Pattern  string // {x} stands for one part of the path
	Title    string
	Skeleton string // card, overview, list, charts, detail, form
}

// pages are the pages of the browser program. A test of frontend/ui holds them
// and its routes together.
var pages = []Page{
	{"/sign-in", "Sign in", "card"},
	{"/sign-up", "Create an account", "card"},
	{"/verify", "Confirm your address", "card"},
	{"/verify/{code}", "Confirm your address", "card"},
	{"/outbox", "Outbox", "card"},
	{"/outbox/{id}", "Outbox", "card"},
	{"/", "Overview", "overview"},
	{"/teams/new", "New team", "form"},
	{"/teams/{team}", "Overview", "overview"},
	{"/teams/{team}/tokens", "Tokens", "list"},
	{"/teams/{team}/tokens/new", "New token", "form"},
	{"/teams/{team}/tokens/{id}", "Token", "detail"},
	{"/teams/{team}/usage", "Usage", "charts"},
	{"/teams/{team}/audit", "Audit", "list"},
	{"/teams/{team}/settings", "Settings", "form"},
	{"/account", "Account", "form"},
}

// Pages returns every page of the browser program.
func Pages() []Page { return append([]Page(nil), pages...) }

// PageAt returns the page at a path, and false if there is none: the shell is
// then sent with status 404.
func PageAt(path string) (Page, bool) {
	for _, p := range pages {
		if matches(p.Pattern, path) {
			return p, true
		}
	}
	return Page{Title: "Not found", Skeleton: "card"}, false
}

func matches(pattern, path string) bool {
	for {
		want, wantRest, wantMore := strings.Cut(pattern, "/")
		got, gotRest, gotMore := strings.Cut(path, "/")
		if strings.HasPrefix(want, "{") {
			if got == "" {
				return false
			}
		} else if want != got {
			return false
		}
		if wantMore != gotMore {
			return false
		}
		if !wantMore {
			return true
		}
		pattern, path = wantRest, gotRest
	}
}
