package audit

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// The two events and their hashes were computed outside this project.
func TestVectors(t *testing.T) {
	first, err := Event{
		Chain: "tea_acme", At: at(t, "2026-11-22T01:00:00Z"), Actor: "usr_ada", Action: "token.created",
		Target: "7Hq2LmZx9RtB", Data: map[string]any{"abilities": []string{"orders:read"}},
	}.Seal(0, Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if want := "d616230466f91e717b8e36aac1c2f70aaf6c63b79b3d05bb36fe1813b56e4a53"; first.Hash != want {
		t.Errorf("first hash: got %s, want %s", first.Hash, want)
	}
	second, err := Event{
		Chain: "tea_acme", At: at(t, "2026-11-22T01:05:00Z"), Actor: "usr_ada", Action: "token.revoked",
		Target: "7Hq2LmZx9RtB", Data: map[string]any{"reason": "superseded"},
	}.Seal(first.Seq, first.Hash)
	if err != nil {
		t.Fatal(err)
	}
	if want := "995e3a79b67acca1551ebb81b36405fef9a17547d6497146dd3b940b7d05a904"; second.Hash != want {
		t.Errorf("second hash: got %s, want %s", second.Hash, want)
	}
	text, err := second.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"action":"token.revoked","actor":"usr_ada","at":"2026-11-22T01:05:00.000Z","chain":"tea_acme","data":{"reason":"superseded"},"prev":"d616230466f91e717b8e36aac1c2f70aaf6c63b79b3d05bb36fe1813b56e4a53","seq":2,"target":"7Hq2LmZx9RtB","v":1}`
	if string(text) != want {
		t.Errorf("canonical form:\n got %s\nwant %s", text, want)
	}
}

// sealed returns a chain of n events that went through JSON, as an export does.
func sealed(t *testing.T, n int) []Event {
	t.Helper()
	var chain []Event
	hash := Genesis
	for i := range n {
		e, err := Event{
			Chain: "tea_acme", At: at(t, "2026-11-22T01:00:00Z"), Actor: "usr_ada", Action: "token.updated", Target: "t",
			Data: map[string]any{"n": i, "who": "Ünïcode \u2028 \x00 🦊", "list": []string{"a"}, "gone": nil, "deep": map[string]any{"yes": true}},
		}.Seal(int64(i), hash)
		if err != nil {
			t.Fatal(err)
		}
		hash = e.Hash
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back Event
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		chain = append(chain, back)
	}
	return chain
}

func TestVerify(t *testing.T) {
	tests := []struct {
		name   string
		change func([]Event) []Event
		want   string
	}{
		{"untouched", func(c []Event) []Event { return c }, ""},
		{"one left out", func(c []Event) []Event { return append(c[:1], c[2:]...) }, "event 2 was expected"},
		{"first left out", func(c []Event) []Event { return c[1:] }, "event 1 was expected"},
		{"content changed", func(c []Event) []Event { c[1].Actor = "usr_eve"; return c }, "does not match its hash"},
		{"data changed", func(c []Event) []Event { c[1].Data["n"] = 9; return c }, "does not match its hash"},
		{"time changed", func(c []Event) []Event { c[1].At = c[1].At.Add(time.Millisecond); return c }, "does not match its hash"},
		{"rehashed", func(c []Event) []Event {
			c[1].Actor = "usr_eve"
			c[1].Hash, _ = c[1].sum()
			return c
		}, "does not follow the event before it"},
		{"another chain", func(c []Event) []Event { c[2].Chain = "tea_evil"; return c }, "another chain"},
		{"another version", func(c []Event) []Event { c[2].V = 2; return c }, "version 2 is unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var v Verifier
			var err error
			for _, e := range tt.change(sealed(t, 3)) {
				if err = v.Add(e); err != nil {
					break
				}
			}
			if tt.want == "" {
				if err != nil || v.Seq != 3 {
					t.Errorf("got %v at %d, want nil at 3", err, v.Seq)
				}
				return
			}
			if !errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for name, v := range map[string]any{
		"fraction": 1.5, "large": int64(1) << 53, "not UTF-8": "\xff", "struct": struct{}{}, "json fraction": json.Number("1e400"),
	} {
		if _, err := canonical(map[string]any{"v": v}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestCanonicalOrderIsUTF16(t *testing.T) {
	got, err := canonical(map[string]any{"\ufb33": 1, "😀": 2, "a": 3, "A": 4})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"A":4,"a":3,"😀":2,"` + "\ufb33" + `":1}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
