package ui

import (
	"net/url"
	"testing"
)

func TestWithChangesTheQuery(t *testing.T) {
	at := Place{Path: "/teams/t/tokens", Query: url.Values{"status": {"active"}, "cursor": {"c"}, "q": {"a b"}}}
	tests := []struct {
		name  string
		pairs []string
		want  string
	}{
		{"add", []string{"env", "live"}, "/teams/t/tokens?env=live&q=a+b&status=active"},
		{"take away", []string{"status", "", "q", ""}, "/teams/t/tokens"},
		{"the cursor stays only if it is given", []string{"cursor", "d"}, "/teams/t/tokens?cursor=d&q=a+b&status=active"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := at.With(tt.pairs...); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if at.Get("cursor") != "c" {
		t.Error("With changed the place itself")
	}
}

func TestLocalPathStaysHere(t *testing.T) {
	for next, want := range map[string]string{
		"/teams/t?q=1": "/teams/t?q=1", "": "/", "//evil.example": "/", "https://evil.example": "/",
		`/\evil.example`: "/", "/\t/evil.example": "/", "javascript:alert(1)": "/",
	} {
		if got := localPath(next); got != want {
			t.Errorf("localPath(%q) = %q, want %q", next, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		path, pattern, param string
		ok                   bool
	}{
		{"/", "/", "", true},
		{"/verify/a%2Fb", "/verify/{code}", "a/b", true},
		{"/verify/", "", "", false},
		{"/verify/a/b", "", "", false},
		{"/sign-in/", "", "", false},
		{"/Sign-in", "", "", false},
		{"/teams/new", "/teams/new", "", true},
		{"/nowhere", "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			r, params, ok := match(routes(), tt.path)
			if ok != tt.ok || r.pattern != tt.pattern || params["code"] != tt.param {
				t.Errorf("got %q %v %v", r.pattern, params, ok)
			}
		})
	}
}
