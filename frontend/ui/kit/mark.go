package kit

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// The kinds of a message, a mark or a badge.
const (
	Neutral = ""
	Good    = "is-good"
	Warn    = "is-warn"
	Bad     = "is-bad"
	Note    = "is-note"
)

// Chip draws a short name, such as an ability.
func Chip(text string) app.UI { return app.Span().Class("chip").Text(text) }

// Chips draws the first few names and how many there are beyond them; the rest
// is in the title and for screen readers.
func Chips(names []string, most int) app.UI {
	if len(names) == 0 {
		return app.Span().Class("chips").Body(app.Span().Class("muted").Text("none"))
	}
	var body []app.UI
	rest := ""
	for i, n := range names {
		if i < most {
			body = append(body, Chip(n))
			continue
		}
		if rest != "" {
			rest += ", "
		}
		rest += n
	}
	if rest != "" {
		body = append(body, app.Span().Class("chip", "is-more").Attr("title", rest).Body(
			app.Span().Attr("aria-hidden", "true").Text("+"+strconv.Itoa(len(names)-most)),
			app.Span().Class("visually-hidden").Text("and "+rest),
		))
	}
	return app.Span().Class("chips").Body(body...)
}

// Badge draws a word in a box, of one of the kinds.
func Badge(kind, text string) app.UI { return app.Span().Class("badge", kind).Text(text) }

// Env draws the environment of a token: live is marked, test is muted.
func Env(env string) app.UI {
	if env == "live" {
		return app.Span().Class("badge", "is-live").Text("Live")
	}
	return app.Span().Class("badge", "is-test").Text("Test")
}

// statuses gives each status of tokens and generations its word, shape and kind.
var statuses = map[string]struct{ word, icon, kind string }{
	api.TokenActive:         {"Active", "circle-check", Good},
	api.TokenPending:        {"Not yet valid", "circle-dashed", Note},
	api.TokenSuspended:      {"Suspended", "circle-pause", Warn},
	api.TokenExpired:        {"Expired", "clock", Neutral},
	api.TokenRevoked:        {"Revoked", "ban", Bad},
	api.GenerationRetiring:  {"Retiring", "clock", Warn},
	api.GenerationRetired:   {"Retired", "circle-slash", Neutral},
	api.GenerationCancelled: {"Cancelled", "circle-x", Neutral},
}

// Status draws the status of a token with a word and a shape, not by colour alone.
func Status(status string) app.UI {
	s, ok := statuses[status]
	if !ok {
		s.word, s.icon = status, "circle-dashed"
	}
	return Mark(s.kind, s.icon, s.word)
}

// GenerationStatus draws the status of a secret; a pending one waits for its
// first use.
func GenerationStatus(status string) app.UI {
	if status == api.GenerationPending {
		return Mark(Note, "circle-dashed", "Waits for first use")
	}
	return Status(status)
}

// Saving marks what is shown before the server has agreed to it. It is seen only
// if that takes a while.
func Saving(on bool) app.UI {
	if !on {
		return Nothing()
	}
	return app.Span().Class("status", "is-saving").Attr("role", "status").Text("Saving")
}

// Mark draws a word with an icon, of one of the kinds.
func Mark(kind, icon, word string) app.UI {
	return app.Span().Class("status", kind).Body(Icon(icon), app.Span().Text(word))
}

// Risk draws the risk of an ability: low, medium, high.
func Risk(risk string) app.UI {
	switch risk {
	case "high":
		return Mark(Bad, "triangle-alert", "High risk")
	case "medium":
		return Mark(Warn, "triangle-alert", "Medium risk")
	}
	return Mark(Neutral, "circle-check", "Low risk")
}

// HTTPStatus draws the status of a call.
func HTTPStatus(status int) app.UI {
	kind := Good
	switch {
	case status >= 500:
		kind = Bad
	case status >= 400:
		kind = Warn
	}
	return app.Span().Class("badge", "is-mono", kind).Text(strconv.Itoa(status))
}

// Method draws the method of a call.
func Method(method string) app.UI { return app.Span().Class("method").Text(method) }

// ID draws an identifier in mono.
func ID(id string) app.UI { return app.Code().Class("id").Text(id) }
