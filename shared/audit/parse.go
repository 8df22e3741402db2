package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// fields are the names of an event's fields, as they are spelled.
var fields = []string{"v", "chain", "seq", "at", "actor", "action", "target", "data", "prev", "hash"}

// Parse reads one event as an export holds it, and refuses whatever the hash
// does not vouch for: a field that an event does not have (but those named in
// beside), a name that stands twice or is spelled otherwise, an instant that is
// not written as it is hashed. A reader other than this one could take such a
// thing for what happened, and the hash would still match.
func Parse(raw []byte, beside ...string) (Event, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	var names []string
	if err := eachName(d, &names); err != nil {
		return Event{}, err
	}
	for _, name := range names {
		if !slices.Contains(fields, name) && !slices.Contains(beside, name) {
			return Event{}, fmt.Errorf("it has a field %q, which no event has and no hash vouches for", name)
		}
	}
	var e Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return Event{}, err
	}
	var written struct {
		At string `json:"at"`
	}
	if err := json.Unmarshal(raw, &written); err != nil {
		return Event{}, err
	}
	if written.At != "" && written.At != FormatTime(e.At) {
		return Event{}, fmt.Errorf("its time %q is not written as it is hashed, %s", written.At, FormatTime(e.At))
	}
	return e, nil
}

// eachName reads one JSON value and refuses objects in it with a name that
// stands twice. Of the outermost object it collects the names.
func eachName(d *json.Decoder, names *[]string) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		if names != nil {
			return errors.New("it is not an object")
		}
		return nil
	}
	var seen []string
	for d.More() {
		if open == '{' {
			t, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := t.(string)
			if slices.Contains(seen, name) {
				return fmt.Errorf("it has the field %q twice", name)
			}
			seen = append(seen, name)
		}
		if err := eachName(d, nil); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // the bracket that closes it
		return err
	}
	if names != nil {
		if open != '{' {
			return errors.New("it is not an object")
		}
		*names = seen
	}
	return nil
}
