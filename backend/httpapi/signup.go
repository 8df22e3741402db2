package httpapi

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// signUp answers POST /portal/v1/sign-up with 202 in every case.
func (s *Server) signUp(c *fiber.Ctx) error {
	in, err := decode[api.SignUp](c)
	if err != nil {
		return err
	}
	r, ctx := of(c), c.UserContext()
	if err := s.throttle.take(ctx, signUpPerNetwork, portal.Network(r.address).String()); err != nil {
		return err
	}
	from := r.origin(c)
	from.MayMail = s.mayMail
	browser := s.browser(c)
	if browser == "" {
		browser = secret.NewOpaque("")
	}
	err = s.portal.SignUp(ctx, portal.NewAccount{
		Name: in.Name, Email: in.Email, Password: in.Password, TeamName: in.TeamName, Browser: browser,
	}, from)
	if err != nil {
		return err
	}
	s.keepBrowser(c, browser)
	return sendJSON(c, fiber.StatusAccepted, api.Empty{})
}

// mayMail is a [portal.MayMail] that counts mails for the address. It refuses
// nobody: what is asked for is done without the mail, or strangers could use the
// limit up to keep the owner of an address out.
func (s *Server) mayMail(ctx context.Context, emailKey string) (bool, error) {
	return s.throttle.allows(ctx, mailsPerAddress, emailKey)
}

// browser returns the value of the cookie that sign-up sets, "" if there is none
// that we could have made.
func (s *Server) browser(c *fiber.Ctx) string {
	v := c.Cookies(s.cookie + "-signup")
	if len(v) != len(secret.NewOpaque("")) {
		return ""
	}
	return v
}

// keepBrowser lets a browser be known for as long as the sign-up that it made or
// asked a mail for.
func (s *Server) keepBrowser(c *fiber.Ctx, browser string) {
	if browser != "" {
		s.setCookie(c, s.cookie+"-signup", browser, portal.SignupLives)
	}
}

// verifyEmail answers POST /portal/v1/verify-email.
func (s *Server) verifyEmail(c *fiber.Ctx) error {
	in, err := decode[api.VerifyEmail](c)
	if err != nil {
		return err
	}
	r, ctx := of(c), c.UserContext()
	if err := s.throttle.take(ctx, verifyPerNetwork, portal.Network(r.address).String()); err != nil {
		return err
	}
	out, err := s.portal.VerifyEmail(ctx, in.Code, s.browser(c), r.origin(c))
	if err != nil {
		return err
	}
	s.openSession(c, out)
	if out.Cookie != "" {
		s.setCookie(c, s.cookie+"-signup", "", -time.Second)
	}
	return sendJSON(c, fiber.StatusOK, api.SignInResult{Status: out.Status})
}

// resendVerification answers POST /portal/v1/verify-email/resend with 202 in
// every case.
func (s *Server) resendVerification(c *fiber.Ctx) error {
	in, err := decode[api.ResendVerification](c)
	if err != nil {
		return err
	}
	r, ctx := of(c), c.UserContext()
	if err := s.throttle.take(ctx, mailsPerNetwork, portal.Network(r.address).String()); err != nil {
		return err
	}
	from := r.origin(c)
	from.MayMail = s.mayMail
	browser := s.browser(c)
	if err := s.portal.ResendVerification(ctx, in.Email, browser, from); err != nil {
		return err
	}
	s.keepBrowser(c, browser)
	return sendJSON(c, fiber.StatusAccepted, api.Empty{})
}
