package portal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// TestEveryChangeHasItsEvent walks through every method that changes something
// and says exactly which events it leaves, in which chains. Each chain is
// verified at every step.
func TestEveryChangeHasItsEvent(t *testing.T) {
	w := newWorld(t)
	w.Catalogue().Tokens.MaxPerTeam = 100
	var ada, bob person
	var tok, next issued
	var self portal.Decision
	var v portal.TokenView
	look := func() { v = get[portal.TokenView](t)(w.Token(w.ctx, ada.Person, ada.team, tok.ID)) }
	from := portal.Reason{Reason: "unused"}

	steps := []struct {
		name string
		do   func() error
		// The new events of Ada's team, of Ada, of Bob and of the platform.
		team, ada, bob, platform string
	}{
		{"sign up and verify", func() error { ada = w.signedUp("Ada"); return nil }, "team.created", "user.signed_up user.signed_in", "", ""},
		{"somebody else", func() error { bob = w.signedUp("Bob"); return nil }, "", "", "user.signed_up user.signed_in", ""},
		{"sign up again", func() error { return w.SignUp(w.ctx, w.account("Bob"), home) }, "", "", "user.signed_up_again", ""},
		{"verify later, without a session", func() error {
			noError(t, w.SignUp(w.ctx, w.account("Eve"), home))
			_, err := w.VerifyEmail(w.ctx, w.code(), "", home)
			return err
		}, "", "", "", ""},
		{"sign in", func() error { _, err := w.SignIn(w.ctx, "bob@example.com", password, home); return err }, "", "", "user.signed_in", ""},
		{"a wrong password", func() error {
			_, err := w.SignIn(w.ctx, "bob@example.com", "not the password at all", home)
			refused(t, err, "invalid")
			return nil
		}, "", "", "user.sign_in_refused", ""},
		{"confirm", func() error {
			r, err := w.ConfirmPassword(w.ctx, bob.Person, password)
			bob.Session = r.Session
			return err
		}, "", "", "", ""},
		{"confirm wrongly", func() error {
			_, err := w.ConfirmPassword(w.ctx, bob.Person, "not the password at all")
			refused(t, err, "invalid")
			return nil
		}, "", "", "user.sign_in_refused", ""},
		{"rename oneself", func() error {
			_, err := w.UpdateAccount(w.ctx, bob.Person, portal.AccountChange{Name: new("Bobby")})
			return err
		}, "", "", "user.renamed", ""},
		{"change the password", func() error {
			r, err := w.ChangePassword(w.ctx, bob.Person, password, "another horse with a red umbrella")
			bob.Session = r.Session
			return err
		}, "", "", "user.password_changed", ""},
		{"sign out", func() error { return w.SignOut(w.ctx, bob.Person) }, "", "", "user.signed_out", ""},
		{"become an admin", func() error { return w.GrantAdmin(w.ctx, "bob@example.com") }, "", "", "user.made_admin", "user.made_admin"},

		{"rename the team", func() error {
			rev := int64(1)
			_, err := w.RenameTeam(w.ctx, ada.Person, ada.team, new("Acme"), &rev)
			return err
		}, "team.renamed", "", "", ""},
		{"add a member", func() error { return w.AddMember(w.ctx, ada.Person, ada.team, bob.User.ID, portal.Developer) }, "member.added", "", "", ""},
		{"change a role", func() error { return w.ChangeRole(w.ctx, ada.Person, ada.team, bob.User.ID, portal.Auditor) }, "member.role_changed", "", "", ""},
		{"remove a member", func() error { return w.RemoveMember(w.ctx, ada.Person, ada.team, bob.User.ID) }, "member.removed", "", "", ""},
		{"mark the platform team", func() error { _, err := w.MarkPlatformTeam(w.ctx, ada.team); return err }, "team.made_platform", "", "", "team.made_platform"},
		{"mark another", func() error { _, err := w.MarkPlatformTeam(w.ctx, bob.team); return err }, "team.unmade_platform", "", "", "team.made_platform"},

		{"make a token", func() error {
			tok = w.token(ada, func(in *portal.NewToken) { in.Abilities = []string{"orders:read", "token:rotate"} })
			return nil
		}, "token.created", "", "", ""},
		{"use it refused", func() error { w.wants(portal.Insufficient, tok.secret, "orders:write"); return nil }, "", "", "", ""},
		{"use it", func() error { self = w.wants(portal.OK, tok.secret); return nil }, "token.used_first", "", "", ""},
		{"use it again", func() error { w.wants(portal.OK, tok.secret); return nil }, "", "", "", ""},
		{"change it", func() error {
			look()
			note := "x"
			_, err := w.UpdateToken(w.ctx, ada.Person, ada.team, tok.ID, &v.Rev, portal.TokenChange{Note: &note})
			return err
		}, "token.updated", "", "", ""},
		{"rotate it", func() error { next = w.rotated(ada, tok.ID, portal.Rotation{}); return nil }, "token.rotation_started", "", "", ""},
		{"undo", func() error { _, err := w.UndoRotation(w.ctx, ada.Person, ada.team, tok.ID); return err }, "token.rotation_cancelled", "", "", ""},
		{"use a cancelled secret", func() error { w.wants(portal.GenerationEnded, next.secret); return nil }, "token.dead_secret_used", "", "", ""},
		{"let it rotate itself", func() error {
			_, text, err := w.RotateSelf(w.ctx, &self, portal.Rotation{}, home)
			next.secret = text
			return err
		}, "token.rotation_started", "", "", ""},
		{"rotate over that", func() error { next = w.rotated(ada, tok.ID, portal.Rotation{}); return nil }, "token.rotation_cancelled token.rotation_started", "", "", ""},
		{"use the new secret", func() error { w.wants(portal.OK, next.secret); return nil }, "token.rotation_activated", "", "", ""},
		{"finish", func() error { _, err := w.FinishRotation(w.ctx, ada.Person, ada.team, tok.ID); return err }, "token.rotation_finished", "", "", ""},
		{"suspend", func() error { _, err := w.SuspendToken(w.ctx, ada.Person, ada.team, tok.ID, from); return err }, "token.suspended", "", "", ""},
		{"suspend again", func() error { _, err := w.SuspendToken(w.ctx, ada.Person, ada.team, tok.ID, from); return err }, "", "", "", ""},
		{"resume", func() error { _, err := w.ResumeToken(w.ctx, ada.Person, ada.team, tok.ID, from); return err }, "token.resumed", "", "", ""},
		{"revoke", func() error { _, err := w.RevokeToken(w.ctx, ada.Person, ada.team, tok.ID, from); return err }, "token.revoked", "", "", ""},
		{"revoke again", func() error { _, err := w.RevokeToken(w.ctx, ada.Person, ada.team, tok.ID, from); return err }, "", "", "", ""},
		{"revoke all", func() error {
			w.token(ada, nil)
			w.token(ada, nil)
			_, _, err := w.RevokeAll(w.ctx, ada.Person, ada.team, "", from)
			return err
		}, "token.created token.created token.revoked token.revoked", "", "", ""},
		{"let it revoke itself", func() error {
			d := w.wants(portal.OK, w.token(ada, nil).secret)
			_, err := w.RevokeSelf(w.ctx, &d, home)
			return err
		}, "token.created token.used_first token.revoked", "", "", ""},
		{"orders are no events of the team", func() error {
			d := w.wants(portal.OK, w.token(ada, nil).secret)
			o, err := w.CreateOrder(w.ctx, &d, portal.NewOrder{Reference: "x", Currency: "EUR"})
			noError(t, err)
			_, err = w.CancelOrder(w.ctx, &d, o.ID, &o.Version)
			return err
		}, "token.created token.used_first", "", "", ""},
		{"a second team is another chain", func() error { _, err := w.CreateTeam(w.ctx, ada.Person, "Second"); return err }, "", "", "", ""},
		{"reading", func() error {
			look()
			_, err := w.Tokens(w.ctx, ada.Person, portal.TokenFilter{Team: ada.team})
			noError(t, err)
			_, err = w.Events(w.ctx, ada.Person, ada.team, portal.EventQuery{})
			return err
		}, "", "", "", ""},
	}
	seen := map[string]int{}
	var all []string
	for _, s := range steps {
		w.now = w.now.Add(time.Millisecond)
		noError(t, s.do())
		for chain, want := range map[string]string{ada.team: s.team, ada.User.ID: s.ada, bob.User.ID: s.bob, audit.Platform: s.platform} {
			if chain == "" {
				continue // not there yet
			}
			got := w.actions(chain, seen[chain])
			if strings.Join(got, " ") != want {
				t.Errorf("%s, chain %s: got %q, want %q", s.name, chain, strings.Join(got, " "), want)
			}
			seen[chain] += len(got)
			all = append(all, got...)
		}
	}
	for _, action := range portal.Summaries() {
		if !slices.Contains(all, action) {
			t.Errorf("the walk does not come by %s", action)
		}
	}
	c := get[portal.Chain](t)(w.ChainState(w.ctx, ada.Person, ada.team))
	if int(c.Seq) != seen[ada.team] || c.Wrong != "" {
		t.Errorf("got %+v, want %d events", c, seen[ada.team])
	}
}

// Every event says who, when and from where.
func TestEventsSayWhoAndFromWhere(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	tok := w.token(ada, nil)
	w.wants(portal.OK, tok.secret)
	page := get[portal.EventPage](t)(w.Events(w.ctx, ada.Person, ada.team, portal.EventQuery{}))
	want := []struct{ summary, actor, address string }{
		{"was used for the first time", tok.Name, "203.0.113.9"},
		{"created the live token " + tok.Name, "Ada", "203.0.113.9"},
		{"created the team Ada's team", "Ada", "203.0.113.9"},
	}
	if len(page.Events) != len(want) {
		t.Fatalf("got %d events, want %d", len(page.Events), len(want))
	}
	for i, e := range page.Events {
		if e.Summary != want[i].summary || e.ActorName != want[i].actor || e.Data["address"] != want[i].address || !e.At.Equal(w.now) {
			t.Errorf("event %d: got %q by %q from %v, want %+v", e.Seq, e.Summary, e.ActorName, e.Data["address"], want[i])
		}
	}
}

func TestWhoSeesEvents(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	dev, aud := w.member(ada, "Dev", portal.Developer), w.member(ada, "Aud", portal.Auditor)
	mine, theirs := w.token(dev, nil), w.token(ada, nil)
	seqs := func(page portal.EventPage, err error) (list []int64) {
		t.Helper()
		noError(t, err)
		for _, e := range page.Events {
			list = append(list, e.Seq)
		}
		return list
	}
	for _, tt := range []struct {
		name string
		who  person
		q    portal.EventQuery
		want []int64
	}{
		{"an auditor sees all", aud, portal.EventQuery{}, []int64{5, 4, 3, 2, 1}},
		{"a developer its own tokens'", dev, portal.EventQuery{}, []int64{4}},
		{"a developer, another's token", dev, portal.EventQuery{Target: theirs.ID}, nil},
		{"a developer, the members", dev, portal.EventQuery{Actions: []string{"member."}}, nil},
		{"one token", ada, portal.EventQuery{Target: mine.ID}, []int64{4}},
		{"what begins so", ada, portal.EventQuery{Actions: []string{"member."}}, []int64{3, 2}},
		{"one action", ada, portal.EventQuery{Actions: []string{"team.created", "token.created"}}, []int64{5, 4, 1}},
		{"one actor", ada, portal.EventQuery{Actor: dev.User.ID}, []int64{4}},
		{"a page", ada, portal.EventQuery{Limit: 2}, []int64{5, 4}},
		{"the next page", ada, portal.EventQuery{Limit: 2, After: 4}, []int64{3, 2}},
		{"before anything", ada, portal.EventQuery{To: w.now.Add(-time.Hour)}, nil},
	} {
		if got := seqs(w.Events(w.ctx, tt.who.Person, ada.team, tt.q)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	if got := seqs(w.TokenEvents(w.ctx, dev.Person, ada.team, mine.ID, portal.EventQuery{})); !slices.Equal(got, []int64{4}) {
		t.Errorf("got %v, want the event of the token", got)
	}
	_, err := w.TokenEvents(w.ctx, dev.Person, ada.team, theirs.ID, portal.EventQuery{})
	refused(t, err, "role-not-allowed")
	_, err = w.ChainState(w.ctx, dev.Person, ada.team)
	refused(t, err, "role-not-allowed")
	refused(t, w.ExportEvents(w.ctx, dev.Person, ada.team, nil), "role-not-allowed")
}

// tampered is a store whose events somebody changed.
type tampered struct {
	portal.Store
	change func(list []audit.Event) []audit.Event
}

func (s tampered) Events(ctx context.Context, f portal.EventFilter) ([]audit.Event, error) {
	limit := f.Limit
	f.Limit = 1000 // what is changed is the chain, however much of it is asked for
	list, err := s.Store.Events(ctx, f)
	list = s.change(list)
	return list[:min(limit, len(list))], err
}

func TestChainState(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	for range 3 {
		w.token(ada, nil)
	}
	inner := w.store.Store
	for _, tt := range []struct {
		name   string
		change func(list []audit.Event) []audit.Event
		wrong  string
		first  int64
		seq    int64
	}{
		{"as it was written", func(list []audit.Event) []audit.Event { return list }, "", 1, 4},
		{"past retention at its beginning", func(list []audit.Event) []audit.Event { return list[2:] }, "", 3, 4},
		{"nothing", func([]audit.Event) []audit.Event { return nil }, "", 0, 0},
		{"one is missing", func(list []audit.Event) []audit.Event { return slices.Delete(list, 1, 2) }, "event 2 was expected", 1, 1},
		{"one was changed", func(list []audit.Event) []audit.Event { list[2].Actor = "usr_eve"; return list }, "does not match its hash", 1, 2},
		{"two were swapped", func(list []audit.Event) []audit.Event { list[1], list[2] = list[2], list[1]; return list }, "event 2 was expected", 1, 1},
		{"the first does not begin a chain", func(list []audit.Event) []audit.Event {
			list[0].Prev = strings.Repeat("1", 64)
			return list
		}, "does not follow", 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.store.Store = tampered{inner, tt.change}
			c := get[portal.Chain](t)(w.ChainState(w.ctx, ada.Person, ada.team))
			if c.ID != ada.team || c.First != tt.first || c.Seq != tt.seq || !c.At.Equal(w.now) || (tt.wrong == "") != (c.Wrong == "") || !strings.Contains(c.Wrong, tt.wrong) {
				t.Errorf("got %+v, want %q after %d to %d", c, tt.wrong, tt.first, tt.seq)
			}
		})
	}
}

func TestExportEvents(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	w.rename(ada.team, 1200) // more than a page
	var v audit.Verifier
	noError(t, w.ExportEvents(w.ctx, ada.Person, ada.team, v.Add))
	if v.Seq != 1201 {
		t.Errorf("got %d events, want 1201", v.Seq)
	}
	stop := errors.New("enough")
	if err := w.ExportEvents(w.ctx, ada.Person, ada.team, func(audit.Event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want what the reader said", err)
	}
}
