package client

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// SignUp asks for an account. It succeeds whether or not the address has one:
// the mail says which.
func (c *Client) SignUp(ctx context.Context, r api.SignUp) error {
	_, err := c.send(ctx, "POST", portal+"/sign-up", r)
	return err
}

// VerifyEmail uses the code of a mail. The status is [api.SignedIn] or
// [api.Verified].
func (c *Client) VerifyEmail(ctx context.Context, code string) (api.SignInResult, error) {
	return call[api.SignInResult](ctx, c, "POST", portal+"/verify-email", api.VerifyEmail{Code: code})
}

// ResendVerification asks for the mail again. It always succeeds.
func (c *Client) ResendVerification(ctx context.Context, email string) error {
	_, err := c.send(ctx, "POST", portal+"/verify-email/resend", api.ResendVerification{Email: email})
	return err
}

// SignIn opens a session; the cookie is the transport's to keep.
func (c *Client) SignIn(ctx context.Context, r api.SignIn) (api.SignInResult, error) {
	return call[api.SignInResult](ctx, c, "POST", portal+"/sessions", r)
}

// Session returns who is signed in, and remembers the token that changes need.
func (c *Client) Session(ctx context.Context) (api.Session, error) {
	s, err := call[api.Session](ctx, c, "GET", portal+"/session", nil)
	if err == nil {
		c.csrf.Store(s.CSRFToken)
	}
	return s, err
}

// SignOut ends the session.
func (c *Client) SignOut(ctx context.Context) error {
	_, err := c.send(ctx, "DELETE", portal+"/session", nil)
	if err == nil {
		c.csrf.Store("")
	}
	return err
}

// ConfirmPassword makes the session fresh again.
func (c *Client) ConfirmPassword(ctx context.Context, password string) (api.Fresh, error) {
	return call[api.Fresh](ctx, c, "POST", portal+"/session/confirm", api.ConfirmPassword{Password: password})
}

// UpdateAccount changes one's own name, or the team that is remembered.
func (c *Client) UpdateAccount(ctx context.Context, r api.UpdateAccount) (api.User, error) {
	return call[api.User](ctx, c, "PATCH", portal+"/account", r)
}

// ChangePassword changes one's own password and ends every other session.
func (c *Client) ChangePassword(ctx context.Context, r api.ChangePassword) error {
	_, err := c.send(ctx, "POST", portal+"/account/password", r)
	return err
}

// AccountEvents returns the person's own security log, newest first.
func (c *Client) AccountEvents(ctx context.Context, q EventQuery) (api.List[api.Event], error) {
	return call[api.List[api.Event]](ctx, c, "GET", q.on(portal+"/account/events"), nil)
}

// Outbox returns the mails that were kept instead of sent, newest first.
func (c *Client) Outbox(ctx context.Context) (api.List[api.Mail], error) {
	return call[api.List[api.Mail]](ctx, c, "GET", portal+"/outbox", nil)
}

// OutboxMail returns one kept mail with its text and links.
func (c *Client) OutboxMail(ctx context.Context, id string) (api.Mail, error) {
	return call[api.Mail](ctx, c, "GET", path(portal+"/outbox", id), nil)
}
