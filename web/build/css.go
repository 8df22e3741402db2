package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// first are the stylesheets that the others build on, in this order; the rest
// follow by name.
var first = []string{"tokens.css", "base.css", "layout.css"}

var assetURL = regexp.MustCompile(`url\(asset:([a-z0-9.-]+)\)`)

// stylesheet joins the files of a directory, takes comments and needless space
// away, and writes url(asset:NAME) as the hashed path of that asset.
func stylesheet(dir string, path func(name string) (string, bool)) ([]byte, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.css"))
	if err != nil {
		return nil, err
	}
	order := []string{}
	for _, name := range first {
		order = append(order, filepath.Join(dir, name))
	}
	for _, name := range names {
		if !slices.Contains(first, filepath.Base(name)) {
			order = append(order, name)
		}
	}
	var css bytes.Buffer
	for _, name := range order {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		css.Write(b)
		css.WriteByte('\n')
	}
	var missing error
	out := assetURL.ReplaceAllFunc(minify(css.Bytes()), func(m []byte) []byte {
		name := string(assetURL.FindSubmatch(m)[1])
		p, ok := path(name)
		if !ok {
			missing = fmt.Errorf("the stylesheet names an asset %q that is not there", name)
		}
		return []byte("url(" + p + ")")
	})
	return out, missing
}

// minify drops comments, indentation and line ends outside of strings. It does
// not touch spaces within a line: in selectors and calc() they mean something,
// and compression makes them nearly free.
func minify(css []byte) []byte {
	out := make([]byte, 0, len(css))
	var quote byte
	for i := 0; i < len(css); i++ {
		c := css[i]
		switch {
		case quote != 0:
			if c == '\\' && i+1 < len(css) {
				out = append(out, c)
				i++
				c = css[i]
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '/' && i+1 < len(css) && css[i+1] == '*':
			end := bytes.Index(css[i+2:], []byte("*/"))
			if end < 0 {
				return out
			}
			i += 2 + end + 1
			continue
		case c == '\n' || c == '\t' || c == '\r':
			// A line that goes on needs one space: selectors in a list, values.
			if n := len(out); n > 0 && out[n-1] != ' ' && out[n-1] != '{' && out[n-1] != '}' && out[n-1] != ';' {
				out = append(out, ' ')
			}
			continue
		case (c == ' ' || c == '}') && len(out) > 0 && out[len(out)-1] == ' ':
			if c == '}' {
				out[len(out)-1] = '}'
			}
			continue
		}
		out = append(out, c)
	}
	return out
}
