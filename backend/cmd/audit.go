package cmd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// auditVerify is `gatehouse audit verify FILE`.
type auditVerify struct {
	File string `arg:"" help:"The export, one JSON event a line, or a JSON list of events; - for standard input."`
	From int64  `help:"The number of the first event, of a chain whose older events were pruned. What stood before it is then taken on trust." default:"1" placeholder:"SEQ"`
}

// Run verifies and says how far the chain holds.
func (a auditVerify) Run(sh *shell) error {
	if a.From < 1 {
		return misuse("--from is the number of an event, 1 or more")
	}
	in := sh.in
	if a.File != "-" {
		f, err := os.Open(a.File)
		if err != nil {
			return fmt.Errorf("the export cannot be read: %w", err)
		}
		defer f.Close()
		in = f
	}
	v, err := verify(in, a.From)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(sh.out, `Verified %d events of %s: %d to %d, unbroken.
The newest has the hash %s.
The hashes have no key: whoever can write the database can make another chain that
holds, and events after %d may be missing. Compare %[4]d and the hash with what you kept elsewhere.
`,
		v.Seq-a.From+1, v.Chain, a.From, v.Seq, v.Hash, v.Seq)
	return err
}

// verify checks a chain that begins with the event numbered from.
func verify(in io.Reader, from int64) (audit.Verifier, error) {
	var v audit.Verifier
	err := eachEvent(in, func(e audit.Event) error {
		if v.Seq == 0 && from > 1 {
			v.Seq, v.Hash = from-1, e.Prev
		}
		first := v.Chain == ""
		err := v.Add(e)
		if err != nil && first && e.Seq > 1 && from != e.Seq {
			return fmt.Errorf("%w; if the older events were pruned, give --from %d", err, e.Seq)
		}
		if err != nil && v.Seq >= from {
			return fmt.Errorf("%w; the events %d to %d before it hold", err, from, v.Seq)
		}
		return err
	})
	if err == nil && v.Chain == "" {
		err = errors.New("there is no event in the export")
	}
	return v, err
}

// eachEvent reads the events of an export: JSON objects one after the other, a
// JSON list, or a page of the API ({"data":[…]}), which is newest first.
func eachEvent(in io.Reader, yield func(audit.Event) error) error {
	d := json.NewDecoder(bufio.NewReaderSize(in, 1<<20))
	for n := 1; ; n++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the export cannot be read at its event %d: %w", n, err)
		}
		events, err := parseEvents(raw)
		if err != nil {
			return fmt.Errorf("the export cannot be read at its event %d: %w", n, err)
		}
		for _, e := range events {
			if err := yield(e); err != nil {
				return err
			}
		}
	}
}

// besideEvents are what the API shows beside the fields of an event. Names and
// sentences are for readers of a page; no hash vouches for them.
var besideEvents = []string{"summary", "actor_name", "target_name"}

// parseEvents reads one JSON value of an export, oldest event first.
func parseEvents(raw []byte) ([]audit.Event, error) {
	list, beside := []json.RawMessage{raw}, []string(nil)
	switch raw[0] {
	case '[':
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
	case '{':
		var page struct {
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, err
		}
		if bytes.HasPrefix(page.Data, []byte("[")) { // in an event it is an object
			beside = besideEvents
			if err := json.Unmarshal(page.Data, &list); err != nil {
				return nil, err
			}
		}
	}
	var events []audit.Event
	for _, raw := range list {
		e, err := audit.Parse(raw, beside...)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	if len(events) > 1 && events[0].Seq > events[len(events)-1].Seq {
		slices.Reverse(events)
	}
	return events, nil
}
