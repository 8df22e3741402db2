package token

import (
	"net/url"
	"strings"
	"testing"
)

func TestFilterStandsInTheAddress(t *testing.T) {
	tests := []struct{ name, query, want string }{
		{"nothing", "", ""},
		{"everything", "?q=erp&status=active&env=live&ability=orders:read&maker=usr_1&sort=name&cursor=c1&page=3", "?ability=orders%3Aread&cursor=c1&env=live&maker=usr_1&page=3&q=erp&sort=name&status=active"},
		{"every status that has not ended", "?status=living", "?status=living"},
		{"unknown values are left out", "?status=dead&env=prod&ability=*&sort=colour&page=x", ""},
		{"a page needs its cursor", "?page=4", ""},
		{"a first page is not written", "?cursor=c1&page=1", "?cursor=c1"},
		{"space around the search", "?q=+erp+", "?q=erp"},
		{"a very long search", "?q=" + strings.Repeat("a", 300), "?q=" + strings.Repeat("a", 200)},
		{"a long search that ends in half a letter", "?q=" + strings.Repeat("a", 199) + "%C3%A9", "?q=" + strings.Repeat("a", 199)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, err := url.ParseQuery(strings.TrimPrefix(tt.query, "?"))
			if err != nil {
				t.Fatal(err)
			}
			f := ParseFilter(q)
			if got := f.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			q, _ = url.ParseQuery(strings.TrimPrefix(f.String(), "?"))
			if again := ParseFilter(q); again.String() != f.String() || again.Page != f.Page {
				t.Errorf("read again: got %+v, want %+v", again, f)
			}
		})
	}
}

func TestFilterAsksTheServer(t *testing.T) {
	q := Filter{Q: " erp ", Status: Living, Cursor: "c"}.Query()
	if q.Q != "erp" || q.Status != "active,pending,suspended" || q.Limit != PageSize || q.Cursor != "c" {
		t.Errorf("got %+v", q)
	}
}

func TestTrailGoesBackPageByPage(t *testing.T) {
	var trail Trail
	at := Filter{Env: "live"}.First()
	trail.Visit(at)
	if _, ok := trail.Before(at); ok {
		t.Error("there is a page before the first")
	}
	for _, next := range []string{"c2", "c3"} {
		at = at.After(next)
		trail.Visit(at)
	}
	want := []string{"?cursor=c2&env=live&page=2", "?env=live"}
	for _, w := range want {
		before, ok := trail.Before(at)
		if !ok || before.String() != w {
			t.Fatalf("got %q %v, want %q", before.String(), ok, w)
		}
		at = before
		trail.Visit(at)
	}
}

func TestTrailOfAnAddressThatWasSent(t *testing.T) {
	var trail Trail
	at := Filter{Cursor: "c9", Page: 9, Sort: ByName}
	trail.Visit(at)
	before, ok := trail.Before(at)
	if !ok || before.String() != "?sort=name" || before.Page != 1 {
		t.Errorf("got %q %v, want the first page", before.String(), ok)
	}
	other := Filter{Cursor: "c9", Page: 9}
	trail.Visit(other)
	if before, _ := trail.Before(other); before.String() != "" {
		t.Errorf("after another filter: got %q", before.String())
	}
}

func TestRange(t *testing.T) {
	tests := []struct {
		page, n int
		more    bool
		want    string
	}{
		{1, 1, false, "1 token"},
		{1, 50, false, "50 tokens"},
		{1, 50, true, "Tokens 1–50, more follow"},
		{2, 50, true, "Tokens 51–100, more follow"},
		{3, 7, false, "Tokens 101–107"},
		{3, 1, false, "Token 101"},
	}
	for _, tt := range tests {
		if got := Range(Filter{Page: tt.page}, tt.n, tt.more); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
