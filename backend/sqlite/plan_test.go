package sqlite

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/block"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// plan returns how SQLite goes about a query, a line a step.
func plan(t *testing.T, s *Store, query string, args []any) []string {
	t.Helper()
	steps, err := readList(t.Context(), s, "EXPLAIN QUERY PLAN "+query, args, func(scan scanner) (string, error) {
		var id, parent, unused int
		var step string
		err := scan(&id, &parent, &unused, &step)
		return step, err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return steps
}

// No list reads rows of another team, and none sorts: each walks the index of
// its order from the place where the page begins.
func TestListsUseIndexes(t *testing.T) {
	s := openNew(t)
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	type list struct {
		name  string
		query string
		args  []any
		want  string // the step that finds the rows
	}
	var lists []list
	add := func(name, want, query string, args []any) { lists = append(lists, list{name, query, args, want}) }

	for sort, index := range map[portal.TokenSort]string{
		portal.NewestFirst: "tokens_by_created", portal.ByName: "tokens_by_name", portal.ByLastUse: "tokens_by_use", portal.ByExpiry: "tokens_by_expiry",
	} {
		f := portal.TokenFilter{Team: "tea", Sort: sort, Limit: 101, Now: at}
		query, args := tokensQuery(f)
		add("tokens "+string(sort), "SEARCH t USING INDEX "+index+" (team=?)", query, args)
		f.Status, f.Env, f.Ability, f.Maker, f.Query = []portal.TokenStatus{portal.StatusActive}, portal.Live, "orders:read", "usr", "erp"
		query, args = tokensQuery(f)
		add("tokens filtered "+string(sort), "SEARCH t USING INDEX "+index+" (team=?)", query, args)
		f.After = &portal.TokenCursor{Time: at, Name: "n", ID: "id"}
		query, args = tokensQuery(f)
		add("tokens after "+string(sort), "SEARCH t USING INDEX "+index+" (team=? AND ", query, args)
	}
	add("living tokens", "SEARCH tokens USING COVERING INDEX tokens_living (team=?)", livingTokens, []any{"tea", 0})

	after := &portal.CallCursor{At: at, ID: "id"}
	for name, c := range map[string]struct {
		f    portal.CallFilter
		last *block.Block
		want string
	}{
		"calls":          {portal.CallFilter{}, nil, "SEARCH calls USING INDEX calls_by_time (team=?)"},
		"calls after":    {portal.CallFilter{After: after}, nil, "SEARCH calls USING INDEX calls_by_time (team=? AND newest_at<?)"},
		"calls go on":    {portal.CallFilter{}, &block.Block{}, "SEARCH calls USING INDEX calls_by_time (team=? AND (newest_at,first_id)<(?,?))"},
		"calls filtered": {portal.CallFilter{Token: "tok", Status: 4, From: at, To: at}, nil, "SEARCH calls USING INDEX calls_by_time (team=? AND newest_at>? AND newest_at<?)"},
	} {
		c.f.Team, c.f.Limit = "tea", 101
		query, args := blocksQuery(c.f, c.last)
		add(name, c.want, query, args)
	}

	query, args := ordersQuery("tea", portal.Live, "", 50)
	add("orders", "SEARCH orders USING PRIMARY KEY (team=? AND env=?)", query, args)
	query, args = ordersQuery("tea", portal.Live, "ord", 50)
	add("orders after", "SEARCH orders USING PRIMARY KEY (team=? AND env=? AND id<?)", query, args)

	for name, e := range map[string]struct {
		f    portal.EventFilter
		want string
	}{
		"events":        {portal.EventFilter{}, "SEARCH events USING PRIMARY KEY (chain=? AND seq<?)"},
		"events oldest": {portal.EventFilter{Oldest: true, After: 5}, "SEARCH events USING PRIMARY KEY (chain=? AND seq>?)"},
		"events filtered": {
			portal.EventFilter{Actions: []string{"token.", "x"}, Actor: "usr", From: at, To: at},
			"SEARCH events USING PRIMARY KEY (chain=? AND seq<?)",
		},
		"events of targets":  {portal.EventFilter{Targets: []string{"a", "b"}}, "SEARCH events USING PRIMARY KEY (chain=? AND seq<?)"},
		"events of a target": {portal.EventFilter{Targets: []string{"tok"}}, "SEARCH events USING INDEX events_by_target (chain=? AND target=? AND seq<?)"},
	} {
		e.f.Chain, e.f.Limit = "tea", 101
		query, args := eventsQuery(e.f)
		add(name, e.want, query, args)
	}

	query, args = rollupsQuery(portal.RollupFilter{Team: "tea", Step: portal.Hour, From: at, To: at, Tokens: []string{"a", "b"}})
	add("sums", "SEARCH rollups USING PRIMARY KEY (team=? AND step=? AND at>? AND at<?)", query, args)

	for _, ids := range [][]string{{"a"}, {"a", "b"}} {
		in, arg := anyOf(ids)
		add("people", "SEARCH users USING INDEX sqlite_autoindex_users_1 (id=?)", users.query+" WHERE id IN "+in, []any{arg})
		add("teams by id", "SEARCH teams USING INDEX sqlite_autoindex_teams_1 (id=?)", teams.query+" WHERE id IN "+in, []any{arg})
		add("records", "SEARCH t USING INDEX sqlite_autoindex_tokens_1 (id=?)", tokenRows.query+" WHERE t.id IN "+in, []any{arg})
	}

	scan := regexp.MustCompile(`^SCAN (t|tokens|calls|orders|events|rollups|teams|users|members|x|m|u)\b`)
	for _, l := range lists {
		t.Run(l.name, func(t *testing.T) {
			steps := plan(t, s, l.query, l.args)
			found := false
			for _, step := range steps {
				if scan.MatchString(step) || strings.Contains(step, "TEMP B-TREE") || strings.Contains(step, "AUTOMATIC") {
					t.Errorf("got step %q, want neither a scan nor a sort", step)
				}
				found = found || strings.HasPrefix(step, l.want)
			}
			if !found {
				t.Errorf("got steps %q, want %q", steps, l.want)
			}
		})
	}
}
