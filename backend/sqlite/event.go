package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

const eventColumns = `chain, seq, at, actor, action, target, data, prev, hash`

func scanEvent(scan scanner) (e audit.Event, err error) {
	var data string
	e.V = audit.Version
	if err := scan(&e.Chain, &e.Seq, at{&e.At}, &e.Actor, &e.Action, &e.Target, &data, &e.Prev, &e.Hash); err != nil {
		return e, err
	}
	e.Data, err = eventData(data)
	return e, err
}

// eventData reads the data of an event: numbers come back as int64, lists as
// []any, objects as map[string]any.
func eventData(text string) (map[string]any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var data map[string]any
	if err := d.Decode(&data); err != nil {
		return nil, err
	}
	if _, err := integers(data); err != nil {
		return nil, err
	}
	return data, nil
}

// integers turns the numbers in v, where it stands, into int64.
func integers(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		return v.Int64()
	case []any:
		for i := range v {
			if v[i], err = integers(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = integers(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// Append implements portal.EventStore.
func (s *Store) Append(ctx context.Context, e audit.Event) (audit.Event, error) {
	if ctx.Value(txKey{s}) == nil {
		return audit.Event{}, errors.New("sqlite: an event is appended inside of the transaction of its change only")
	}
	err := s.read(ctx, func(w *work) error {
		seq, hash, err := w.head(e.Chain)
		if err != nil {
			return err
		}
		if e, err = e.Seal(seq, hash); err != nil {
			return err
		}
		// The very text that was hashed: encoding/json would write a nil list
		// as null, and the hash says [].
		var hashed struct {
			Data json.RawMessage `json:"data"`
		}
		text, err := e.Canonical()
		if err == nil {
			err = json.Unmarshal(text, &hashed)
		}
		if err != nil {
			return err
		}
		_, err = w.exec(`INSERT INTO events (`+eventColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			e.Chain, e.Seq, e.At.UnixMilli(), e.Actor, e.Action, e.Target, string(hashed.Data), e.Prev, e.Hash)
		return err
	})
	if err != nil {
		return audit.Event{}, err
	}
	return e, nil
}

func (w *work) head(chain string) (seq int64, hash string, err error) {
	found, err := w.row(`SELECT seq, hash FROM events WHERE chain = ? ORDER BY seq DESC LIMIT 1`, []any{chain}, &seq, &hash)
	if err == nil && !found {
		hash = audit.Genesis
	}
	return seq, hash, err
}

// Head implements portal.EventStore.
func (s *Store) Head(ctx context.Context, chain string) (seq int64, hash string, err error) {
	err = s.read(ctx, func(w *work) error {
		seq, hash, err = w.head(chain)
		return err
	})
	return seq, hash, err
}

// Events implements portal.EventStore.
func (s *Store) Events(ctx context.Context, f portal.EventFilter) ([]audit.Event, error) {
	if f.Targets != nil && len(f.Targets) == 0 {
		return nil, s.idle(ctx)
	}
	query, args := eventsQuery(f)
	return readList(ctx, s, query, args, scanEvent)
}

func eventsQuery(f portal.EventFilter) (string, []any) {
	var c where
	c.and("chain = ?", f.Chain)
	source, order, after := "events", "seq DESC", f.After
	if f.Oldest {
		order = "seq"
		c.and("seq > ?", after)
	} else {
		if after == 0 {
			after = math.MaxInt64
		}
		c.and("seq < ?", after)
	}
	if len(f.Actions) > 0 {
		var exact, prefixes []string
		for _, a := range f.Actions {
			if strings.HasSuffix(a, ".") {
				prefixes = append(prefixes, a)
			} else {
				exact = append(exact, a)
			}
		}
		condition, args := "", []any(nil)
		if len(exact) > 0 {
			// IN and not OR, whose planning takes time with the square of the terms.
			var in string
			in, args = anyOf(exact)
			condition = "action IN " + in
		}
		for _, prefix := range prefixes {
			if condition != "" {
				condition += " OR "
			}
			condition += "instr(action, ?) = 1"
			args = append(args, prefix)
		}
		c.and("("+condition+")", args...)
	}
	if f.Actor != "" {
		c.and("actor = ?", f.Actor)
	}
	if f.Targets != nil {
		in, args := anyOf(f.Targets)
		c.and("target IN "+in, args...)
		if len(f.Targets) == 1 { // of several, the order would have to be made by a sort
			source = "events INDEXED BY events_by_target"
		}
	}
	if !f.From.IsZero() {
		c.and("at >= ?", f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		c.and("at < ?", f.To.UnixMilli())
	}
	return `SELECT ` + eventColumns + ` FROM ` + source + c.text.String() + ` ORDER BY ` + order + ` LIMIT ?`, append(c.args, f.Limit)
}
