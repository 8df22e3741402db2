package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMinifyKeepsTheMeaning(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"comment", "a { /* why */ color: red; }", "a { color: red;}"},
		{"indentation", "a {\n\tcolor: red;\n\tmargin: 0;\n}\n", "a {color: red;margin: 0;}"},
		{"selector list", "a,\nb {\n}", "a, b {}"},
		{"descendant over lines", "a\nb {}", "a b {}"},
		{"string is left alone", "a::before { content: \"/* \n  */\"; }", "a::before { content: \"/* \n  */\";}"},
		{"escaped quote", `a { content: "\"/*"; } b {}`, `a { content: "\"/*";} b {}`},
		{"calc", "a { width: calc(1px + 2px); }", "a { width: calc(1px + 2px);}"},
		{"comment never ends", "a {} /* b", "a {} "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(minify([]byte(tt.in))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestStylesheetNamesAssetsByHash(t *testing.T) {
	dir := t.TempDir()
	put := func(name, css string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(css), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range first {
		put(name, "/* "+name+" */")
	}
	put("z.css", "z { src: url(asset:mono.woff2); }")
	put("a.css", "a {}")
	got, err := stylesheet(dir, func(name string) (string, bool) { return "/assets/" + name, name == "mono.woff2" })
	if err != nil || string(got) != " a {}z { src: url(/assets/mono.woff2);}" && string(got) != "a {}z { src: url(/assets/mono.woff2);}" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := stylesheet(dir, func(string) (string, bool) { return "", false }); err == nil {
		t.Error("an asset that is not there was let through")
	}
}
