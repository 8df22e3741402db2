package ui

import "testing"

func TestPasswordRulesSayWhichWord(t *testing.T) {
	const name, email = "Ada Long", "ada@analytical.example"
	tests := []struct {
		name, password string
		wants          []string
	}{
		{"nothing yet", "", []string{"Does not contain your name or address", "!met: "}},
		{"short", "horse", []string{"not yet: ", ">met: ", "Does not contain your name or address"}},
		{"a word of the name", "a fine long sentence", []string{">met: ", "not yet: ", "Contains “long”"}},
		{"all well", "correct horse battery", []string{">met: ", "!not yet: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { drawn(t, passwordRules(tt.password, name, email), tt.wants...) })
	}
}
