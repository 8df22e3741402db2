package ui

import (
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
)

// abilityPicker draws the abilities by resource to choose from; *chosen is the
// page's.
func abilityPicker(p token.Picker, chosen *[]string, err string) app.UI {
	var groups []app.UI
	for _, g := range p.Groups() {
		groups = append(groups, abilityGroup(g, chosen))
	}
	body := []app.UI{app.Div().Class("ability-groups").Body(groups...)}
	if err != "" {
		body = append(body, app.P().Class("field-error").Attr("role", "alert").Body(kit.Icon("triangle-alert"), app.Span().Text(err)))
	}
	return app.Div().Class("ability-picker").Body(body...)
}

func abilityGroup(g token.Group, chosen *[]string) app.UI {
	head := []app.UI{app.Span().Class("ability-resource").Text(g.Title())}
	var shortcuts []app.UI
	for _, s := range g.Shortcuts() {
		on := g.Is(s, *chosen)
		shortcuts = append(shortcuts, kit.Button(kit.ButtonOpts{
			Text: s.Text, Small: true, Look: kit.Ghost, Pressed: &on, Label: g.Title() + ": " + s.Text, Key: "shortcut " + g.Resource + " " + s.Text + " " + strings.Join(s.Names, " "),
			On: func(app.Context) { *chosen = g.Apply(s, *chosen) },
		}))
	}
	if len(shortcuts) > 0 {
		head = append(head, app.Span().Class("ability-shortcuts").Body(shortcuts...))
	}
	rows := make([]app.UI, len(g.Choices))
	for i, c := range g.Choices {
		hint := c.Description
		if c.Refused != "" {
			hint += " " + c.Refused
		}
		row := kit.Checkbox(kit.CheckOpts{
			ID: "ability-" + c.Name, Text: c.Title, Hint: hint, Checked: slices.Contains(*chosen, c.Name), Disabled: c.Refused != "",
			On:    func(_ app.Context, on bool) { *chosen = token.Toggle(*chosen, c.Name, on) },
			After: app.Span().Class("ability-marks").Body(kit.ID(c.Name), kit.Risk(c.Risk)),
		})
		li := app.Li().Class("ability-row")
		if c.Refused != "" {
			li = li.Class("is-refused")
		}
		rows[i] = li.Body(row)
	}
	return app.FieldSet().Class("ability-group").Body(
		app.Legend().Class("visually-hidden").Text("Abilities on "+g.Title()),
		app.Div().Class("ability-head").Body(head...),
		app.Ul().Class("ability-list").Body(rows...),
	)
}
