package token

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// PageSize is how many tokens one page of the list has.
const PageSize = 50

// Living is the filter for every status that has not ended.
const Living = "living"

// The orders of the list; Newest is the usual one and not written in addresses.
const (
	Newest    = ""
	ByName    = "name"
	ByLastUse = "-last_used_at"
	ByExpiry  = "expires_at"
)

// Statuses are the statuses of tokens in the order of the filter.
var Statuses = []string{api.TokenActive, api.TokenPending, api.TokenSuspended, api.TokenExpired, api.TokenRevoked}

// Filter is what the list of tokens is narrowed to, and which page of it is
// seen. It stands whole in the page's address.
type Filter struct {
	Q                           string // part of a name, or a lookup id
	Status, Env, Ability, Maker string
	Sort                        string
	Cursor                      string // of the page, "" for the first
	Page                        int    // its number, 1 for the first
}

// ParseFilter reads a filter from an address. What no list knows is left out: an
// address with a mistake in it shows more, not an error.
func ParseFilter(q url.Values) Filter {
	f := Filter{Q: q.Get("q"), Maker: q.Get("maker"), Cursor: q.Get("cursor"), Page: 1}
	if len(f.Q) > maxQuery {
		f.Q = strings.ToValidUTF8(f.Q[:maxQuery], "")
	}
	if s := q.Get("status"); s == Living || slices.Contains(Statuses, s) {
		f.Status = s
	}
	if env := q.Get("env"); env == "live" || env == "test" {
		f.Env = env
	}
	if a := q.Get("ability"); ability.Valid(a) {
		f.Ability = a
	}
	if s := q.Get("sort"); s == ByName || s == ByLastUse || s == ByExpiry {
		f.Sort = s
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 && f.Cursor != "" {
		f.Page = n
	}
	return f
}

// maxQuery is how many bytes of a search the server takes.
const maxQuery = 200

// String writes the query of the page's address, "" for the usual list.
func (f Filter) String() string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("q", strings.TrimSpace(f.Q))
	set("status", f.Status)
	set("env", f.Env)
	set("ability", f.Ability)
	set("maker", f.Maker)
	set("sort", f.Sort)
	set("cursor", f.Cursor)
	if f.Page > 1 && f.Cursor != "" {
		set("page", strconv.Itoa(f.Page))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// Query is the filter as the server is asked.
func (f Filter) Query() client.TokenQuery {
	q := client.TokenQuery{
		Q: strings.TrimSpace(f.Q), Status: f.Status, Env: f.Env, Ability: f.Ability, Maker: f.Maker,
		Sort: f.Sort, Limit: PageSize, Cursor: f.Cursor,
	}
	if f.Status == Living {
		q.Status = strings.Join([]string{api.TokenActive, api.TokenPending, api.TokenSuspended}, ",")
	}
	return q
}

// First is the filter at its first page, as it must be after any other change.
func (f Filter) First() Filter {
	f.Cursor, f.Page = "", 1
	return f
}

// Narrow reports whether anything is left out of the list.
func (f Filter) Narrow() bool {
	return f.Q != "" || f.Status != "" || f.Env != "" || f.Ability != "" || f.Maker != ""
}

// Trail remembers the cursors of the pages before, which the server does not
// tell: one only goes forward with it. It lasts as long as the page.
type Trail struct {
	of      string         // the filter without its page
	cursors map[int]string // by number
}

// Visit remembers where f is; a filter other than the last begins anew.
func (t *Trail) Visit(f Filter) {
	if of := f.First().String(); t.cursors == nil || t.of != of {
		t.of, t.cursors = of, map[int]string{1: ""}
	}
	t.cursors[f.Page] = f.Cursor
}

// Before returns the filter of the page before f, and false on the first. If
// that page was never visited it is the first.
func (t *Trail) Before(f Filter) (Filter, bool) {
	if f.Cursor == "" {
		return f, false
	}
	if c, ok := t.cursors[f.Page-1]; ok && c != "" {
		f.Cursor, f.Page = c, f.Page-1
		return f, true
	}
	return f.First(), true
}

// After returns the filter of the page after f, which begins at next.
func (f Filter) After(next string) Filter {
	f.Cursor, f.Page = next, f.Page+1
	return f
}

// Range says which tokens a page of n shows: "Tokens 51–100, more follow". How
// many there are in all the server does not count.
func Range(f Filter, n int, more bool) string {
	if f.Page == 1 && !more {
		return kit.Count(n, "token", "tokens")
	}
	from := (f.Page-1)*PageSize + 1
	s := "Tokens " + kit.Number(int64(from)) + "–" + kit.Number(int64(from+n-1))
	if n == 1 {
		s = "Token " + kit.Number(int64(from))
	}
	if more {
		s += ", more follow"
	}
	return s
}
