package web

import (
	"encoding/json"
	"errors"
	"html"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPageAt(t *testing.T) {
	tests := []struct {
		path, title, skeleton string
		known                 bool
	}{
		{"/", "Overview", "overview", true},
		{"/sign-in", "Sign in", "card", true},
		{"/teams/new", "New team", "form", true},
		{"/teams/tea_1", "Overview", "overview", true},
		{"/teams/tea_1/tokens", "Tokens", "list", true},
		{"/teams/tea_1/tokens/new", "New token", "form", true},
		{"/teams/tea_1/tokens/7Hq2LmZx9RtB", "Token", "detail", true},
		{"/teams/", "Not found", "card", false},
		{"/teams/tea_1/", "Not found", "card", false},
		{"/teams/tea_1/tokens/a/b", "Not found", "card", false},
		{"/Sign-In", "Not found", "card", false},
		{"", "Not found", "card", false},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			p, known := PageAt(tt.path)
			if p.Title != tt.title || p.Skeleton != tt.skeleton || known != tt.known {
				t.Errorf("got %q %q %v", p.Title, p.Skeleton, known)
			}
		})
	}
}

func manifest() Manifest {
	m := Manifest{Version: "0123456789ab", Files: map[string]string{}, Sizes: map[string]int64{"app.wasm": 42}}
	for _, name := range []string{"app.wasm", "app.css", "boot.js", "wasm_exec.js", "uplot.js", "uplot.css", "inter.woff2", "favicon.svg"} {
		m.Files[name] = "/assets/x." + name
	}
	return m
}

var (
	inline = regexp.MustCompile(`<script>|<style|\sstyle=|\son[a-z]+=|javascript:`)
	config = regexp.MustCompile(`name="gatehouse-config" content="([^"]*)"`)
)

func TestShellHoldsNothingInline(t *testing.T) {
	m := manifest()
	kinds := map[string]bool{}
	for _, p := range Pages() {
		var b strings.Builder
		if err := WriteShell(&b, m.Shell(Visit{Path: strings.NewReplacer("{", "", "}", "").Replace(p.Pattern), HasToken: true})); err != nil {
			t.Fatal(err)
		}
		kinds[p.Skeleton] = true
		page := b.String()
		if found := inline.FindString(page); found != "" {
			t.Errorf("%s: %q would be refused by the content security policy", p.Pattern, found)
		}
		for _, want := range []string{
			"<title>" + p.Title + " · Gatehouse</title>", `<html lang="en" data-theme="system">`, `id="boot-progress"`,
			`src="/assets/x.boot.js"`, `href="/assets/x.app.css"`, `href="/assets/x.app.wasm"`,
		} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %q is missing", p.Pattern, want)
			}
		}
		if p.Form == nil && !strings.Contains(page, "skeleton") {
			t.Errorf("%s: there is neither a form nor a skeleton", p.Pattern)
		}
		// The program replaces the first element of the body.
		if body := page[strings.Index(page, "<body>")+6:]; !strings.HasPrefix(strings.TrimSpace(body), `<div class="boot"`) {
			t.Errorf("%s: the body begins with %.40q", p.Pattern, body)
		}
		var c struct {
			Wasm, Version   string
			Wasm_bytes      int64
			Session, Outbox bool
		}
		found := config.FindStringSubmatch(page)
		if found == nil || json.Unmarshal([]byte(html.UnescapeString(found[1])), &c) != nil {
			t.Fatalf("%s: no configuration", p.Pattern)
		}
		if c.Wasm != "/assets/x.app.wasm" || c.Version != m.Version || c.Wasm_bytes != 42 || !c.Session || c.Outbox {
			t.Errorf("%s: got %+v", p.Pattern, c)
		}
	}
	if len(kinds) != 6 {
		t.Errorf("%d kinds of skeletons are used, want all 6", len(kinds))
	}
}

func TestReadManifest(t *testing.T) {
	if _, err := ReadManifest(fstest.MapFS{}); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("got %v, want ErrNotBuilt", err)
	}
	if _, err := ReadManifest(fstest.MapFS{"manifest.json": {Data: []byte("{")}}); err == nil || errors.Is(err, ErrNotBuilt) {
		t.Errorf("got %v for half a file", err)
	}
	m, err := ReadManifest(fstest.MapFS{"manifest.json": {Data: []byte(`{"version":"v","files":{"a":"b"}}`)}})
	if err != nil || m.Version != "v" || m.Files["a"] != "b" {
		t.Errorf("got %+v, %v", m, err)
	}
}
