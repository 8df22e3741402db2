package portal

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// Membership is a team as one of its members sees it.
type Membership struct {
	Team Team
	Role Role
	Rev  int64 // seq of the team's newest event
}

// Memberships lists the teams a person is in, in the order of joining.
func (p *Portal) Memberships(ctx context.Context, who Person) ([]Membership, error) {
	members, err := p.store.Memberships(ctx, who.User.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.Team
	}
	teams, err := p.store.Teams(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]Team, len(teams))
	for _, t := range teams {
		byID[t.ID] = t
	}
	list := []Membership{}
	for _, m := range members {
		t, ok := byID[m.Team]
		if !ok { // deleted between the two reads
			continue
		}
		ms, err := p.membership(ctx, t, m.Role)
		if err != nil {
			return nil, err
		}
		list = append(list, ms)
	}
	return list, nil
}

func (p *Portal) membership(ctx context.Context, t Team, role Role) (Membership, error) {
	seq, _, err := p.store.Head(ctx, t.ID)
	return Membership{Team: t, Role: role, Rev: seq}, err
}

// CreateTeam makes a team; its maker becomes the owner.
func (p *Portal) CreateTeam(ctx context.Context, who Person, name string) (Membership, error) {
	name = normalName(name)
	if err := checkName("#/name", name); err != nil {
		return Membership{}, err
	}
	var m Membership
	err := p.atomically(ctx, func(ctx context.Context) error {
		t, err := p.insertTeam(ctx, who.User, name, who.Origin)
		if err != nil {
			return err
		}
		if err := p.stillIn(ctx, who); err != nil {
			return err
		}
		m, err = p.membership(ctx, t, Owner)
		return err
	})
	return m, err
}

// insertTeam stores a team with its owner, inside a transaction.
func (p *Portal) insertTeam(ctx context.Context, owner User, name string, from Origin) (Team, error) {
	t := Team{ID: secret.NewIDAt(secret.TeamID, p.now()), Name: name, CreatedAt: p.clock()}
	e, err := p.store.Append(ctx, p.event(t.ID, owner.ID, audit.TeamCreated, t.ID, from, map[string]any{"name": name}))
	if err != nil {
		return Team{}, err
	}
	t.Rev = e.Seq
	if err := p.store.InsertTeam(ctx, t); err != nil {
		return Team{}, err
	}
	return t, p.store.SaveMember(ctx, Member{Team: t.ID, User: owner.ID, Role: Owner, JoinedAt: t.CreatedAt})
}

// Team returns a team to one of its members.
func (p *Portal) Team(ctx context.Context, who Person, team string) (Membership, error) {
	m, err := p.member(ctx, who, team, ViewTeam)
	if err != nil {
		return Membership{}, err
	}
	t, err := p.store.Team(ctx, team)
	if err != nil {
		return Membership{}, err
	}
	return p.membership(ctx, t, m.Role)
}

// RenameTeam changes a team's name; nil leaves it as it is. match is the Rev that
// the caller saw, or [AnyRev]: nil is MatchRequired, another than the present one
// Changed.
func (p *Portal) RenameTeam(ctx context.Context, who Person, team string, name *string, match *int64) (Membership, error) {
	if _, err := p.member(ctx, who, team, EditTeam); err != nil {
		return Membership{}, err
	}
	if name != nil {
		name = new(normalName(*name))
		if err := checkName("#/name", *name); err != nil {
			return Membership{}, err
		}
	}
	var out Membership
	err := p.atomically(ctx, func(ctx context.Context) error {
		m, err := p.member(ctx, who, team, EditTeam)
		if err != nil {
			return err
		}
		t, err := p.store.Team(ctx, team)
		if err != nil {
			return err
		}
		if err := matches(match, t.Rev); err != nil {
			return err
		}
		if name != nil && t.Name != *name {
			e, err := p.appendAs(ctx, who, team, audit.TeamRenamed, team, map[string]any{"from": t.Name, "to": *name})
			if err != nil {
				return err
			}
			t.Name, t.Rev = *name, e.Seq
			if err := p.store.ReplaceTeam(ctx, t); err != nil {
				return err
			}
		}
		out, err = p.membership(ctx, t, m.Role)
		return err
	})
	if err == nil {
		p.teamNames.forget(team)
	}
	return out, err
}

// AnyRev is the match of whoever changes what is there, whatever its revision:
// If-Match * (RFC 9110, 13.1.1). No revision has this number.
const AnyRev int64 = -1

// matches holds the rule of conditional writes (RFC 9110, 13.1.1). It is asked in
// the transaction of the change, or others could come between.
func matches(match *int64, rev int64) error {
	if match == nil {
		return &Error{
			Kind: MatchRequired, Detail: "The change must say which version it changes.",
			Fix: "Read it, and send its ETag as If-Match.",
		}
	}
	if *match != AnyRev && *match != rev {
		return &Error{
			Kind: Changed, Detail: "It was changed since you read it. Nothing was overwritten.",
			Fix: "Read it again, look at what changed, and repeat your change.",
		}
	}
	return nil
}

// MemberView is a member with what is known of the person.
type MemberView struct {
	Member
	Name, Email string
}

// Members lists the members of a team, in the order of joining.
func (p *Portal) Members(ctx context.Context, who Person, team string) ([]MemberView, error) {
	if _, err := p.member(ctx, who, team, ViewTeam); err != nil {
		return nil, err
	}
	members, err := p.store.Members(ctx, team)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.User
	}
	users, err := p.users(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]MemberView, len(members))
	for i, m := range members {
		list[i] = MemberView{Member: m, Name: users[m.User].Name, Email: users[m.User].Email}
	}
	return list, nil
}

// users reads people by id; those who are gone are missing.
func (p *Portal) users(ctx context.Context, ids []string) (map[string]User, error) {
	byID := map[string]User{}
	if len(ids) == 0 {
		return byID, nil
	}
	users, err := p.store.Users(ctx, ids)
	for _, u := range users {
		byID[u.ID] = u
	}
	return byID, err
}

// AddMember puts a user with an account into a team. Only an owner makes owners.
func (p *Portal) AddMember(ctx context.Context, who Person, team, user string, role Role) error {
	return p.changeMember(ctx, who, team, user, role, audit.MemberAdded)
}

// ChangeRole gives a member another role. The tokens that the member made can
// do at most what the new role lends them, from the next request on. The last
// owner stays one: Conflict.
func (p *Portal) ChangeRole(ctx context.Context, who Person, team, user string, role Role) error {
	return p.changeMember(ctx, who, team, user, role, audit.MemberRoleChanged)
}

// RemoveMember takes a member out of a team; anybody may leave. The tokens they
// made are refused from the next request on, until they are handed over.
func (p *Portal) RemoveMember(ctx context.Context, who Person, team, user string) error {
	return p.changeMember(ctx, who, team, user, "", audit.MemberRemoved)
}

func (p *Portal) changeMember(ctx context.Context, who Person, team, user string, role Role, action string) error {
	if action != audit.MemberRemoved && !role.Valid() {
		return invalid(FieldError{Pointer: "#/role", Code: "oneof", Detail: "A role is one of owner, admin, developer and auditor."})
	}
	return p.atomically(ctx, func(ctx context.Context) error {
		do := ManageMembers
		if user == who.User.ID && action == audit.MemberRemoved {
			do = ViewTeam // to leave needs no right
		}
		mine, err := p.member(ctx, who, team, do)
		if err != nil {
			return err
		}
		old, err := p.store.Member(ctx, team, user)
		if err != nil && KindOf(err) != NotFound {
			return err
		}
		if known := err == nil; known == (action == audit.MemberAdded) {
			if known {
				return &Error{Kind: Conflict, Code: "member-already", Detail: "This person is a member already."}
			}
			return ErrNotFound("Member")
		}
		if (old.Role == Owner || role == Owner) && mine.Role != Owner {
			return &Error{Kind: RoleNotAllowed, Roles: []Role{Owner}, Detail: "Only an owner may make or change owners."}
		}
		if old.Role == role && role != "" {
			return nil
		}
		// Append is the lock of the team: from here on no other change of it
		// overtakes what was read and what follows.
		data := map[string]any{"role": string(role), "from": string(old.Role)}
		if _, err := p.appendAs(ctx, who, team, action, user, data); err != nil {
			return err
		}
		if old.Role == Owner && role != Owner {
			if err := p.anotherOwner(ctx, team, user); err != nil {
				return err
			}
		}
		p.changed(ctx) // the standing of the tokens they made
		if role == "" {
			return p.store.DeleteMember(ctx, team, user)
		}
		if old.JoinedAt.IsZero() {
			if _, err := p.store.User(ctx, user); err != nil {
				return err
			}
			old.JoinedAt = p.clock()
		}
		return p.store.SaveMember(ctx, Member{Team: team, User: user, Role: role, JoinedAt: old.JoinedAt})
	})
}

func (p *Portal) anotherOwner(ctx context.Context, team, but string) error {
	members, err := p.store.Members(ctx, team)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Role == Owner && m.User != but {
			return nil
		}
	}
	return &Error{
		Kind: Conflict, Code: "last-owner", Detail: "A team needs an owner, and this is the last one.",
		Fix: "Make somebody else an owner first.",
	}
}
