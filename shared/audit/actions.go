package audit

// Actions returns every action that is recorded, as noun.verb, for those who
// choose among them. A test of the portal holds it to what the portal writes.
func Actions() []string {
	return []string{
		"team.created", "team.renamed", "team.made_platform", "team.unmade_platform",
		"member.added", "member.role_changed", "member.removed",
		"token.created", "token.updated", "token.used_first", "token.suspended", "token.resumed", "token.revoked", "token.dead_secret_used",
		"token.rotation_started", "token.rotation_activated", "token.rotation_finished", "token.rotation_cancelled",
		"user.signed_up", "user.signed_up_again", "user.signed_in", "user.signed_out", "user.sign_in_refused",
		"user.password_changed", "user.renamed", "user.made_admin",
	}
}
