package block

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Page is a page of calls in the making. The blocks are read from the one whose
// newest call is the newest; they overlap, so calls are kept until no block to
// come can hold a newer one.
type Page struct {
	f     portal.CallFilter
	found []portal.Call
}

// NewPage returns an empty page of the calls that a filter selects.
func NewPage(f portal.CallFilter) *Page { return &Page{f: f} }

// Add takes what the filter selects of a packed block.
func (p *Page) Add(data []byte) error {
	return Unpack(p.f.Team, data, func(c *portal.Call) {
		if p.selects(c) {
			p.found = append(p.found, *c)
		}
	})
}

func (p *Page) selects(c *portal.Call) bool {
	f := &p.f
	switch {
	case f.Token != "" && c.Token != f.Token:
	case f.Status >= 10 && c.Status != f.Status:
	case f.Status > 0 && f.Status < 10 && c.Status/100 != f.Status:
	case f.Refused && !portal.Refused(c.Status):
	case f.Route != "" && !isRoute(f.Route, c):
	case f.Address.IsValid() && !f.Address.Contains(c.Address):
	case !f.From.IsZero() && c.At.Before(f.From):
	case !f.To.IsZero() && !c.At.Before(f.To):
	case f.After != nil && cmp.Or(c.At.Compare(f.After.At), strings.Compare(c.ID, f.After.ID)) >= 0:
	default:
		return true
	}
	return false
}

// isRoute reports whether a route is that of the call, with or without the
// method before it.
func isRoute(route string, c *portal.Call) bool {
	if route == c.Route {
		return true
	}
	rest, ok := strings.CutPrefix(route, c.Method+" ")
	return ok && rest == c.Route
}

// Full reports that no block whose newest call is at ms can change the page.
func (p *Page) Full(ms int64) bool {
	if len(p.found) < p.f.Limit {
		return false
	}
	p.cut()
	return p.found[p.f.Limit-1].At.UnixMilli() > ms
}

// Calls returns the page, newest first.
func (p *Page) Calls() []portal.Call {
	p.cut()
	return p.found
}

// cut sorts the page and drops what lies beyond its limit.
func (p *Page) cut() {
	slices.SortFunc(p.found, func(a, b portal.Call) int { return cmp.Or(b.At.Compare(a.At), strings.Compare(b.ID, a.ID)) })
	if len(p.found) > p.f.Limit {
		p.found = slices.Delete(p.found, p.f.Limit, len(p.found))
	}
}
