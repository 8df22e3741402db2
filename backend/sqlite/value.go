package sqlite

import (
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

// at reads a stored time into what it points to. A time that may not be NULL is
// stored as milliseconds also where it is absent, which is a number like others.
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

// jsonText returns a value as JSON, for a column of text.
func jsonText(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// fromJSON reads a column of JSON into what it points to; NULL changes nothing.
type fromJSON struct{ to any }

func (f fromJSON) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), f.to)
	default:
		return fmt.Errorf("JSON is stored as %T", src)
	}
}

func scanText(scan scanner) (text string, err error) {
	err = scan(&text)
	return text, err
}

func scanInt(scan scanner) (n int64, err error) {
	err = scan(&n)
	return n, err
}
