package config

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// document reads a YAML file node by node, so that every mistake is found at
// once and with its line; a decoder stops at the first.
type document struct {
	name     string
	anchors  map[string]ast.Node
	mistakes Mistakes
}

// maxCatalogue bounds the file in bytes, maxDepth the nesting of aliases.
const (
	maxCatalogue = 1 << 20
	maxDepth     = 16
)

// byteOrderMark is what some editors write before a text.
const byteOrderMark = "\ufeff"

// parseDocument returns the one mapping that the file holds, nil after a mistake.
func parseDocument(name string, text []byte) (*document, ast.Node) {
	d := &document{name: name, anchors: map[string]ast.Node{}}
	if len(text) > maxCatalogue {
		d.mistakes.add(name, "", "Describe fewer abilities in fewer words.", "the file is larger than 1 MiB")
		return d, nil
	}
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		where, problem := name, "this is not YAML"
		var syntax yaml.Error
		if errors.As(err, &syntax) {
			problem += " (" + strings.TrimSpace(syntax.GetMessage()) + ")"
			if t := syntax.GetToken(); t != nil && t.Position != nil {
				where = fmt.Sprintf("%s, line %d", name, t.Position.Line)
			}
		}
		d.mistakes.add(where, "", "Indent with spaces, and quote text that holds a colon.", "%s", problem)
		return d, nil
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil && doc.Body.Type() != ast.CommentType {
			bodies = append(bodies, doc.Body)
		}
	}
	if len(bodies) != 1 {
		d.mistakes.add(name, "", "Start from the example catalogue.", "the file holds %d documents, want 1", len(bodies))
		return d, nil
	}
	ast.Walk(anchorFinder(d.anchors), bodies[0])
	return d, bodies[0]
}

type anchorFinder map[string]ast.Node

func (f anchorFinder) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok {
		f[a.Name.GetToken().Value] = a.Value
	}
	return f
}

// wrong notes a mistake at a node.
func (d *document) wrong(n ast.Node, fix, problem string, args ...any) {
	d.mistakes.add(fmt.Sprintf("%s, line %d", d.name, line(n)), "", fix, problem, args...)
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// plain follows anchors and aliases to the value they stand for.
func (d *document) plain(n ast.Node) ast.Node {
	for range maxDepth {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			target, ok := d.anchors[v.Value.GetToken().Value]
			if !ok {
				d.wrong(v, "Define it with & first.", "the alias *%s stands for nothing", v.Value.GetToken().Value)
				return nil
			}
			n = target
		case *ast.TagNode:
			n = v.Value
		default:
			return n
		}
	}
	d.wrong(n, "Write it out.", "aliases refer to each other without an end")
	return nil
}

// entry is one key of a mapping with its value; the key says where it is.
type entry struct {
	key   ast.Node
	value ast.Node // plain, never nil
}

// mapping returns the entries of a mapping by their keys. Keys that are not
// known, or there twice, are mistakes; an empty list of known keys allows all.
func (d *document) mapping(n ast.Node, what string, known ...string) map[string]entry {
	n = d.plain(n)
	if n == nil {
		return nil
	}
	var values []*ast.MappingValueNode
	switch v := n.(type) {
	case *ast.MappingNode:
		values = v.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{v}
	default:
		d.wrong(n, "Write key: value, one a line.", "%s is not a mapping", what)
		return nil
	}
	entries := make(map[string]entry, len(values))
	for _, v := range values {
		if v.Key.IsMergeKey() {
			d.wrong(v.Key, "Write the keys out.", "merge keys are not understood here")
			continue
		}
		name := v.Key.GetToken().Value
		if first, twice := entries[name]; twice {
			d.wrong(v.Key, "Remove one of the two.", "%q is there twice, first in line %d", name, line(first.key))
			continue
		}
		if len(known) > 0 && !contains(known, name) {
			d.wrong(v.Key, didYouMean(name, known), "%s has no key %q", what, name)
			continue
		}
		value := d.plain(v.Value)
		if value == nil {
			continue
		}
		entries[name] = entry{v.Key, value}
	}
	return entries
}

// list returns the items of a list.
func (d *document) list(n ast.Node, what string) []ast.Node {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.wrong(n, "Write a list: [] or lines that begin with a dash.", "%s is not a list", what)
		return nil
	}
	items := make([]ast.Node, 0, len(seq.Values))
	for _, v := range seq.Values {
		if v = d.plain(v); v != nil {
			items = append(items, v)
		}
	}
	return items
}

// text returns a scalar as it is written, and whether it is one.
func (d *document) text(n ast.Node, what string) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return strings.TrimSpace(v.Value), true
	case *ast.LiteralNode:
		return strings.TrimSpace(v.Value.Value), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return v.GetToken().Value, true
	}
	d.wrong(n, "Write it on one line, quoted if need be.", "%s is not text", what)
	return "", false
}

func (d *document) flag(n ast.Node, what string) bool {
	if v, ok := n.(*ast.BoolNode); ok {
		return v.Value
	}
	d.wrong(n, "Write true or false.", "%s is neither true nor false", what)
	return false
}

// number returns a whole number between the bounds.
func (d *document) number(n ast.Node, what string, from, to int) (int, bool) {
	if n.GetToken() != nil && n.GetToken().Type == token.IntegerType {
		if v, err := strconv.Atoi(n.GetToken().Value); err == nil && v >= from && v <= to {
			return v, true
		}
	}
	d.wrong(n, fmt.Sprintf("Write a whole number from %d to %d.", from, to), "%s is not one that is allowed", what)
	return 0, false
}

// maxDuration is the longest duration, so that sums of times do not overflow.
const maxDuration = 3650 * 24 * time.Hour

// duration returns a length of time between the bounds.
func (d *document) duration(n ast.Node, what string, from, to time.Duration) (time.Duration, bool) {
	s, ok := d.text(n, what)
	if !ok {
		return 0, false
	}
	v, err := parseDuration(s)
	if err != nil {
		d.wrong(n, "Write such as 90d, 12h, 30m or 1d12h.", "%s is %q, which is not a length of time", what, s)
		return 0, false
	}
	if v < from || v > to {
		d.wrong(n, fmt.Sprintf("Choose one from %s to %s.", formatDuration(from), formatDuration(to)), "%s is %s, which is out of bounds", what, s)
		return 0, false
	}
	return v, true
}

var units = []struct {
	name string
	size time.Duration
}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// parseDuration reads whole numbers with the units w, d, h, m, s, each at most
// once and the larger first.
func parseDuration(s string) (time.Duration, error) {
	var sum time.Duration
	rest := s
	for _, unit := range units {
		number, after, found := strings.Cut(rest, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || time.Duration(n) > maxDuration/unit.size {
			return 0, errors.New("not a duration")
		}
		sum += time.Duration(n) * unit.size
		rest = after
	}
	if rest != "" || s == "" {
		return 0, errors.New("not a duration")
	}
	return sum, nil
}

// formatDuration is the inverse of parseDuration, without weeks.
func formatDuration(v time.Duration) string {
	if v == 0 {
		return "0s"
	}
	var s strings.Builder
	for _, unit := range units[1:] {
		if n := v / unit.size; n > 0 {
			fmt.Fprintf(&s, "%d%s", n, unit.name)
			v -= n * unit.size
		}
	}
	return s.String()
}
