package web

import "strings"

// Page is what the server needs to know of a page before the program draws it.
type Page struct {
	Pattern  string // {x} stands for one part of the path
	Title    string
	Skeleton string // card, overview, list, charts, detail, form
	Heading  string // that the page begins with, "" if it depends on what it shows
	Text     string // below the heading
	Back     string // above it, the page that this one belongs to: a link to the path without the last part
	Form     *Form  // in the card, nil if there is none or it depends on something
}

// Form is a form as it looks before anything is typed. Nothing can be typed into
// it: that comes with the program.
type Form struct {
	Fields     []Field
	Button     string
	Foot       string // below the button, before the link
	Href, Link string
	Outbox     bool // then says where the mails are, if they are here
}

// Field is one field of a [Form].
type Field struct {
	Label, Hint string
	Rules       []string // of what is typed
}

// pages are the pages of the browser program. A test of frontend/ui holds them
// and its routes together. What a page says at its top in any case is said by the
// first paint already.
var pages = []Page{
	{Pattern: "/sign-in", Title: "Sign in", Skeleton: "card", Heading: "Sign in", Form: &Form{
		Fields: []Field{{Label: "E-mail address"}, {Label: "Password"}}, Button: "Sign in",
		Foot: "No account yet?", Href: "/sign-up", Link: "Create one", Outbox: true,
	}},
	{Pattern: "/sign-up", Title: "Create an account", Skeleton: "card", Heading: "Create an account", Form: &Form{
		Fields: []Field{
			{Label: "Your name"},
			{Label: "E-mail address"},
			{Label: "Password", Rules: []string{"12 to 128 characters", "Does not contain your name or address"}},
			{Label: "Team name", Hint: "Your company or project. Tokens belong to the team."},
		},
		Button: "Create account", Foot: "Have an account?", Href: "/sign-in", Link: "Sign in",
	}},
	{Pattern: "/verify", Title: "Confirm your address", Skeleton: "card"},
	{Pattern: "/verify/{code}", Title: "Confirm your address", Skeleton: "card"},
	{Pattern: "/outbox", Title: "Outbox", Skeleton: "card"},
	{Pattern: "/outbox/{id}", Title: "Outbox", Skeleton: "card"},
	{Pattern: "/", Title: "Overview", Skeleton: "overview"},
	{Pattern: "/teams/new", Title: "New team", Skeleton: "form", Heading: "New team"},
	{
		Pattern: "/teams/{team}", Title: "Overview", Skeleton: "overview",
		Text: "How this team's integrations are doing: their calls, what was refused or failed, and which tokens end soon.",
	},
	{
		Pattern: "/teams/{team}/tokens", Title: "Tokens", Skeleton: "list", Heading: "Tokens",
		Text: "One token for each integration, so that each can be changed and stopped by itself.",
	},
	{
		Pattern: "/teams/{team}/tokens/new", Title: "New token", Skeleton: "form", Heading: "New token", Back: "Tokens",
		Text: "Give it a name, an end, and only the abilities that the integration needs. Its secret is shown once, as soon as it is made.",
	},
	{
		Pattern: "/teams/{team}/tokens/{id}", Title: "Token", Skeleton: "detail", Heading: "Token", Back: "Tokens",
		Text: "What this token may do, where it works and until when, which secrets it has, and what was done with it and to it.",
	},
	{
		Pattern: "/teams/{team}/usage", Title: "Usage", Skeleton: "charts", Heading: "Usage",
		Text: "What the tokens of this team did with the API, by day, route, status and token.",
	},
	{
		Pattern: "/teams/{team}/audit", Title: "Audit", Skeleton: "list", Heading: "Audit",
		Text: "Who changed what, when and from where. Each event is linked to the one before it.",
	},
	{
		Pattern: "/teams/{team}/settings", Title: "Settings", Skeleton: "form", Heading: "Settings",
		Text: "The name of this team, who is in it, and the rules for its tokens.",
	},
	{
		Pattern: "/account", Title: "Account", Skeleton: "form", Heading: "Account",
		Text: "Your name, your password, and what happened to your account.",
	},
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
