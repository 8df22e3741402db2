package sqlite

import (
	"context"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/block"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Prune implements portal.Store, in one short transaction. What is logged of sums
// is added to those that are stored before it, in transactions of its own: others
// may write between them.
func (s *Store) Prune(ctx context.Context, before portal.PruneTimes, limit int) (removed int, err error) {
	if ofSums(before) {
		if err := s.settle(ctx); err != nil {
			return 0, err
		}
	}
	err = s.write(ctx, func(w *work) error {
		removed = 0
		for _, step := range []func(before portal.PruneTimes, limit int) (int, error){
			w.pruneShortLived, w.pruneCalls, w.pruneRollups, w.pruneEvents, w.pruneTokens,
		} {
			n, err := step(before, limit-removed)
			if err != nil {
				return err
			}
			if removed += n; removed >= limit {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// delete removes at most limit rows. The query ends with the limit's mark.
func (w *work) delete(limit int, query string, args ...any) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	n, err := w.exec(query, append(args, limit)...)
	return int(n), err
}

func (w *work) pruneShortLived(before portal.PruneTimes, limit int) (removed int, err error) {
	if before.Now.IsZero() {
		return 0, nil
	}
	for _, t := range []struct{ table, key, ends string }{
		{"sessions", "id", "expires_at"},
		{"signups", "id", "expires_at"},
		{"onces", "key", "ends_at"},
		{"counters", "key", "ends_at"},
		{"idempotents", "key", "expires_at"},
		{"names", "team, name", "ends_at"},
	} {
		n, err := w.delete(limit-removed, `DELETE FROM `+t.table+` WHERE (`+t.key+`) IN
			(SELECT `+t.key+` FROM `+t.table+` WHERE `+t.ends+` < ? LIMIT ?)`, before.Now.UnixMilli())
		if err != nil {
			return 0, err
		}
		removed += n
	}
	return removed, nil
}

// each calls do for every distinct value of the first column of a table's key,
// by steps through the key and not through all rows.
func (w *work) each(table, column string, do func(value string) error) error {
	value, first := "", true
	for {
		comparison := ">"
		if first {
			comparison, first = ">=", false
		}
		found, err := w.row(`SELECT `+column+` FROM `+table+` WHERE `+column+` `+comparison+` ? ORDER BY `+column+` LIMIT 1`, []any{value}, &value)
		if err != nil || !found {
			return err
		}
		if err := do(value); err != nil {
			return err
		}
	}
}

// pruneCalls removes calls block by block, the oldest first. A block that is not
// past its time as a whole, or is more than may go at once, is cut.
func (w *work) pruneCalls(before portal.PruneTimes, limit int) (removed int, err error) {
	if before.Calls.IsZero() {
		return 0, nil
	}
	past := before.Calls.UnixMilli()
	err = w.each("calls", "team", func(team string) error {
		if removed >= limit {
			return nil
		}
		type stored struct {
			id    int64
			count int
			block.Block
		}
		old, err := list(w, `SELECT id, newest_at, count FROM calls INDEXED BY calls_by_time
			WHERE team = ? AND newest_at < ? AND oldest_at < ? ORDER BY newest_at, first_id LIMIT ?`,
			[]any{team, block.HourEnd(past), past, limit}, func(scan scanner) (b stored, err error) {
				b.Team = team
				err = scan(&b.id, &b.NewestAt, &b.count)
				return b, err
			})
		if err != nil {
			return err
		}
		for _, b := range old {
			if removed >= limit {
				return nil
			}
			n := b.count
			if b.NewestAt < past && n <= limit-removed {
				_, err = w.exec(`DELETE FROM calls WHERE id = ?`, b.id)
			} else {
				n, err = w.cutBlock(b.id, &b.Block, before.Calls, limit-removed)
			}
			if err != nil {
				return err
			}
			removed += n
		}
		return nil
	})
	return removed, err
}

// cutBlock removes at most limit calls before a time from a block. What is left
// keeps its newest_at: another cut takes it when its hour is over.
func (w *work) cutBlock(id int64, b *block.Block, before time.Time, limit int) (removed int, err error) {
	var data []byte
	if _, err := w.row(`SELECT data FROM calls WHERE id = ?`, []any{id}, &data); err != nil {
		return 0, err
	}
	left, removed, err := block.Cut(b, data, before, limit)
	if err != nil {
		return 0, err
	}
	if len(left.Calls) == 0 {
		_, err = w.exec(`DELETE FROM calls WHERE id = ?`, id)
		return removed, err
	}
	_, err = w.exec(`UPDATE calls SET oldest_at = ?, count = ?, tokens = ?, data = ? WHERE id = ?`,
		left.OldestAt, len(left.Calls), tokenMarks(left), left.Pack(), id)
	return removed, err
}

// ofSums reports whether sums are among what is to be removed.
func ofSums(before portal.PruneTimes) bool {
	return !before.Rollups.IsZero() || !before.Events.IsZero()
}

func (w *work) pruneRollups(before portal.PruneTimes, limit int) (removed int, err error) {
	if !ofSums(before) {
		return 0, nil
	}
	err = w.each("rollups", "team", func(team string) error {
		for _, sum := range []struct {
			step   portal.Step
			before any
		}{{portal.Hour, ms(before.Rollups)}, {portal.Day, ms(before.Events)}} {
			n, err := w.delete(limit-removed, `DELETE FROM rollups WHERE (team, step, at, token, route, status) IN
				(SELECT team, step, at, token, route, status FROM rollups WHERE team = ? AND step = ? AND at < ? LIMIT ?)`,
				team, string(sum.step), sum.before)
			if err != nil {
				return err
			}
			removed += n
		}
		return nil
	})
	return removed, err
}

// pruneEvents removes the beginnings of chains: whatever comes before the first
// event that is kept, so that no chain gets a hole, and never the newest event.
func (w *work) pruneEvents(before portal.PruneTimes, limit int) (removed int, err error) {
	if before.Events.IsZero() || limit <= 0 {
		return 0, nil
	}
	past := before.Events.UnixMilli()
	// The chain of each old event, oldest first. A chain of which only its newest
	// event is left shows up again and again, but once.
	chains, err := list(w, `SELECT DISTINCT chain FROM events INDEXED BY events_by_time WHERE at < ?`, []any{past}, scanText)
	if err != nil {
		return 0, err
	}
	for _, chain := range chains {
		n, err := w.delete(limit-removed, `DELETE FROM events WHERE chain = ?1 AND seq IN
			(SELECT seq FROM events WHERE chain = ?1 AND seq < coalesce(
				(SELECT seq FROM events WHERE chain = ?1 AND at >= ?2 ORDER BY seq LIMIT 1),
				(SELECT max(seq) FROM events WHERE chain = ?1)) ORDER BY seq LIMIT ?3)`, chain, past)
		if err != nil {
			return 0, err
		}
		if removed += n; removed >= limit {
			break
		}
	}
	return removed, nil
}

func (w *work) pruneTokens(before portal.PruneTimes, limit int) (int, error) {
	if before.EndedTokens.IsZero() || limit <= 0 {
		return 0, nil
	}
	past := before.EndedTokens.UnixMilli()
	ids, err := list(w, `SELECT id FROM tokens WHERE revoked_at < ? UNION SELECT id FROM tokens WHERE expires_at < ? LIMIT ?`,
		[]any{past, past, limit}, scanText)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := w.execOne("Token", `DELETE FROM tokens WHERE id = ?`, id); err != nil {
			return 0, err
		}
	}
	w.touch(ids...)
	return len(ids), nil
}
