package ui

import (
	"fmt"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func TestOverviewCountsAllThatExpireSoon(t *testing.T) {
	expiring := func(n int, more bool) api.List[api.Token] {
		var list api.List[api.Token]
		for i := range n {
			list.Data = append(list.Data, live(func(t *api.Token) {
				t.ID, t.Name, t.ExpiresAt = fmt.Sprint("tok", i), fmt.Sprint("Token ", i), api.At(today.AddDate(0, 0, 10))
			}))
		}
		if more {
			list.NextCursor = new("c")
		}
		return list
	}
	few := expiring(3, true)
	few.Data = append(few.Data, live(nil), live(nil)) // later than soon
	for _, tt := range []struct {
		name   string
		tokens []any // what is answered for the newest, the next to expire, and many of them
		asked  int
		wants  []string
	}{
		{"none", []any{api.List[api.Token]{}}, 2, []string{">0<", "No active token expires"}},
		{"few", []any{few}, 2, []string{">3<", "Token 2", "!All that expire"}},
		{"five", []any{expiring(5, false)}, 2, []string{">5<", "!All that expire"}},
		{"some", []any{expiring(1, true), expiring(5, true), expiring(7, true)}, 3, []string{">7<", "Token 4", "!Token 5", "All that expire"}},
		{"many", []any{expiring(1, true), expiring(5, true), expiring(100, true)}, 3, []string{">100+<", "!Token 5"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := deskWith(map[string]any{
				"GET /usage":  api.Usage{Step: "day", Series: []api.Series{{Points: []api.Point{{At: api.At(today), Calls: 570, Refused: 37}}}}},
				"GET /events": api.List[api.Event]{},
			})
			d.on("GET /tokens", tt.tokens...)
			p := &overviewPage{At: at(d, "owner", "")}
			page(t, p)
			drawn(t, p, append(tt.wants, "37 calls", "tab=calls&status=refused")...)
			if n := len(d.sent("GET", "/tokens")); n != tt.asked {
				t.Errorf("asked for tokens %d times, want %d", n, tt.asked)
			}
		})
	}
}
