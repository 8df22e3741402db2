package portal_test

import (
	"context"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// Whoever is not in a team cannot tell it from one that does not exist, in any
// method.
func TestAnotherTeamDoesNotExist(t *testing.T) {
	w := newWorld(t)
	ada, eve := w.signedUp("Ada"), w.signedUp("Eve")
	tok := w.token(ada, nil)
	n := len(w.events(ada.team))
	who, ctx := eve.Person, w.ctx
	match := tok.Rev
	methods := map[string]func(team, id string) error{
		"Team":         func(team, _ string) error { _, err := w.Team(ctx, who, team); return err },
		"RenameTeam":   func(team, _ string) error { _, err := w.RenameTeam(ctx, who, team, new(""), nil); return err },
		"Members":      func(team, _ string) error { _, err := w.Members(ctx, who, team); return err },
		"AddMember":    func(team, _ string) error { return w.AddMember(ctx, who, team, who.User.ID, portal.Owner) },
		"ChangeRole":   func(team, _ string) error { return w.ChangeRole(ctx, who, team, ada.User.ID, portal.Auditor) },
		"RemoveMember": func(team, _ string) error { return w.RemoveMember(ctx, who, team, ada.User.ID) },
		"leave":        func(team, _ string) error { return w.RemoveMember(ctx, who, team, who.User.ID) },
		"CreateToken":  func(team, _ string) error { _, _, err := w.CreateToken(ctx, who, team, portal.NewToken{}); return err },
		"Token":        func(team, id string) error { _, err := w.Token(ctx, who, team, id); return err },
		"Tokens":       func(team, _ string) error { _, err := w.Tokens(ctx, who, portal.TokenFilter{Team: team}); return err },
		"UpdateToken": func(team, id string) error {
			_, err := w.UpdateToken(ctx, who, team, id, &match, portal.TokenChange{})
			return err
		},
		"RotateToken": func(team, id string) error {
			_, _, err := w.RotateToken(ctx, who, team, id, portal.Rotation{})
			return err
		},
		"FinishRotation": func(team, id string) error { _, err := w.FinishRotation(ctx, who, team, id); return err },
		"UndoRotation":   func(team, id string) error { _, err := w.UndoRotation(ctx, who, team, id); return err },
		"SuspendToken": func(team, id string) error {
			_, err := w.SuspendToken(ctx, who, team, id, portal.Reason{Reason: "?"})
			return err
		},
		"ResumeToken": func(team, id string) error { _, err := w.ResumeToken(ctx, who, team, id, portal.Reason{}); return err },
		"RevokeToken": func(team, id string) error { _, err := w.RevokeToken(ctx, who, team, id, portal.Reason{}); return err },
		"RevokeAll": func(team, _ string) error {
			_, _, err := w.RevokeAll(ctx, who, team, "", portal.Reason{Reason: "?"})
			return err
		},
		"Calls": func(team, id string) error {
			_, err := w.Calls(ctx, who, portal.CallFilter{Team: team, Token: id})
			return err
		},
		"Usage": func(team, _ string) error {
			_, err := w.Usage(ctx, who, team, portal.UsageQuery{Step: "?"})
			return err
		},
		"Events": func(team, _ string) error { _, err := w.Events(ctx, who, team, portal.EventQuery{}); return err },
		"TokenEvents": func(team, id string) error {
			_, err := w.TokenEvents(ctx, who, team, id, portal.EventQuery{})
			return err
		},
		"ChainState": func(team, _ string) error { _, err := w.ChainState(ctx, who, team); return err },
		"ExportEvents": func(team, _ string) error {
			return w.ExportEvents(ctx, who, team, func(audit.Event) error { t.Error("got an event"); return nil })
		},
	}
	for name, do := range methods {
		t.Run(name, func(t *testing.T) {
			other := refused(t, do(ada.team, tok.ID), "not-found")
			none := refused(t, do("tea_none", "7Hq2LmZx9RtB"), "not-found")
			if other.Error() != none.Error() || other.Fix != none.Fix {
				t.Errorf("got %v for another's team and %v for none, want them the same", other, none)
			}
		})
	}
	w.wantActions(ada.team, n)

	// A token of another team, asked for in one's own.
	for name, do := range methods {
		switch name {
		case "Token", "UpdateToken", "RotateToken", "FinishRotation", "UndoRotation", "ResumeToken", "RevokeToken", "Calls", "TokenEvents":
			t.Run(name+" in one's own team", func(t *testing.T) { refused(t, do(eve.team, tok.ID), "not-found") })
		}
	}
	_, err := w.Usage(ctx, who, eve.team, portal.UsageQuery{Token: tok.ID})
	refused(t, err, "not-found")
	w.wants(portal.OK, tok.secret)
}

func TestTeams(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	_, err := w.CreateTeam(w.ctx, ada.Person, "\n")
	refused(t, err, "invalid #/name")
	w.now = w.now.Add(time.Second)
	m := get[portal.Membership](t)(w.CreateTeam(w.ctx, ada.Person, " Second "))
	if m.Team.Name != "Second" || m.Role != portal.Owner || m.Rev != 1 || m.Team.Rev != 1 {
		t.Errorf("got %+v", m)
	}
	_, err = w.RenameTeam(w.ctx, ada.Person, m.Team.ID, new("Third"), nil)
	refused(t, err, "precondition-required")
	wrong := int64(7)
	_, err = w.RenameTeam(w.ctx, ada.Person, m.Team.ID, new("Third"), &wrong)
	refused(t, err, "precondition-failed")
	renamed := get[portal.Membership](t)(w.RenameTeam(w.ctx, ada.Person, m.Team.ID, new("Third"), &m.Team.Rev))
	if renamed.Team.Name != "Third" || renamed.Team.Rev != 2 || renamed.Rev != 2 {
		t.Errorf("got %+v", renamed)
	}
	same := get[portal.Membership](t)(w.RenameTeam(w.ctx, ada.Person, m.Team.ID, new("Third"), &renamed.Team.Rev))
	if same.Rev != 2 {
		t.Errorf("got revision %d, want no event for no change", same.Rev)
	}
	w.wantActions(m.Team.ID, 0, "team.created", "team.renamed")
	if teams := get[[]portal.Membership](t)(w.Memberships(w.ctx, ada.Person)); len(teams) != 2 || teams[1].Team.Name != "Third" {
		t.Errorf("got %+v, want both teams in the order of joining", teams)
	}
}

func TestMembers(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	adm := w.member(ada, "Adm", portal.Admin)
	dev := w.member(ada, "Dev", portal.Developer)
	aud := w.member(ada, "Aud", portal.Auditor)
	out := w.signedUp("Out")
	n := len(w.events(ada.team))
	tests := []struct {
		name string
		do   func(ctx context.Context) error
		want string
	}{
		{"an admin makes an owner", func(ctx context.Context) error {
			return w.AddMember(ctx, adm.Person, ada.team, out.User.ID, portal.Owner)
		}, "role-not-allowed"},
		{"an admin makes another an owner", func(ctx context.Context) error {
			return w.ChangeRole(ctx, adm.Person, ada.team, dev.User.ID, portal.Owner)
		}, "role-not-allowed"},
		{"an admin makes the owner an auditor", func(ctx context.Context) error {
			return w.ChangeRole(ctx, adm.Person, ada.team, ada.User.ID, portal.Auditor)
		}, "role-not-allowed"},
		{"an admin removes the owner", func(ctx context.Context) error { return w.RemoveMember(ctx, adm.Person, ada.team, ada.User.ID) }, "role-not-allowed"},
		{"a developer adds somebody", func(ctx context.Context) error {
			return w.AddMember(ctx, dev.Person, ada.team, out.User.ID, portal.Auditor)
		}, "role-not-allowed"},
		{"an auditor makes itself an admin", func(ctx context.Context) error {
			return w.ChangeRole(ctx, aud.Person, ada.team, aud.User.ID, portal.Admin)
		}, "role-not-allowed"},
		{"the last owner becomes an admin", func(ctx context.Context) error {
			return w.ChangeRole(ctx, ada.Person, ada.team, ada.User.ID, portal.Admin)
		}, "conflict last-owner"},
		{"the last owner leaves", func(ctx context.Context) error { return w.RemoveMember(ctx, ada.Person, ada.team, ada.User.ID) }, "conflict last-owner"},
		{"a role that is none", func(ctx context.Context) error { return w.ChangeRole(ctx, ada.Person, ada.team, dev.User.ID, "root") }, "invalid #/role"},
		{"an empty role", func(ctx context.Context) error { return w.ChangeRole(ctx, ada.Person, ada.team, dev.User.ID, "") }, "invalid #/role"},
		{"somebody added twice", func(ctx context.Context) error {
			return w.AddMember(ctx, ada.Person, ada.team, dev.User.ID, portal.Developer)
		}, "conflict member-already"},
		{"somebody who does not exist", func(ctx context.Context) error {
			return w.AddMember(ctx, ada.Person, ada.team, "usr_none", portal.Developer)
		}, "not-found"},
		{"the role of somebody outside", func(ctx context.Context) error {
			return w.ChangeRole(ctx, ada.Person, ada.team, out.User.ID, portal.Developer)
		}, "not-found"},
		{"somebody outside is removed", func(ctx context.Context) error { return w.RemoveMember(ctx, ada.Person, ada.team, out.User.ID) }, "not-found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refused(t, tt.do(w.ctx), tt.want) })
	}
	noError(t, w.ChangeRole(w.ctx, ada.Person, ada.team, dev.User.ID, portal.Developer)) // has it already
	w.wantActions(ada.team, n)

	noError(t, w.ChangeRole(w.ctx, ada.Person, ada.team, dev.User.ID, portal.Owner))
	noError(t, w.RemoveMember(w.ctx, ada.Person, ada.team, ada.User.ID)) // not the last any more
	noError(t, w.RemoveMember(w.ctx, aud.Person, ada.team, aud.User.ID)) // anybody may leave
	w.wantActions(ada.team, n, "member.role_changed", "member.removed", "member.removed")
	members := get[[]portal.MemberView](t)(w.Members(w.ctx, dev.Person, ada.team))
	if len(members) != 2 || members[0].Name != "Adm" || members[1].Email != "dev@example.com" || members[1].Role != portal.Owner {
		t.Errorf("got %+v", members)
	}
}

// A token can at most what its maker's role lends it now, from the next request
// on; without a maker nothing.
func TestTheMakersRoleBinds(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	adm := w.member(ada, "Adm", portal.Admin)
	tok := w.token(adm, func(in *portal.NewToken) { in.Abilities = []string{"orders:read", "orders:write"} })
	w.wants(portal.OK, tok.secret, "orders:read", "orders:write")

	noError(t, w.ChangeRole(w.ctx, ada.Person, ada.team, adm.User.ID, portal.Developer))
	if d := w.wants(portal.Insufficient, tok.secret, "orders:write"); !d.ByRole {
		t.Error("got a refusal that does not name the role")
	}
	w.wants(portal.OK, tok.secret, "orders:read")

	noError(t, w.ChangeRole(w.ctx, ada.Person, ada.team, adm.User.ID, portal.Auditor))
	w.wants(portal.Insufficient, tok.secret, "orders:read")
	w.wants(portal.OK, tok.secret)

	noError(t, w.RemoveMember(w.ctx, ada.Person, ada.team, adm.User.ID))
	w.wants(portal.MakerGone, tok.secret)

	noError(t, w.AddMember(w.ctx, ada.Person, ada.team, adm.User.ID, portal.Owner))
	w.wants(portal.OK, tok.secret, "orders:read", "orders:write")

	adm.User.DisabledAt = w.now
	noError(t, w.store.ReplaceUser(w.ctx, adm.User))
	w.wants(portal.MakerGone, tok.secret)
	adm.User.DisabledAt = time.Time{}
	noError(t, w.store.ReplaceUser(w.ctx, adm.User))
	w.wants(portal.OK, tok.secret)

	noError(t, w.store.DeleteUser(w.ctx, adm.User.ID))
	w.wants(portal.MakerGone, tok.secret)
}

// A maker who is removed while the token is made leaves none behind that stands
// as if they were still there.
func TestRoleIsLostWhileATokenIsMade(t *testing.T) {
	for _, tt := range []struct {
		name string
		lose func(w *world, ada, dev person) error
		want string
	}{
		{"removed", func(w *world, ada, dev person) error { return w.RemoveMember(w.ctx, ada.Person, ada.team, dev.User.ID) }, "not-found"},
		{"an auditor now", func(w *world, ada, dev person) error {
			return w.ChangeRole(w.ctx, ada.Person, ada.team, dev.User.ID, portal.Auditor)
		}, "role-not-allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			ada := w.signedUp("Ada")
			dev := w.member(ada, "Dev", portal.Developer)
			w.store.before = func(string) error {
				w.store.before = nil
				return tt.lose(w, ada, dev)
			}
			_, _, err := w.CreateToken(w.ctx, dev.Person, ada.team, portal.NewToken{Name: "x", Env: portal.Live})
			refused(t, err, tt.want)
			if page := get[portal.TokenPage](t)(w.Tokens(w.ctx, ada.Person, portal.TokenFilter{Team: ada.team})); len(page.Tokens) != 0 {
				t.Errorf("got %d tokens, want none", len(page.Tokens))
			}
		})
	}
}

func TestOperator(t *testing.T) {
	w := newWorld(t)
	ada, bob := w.signedUp("Ada"), w.signedUp("Bob")
	refused(t, w.GrantAdmin(w.ctx, "nobody@example.com"), "not-found")
	for range 2 { // the second changes nothing
		noError(t, w.GrantAdmin(w.ctx, " ADA@example.com"))
	}
	if u := get[portal.User](t)(w.store.User(w.ctx, ada.User.ID)); !u.PlatformAdmin {
		t.Error("got no admin")
	}
	w.wantActions(ada.User.ID, 2, "user.made_admin")

	_, err := w.MarkPlatformTeam(w.ctx, "nothing")
	refused(t, err, "not-found")
	get[portal.Membership](t)(w.CreateTeam(w.ctx, ada.Person, "Twin"))
	get[portal.Membership](t)(w.CreateTeam(w.ctx, bob.Person, "Twin"))
	_, err = w.MarkPlatformTeam(w.ctx, "Twin")
	refused(t, err, "conflict")

	verify := func(in *portal.NewToken) { in.Abilities = []string{"tokens:verify"} }
	_, _, err = w.CreateToken(w.ctx, ada.Person, ada.team, portal.NewToken{Name: "v", Env: portal.Live, Abilities: []string{"tokens:verify"}})
	refused(t, err, "invalid #/abilities/0")
	for range 2 {
		if team := get[portal.Team](t)(w.MarkPlatformTeam(w.ctx, "Ada's team")); team.ID != ada.team || !team.Platform {
			t.Errorf("got %+v", team)
		}
	}
	tok := w.token(ada, verify)
	w.wants(portal.OK, tok.secret, "tokens:verify")
	get[portal.Team](t)(w.MarkPlatformTeam(w.ctx, bob.team)) // another takes its place
	w.wants(portal.Insufficient, tok.secret, "tokens:verify")
	w.wants(portal.OK, w.token(bob, verify).secret, "tokens:verify")
	w.wantActions(ada.team, 1, "team.made_platform", "token.created", "token.used_first", "team.unmade_platform")
	w.wantActions(bob.team, 1, "team.made_platform", "token.created", "token.used_first")
	w.wantActions(audit.Platform, 0, "user.made_admin", "team.made_platform", "team.made_platform")
}
