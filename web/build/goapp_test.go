package main

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

const someElements = `package app

import "strings"

// HTMLDiv is a div.
type HTMLDiv interface {
	UI

	// Body sets the content.
	Body(elems ...UI) HTMLDiv

	// Class sets the class.
	Class(v ...string) HTMLDiv

	// Lang sets the language.
	Lang(v string) HTMLDiv
}

// Div returns a div.
func Div() HTMLDiv { return &htmlDiv{} }

type htmlDiv struct{ htmlElement }

func (e *htmlDiv) Body(v ...UI) HTMLDiv { return e }

func (e *htmlDiv) Class(v ...string) HTMLDiv { strings.Join(v, " "); return e }

func (e *htmlDiv) Lang(v string) HTMLDiv { return e }

// HTMLWbr is a wbr.
type HTMLWbr interface {
	UI

	// Body sets the content.
	Body(elems ...UI) HTMLWbr
}

// Wbr returns a wbr.
func Wbr() HTMLWbr { return &htmlWbr{} }

type htmlWbr struct{ htmlElement }

func (e *htmlWbr) Body(v ...UI) HTMLWbr { return e }

func helper() {}
`

func TestKeepNamed(t *testing.T) {
	got, err := keepNamed([]byte(someElements), map[string]bool{"Div": true, "Class": true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", got, 0); err != nil {
		t.Errorf("it no longer parses: %v\n%s", err, got)
	}
	for text, want := range map[string]int{"HTMLDiv interface": 1, "Body(": 2, "Class(": 2, "func helper()": 1, "Lang": 0, "Wbr": 0, "wbr": 0, "language": 0} {
		if n := strings.Count(string(got), text); n != want {
			t.Errorf("%q stands there %d times, want %d:\n%s", text, n, want, got)
		}
	}
	if _, err := keepNamed([]byte("package app"), nil); err == nil {
		t.Error("a file without elements was taken for that of go-app")
	}
}
