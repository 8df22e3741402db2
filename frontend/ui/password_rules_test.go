package ui

import (
	"testing"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func TestPasswordRulesSayWhichWord(t *testing.T) {
	const name, email = "Ada Long", "ada@analytical.example"
	tests := []struct {
		name, password string
		wants          []string
	}{
		{"nothing yet", "", []string{"Does not contain your name or address", "!met: "}},
		{"short", "horse", []string{"not yet: ", ">met: ", "Does not contain your name or address"}},
		{"a word of the name", "a fine long sentence", []string{">met: ", "not met: ", "Contains “long”", "rule is-warn", "!not yet: "}},
		{"all well", "correct horse battery", []string{">met: ", "!not yet: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { drawn(t, passwordRules(tt.password, name, email, ""), tt.wants...) })
	}
}

func TestAPasswordIsCheckedBeforeItIsSent(t *testing.T) {
	d := deskWith(nil)
	up := &signUpPage{At: at(d, "", "")}
	up.form = api.SignUp{Name: "Ada Long", Email: "ada@analytical.example", TeamName: "Acme"}
	change := &accountPage{At: at(d, "owner", "")}
	change.At.User.Name = "Ada Long"
	change.password.Current = "correct horse battery"
	for _, tt := range []struct {
		name, path string
		page       app.Composer
		typed      *string
		send       func(app.Context)
	}{
		{"sign-up", "/sign-up", up, &up.form.Password, up.send},
		{"account", "/account/password", change, &change.password.Password, change.changePassword},
	} {
		t.Run(tt.name, func(t *testing.T) {
			do := page(t, tt.page)
			send := func(text string) {
				do(func(ctx app.Context) {
					*tt.typed = text
					tt.send(ctx)
				})
			}
			send("a fine long sentence")
			drawn(t, tt.page, "The password contains “long”", "!Contains “long”", "12 to 128 characters") // once
			if n := len(d.sent("POST", tt.path)); n != 0 {
				t.Error("it was sent all the same")
			}
			send("a fine short sentence")
			if n := len(d.sent("POST", tt.path)); n != 1 {
				t.Errorf("sent %d times, want once: %v", n, d.asked)
			}
		})
	}
}
