package sqlite

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// where collects the conditions of a query with their arguments.
type where struct {
	text strings.Builder
	args []any
}

func (c *where) and(condition string, args ...any) {
	if c.text.Len() == 0 {
		c.text.WriteString(" WHERE ")
	} else {
		c.text.WriteString(" AND ")
	}
	c.text.WriteString(condition)
	c.args = append(c.args, args...)
}

// tokenOrder is one order of the list: its column, and what stands for a time
// that is absent, as in the index.
type tokenOrder struct {
	column string
	absent int64
	down   bool
}

var tokenOrders = map[portal.TokenSort]tokenOrder{
	portal.NewestFirst: {column: "t.created_at", absent: time.Time{}.UnixMilli(), down: true},
	portal.ByName:      {column: "t.name"},
	portal.ByLastUse:   {column: "t.use_order", absent: math.MinInt64, down: true},
	portal.ByExpiry:    {column: "t.expiry_order", absent: math.MaxInt64},
}

// statusText is portal.Token.Status, at an instant that is given twice.
const statusText = `CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked' WHEN t.expires_at <= ? THEN 'expired'
	WHEN t.suspended_at IS NOT NULL THEN 'suspended' WHEN t.not_before > ? THEN 'pending' ELSE 'active' END`

// tokensQuery returns the query of a list. Whatever the filter, it walks the
// index of its order through the rows of one team.
func tokensQuery(f portal.TokenFilter) (string, []any) {
	var c where
	c.and("t.team = ?", f.Team)
	if len(f.Status) > 0 {
		args := []any{f.Now.UnixMilli(), f.Now.UnixMilli()}
		for _, s := range f.Status {
			args = append(args, string(s))
		}
		c.and(statusText+" IN "+marks(len(f.Status)), args...)
	}
	if f.Env != "" {
		c.and("t.env = ?", string(f.Env))
	}
	if f.Maker != "" {
		// The plus keeps the index of the order in use.
		c.and("+t.maker = ?", f.Maker)
	}
	if f.Ability != "" {
		// The search in the text comes first: it is quick, and nearly exact.
		quoted, _ := json.Marshal(f.Ability) // a string never fails
		c.and("instr(t.abilities, ?) > 0 AND EXISTS (SELECT 1 FROM json_each(t.abilities) WHERE value = ?)", string(quoted), f.Ability)
	}
	if f.Query != "" {
		// Not LIKE: it has wildcards, stops at a NUL and folds only ASCII.
		c.and("(instr(t.name_folded, ?) > 0 OR instr(t.id, ?) = 1)", strings.ToLower(f.Query), f.Query)
	}
	o, ok := tokenOrders[f.Sort]
	if !ok {
		o = tokenOrders[portal.NewestFirst]
	}
	direction, beyond := "", ">"
	if o.down {
		direction, beyond = " DESC", "<"
	}
	if f.After != nil {
		var key any = f.After.Name
		switch {
		case f.Sort == portal.ByName:
		case f.After.Time.IsZero():
			key = o.absent
		default:
			key = f.After.Time.UnixMilli()
		}
		c.and("("+o.column+", t.id) "+beyond+" (?, ?)", key, f.After.ID)
	}
	query := tokenRows.query + c.text.String() +
		" ORDER BY " + o.column + direction + ", t.id" + direction + " LIMIT ?"
	return query, append(c.args, f.Limit)
}

// Tokens implements portal.TokenStore.
func (s *Store) Tokens(ctx context.Context, f portal.TokenFilter) ([]portal.Token, error) {
	query, args := tokensQuery(f)
	return readList(ctx, s, query, args, tokenRows.reader())
}
