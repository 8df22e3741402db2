package ui

import (
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/password"
)

// passwordRules draws the rules of a new password and which of them are met, but
// not the one that wrong, the error of its field, has said already. The list of
// common passwords is the server's.
func passwordRules(text, name, email, wrong string) app.UI {
	text = bridge.Normalize(text)
	n := utf8.RuneCountInString(text)
	about, part := "Does not contain your name or address", personalPart(text, name, email)
	if part != "" {
		about = "Contains “" + part + "”, which is part of your name or address"
	}
	rules := []struct {
		text        string
		met, broken bool
	}{
		{"12 to 128 characters", n >= password.Min && n <= password.Max, false},
		{about, n > 0 && part == "", part != ""},
	}
	var items []app.UI
	for _, r := range rules {
		icon, said := "circle-dashed", "not yet: "
		li := app.Li().Class("rule")
		switch {
		case r.broken && wrong == personalError(part):
			continue
		case r.broken:
			icon, said = "triangle-alert", "not met: "
			li = li.Class(kit.Warn)
		case r.met:
			icon, said = "circle-check", "met: "
			li = li.Class("is-met")
		}
		items = append(items, li.Body(kit.IconSize(icon, 14), app.Span().Class("visually-hidden").Text(said), app.Span().Text(r.text)))
	}
	return app.Ul().Class("rules").Attr("aria-label", "Rules for the password").Body(items...)
}

// checkPassword checks a form with a new password, as kit.Errors.Check does, and
// the password also for what it contains of the person.
func checkPassword(wrong *kit.Errors, body any, text, name, email string) bool {
	ok := wrong.Check(body)
	if part := personalPart(text, name, email); part != "" {
		wrong.Add("#/password", personalError(part))
		return false
	}
	return ok
}

func personalError(part string) string {
	return "The password contains “" + part + "”, which is part of your name or address. Choose one that does not."
}

// personalPart returns what a password contains of the person's name or address,
// "" if nothing.
func personalPart(text, name, email string) string {
	return password.Personal(bridge.Normalize(text), bridge.Normalize(name), bridge.Normalize(email))
}
