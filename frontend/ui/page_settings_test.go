package ui

import (
	"testing"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// Enter right after the last key comes before the page is drawn again: what is
// typed counts, not what the button looked like.
func TestNamesAreSavedOnceTheyDiffer(t *testing.T) {
	d := deskWith(map[string]any{
		"GET ":           answer(api.Team{ID: "tea_1", Name: "Acme"}, `"3"`),
		"PATCH ":         answer(api.Team{ID: "tea_1", Name: "Acme Inc"}, `"4"`),
		"PATCH /account": api.User{ID: "usr_ada", Name: "Ada L."},
	})
	settings := &settingsPage{At: at(d, "owner", "/settings")}
	account := &accountPage{At: at(d, "owner", "")}
	for _, tt := range []struct {
		name, path string
		page       app.Composer
		typed      *string
		value      string
		save       func(app.Context)
		sent       int
	}{
		{"the team as it was", "/teams/tea_1", settings, &settings.name, " Acme ", settings.save, 0},
		{"the team", "/teams/tea_1", settings, &settings.name, "Acme Inc", settings.save, 1},
		{"oneself as one was", "/account", account, &account.name, "Ada", account.saveName, 0},
		{"oneself", "/account", account, &account.name, "Ada L.", account.saveName, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			do := page(t, tt.page)
			drawn(t, tt.page, "Save name", "!disabled>", "!disabled type", "!disabled class")
			do(func(ctx app.Context) {
				*tt.typed = tt.value
				tt.save(ctx)
			})
			if got := len(d.sent("PATCH", tt.path)); got != tt.sent {
				t.Errorf("sent %d changes, want %d", got, tt.sent)
			}
		})
	}
}
