package sqlite

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// maxBytesAtOnce is how much a list of calls reads before it lets others have
// the connection.
const maxBytesAtOnce = 1 << 20

// RecordCalls implements portal.CallStore. A batch that is sent again is known
// by its blocks; it changes nothing but uses, of which only later ones count
// anyway.
func (s *Store) RecordCalls(ctx context.Context, b portal.CallBatch) error {
	var rows [][]any // packed before anybody has to wait
	for _, p := range blocks(b.Calls) {
		rows = append(rows, []any{p.team, p.newestAt, p.oldestAt, p.firstID, len(p.calls), p.tokens(), p.pack()})
	}
	sums := packRollups(b.Rollups)
	return s.write(ctx, func(w *work) error {
		var added int64
		for _, row := range rows {
			n, err := w.exec(`INSERT INTO calls (team, newest_at, oldest_at, first_id, count, tokens, data) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT DO NOTHING`, row...)
			if err != nil {
				return err
			}
			added += n
		}
		if len(b.Rollups) > 0 && (added > 0 || len(b.Calls) == 0) {
			if err := w.logRollups(sums); err != nil {
				return err
			}
		}
		return w.addUses(b.Uses)
	})
}

// addUses brings the last use of tokens and generations up to date.
func (w *work) addUses(uses []portal.Use) error {
	for _, u := range uses {
		stored, err := w.record(u.Token)
		if err != nil {
			return err
		}
		if stored == nil || stored.Team != u.Team {
			continue
		}
		t, at, changed := *stored, u.At.UTC().Truncate(time.Millisecond), false
		t.Generations = slices.Clone(stored.Generations)
		if at.After(t.LastUsedAt) {
			t.LastUsedAt, t.LastUsedFrom, changed = at, u.Address, true
		}
		for i := range t.Generations {
			if g := &t.Generations[i]; g.Number == u.Generation && at.After(g.LastUsedAt) {
				g.LastUsedAt, g.LastUsedFrom, g.LastClient, changed = at, u.Address, u.Client, true
			}
		}
		if !changed {
			continue
		}
		secrets, err := jsonText(generations(t.Generations))
		if err != nil {
			return err
		}
		err = w.execOne("Token", `UPDATE tokens SET last_used_at = ?, last_used_from = ?, generations = ? WHERE team = ? AND id = ?`,
			ms(t.LastUsedAt), t.LastUsedFrom, secrets, t.Team, t.ID)
		if err != nil {
			return err
		}
		w.touch(t.ID)
		w.tx.touched[t.ID] = &t // known; it need not be read again
	}
	return nil
}

// callPage is a page of calls in the making. Blocks are read from the one whose
// newest call is the newest; they overlap, so calls are kept until no block to
// come can hold a newer one.
type callPage struct {
	f     portal.CallFilter
	found []portal.Call
}

// errEnough ends the reading of blocks.
var errEnough = errors.New("enough")

// Calls implements portal.CallStore.
func (s *Store) Calls(ctx context.Context, f portal.CallFilter) ([]portal.Call, error) {
	page := callPage{f: f}
	var last *block
	for {
		bytes := 0
		query, args := blocksQuery(f, last)
		err := s.read(ctx, func(w *work) error {
			return w.rows(query, args, func(scan scanner) error {
				var b block
				var data []byte
				if err := scan(&b.newestAt, &b.firstID, &data); err != nil {
					return err
				}
				if page.full(b.newestAt) {
					return errEnough
				}
				last = &b
				if err := unpackCalls(f.Team, data, page.add); err != nil {
					return err
				}
				if bytes += len(data); bytes > maxBytesAtOnce {
					return errOthersFirst
				}
				return nil
			})
		})
		switch {
		case err == nil || errors.Is(err, errEnough):
			page.cut()
			return page.found, nil
		case !errors.Is(err, errOthersFirst):
			return nil, err
		}
	}
}

// errOthersFirst interrupts a long list; it goes on where it was.
var errOthersFirst = errors.New("others first")

// blocksQuery returns the query of the blocks that may hold calls of a list,
// after the block last. It walks the blocks of one team and reads none that
// begins after the end of the list.
func blocksQuery(f portal.CallFilter, last *block) (string, []any) {
	var c where
	c.and("team = ?", f.Team)
	before := func(ms int64) { // the calls are at or before ms
		c.and("newest_at < ?", hourEnd(ms))
		c.and("oldest_at <= ?", ms)
	}
	if !f.To.IsZero() {
		before(f.To.UnixMilli() - 1)
	}
	if f.After != nil {
		before(f.After.At.UnixMilli())
	}
	if !f.From.IsZero() {
		c.and("newest_at >= ?", f.From.UnixMilli())
	}
	if last != nil {
		c.and("(newest_at, first_id) < (?, ?)", last.newestAt, last.firstID)
	}
	if f.Token != "" {
		c.and("(tokens = x'' OR instr(tokens, ?) > 0)", tokenMark(f.Token))
	}
	return `SELECT newest_at, first_id, data FROM calls` + c.text.String() + ` ORDER BY newest_at DESC, first_id DESC`, c.args
}

// add keeps a call that the filter selects.
func (p *callPage) add(c *portal.Call) {
	if p.selects(c) {
		p.found = append(p.found, *c)
	}
}

func (p *callPage) selects(c *portal.Call) bool {
	f := &p.f
	switch {
	case f.Token != "" && c.Token != f.Token:
	case f.Status >= 10 && c.Status != f.Status:
	case f.Status > 0 && f.Status < 10 && c.Status/100 != f.Status:
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

// full reports that no block whose newest call is at ms can change the page.
func (p *callPage) full(ms int64) bool {
	if len(p.found) < p.f.Limit {
		return false
	}
	p.cut()
	return p.found[p.f.Limit-1].At.UnixMilli() > ms
}

// cut sorts the page and drops what lies beyond its limit.
func (p *callPage) cut() {
	slices.SortFunc(p.found, func(a, b portal.Call) int { return cmp.Or(b.At.Compare(a.At), strings.Compare(b.ID, a.ID)) })
	if len(p.found) > p.f.Limit {
		p.found = slices.Delete(p.found, p.f.Limit, len(p.found))
	}
}
