package portal

import (
	"fmt"
	"strings"
)

// The texts of the mails that people get. The only links in them are the
// portal's own: a name that a mail program would make a link of is left out,
// because anybody can have a mail with any name sent to any address.

// typed returns a name that somebody typed, or another word for it.
func typed(name, instead string) string {
	for word := range strings.FieldsSeq(name) {
		if strings.ContainsAny(strings.TrimRight(word, ".:"), "./:\\@<>") {
			return instead
		}
	}
	return name
}

func (p *Portal) mailVerify(s Signup, code string) Message {
	return Message{
		To: s.Email, Name: typed(s.Name, ""), Subject: "Confirm your address for Gatehouse",
		Text: fmt.Sprintf(`Hello %s,

confirm this address to finish signing up and to open %s:

%s/verify/%s

The link works once, within 24 hours. If you did not sign up, ignore this
mail: without the link no account is made.
`, typed(s.Name, "there"), typed(s.TeamName, "your team"), p.url, code),
	}
}

func (p *Portal) mailTaken(u User) Message {
	return Message{
		To: u.Email, Name: u.Name, Subject: "You already have a Gatehouse account",
		Text: fmt.Sprintf(`Hello %s,

somebody, probably you, tried to sign up with this address. It has an account
already, so nothing was changed. Sign in here:

%s/sign-in

If it was not you, there is nothing to do.
`, u.Name, p.url),
	}
}

func (p *Portal) mailManyFailures(u User) Message {
	return Message{
		To: u.Email, Name: u.Name, Subject: "Many failed sign-ins to your account",
		Text: fmt.Sprintf(`Hello %s,

%d sign-ins to your account failed within an hour. Your account is not locked,
but each further try has to wait. If this is not you, choose a long password
that you use nowhere else, here:

%s/account

Your security log on the same page shows where the tries came from.
`, u.Name, slowAfter, p.url),
	}
}

func (p *Portal) mailPasswordChanged(u User) Message {
	return Message{
		To: u.Email, Name: u.Name, Subject: "Your password was changed",
		Text: fmt.Sprintf(`Hello %s,

your Gatehouse password was changed just now, and your other browser sessions
were ended. If it was not you, tell the owner of your team at once: they can
revoke your tokens.

%s/account
`, u.Name, p.url),
	}
}
