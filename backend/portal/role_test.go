package portal

import (
	"slices"
	"testing"
)

// TestRoles says, independently of the table in role.go, what each role may do.
func TestRoles(t *testing.T) {
	const none = Role("")
	may := map[Action]string{ // o owner, a admin, d developer, u auditor
		ViewTeam:      "oadu",
		EditTeam:      "oa",
		ManageMembers: "oa",
		ViewTokens:    "oadu",
		CreateTokens:  "oad",
		ManageAny:     "oa",
		ManageOwn:     "oad",
		RevokeEvery:   "oa",
		ViewUsage:     "oadu",
		ViewEvents:    "oau",
		ViewOwnEvents: "oadu",
	}
	letter := map[Role]rune{Owner: 'o', Admin: 'a', Developer: 'd', Auditor: 'u', none: '-', "root": '-', "Owner": '-'}
	if len(may) != len(allowed) {
		t.Errorf("got %d actions, want %d: a new action needs its line here", len(allowed), len(may))
	}
	for do, who := range may {
		for role, l := range letter {
			if got, want := role.May(do), slices.Contains([]rune(who), l); got != want {
				t.Errorf("%q may %s: got %v, want %v", role, do, got, want)
			}
		}
		if roles := WhoMay(do); !slices.IsSortedFunc(roles, func(a, b Role) int { return slices.Index(Roles, a) - slices.Index(Roles, b) }) {
			t.Errorf("%s: got %v, want the mightiest first", do, roles)
		}
	}
	if Owner.May("anything else") {
		t.Error("an owner may do what nobody defined")
	}
}

func TestMayManage(t *testing.T) {
	tests := []struct {
		role Role
		mine bool
		want bool
	}{
		{Owner, false, true},
		{Admin, false, true},
		{Developer, true, true},
		{Developer, false, false},
		{Auditor, true, false}, // a maker whose role shrank
		{"", true, false},
	}
	for _, tt := range tests {
		maker := "usr_other"
		if tt.mine {
			maker = "usr_me"
		}
		if got := mayManage(tt.role, "usr_me", &Token{Maker: maker}); got != tt.want {
			t.Errorf("%s, mine %v: got %v, want %v", tt.role, tt.mine, got, tt.want)
		}
	}
}

func TestOrList(t *testing.T) {
	for _, tt := range []struct {
		roles []Role
		want  string
	}{{nil, ""}, {[]Role{Owner}, "owner"}, {[]Role{Owner, Admin}, "owner or admin"}, {[]Role{Owner, Admin, Auditor}, "owner, admin or auditor"}} {
		if got := orList(tt.roles); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
