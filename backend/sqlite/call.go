package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/block"
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
	for _, p := range block.Of(b.Calls) {
		rows = append(rows, []any{p.Team, p.NewestAt, p.OldestAt, p.FirstID, len(p.Calls), tokenMarks(p), p.Pack()})
	}
	sums := block.PackSums(b.Rollups)
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

// tokenMark is how a token is found in the list of a block's tokens.
func tokenMark(token string) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(token))), token...)
}

// tokenMarks returns the list of a block's tokens, empty if they are too many.
func tokenMarks(b *block.Block) []byte {
	list := []byte{}
	for _, token := range b.Tokens() {
		list = append(list, tokenMark(token)...)
	}
	return list
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

// errEnough ends the reading of blocks.
var errEnough = errors.New("enough")

// Calls implements portal.CallStore.
func (s *Store) Calls(ctx context.Context, f portal.CallFilter) ([]portal.Call, error) {
	page := block.NewPage(f)
	var last *block.Block
	for {
		bytes := 0
		query, args := blocksQuery(f, last)
		err := s.read(ctx, func(w *work) error {
			return w.rows(query, args, func(scan scanner) error {
				var b block.Block
				var data []byte
				if err := scan(&b.NewestAt, &b.FirstID, &data); err != nil {
					return err
				}
				if page.Full(b.NewestAt) {
					return errEnough
				}
				last = &b
				if err := page.Add(data); err != nil {
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
			return page.Calls(), nil
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
func blocksQuery(f portal.CallFilter, last *block.Block) (string, []any) {
	var c where
	c.and("team = ?", f.Team)
	before := func(ms int64) { // the calls are at or before ms
		c.and("newest_at < ?", block.HourEnd(ms))
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
		c.and("(newest_at, first_id) < (?, ?)", last.NewestAt, last.FirstID)
	}
	if f.Token != "" {
		c.and("(tokens = x'' OR instr(tokens, ?) > 0)", tokenMark(f.Token))
	}
	return `SELECT newest_at, first_id, data FROM calls` + c.text.String() + ` ORDER BY newest_at DESC, first_id DESC`, c.args
}
