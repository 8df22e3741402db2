package api

// SignUp is the body of POST /portal/v1/sign-up. The answer is always 202.
type SignUp struct {
	Name     string `json:"name" validate:"required,plain,no_secret,max=100"`
	Email    string `json:"email" validate:"required,email,max=254"`
	Password string `json:"password" validate:"required,min=12,max=128"`
	TeamName string `json:"team_name" validate:"required,plain,no_secret,max=100"`
}

// VerifyEmail is the body of POST /portal/v1/verify-email.
type VerifyEmail struct {
	Code string `json:"code" validate:"required,max=200"`
}

// ResendVerification is the body of POST /portal/v1/verify-email/resend. The
// answer is always 202.
type ResendVerification struct {
	Email string `json:"email" validate:"required,email,max=254"`
}

// SignIn is the body of POST /portal/v1/sessions.
type SignIn struct {
	Email    string `json:"email" validate:"required,max=254"`
	Password string `json:"password" validate:"required,max=1024"`
}

// The values of SignInResult.Status.
const (
	SignedIn       = "signed_in"
	Verified       = "verified"     // the address is verified; sign in now
	VerifyEmailDue = "verify_email" // the password is right, but the address is not verified yet
)

// SignInResult answers sign-in and verification.
type SignInResult struct {
	Status string `json:"status"`
}

// Session answers GET /portal/v1/session: who is signed in here.
type Session struct {
	ID         string       `json:"id"`
	User       User         `json:"user"`
	Teams      []Membership `json:"teams"`
	CSRFToken  string       `json:"csrf_token"`
	FreshUntil Time         `json:"fresh_until"` // null if the password is due
	ExpiresAt  Time         `json:"expires_at"`
	Address    string       `json:"address"` // that the request came from, as the server sees it
	Notices    []string     `json:"notices"`
}

// User is a person, as that person sees it.
type User struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Email         string `json:"email"`
	CreatedAt     Time   `json:"created_at"`
	VerifiedAt    Time   `json:"verified_at"`
	PlatformAdmin bool   `json:"platform_admin"`
	LastTeam      string `json:"last_team"` // id of the team looked at last, "" for none
}

// Membership is a team with the role that the asking person has in it.
type Membership struct {
	Team Team   `json:"team"`
	Role string `json:"role"`
}

// ConfirmPassword is the body of POST /portal/v1/session/confirm.
type ConfirmPassword struct {
	Password string `json:"password" validate:"required,max=1024"`
}

// Fresh answers POST /portal/v1/session/confirm.
type Fresh struct {
	FreshUntil Time `json:"fresh_until"`
}

// UpdateAccount is the merge patch of PATCH /portal/v1/account. The answer is a
// [User].
type UpdateAccount struct {
	Name     Optional[string] `json:"name,omitzero" patch:"keep"`
	LastTeam Optional[string] `json:"last_team,omitzero"` // where the portal opens the next time
}

// ChangePassword is the body of POST /portal/v1/account/password. It ends every
// other session of the person; the answer is 204.
type ChangePassword struct {
	Current  string `json:"current" validate:"required,max=1024"`
	Password string `json:"password" validate:"required,min=12,max=128"`
}

// Mail is one message in the local outbox, at GET /portal/v1/outbox and
// /portal/v1/outbox/{id}. Text and Links are empty in the list.
type Mail struct {
	ID      string   `json:"id"`
	At      Time     `json:"at"`
	To      string   `json:"to"`
	Subject string   `json:"subject"`
	Text    string   `json:"text"`
	Links   []string `json:"links"`
}
