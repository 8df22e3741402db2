// Package audit is the form of audit events and how a chain of them is
// verified. The server writes with it, and the browser and the command line
// verify with the same code, without trusting the server.
//
// Each event belongs to one chain (a team, a user, or the platform), is
// numbered from 1 without gaps, and names the SHA-256 of the event before it.
// What is hashed is the canonical JSON of RFC 8785, so that anyone can compute
// the same hash in any language.
package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Version is the version of the event format.
const Version = 1

// Genesis is the Prev of the first event of every chain.
const Genesis = "0000000000000000000000000000000000000000000000000000000000000000"

// Platform is the chain of what concerns no single team or user.
const Platform = "platform"

// Event is the record of one change or security fact.
//
// Data holds strings, booleans, integers below 2^53, nil, []string, []any and
// map[string]any of these; never a secret or a password.
type Event struct {
	V      int            `json:"v"`
	Chain  string         `json:"chain"`
	Seq    int64          `json:"seq"`
	At     time.Time      `json:"at"`
	Actor  string         `json:"actor"`
	Action string         `json:"action"`
	Target string         `json:"target"`
	Data   map[string]any `json:"data"`
	Prev   string         `json:"prev"`
	Hash   string         `json:"hash"`
}

// timeFormat is RFC 3339 in UTC with exactly three decimals, as text of fixed
// length, so that the canonical form of an instant is unique.
const timeFormat = "2006-01-02T15:04:05.000Z"

// FormatTime writes an instant as it stands in an event.
func FormatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// Canonical returns the RFC 8785 form of what is hashed: every field but Hash.
// It fails on a value that Data may not hold.
func (e Event) Canonical() ([]byte, error) {
	data := e.Data
	if data == nil {
		data = map[string]any{}
	}
	return canonical(map[string]any{
		"v": e.V, "chain": e.Chain, "seq": e.Seq, "at": FormatTime(e.At), "actor": e.Actor,
		"action": e.Action, "target": e.Target, "data": data, "prev": e.Prev,
	})
}

// Seal numbers the event after the one with this seq and hash (0 and [Genesis]
// for the first) and computes its hash.
func (e Event) Seal(seq int64, hash string) (Event, error) {
	e.V, e.Seq, e.Prev = Version, seq+1, hash
	e.At = e.At.UTC().Truncate(time.Millisecond)
	sum, err := e.sum()
	if err != nil {
		return Event{}, fmt.Errorf("seal event %s of %s: %w", e.Action, e.Chain, err)
	}
	e.Hash = sum
	return e, nil
}

func (e Event) sum() (string, error) {
	text, err := e.Canonical()
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:]), nil
}

// ErrBroken is what every finding of [Verifier.Add] wraps.
var ErrBroken = errors.New("the chain is broken")

// Verifier checks the events of one chain, oldest first. The zero value expects
// the first event of any chain; it may be set to continue after a known event.
type Verifier struct {
	Chain string // "" takes the chain of the first event
	Seq   int64  // of the last event that was verified
	Hash  string // of the last event that was verified, "" before the first
}

// Add checks the next event and moves on to it. An error that wraps
// [ErrBroken] says in a sentence what is wrong, and where.
func (v *Verifier) Add(e Event) error {
	if v.Chain == "" {
		v.Chain = e.Chain
	}
	prev := v.Hash
	if prev == "" {
		prev = Genesis
	}
	broken := func(format string, args ...any) error {
		return fmt.Errorf("%w at event %d of %s: %s", ErrBroken, e.Seq, e.Chain, fmt.Sprintf(format, args...))
	}
	switch {
	case e.V != Version:
		return broken("format version %d is unknown", e.V)
	case e.Chain != v.Chain:
		return broken("it belongs to another chain than %s", v.Chain)
	case e.Seq != v.Seq+1:
		return broken("event %d was expected", v.Seq+1)
	case e.Prev != prev:
		return broken("it does not follow the event before it")
	}
	sum, err := e.sum()
	if err != nil {
		return broken("%v", err)
	}
	if sum != e.Hash {
		return broken("its content does not match its hash")
	}
	v.Seq, v.Hash = e.Seq, e.Hash
	return nil
}
