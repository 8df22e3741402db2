package ui

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/web"
)

func TestServerAndProgramKnowTheSamePages(t *testing.T) {
	known := map[string]string{}
	for _, p := range web.Pages() {
		known[p.Pattern] = p.Title
	}
	for _, r := range routes() {
		title, ok := known[r.pattern]
		if !ok {
			t.Errorf("the server does not know %s and would answer 404: add it to package web", r.pattern)
			continue
		}
		// At / the server cannot know that the program will go on to a team.
		if title != r.title && r.pattern != "/" {
			t.Errorf("%s is called %q by the server and %q by the program", r.pattern, title, r.title)
		}
		delete(known, r.pattern)
	}
	for pattern := range known {
		t.Errorf("the server says that %s exists, the program has no such page", pattern)
	}
}

// What the first paint says at the top of a page is what the program says there.
func TestServerAndProgramBeginPagesAlike(t *testing.T) {
	begun := 0
	for _, p := range web.Pages() {
		if p.Heading == "" && p.Text == "" {
			continue
		}
		begun++
		found, _, ok := match(routes(), strings.NewReplacer("{", "", "}", "").Replace(p.Pattern))
		if !ok {
			t.Errorf("no page at %s", p.Pattern)
			continue
		}
		if !found.open && (found.heading != p.Heading || found.text != p.Text || found.back != (p.Back != "")) {
			t.Errorf("%s is awaited below %q and %q, want %q and %q", p.Pattern, found.heading, found.text, p.Heading, p.Text)
		}
		place := Place{API: newGate(&server{}).api, Path: p.Pattern, Outbox: true, Team: api.Membership{Team: api.Team{ID: "tea_1", Name: "Acme"}, Role: "owner"}}
		drawn := app.HTMLString(found.page(place).(app.Composer).Render())
		if _, text, _ := strings.Cut(between(drawn, "<h1", "</h1>"), ">"); p.Heading != "" && text != p.Heading {
			t.Errorf("%s begins with %q, and the first paint with %q", p.Pattern, text, p.Heading)
		}
		drawn = html.UnescapeString(drawn)
		if p.Text != "" && !strings.Contains(drawn, ">"+p.Text+"</p>") {
			t.Errorf("%s does not say %q", p.Pattern, p.Text)
		}
		if back := words(between(drawn, `class="page-back"`, "</a>")); back != p.Back {
			t.Errorf("%s leads back to %q, want %q", p.Pattern, back, p.Back)
		}
		if p.Form == nil {
			continue
		}
		var shell strings.Builder
		if err := web.WriteShell(&shell, web.Manifest{}.Shell(web.Visit{Path: p.Pattern, Outbox: true})); err != nil {
			t.Fatal(err)
		}
		if first, then := words(between(shell.String(), "<main", "</main>")), words(drawn); first != then {
			t.Errorf("%s says\n%s\nand the first paint\n%s", p.Pattern, then, first)
		}
	}
	if begun < 10 {
		t.Errorf("only %d pages begin with what the first paint knows", begun)
	}
}

var (
	unseen = regexp.MustCompile(`(?s)<span class="visually-hidden">.*?</span>|<[^>]*>`)
	attrs  = regexp.MustCompile(`^[^>]*>`)
)

// words returns what HTML shows, in one line.
func words(s string) string {
	return strings.Join(strings.Fields(unseen.ReplaceAllString(attrs.ReplaceAllString(s, ""), " ")), " ")
}

// between returns what stands between two texts, "" if they are not there.
func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}
