package portal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func TestCreateToken(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	dev, aud := w.member(ada, "Dev", portal.Developer), w.member(ada, "Aud", portal.Auditor)
	unverified := ada.Person
	unverified.User.VerifiedAt = time.Time{}
	n := len(w.events(ada.team))
	tests := []struct {
		name string
		who  portal.Person
		in   portal.NewToken
		want string
	}{
		{"an auditor", aud.Person, portal.NewToken{}, "role-not-allowed"},
		{"an address that is not verified", unverified, portal.NewToken{}, "address-not-verified"},
		{"a password that was given long ago", stale(ada), portal.NewToken{}, "fresh-sign-in-required"},
		{"no name", ada.Person, portal.NewToken{Env: portal.Live}, "invalid #/name"},
		{"beyond the role", dev.Person, portal.NewToken{Name: "x", Env: portal.Live, Abilities: []string{"orders:write"}}, "invalid #/abilities/0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, text, err := w.CreateToken(w.ctx, tt.who, ada.team, tt.in)
			refused(t, err, tt.want)
			if text != "" {
				t.Error("got a secret with a refusal")
			}
		})
	}
	w.wantActions(ada.team, n)

	tok := w.token(dev, func(in *portal.NewToken) {
		in.Name, in.Note, in.Addresses, in.RateLimit = " ERP ", "the old one", []string{"203.0.113.0/24"}, &portal.RateLimit{Quota: 5, Window: time.Minute}
	})
	if tok.Name != "ERP" || tok.Status != portal.StatusActive || tok.MakerName != "Dev" || !tok.MayManage || tok.Limit.Quota != 5 ||
		w.generations(tok.TokenView) != "1 active" || tok.Rev != int64(n+1) || !strings.HasPrefix(tok.secret, "gtk_live_"+tok.ID+"_") {
		t.Errorf("got %+v", tok)
	}
	for _, e := range w.events(ada.team) {
		if strings.Contains(fmt.Sprint(e), tok.secret[22:]) {
			t.Errorf("the secret is in the event %s", e.Action)
		}
	}
	stored := get[portal.Token](t)(w.store.Token(w.ctx, ada.team, tok.ID))
	if text := fmt.Sprintf("%+v", stored); strings.Contains(text, tok.secret[22:]) {
		t.Error("the secret is stored as it is")
	}
	for _, tt := range []struct {
		who  person
		mine bool
	}{{ada, true}, {dev, true}, {aud, false}} {
		if v := get[portal.TokenView](t)(w.Token(w.ctx, tt.who.Person, ada.team, tok.ID)); v.MayManage != tt.mine {
			t.Errorf("%s may manage: got %v, want %v", tt.who.User.Name, v.MayManage, tt.mine)
		}
	}
}

// Names are unique among the living tokens of a team.
func TestTokenNames(t *testing.T) {
	w := newWorld(t)
	ada, bob := w.signedUp("Ada"), w.signedUp("Bob")
	named := func(in *portal.NewToken) { in.Name = "ERP" }
	first := w.token(ada, func(in *portal.NewToken) { in.Name, in.ExpiresAt = "ERP", w.now.Add(time.Hour) })
	w.token(bob, named) // another team is another matter
	again := portal.NewToken{Name: " ERP", Env: portal.Test}
	ada.Session.FreshUntil = w.now.Add(day)
	_, _, err := w.CreateToken(w.ctx, ada.Person, ada.team, again)
	if e := refused(t, err, "name-taken #/name"); e.Other != first.ID {
		t.Errorf("got %q, want the one that has the name", e.Other)
	}
	other := w.token(ada, nil)
	taken := "ERP"
	_, err = w.UpdateToken(w.ctx, ada.Person, ada.team, other.ID, &other.Rev, portal.TokenChange{Name: &taken})
	refused(t, err, "name-taken #/name")

	w.now = w.now.Add(time.Hour) // it expires, and its name with it
	second := w.token(ada, named)
	get[portal.Receipt](t)(w.RevokeToken(w.ctx, ada.Person, ada.team, first.ID, portal.Reason{})) // takes nothing from the second
	_, _, err = w.CreateToken(w.ctx, ada.Person, ada.team, again)
	refused(t, err, "name-taken")
	get[portal.Receipt](t)(w.RevokeToken(w.ctx, ada.Person, ada.team, second.ID, portal.Reason{}))
	v := get[portal.TokenView](t)(w.UpdateToken(w.ctx, ada.Person, ada.team, other.ID, &other.Rev, portal.TokenChange{Name: &taken}))
	free := other.Name
	third := w.token(ada, func(in *portal.NewToken) { in.Name = free }) // the name it had before
	if v.Name != "ERP" || third.Name != free {
		t.Errorf("got %q and %q", v.Name, third.Name)
	}
	sooner := w.now.Add(time.Minute) // a name is held until the end, which moved
	get[portal.TokenView](t)(w.UpdateToken(w.ctx, ada.Person, ada.team, other.ID, &v.Rev, portal.TokenChange{ExpiresAt: &sooner}))
	w.now = w.now.Add(time.Minute)
	w.token(ada, named)
}

func TestMaxPerTeam(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	w.token(ada, func(in *portal.NewToken) { in.ExpiresAt = w.now.Add(time.Hour) })
	w.token(ada, nil)
	last := w.token(ada, func(in *portal.NewToken) { in.NotBefore = w.now.Add(time.Hour) })
	more := portal.NewToken{Name: "one more", Env: portal.Live}
	ada.Session.FreshUntil = w.now.Add(day)
	_, _, err := w.CreateToken(w.ctx, ada.Person, ada.team, more)
	refused(t, err, "conflict too-many-tokens")
	get[portal.Receipt](t)(w.RevokeToken(w.ctx, ada.Person, ada.team, last.ID, portal.Reason{}))
	w.token(ada, nil)
	_, _, err = w.CreateToken(w.ctx, ada.Person, ada.team, more)
	refused(t, err, "conflict too-many-tokens")
	w.now = w.now.Add(time.Hour) // one expires
	w.token(ada, nil)
}

func TestUpdateToken(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	dev, other, aud := w.member(ada, "Dev", portal.Developer), w.member(ada, "Other", portal.Developer), w.member(ada, "Aud", portal.Auditor)
	tok := w.token(dev, func(in *portal.NewToken) { in.Abilities = []string{"orders:read", "token:rotate"} })
	n := len(w.events(ada.team))
	note := "new"
	change := portal.TokenChange{Note: &note}
	more, fewer := &[]string{"orders:read", "token:rotate", "orders:write"}, &[]string{"orders:read"}
	wrong := tok.Rev + 1
	tests := []struct {
		name  string
		who   portal.Person
		match *int64
		in    portal.TokenChange
		want  string
	}{
		{"an auditor", aud.Person, &tok.Rev, change, "role-not-allowed"},
		{"another developer", other.Person, &tok.Rev, change, "role-not-allowed"},
		{"without If-Match", dev.Person, nil, change, "precondition-required"},
		{"with an old one", dev.Person, &wrong, change, "precondition-failed"},
		{"widening without a fresh password", stale(ada), &tok.Rev, portal.TokenChange{Abilities: more}, "fresh-sign-in-required"},
		{"widening beyond the role", dev.Person, &tok.Rev, portal.TokenChange{Abilities: more}, "invalid #/abilities/2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.UpdateToken(w.ctx, tt.who, ada.team, tok.ID, tt.match, tt.in)
			if e := refused(t, err, tt.want); e.Kind == portal.RoleNotAllowed && len(e.Roles) == 0 {
				t.Error("got a refusal that does not name the roles that may")
			}
		})
	}
	w.wantActions(ada.team, n)
	w.wants(portal.OK, tok.secret, "token:rotate")
	n = len(w.events(ada.team))
	rev := get[portal.TokenView](t)(w.Token(w.ctx, dev.Person, ada.team, tok.ID)).Rev

	v := get[portal.TokenView](t)(w.UpdateToken(w.ctx, stale(dev), ada.team, tok.ID, &rev, portal.TokenChange{Abilities: fewer})) // narrowing needs no password
	w.wants(portal.Insufficient, tok.secret, "token:rotate")
	v = get[portal.TokenView](t)(w.UpdateToken(w.ctx, ada.Person, ada.team, tok.ID, &v.Rev, portal.TokenChange{Abilities: more, Note: &note}))
	if d := w.wants(portal.Insufficient, tok.secret, "orders:write"); !d.ByRole { // its maker's role lends no more
		t.Error("want the refusal to name the role of the maker")
	}
	again := get[portal.TokenView](t)(w.UpdateToken(w.ctx, dev.Person, ada.team, tok.ID, &v.Rev, change)) // changes nothing
	if again.Rev != v.Rev {
		t.Errorf("got revision %d, want %d", again.Rev, v.Rev)
	}
	w.wantActions(ada.team, n, "token.updated", "token.updated")

	get[portal.Receipt](t)(w.RevokeToken(w.ctx, dev.Person, ada.team, tok.ID, portal.Reason{}))
	v = get[portal.TokenView](t)(w.Token(w.ctx, dev.Person, ada.team, tok.ID))
	_, err := w.UpdateToken(w.ctx, dev.Person, ada.team, tok.ID, &v.Rev, portal.TokenChange{})
	refused(t, err, "conflict token-ended")
}

func TestListTokens(t *testing.T) {
	w := newWorld(t)
	w.Catalogue().Tokens.MaxPerTeam = 100
	ada := w.signedUp("Ada")
	dev := w.member(ada, "Dev", portal.Developer)
	var want []string
	for i := range 5 {
		w.now = w.now.Add(time.Second)
		want = append(want, w.token(ada, func(in *portal.NewToken) { in.Name = fmt.Sprint("t", i) }).ID)
	}
	w.now = w.now.Add(time.Second)
	mine := w.token(dev, nil)
	slices.Reverse(want)
	want = append([]string{mine.ID}, want...)
	suspended := want[2]
	get[portal.Receipt](t)(w.SuspendToken(w.ctx, ada.Person, ada.team, suspended, portal.Reason{}))
	var got []string
	f := portal.TokenFilter{Team: ada.team, Limit: 4}
	for range 2 {
		page := get[portal.TokenPage](t)(w.Tokens(w.ctx, dev.Person, f))
		for _, v := range page.Tokens {
			got = append(got, v.ID)
			if v.MayManage != (v.ID == mine.ID) || len(v.Calls7Days) != 7 {
				t.Errorf("got %+v", v)
			}
		}
		f.After = page.Next
	}
	if !slices.Equal(got, want) || f.After != nil {
		t.Errorf("got %v then %v, want %v and no more", got, f.After, want)
	}
	page := get[portal.TokenPage](t)(w.Tokens(w.ctx, ada.Person, portal.TokenFilter{Team: ada.team, Status: []portal.TokenStatus{portal.StatusSuspended}}))
	if len(page.Tokens) != 1 || page.Tokens[0].ID != suspended {
		t.Errorf("got %+v, want the suspended one", page.Tokens)
	}
}
