package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

var events = newTable("events", 2, func(column columns, e *audit.Event) {
	column("chain", &e.Chain)
	column("seq", &e.Seq)
	column("at", at{&e.At})
	column("actor", &e.Actor)
	column("action", &e.Action)
	column("target", &e.Target)
	column("data", eventData{e})
	column("prev", &e.Prev)
	column("hash", &e.Hash)
})

// eventData is the data of an event in its column.
type eventData struct{ *audit.Event }

// Scan reads the data: numbers come back as int64, lists as []any, objects as
// map[string]any.
func (d eventData) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("the data of an event is stored as %T", src)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&d.Data); err != nil {
		return err
	}
	d.V = audit.Version
	_, err := integers(d.Data)
	return err
}

// Value is the very text that was hashed: encoding/json would write a nil list
// as null, and the hash says [].
func (d eventData) Value() (driver.Value, error) {
	var hashed struct {
		Data json.RawMessage `json:"data"`
	}
	text, err := d.Canonical()
	if err == nil {
		err = json.Unmarshal(text, &hashed)
	}
	return string(hashed.Data), err
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
		_, err = w.exec(events.insert, events.fields(&e)...)
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
	return readList(ctx, s, query, args, events.reader())
}

func eventsQuery(f portal.EventFilter) (string, []any) {
	var c where
	c.and("chain = ?", f.Chain)
	index, order, after := "", "seq DESC", f.After
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
			in, arg := anyOf(exact)
			condition, args = "action IN "+in, []any{arg}
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
		in, arg := anyOf(f.Targets)
		c.and("target IN "+in, arg)
		if len(f.Targets) == 1 { // of several, the order would have to be made by a sort
			index = " INDEXED BY events_by_target"
		}
	}
	if !f.From.IsZero() {
		c.and("at >= ?", f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		c.and("at < ?", f.To.UnixMilli())
	}
	return events.query + index + c.text.String() + ` ORDER BY ` + order + ` LIMIT ?`, append(c.args, f.Limit)
}
