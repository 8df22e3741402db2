package portal

// Role is what a member may do in a team.
type Role string

// The four roles. The empty Role is that of somebody who is not a member.
const (
	Owner     Role = "owner"
	Admin     Role = "admin"
	Developer Role = "developer"
	Auditor   Role = "auditor"
)

// Roles lists the roles from the mightiest.
var Roles = []Role{Owner, Admin, Developer, Auditor}

// Valid reports whether r is one of the four roles.
func (r Role) Valid() bool { return r == Owner || r == Admin || r == Developer || r == Auditor }

// Action is something that a member does in a team. What a role may do is in
// one table, so that it is read, and tested, as a whole.
type Action string

// The actions that roles are asked about.
const (
	ViewTeam      Action = "view the team"
	EditTeam      Action = "edit the team"
	ManageMembers Action = "manage members"
	ViewTokens    Action = "view tokens"
	CreateTokens  Action = "create tokens"
	ManageAny     Action = "manage every token" // a maker may always manage their own
	ManageOwn     Action = "manage their own tokens"
	RevokeEvery   Action = "revoke all tokens"
	ViewUsage     Action = "view usage"
	ViewEvents    Action = "view every event"
	ViewOwnEvents Action = "view the events of their own tokens"
)

var allowed = map[Action][]Role{
	ViewTeam:      {Owner, Admin, Developer, Auditor},
	EditTeam:      {Owner, Admin},
	ManageMembers: {Owner, Admin},
	ViewTokens:    {Owner, Admin, Developer, Auditor},
	CreateTokens:  {Owner, Admin, Developer},
	ManageAny:     {Owner, Admin},
	ManageOwn:     {Owner, Admin, Developer},
	RevokeEvery:   {Owner, Admin},
	ViewUsage:     {Owner, Admin, Developer, Auditor},
	ViewEvents:    {Owner, Admin, Auditor},
	ViewOwnEvents: {Owner, Admin, Developer, Auditor},
}

// May reports whether members of the role may do it.
func (r Role) May(do Action) bool {
	for _, role := range allowed[do] {
		if role == r {
			return true
		}
	}
	return false
}

// WhoMay lists the roles that may do it, from the mightiest.
func WhoMay(do Action) []Role { return allowed[do] }
