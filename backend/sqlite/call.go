package sqlite

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// rowsAtOnce is how many rows one statement inserts.
const rowsAtOnce = 128

const callColumns = `team, at, id, token, generation, method, route, status, code, duration_ns, bytes, address, user_agent, request_id`

func scanCall(scan scanner) (c portal.Call, err error) {
	var duration int64
	var address []byte
	if err := scan(&c.Team, at{&c.At}, &c.ID, &c.Token, &c.Generation, &c.Method, &c.Route, &c.Status, &c.Code, &duration,
		&c.Bytes, &address, &c.UserAgent, &c.RequestID); err != nil {
		return c, err
	}
	c.Duration = time.Duration(duration)
	err = c.Address.UnmarshalBinary(address)
	return c, err
}

// addressBytes returns an address as it is stored: so that the addresses of a
// network are those between its first and its last.
func addressBytes(a netip.Addr) []byte {
	b, err := a.MarshalBinary()
	if err != nil || b == nil {
		return []byte{} // never an error; none is not NULL
	}
	return b
}

// RecordCalls implements portal.CallStore. A batch of which every call is stored
// already changes nothing but uses, of which only later ones count anyway.
func (s *Store) RecordCalls(ctx context.Context, b portal.CallBatch) error {
	return s.write(ctx, func(w *work) error {
		var added int64
		err := chunks(b.Calls, rowsAtOnce, func(calls []portal.Call) error {
			args := make([]any, 0, len(calls)*14)
			for _, c := range calls {
				args = append(args, c.Team, c.At.UnixMilli(), c.ID, c.Token, c.Generation, c.Method, c.Route, c.Status,
					string(c.Code), int64(c.Duration), c.Bytes, addressBytes(c.Address), c.UserAgent, c.RequestID)
			}
			n, err := w.exec(`INSERT INTO calls (`+callColumns+`) VALUES `+rowMarks(14, len(calls))+` ON CONFLICT DO NOTHING`, args...)
			added += n
			return err
		})
		if err != nil {
			return err
		}
		if added > 0 || len(b.Calls) == 0 {
			if err := w.addRollups(b.Rollups); err != nil {
				return err
			}
		}
		return w.addUses(b.Uses)
	})
}

// rowMarks returns the question marks of several rows, (?,?),(?,?).
func rowMarks(columns, rows int) string {
	return strings.Repeat(marks(columns)+",", rows-1) + marks(columns)
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
		t.Generations = append([]portal.Generation(nil), stored.Generations...)
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

// Calls implements portal.CallStore.
func (s *Store) Calls(ctx context.Context, f portal.CallFilter) ([]portal.Call, error) {
	query, args := callsQuery(f)
	return readList(ctx, s, query, args, scanCall)
}

// callsQuery returns the query of a list. It walks the calls of one team, or of
// one token, from the newest.
func callsQuery(f portal.CallFilter) (string, []any) {
	var c where
	c.and("team = ?", f.Team)
	source := "calls"
	if f.Token != "" {
		c.and("token = ?", f.Token)
		source = "calls INDEXED BY calls_by_token" // else all calls of the team would be walked
	}
	switch {
	case f.Status >= 10:
		c.and("status = ?", f.Status)
	case f.Status > 0:
		c.and("status BETWEEN ? AND ?", f.Status*100, f.Status*100+99)
	}
	if f.Route != "" {
		if method, route, ok := strings.Cut(f.Route, " "); ok {
			c.and("(route = ? OR method = ? AND route = ?)", f.Route, method, route)
		} else {
			c.and("route = ?", f.Route)
		}
	}
	if f.Address.IsValid() {
		first, last := network(f.Address)
		c.and("length(address) = ? AND address BETWEEN ? AND ?", len(first), first, last)
	}
	if !f.From.IsZero() {
		c.and("at >= ?", f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		c.and("at < ?", f.To.UnixMilli())
	}
	if f.After != nil {
		c.and("(at, id) < (?, ?)", f.After.At.UnixMilli(), f.After.ID)
	}
	return `SELECT ` + callColumns + ` FROM ` + source + c.text.String() + ` ORDER BY at DESC, id DESC LIMIT ?`, append(c.args, f.Limit)
}

// network returns the first and the last address of a network.
func network(p netip.Prefix) (first, last []byte) {
	first = addressBytes(p.Masked().Addr())
	last = append([]byte(nil), first...)
	for bit := p.Bits(); bit < len(last)*8; bit++ {
		last[bit/8] |= 1 << (7 - bit%8)
	}
	return first, last
}
