package portal_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const (
	composed   = "Caf\u00e9"
	decomposed = "Cafe\u0301" // the same on every screen
)

// However a name was typed, one spelling of it is stored.
func TestNamesAreStoredInOneSpelling(t *testing.T) {
	w := newWorld(t)
	in := w.account("Ada")
	in.Name, in.TeamName = decomposed, " "+decomposed
	noError(t, w.SignUp(w.ctx, in, home))
	ada := person{Person: get[portal.SignedIn](t)(w.VerifyEmail(w.ctx, w.code(), in.Browser, home)).Person}
	team := get[[]portal.Membership](t)(w.Memberships(w.ctx, ada.Person))[0].Team
	ada.team = team.ID
	second := get[portal.Membership](t)(w.CreateTeam(w.ctx, ada.Person, decomposed+" 2")).Team
	tok := w.token(ada, func(in *portal.NewToken) { in.Name = decomposed })
	for what, got := range map[string]string{
		"person": ada.User.Name, "team": team.Name, "second team": strings.TrimSuffix(second.Name, " 2"), "token": tok.Name,
		"renamed person": get[portal.User](t)(w.UpdateAccount(w.ctx, ada.Person, portal.AccountChange{Name: new(decomposed)})).Name,
		"renamed team":   get[portal.Membership](t)(w.RenameTeam(w.ctx, ada.Person, second.ID, new(decomposed), &second.Rev)).Team.Name,
	} {
		if got != composed {
			t.Errorf("%s: got %+q, want %+q", what, got, composed)
		}
	}
	for _, q := range []string{composed, decomposed, strings.ToUpper(decomposed)} {
		if page := get[portal.TokenPage](t)(w.Tokens(w.ctx, ada.Person, portal.TokenFilter{Team: ada.team, Query: q})); len(page.Tokens) != 1 {
			t.Errorf("looking for %+q: got %d tokens, want 1", q, len(page.Tokens))
		}
	}
	_, err := w.CreateTeam(w.ctx, ada.Person, strings.Repeat("\u0958", 100)) // stored as 200 characters
	refused(t, err, "invalid #/name")
}

// Two living tokens of a team whose names look the same have the same name.
func TestNamesThatLookTheSameAreOne(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	create := func(name string) error {
		_, _, err := w.CreateToken(w.ctx, ada.Person, ada.team, portal.NewToken{Name: name, Env: portal.Live})
		return err
	}
	first := w.token(ada, func(in *portal.NewToken) { in.Name = composed })
	same := []string{decomposed, composed + "\ufe0f", "C\u200daf\u00e9", "Cafe\u200d\u0301", "\u200e" + composed, composed + "\U000e0067"}
	for _, name := range same {
		if e := refused(t, create(name), "name-taken"); e.Other != first.ID {
			t.Errorf("%+q: got %q, want the id of the other", name, e.Other)
		}
	}
	other := w.token(ada, nil)
	_, err := w.UpdateToken(w.ctx, ada.Person, ada.team, other.ID, &other.Rev, portal.TokenChange{Name: new(decomposed)})
	refused(t, err, "name-taken")

	// A change that nobody sees keeps the name, and another one frees it.
	rev := first.Rev
	for _, name := range same {
		v := get[portal.TokenView](t)(w.UpdateToken(w.ctx, ada.Person, ada.team, first.ID, &rev, portal.TokenChange{Name: new(name)}))
		rev = v.Rev
		refused(t, create(composed), "name-taken")
	}
	get[portal.TokenView](t)(w.UpdateToken(w.ctx, ada.Person, ada.team, first.ID, &rev, portal.TokenChange{Name: new("Tea")}))
	third := w.token(ada, func(in *portal.NewToken) { in.Name = same[1] })
	get[portal.Receipt](t)(w.RevokeToken(w.ctx, ada.Person, ada.team, third.ID, portal.Reason{}))
	noError(t, create(decomposed))
}
