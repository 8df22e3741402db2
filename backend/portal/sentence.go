package portal

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// told is an event with the words that its sentence is made of.
type told struct {
	audit.Event
	target string // its name
	own    bool   // of a token itself, whose name stands before the sentence
}

// sentences say in words what an event of each action records, without the actor.
var sentences = map[string]func(t told) string{
	audit.TeamCreated:        func(t told) string { return "created the team " + t.text("name") },
	audit.TeamRenamed:        func(t told) string { return "renamed the team" + t.change() },
	audit.TeamMadePlatform:   func(t told) string { return "marked " + t.target + " as the platform team" },
	audit.TeamUnmadePlatform: func(t told) string { return "marked another team than " + t.target + " as the platform team" },

	audit.MemberAdded: func(t told) string { return "added " + t.target + " as " + t.text("role") },
	audit.MemberRoleChanged: func(t told) string {
		return "changed the role of " + t.target + " from " + t.text("from") + " to " + t.text("role")
	},
	audit.MemberRemoved: func(t told) string { return "removed " + t.target + " from the team" },

	audit.TokenCreated: func(t told) string { return "created the " + t.text("env") + " token " + t.target },
	audit.TokenUpdated: func(t told) string { return "changed the " + t.changedFields() + t.of() },
	audit.TokenUsedFirst: func(t told) string {
		if t.own {
			return "was used for the first time"
		}
		return "used " + t.token() + " for the first time"
	},
	audit.TokenSuspended: func(t told) string { return "suspended " + t.token() + t.because() },
	audit.TokenResumed:   func(t told) string { return "resumed " + t.token() },
	audit.TokenRevoked:   func(t told) string { return "revoked " + t.token() + t.because() },
	audit.TokenDeadSecretUsed: func(t told) string {
		if n, _ := t.Data["count"].(int64); n > 1 {
			return fmt.Sprintf("tried a dead secret of the token %s, %d times since it was last told", t.target, n)
		}
		return "tried a dead secret of the token " + t.target
	},
	audit.TokenRotationStarted: func(t told) string { return "started to rotate " + t.token() + " to " + t.secret("") },
	audit.TokenRotationActivated: func(t told) string {
		return "used " + t.secret(t.its()) + t.of() + " for the first time; the old one is retiring"
	},
	audit.TokenRotationFinished:  func(t told) string { return "ended " + cmp.Or(t.its(), "the ") + "old secret" + t.of() },
	audit.TokenRotationCancelled: func(t told) string { return "cancelled " + t.secret(t.its()) + t.of() },

	audit.UserSignedUp:        func(told) string { return "signed up and verified the address" },
	audit.UserSignedUpAgain:   func(told) string { return "tried to sign up with this address, which has an account" },
	audit.UserSignedIn:        func(told) string { return "signed in" },
	audit.UserSignedOut:       func(told) string { return "signed out" },
	audit.UserSignInRefused:   func(told) string { return "tried a wrong password" },
	audit.UserPasswordChanged: func(told) string { return "changed the password" },
	audit.UserRenamed:         func(t told) string { return "changed the name" + t.change() },
	audit.UserMadeAdmin:       func(t told) string { return "made " + t.target + " a platform admin" },
}

// summary says in words what an event records, without the actor. One of a newer
// release, whose sentence is not known here, is told by its action.
func summary(e audit.Event, names map[string]string) string {
	t := told{Event: e, own: e.Actor == e.Target}
	t.target = cmp.Or(names[e.Target], t.text("name"), e.Target)
	say, ok := sentences[e.Action]
	if !ok {
		return e.Action
	}
	return say(t)
}

func (t told) text(key string) string { s, _ := t.Data[key].(string); return s }

// token, of and its name the token, or what is the token's, where it is not
// named before.
func (t told) token() string {
	if t.own {
		return "itself"
	}
	return "the token " + t.target
}

func (t told) of() string {
	if t.own {
		return ""
	}
	return " of the token " + t.target
}

func (t told) its() string {
	if t.own {
		return "its "
	}
	return ""
}

func (t told) secret(its string) string { return its + "secret " + fmt.Sprint(t.Data["generation"]) }

func (t told) change() string { return " from " + t.text("from") + " to " + t.text("to") }

// because says why a token was stopped, "" if nobody said.
func (t told) because() string {
	switch t.text("reason") {
	case "superseded":
		return ", because another token replaced it"
	case "compromised":
		return ", because it leaked, or may have"
	case "unused":
		return ", because it is not used any more"
	case "left_team":
		return ", because somebody left the team"
	default: // nothing, or "other", which says no more
		return ""
	}
}

// changedFields lists in words what was changed of a token.
func (t told) changedFields() string {
	var list []string
	for _, f := range []struct{ key, word string }{
		{"name", "name"},
		{"note", "note"},
		{"abilities", "abilities"},
		{"addresses", "addresses"},
		{"rate_limit", "rate limit"},
		{"expires_at", "expiry"},
	} {
		if _, ok := t.Data[f.key]; ok {
			list = append(list, f.word)
		}
	}
	if n := len(list) - 1; n > 0 {
		return strings.Join(list[:n], ", ") + " and " + list[n]
	}
	return strings.Join(list, "")
}
