package audit

import (
	"strings"
	"testing"
)

// What the hash does not vouch for must not pass as a part of an event: each of
// these says something else to some reader, and its hash matches.
func TestParseRefusesWhatIsNotHashed(t *testing.T) {
	const event = `{"action":"token.revoked","actor":"usr_ada","at":"2026-11-22T01:05:00.000Z","chain":"tea_acme","data":{"reason":"superseded"},"hash":"995e3a79b67acca1551ebb81b36405fef9a17547d6497146dd3b940b7d05a904","prev":"d616230466f91e717b8e36aac1c2f70aaf6c63b79b3d05bb36fe1813b56e4a53","seq":2,"target":"7Hq2LmZx9RtB","v":1}`
	tests := []struct {
		name, old, new string
		beside         []string
		want           string // in the error, "" for none
	}{
		{name: "as it is"},
		{name: "another order", old: `{"action":"token.revoked",`, new: "{\n \"action\" : \"token.revoked\" ,"},
		{name: "a field beside", old: `{`, new: `{"summary":"x",`, beside: []string{"summary"}},
		{name: "a field more", old: `{`, new: `{"summary":"Ada did nothing",`, want: `"summary"`},
		{name: "another spelling", old: `{`, new: `{"Actor":"usr_eve",`, want: `"Actor"`},
		{name: "a name twice", old: `{`, new: `{"actor":"usr_eve",`, want: `"actor" twice`},
		{name: "a name twice, escaped", old: `{`, new: `{"\u0061ctor":"usr_eve",`, want: `"actor" twice`},
		{name: "a name twice within", old: `"data":{`, new: `"data":{"reason":"compromised",`, want: `"reason" twice`},
		{name: "a finer time", old: `00.000Z`, new: `00.0009Z`, want: "its time"},
		{name: "another zone", old: `T01:05:00.000Z`, new: `T02:05:00.000+01:00`, want: "its time"},
		{name: "no object", old: event, new: `[]`, want: "not an object"},
		{name: "no end", old: event, new: `{"v":1`, want: "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Parse([]byte(strings.Replace(event, tt.old, tt.new, 1)), tt.beside...)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want an error with %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := (&Verifier{Seq: 1, Hash: e.Prev}).Add(e); err != nil {
				t.Errorf("got %v, want it to be verified", err)
			}
		})
	}
}
