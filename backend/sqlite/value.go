package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// ms returns a time as it is stored: milliseconds, NULL if it is absent.
func ms(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// at is a time in a column that may not be NULL: milliseconds, also where it is
// absent, which is a number like others.
type at struct{ *time.Time }

func (a at) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*a.Time = time.Time{}
	case int64:
		*a.Time = time.UnixMilli(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T", src)
	}
	return nil
}

func (a at) Value() (driver.Value, error) { return a.UnixMilli(), nil }

// atOrNull is a time whose column is NULL if it is absent.
type atOrNull struct{ *time.Time }

func (a atOrNull) Scan(src any) error { return at(a).Scan(src) }

func (a atOrNull) Value() (driver.Value, error) { return ms(*a.Time), nil }

// jsonText returns a value as JSON, for a column of text.
func jsonText(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// asJSON is what it points to, in a column of JSON.
type asJSON struct{ to any }

// Scan changes nothing for NULL.
func (j asJSON) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), j.to)
	default:
		return fmt.Errorf("JSON is stored as %T", src)
	}
}

func (j asJSON) Value() (driver.Value, error) { return jsonText(j.to) }

// jsonOrNull is a list or map whose column is NULL if it is nil.
type jsonOrNull struct{ to any }

func (j jsonOrNull) Scan(src any) error { return asJSON(j).Scan(src) }

func (j jsonOrNull) Value() (driver.Value, error) {
	text, err := jsonText(j.to)
	if text == "null" {
		return nil, err
	}
	return text, err
}

func scanText(scan scanner) (text string, err error) {
	err = scan(&text)
	return text, err
}

func scanInt(scan scanner) (n int64, err error) {
	err = scan(&n)
	return n, err
}
