package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// expiryBounds is what a choice of expiry depends on.
type expiryBounds struct {
	policy api.TokenPolicy
	now    time.Time
	made   time.Time // from when the longest life counts
}

// expiryFields asks when a token shall expire, and says the result in words.
func expiryFields(id string, e *token.Expiry, err string, b expiryBounds) app.UI {
	body := []app.UI{kit.Segmented(kit.SelectOpts{
		ID: id + "-expiry", Label: "Expires", Options: token.ExpiryChoices(b.policy), Value: e.Choice,
		On: func(_ app.Context, v string) { e.Choice = v },
	})}
	if e.Choice == token.OnDate {
		body = append(body, app.Div().Class("field-date").Body(kit.Text(kit.TextOpts{
			ID: id + "-date", Label: "Last day", Type: "date", Bind: &e.Date, Error: err,
			Min: string(token.Today(b.now)), Most: string(token.LastDay(b.made, b.policy)),
		})))
	} else if err != "" {
		body = append(body, kit.ErrorLine(id+"-expiry", err))
	}
	words := ""
	if at, wrong := e.Time(b.now, b.made, b.policy); wrong == "" {
		words = token.ExpiryWords(at, b.now)
	}
	body = append(body, app.P().Class("expiry-words").Attr("aria-live", "polite").Text(words))
	return app.Div().Class("field-group").Body(body...)
}
