package audit

// The actions of events, as noun.verb. A new one is a line here and in [Actions],
// and its sentence in the portal's table of sentences; tests hold the three
// together.
const (
	TeamCreated        = "team.created"
	TeamRenamed        = "team.renamed"
	TeamMadePlatform   = "team.made_platform"
	TeamUnmadePlatform = "team.unmade_platform"

	MemberAdded       = "member.added"
	MemberRoleChanged = "member.role_changed"
	MemberRemoved     = "member.removed"

	TokenCreated        = "token.created"
	TokenUpdated        = "token.updated"
	TokenUsedFirst      = "token.used_first"
	TokenSuspended      = "token.suspended"
	TokenResumed        = "token.resumed"
	TokenRevoked        = "token.revoked"
	TokenDeadSecretUsed = "token.dead_secret_used"

	TokenRotationStarted   = "token.rotation_started"
	TokenRotationActivated = "token.rotation_activated"
	TokenRotationFinished  = "token.rotation_finished"
	TokenRotationCancelled = "token.rotation_cancelled"

	UserSignedUp        = "user.signed_up"
	UserSignedUpAgain   = "user.signed_up_again"
	UserSignedIn        = "user.signed_in"
	UserSignedOut       = "user.signed_out"
	UserSignInRefused   = "user.sign_in_refused"
	UserPasswordChanged = "user.password_changed"
	UserRenamed         = "user.renamed"
	UserMadeAdmin       = "user.made_admin"
)

// Actions returns every action, for those who choose among them.
func Actions() []string {
	return []string{
		TeamCreated, TeamRenamed, TeamMadePlatform, TeamUnmadePlatform,
		MemberAdded, MemberRoleChanged, MemberRemoved,
		TokenCreated, TokenUpdated, TokenUsedFirst, TokenSuspended, TokenResumed, TokenRevoked, TokenDeadSecretUsed,
		TokenRotationStarted, TokenRotationActivated, TokenRotationFinished, TokenRotationCancelled,
		UserSignedUp, UserSignedUpAgain, UserSignedIn, UserSignedOut, UserSignInRefused, UserPasswordChanged, UserRenamed, UserMadeAdmin,
	}
}
