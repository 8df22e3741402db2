package ui

import (
	"testing"

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
