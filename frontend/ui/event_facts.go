package ui

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// changedFields are what an event may record the change of, with what stands for
// nothing.
var changedFields = []struct{ key, name, none string }{
	{"name", "Name", "none"},
	{"note", "Note", "none"},
	{"abilities", "Abilities", "none"},
	{"addresses", "Addresses", "any"},
	{"rate_limit", "Rate limit", "the usual one"},
	{"expires_at", "Expiry", "never"},
}

// changeFacts tells what somebody wrote or changed, from the data of an event:
// what a person wants to know of it, before the whole of it.
func changeFacts(e api.Event) []kit.Pair {
	var facts []kit.Pair
	if reason := eventText(e, "reason"); reason != "" {
		facts = append(facts, kit.Pair{Name: "Reason", Value: app.Text(reasonWords(reason))})
	}
	facts = append(facts, noteFact(e)...)
	for _, f := range changedFields {
		if change, ok := e.Data[f.key].(map[string]any); ok {
			facts = append(facts, kit.Pair{Name: f.name, Value: beforeAndAfter(recorded(change["from"], f.none), recorded(change["to"], f.none))})
		}
	}
	return facts
}

// noteFact is the note that somebody gave with what they did, if they did.
func noteFact(e api.Event) []kit.Pair {
	note := eventText(e, "note")
	if note == "" {
		return nil
	}
	return []kit.Pair{{Name: "Note", Value: app.Span().Dir("auto").Text(note)}}
}

func beforeAndAfter(before, after string) app.UI {
	return app.Span().Body(
		app.Span().Class("muted").Dir("auto").Text(before), app.Text(" → "), app.Span().Dir("auto").Text(after),
	)
}

// recorded writes a value from the data of an event: a text, a time or a list of
// texts.
func recorded(v any, none string) string {
	switch v := v.(type) {
	case string:
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return bridge.FormatDate(t, bridge.Minute)
		}
		if v != "" {
			return v
		}
	case []any:
		texts := make([]string, len(v))
		for i := range v {
			texts[i], _ = v[i].(string)
		}
		if len(texts) > 0 {
			return strings.Join(texts, ", ")
		}
	}
	return none
}
