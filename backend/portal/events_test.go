package portal

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// summaries has a line for every action that is ever appended.
var summaries = []struct {
	action string
	data   map[string]any
	want   string
}{
	{"team.created", map[string]any{"name": "Acme"}, "created the team Acme"},
	{"team.renamed", map[string]any{"from": "Acme", "to": "Acme Inc"}, "renamed the team from Acme to Acme Inc"},
	{"team.made_platform", nil, "marked ERP as the platform team"},
	{"team.unmade_platform", nil, "marked another team than ERP as the platform team"},
	{"member.added", map[string]any{"role": "developer"}, "added ERP as developer"},
	{"member.role_changed", map[string]any{"from": "admin", "role": "auditor"}, "changed the role of ERP from admin to auditor"},
	{"member.removed", map[string]any{"from": "admin"}, "removed ERP from the team"},
	{"token.created", map[string]any{"env": "live", "name": "old name"}, "created the live token ERP"},
	{"token.updated", map[string]any{"name": 1, "note": 1, "abilities": 1, "addresses": 1, "rate_limit": 1, "expires_at": 1}, "changed the name, note, abilities, addresses, rate limit and expiry of the token ERP"},
	{"token.rotation_started", map[string]any{"generation": 2}, "started to rotate the token ERP to secret 2"},
	{"token.rotation_activated", map[string]any{"generation": int64(2)}, "used secret 2 of the token ERP for the first time; the old one is retiring"},
	{"token.rotation_finished", map[string]any{"generation": 2}, "ended the old secret of the token ERP"},
	{"token.rotation_cancelled", map[string]any{"generation": 2}, "cancelled secret 2 of the token ERP"},
	{"token.used_first", map[string]any{"generation": 1}, "used the token ERP for the first time"},
	{"token.suspended", map[string]any{"reason": "compromised"}, "suspended the token ERP, because it leaked, or may have"},
	{"token.resumed", nil, "resumed the token ERP"},
	{"token.revoked", map[string]any{"reason": "superseded"}, "revoked the token ERP, because another token replaced it"},
	{"token.dead_secret_used", map[string]any{"generation": 1, "count": int64(1)}, "tried a dead secret of the token ERP"},
	{"token.dead_secret_used", map[string]any{"generation": 1, "count": int64(214)}, "tried a dead secret of the token ERP, 214 times since it was last told"},
	{"user.signed_up", nil, "signed up and verified the address"},
	{"user.signed_up_again", nil, "tried to sign up with this address, which has an account"},
	{"user.signed_in", nil, "signed in"},
	{"user.signed_out", nil, "signed out"},
	{"user.sign_in_refused", nil, "tried a wrong password"},
	{"user.password_changed", nil, "changed the password"},
	{"user.renamed", map[string]any{"from": "Ada", "to": "Ada L."}, "changed the name from Ada to Ada L."},
	{"user.made_admin", nil, "made ERP a platform admin"},
}

func TestSummaries(t *testing.T) {
	names := map[string]string{"target": "ERP"}
	var told []string
	for _, tt := range summaries {
		told = append(told, tt.action)
		if got := summary(audit.Event{Action: tt.action, Target: "target", Data: tt.data}, names); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.action, got, tt.want)
		}
	}
	for _, action := range audit.Actions() {
		if sentences[action] == nil || !slices.Contains(told, action) {
			t.Errorf("%s needs a sentence, and a line here", action)
		}
	}
	if len(sentences) != len(audit.Actions()) {
		t.Errorf("got %d sentences for %d actions", len(sentences), len(audit.Actions()))
	}
}

func TestSummariesOfWhatIsGone(t *testing.T) {
	for _, tt := range []struct {
		name string
		e    audit.Event
		want string
	}{
		{"a token that was pruned has its name in the event", audit.Event{Action: "token.created", Target: "7Hq2LmZx9RtB", Data: map[string]any{"env": "test", "name": "ERP"}}, "created the test token ERP"},
		{"or its id", audit.Event{Action: "token.resumed", Target: "7Hq2LmZx9RtB"}, "resumed the token 7Hq2LmZx9RtB"},
		{"a reason of two words", audit.Event{Action: "token.revoked", Target: "x", Data: map[string]any{"reason": "left_team"}}, "revoked the token x, because somebody left the team"},
		{"a reason that says nothing", audit.Event{Action: "token.revoked", Target: "x", Data: map[string]any{"reason": "other"}}, "revoked the token x"},
		{"a reason of another version", audit.Event{Action: "token.revoked", Target: "x", Data: map[string]any{"reason": "bored"}}, "revoked the token x"},
		{"one field", audit.Event{Action: "token.updated", Target: "x", Data: map[string]any{"note": 1}}, "changed the note of the token x"},
		{"a token that rotates itself", audit.Event{Action: "token.rotation_started", Actor: "x", Target: "x", Data: map[string]any{"generation": 2}}, "started to rotate itself to secret 2"},
		{"and uses what it was given", audit.Event{Action: "token.rotation_activated", Actor: "x", Target: "x", Data: map[string]any{"generation": 2}}, "used its secret 2 for the first time; the old one is retiring"},
		{"or not", audit.Event{Action: "token.rotation_cancelled", Actor: "x", Target: "x", Data: map[string]any{"generation": 2}}, "cancelled its secret 2"},
		{"and ends the old one", audit.Event{Action: "token.rotation_finished", Actor: "x", Target: "x"}, "ended its old secret"},
		{"or itself", audit.Event{Action: "token.revoked", Actor: "x", Target: "x"}, "revoked itself"},
		{"its first use", audit.Event{Action: "token.used_first", Actor: "x", Target: "x"}, "was used for the first time"},
		{"no reason", audit.Event{Action: "token.suspended", Target: "x"}, "suspended the token x"},
		{"data of another shape", audit.Event{Action: "team.renamed", Data: map[string]any{"from": 1, "to": []any{}}}, "renamed the team from  to "},
		{"an action of another version", audit.Event{Action: "token.leaked", Target: "x"}, "token.leaked"},
	} {
		if got := summary(tt.e, nil); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestEventOf(t *testing.T) {
	p := newPortal(t, nil)
	long := strings.Repeat("é", 200)
	e := p.event("tea_1", "usr_1", "token.revoked", "x", Origin{Address: addr("203.0.113.9"), UserAgent: long + "\xff", RequestID: "req_1"},
		map[string]any{"reason": "", "note": nil, "all": false, "generation": 0, "list": []string{}})
	if !e.At.Equal(now) || e.Chain != "tea_1" || e.Actor != "usr_1" || e.Action != "token.revoked" || e.Target != "x" {
		t.Errorf("got %+v", e)
	}
	equal(t, "data: what is empty is left out, what is false or zero is not", e.Data, map[string]any{
		"all": false, "generation": 0, "list": []string{},
		"address": "203.0.113.9", "user_agent": long[:maxAgentBytes], "request_id": "req_1",
	})
	if _, err := e.Seal(0, audit.Genesis); err != nil {
		t.Error(err)
	}
	if e := p.event("c", "", "", "", Origin{}, nil); len(e.Data) != 0 {
		t.Errorf("got %v, want no data without an origin", e.Data)
	}
}
