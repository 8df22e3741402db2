package httpapi

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// listTokens answers GET …/tokens.
func (s *Server) listTokens(c *fiber.Ctx) error {
	q := queryOf(c)
	f := portal.TokenFilter{
		Team: pathID(c, "team"), Env: portal.Env(q.oneOf("env", envs...)),
		Ability: q.text("ability"), Maker: q.text("maker"), Query: q.text("q"), Limit: q.limit(),
		Sort: portal.TokenSort(q.oneOf("sort", sorts...)),
	}
	for _, status := range q.someOf("status", tokenStatuses...) {
		f.Status = append(f.Status, portal.TokenStatus(status))
	}
	if err := q.err(); err != nil {
		return err
	}
	var after portal.TokenCursor
	if ok, err := s.cursor(c, &after); err != nil {
		return err
	} else if ok {
		f.After = &after
	}
	list, err := s.portal.Tokens(c.UserContext(), person(c), f)
	if err != nil {
		return err
	}
	var next *string
	if list.Next != nil {
		next = s.sealCursor(c, list.Next)
	}
	return page(c, mapped(list.Tokens, func(v portal.TokenView) api.Token { return tokenJSON(&v) }), next)
}

// createToken answers POST …/tokens with 201 and an api.IssuedToken, beside
// rotation the only answer that ever holds a secret.
func (s *Server) createToken(c *fiber.Ctx) error {
	in, err := decode[api.CreateToken](c)
	if err != nil {
		return err
	}
	who, team := person(c), pathID(c, "team")
	if _, err := s.portal.Team(c.UserContext(), who, team); err != nil {
		return err // before a stored answer could be shown to somebody who left
	}
	return s.once(c, team, who.User.ID, func(ctx context.Context) (reply, error) {
		t, secret, err := s.portal.CreateToken(ctx, who, team, portal.NewToken{
			Name: in.Name, Note: in.Note, Env: portal.Env(in.Env), Abilities: *in.Abilities, ExpiresAt: in.ExpiresAt.Time,
			NeverExpires: in.NeverEnds, NotBefore: in.NotBefore.Time, Addresses: in.Addresses, RateLimit: rateOf(in.RateLimit),
		})
		if err != nil {
			return reply{}, err
		}
		return issued(t, secret, tokenPath(team, t.ID)), nil
	}, secretsPerPerson)
}

// issued is the answer that holds a secret, and the one without it that a replay
// shows. Its ETag is that of the token at the location, for the change that
// follows (RFC 9110, 15.3.2).
func issued(t portal.TokenView, secret, location string) reply {
	body := api.IssuedToken{Token: tokenJSON(&t)}
	whole := body
	whole.Secret = secret
	return reply{status: fiber.StatusCreated, location: location, rev: t.Rev, tagged: body.Token, body: whole, stored: body}
}

func tokenPath(team, id string) string { return "/portal/v1/teams/" + team + "/tokens/" + id }

func rateOf(l *api.RateLimit) *portal.RateLimit {
	if l == nil {
		return nil
	}
	return &portal.RateLimit{Quota: l.Quota, Window: time.Duration(l.WindowSeconds) * time.Second}
}

// showToken answers GET …/tokens/{id}.
func (s *Server) showToken(c *fiber.Ctx) error {
	t, err := s.portal.Token(c.UserContext(), person(c), pathID(c, "team"), pathID(c, "id"))
	if err != nil {
		return err
	}
	return sendTagged(c, fiber.StatusOK, t.Rev, tokenJSON(&t))
}

// updateToken answers PATCH …/tokens/{id}.
func (s *Server) updateToken(c *fiber.Ctx) error {
	in, err := decode[api.UpdateToken](c)
	if err != nil {
		return err
	}
	who, team, id := person(c), pathID(c, "team"), pathID(c, "id")
	rev, err := match(c, func() (int64, error) {
		t, err := s.portal.Token(c.UserContext(), who, team, id)
		return t.Rev, err
	})
	if err != nil {
		return err
	}
	change := portal.TokenChange{
		Name: set(in.Name), Note: set(in.Note), Abilities: set(in.Abilities), Addresses: set(in.Addresses),
	}
	if in.RateLimit.Set {
		change.RateLimit = &portal.RateLimit{}
		if !in.RateLimit.Null {
			change.RateLimit = rateOf(&in.RateLimit.Value)
		}
	}
	if in.ExpiresAt.Set {
		change.ExpiresAt = &in.ExpiresAt.Value.Time
	}
	t, err := s.portal.UpdateToken(c.UserContext(), who, team, id, rev, change)
	if err != nil {
		return err
	}
	return sendTagged(c, fiber.StatusOK, t.Rev, tokenJSON(&t))
}

// set returns the value of a merge patch's field: nil if it is absent, the zero
// value if it is taken away.
func set[T any](o api.Optional[T]) *T {
	if !o.Set {
		return nil
	}
	return &o.Value
}

// rotateToken answers POST …/tokens/{id}/rotate.
func (s *Server) rotateToken(c *fiber.Ctx) error {
	how, err := rotation(c)
	if err != nil {
		return err
	}
	who, team, id := person(c), pathID(c, "team"), pathID(c, "id")
	if _, err := s.portal.Token(c.UserContext(), who, team, id); err != nil {
		return err
	}
	return s.once(c, team, who.User.ID, func(ctx context.Context) (reply, error) {
		t, secret, err := s.portal.RotateToken(ctx, who, team, id, how)
		if err != nil {
			return reply{}, err
		}
		return issued(t, secret, tokenPath(team, id)), nil
	}, secretsPerPerson)
}

// rotation reads the body of a rotation.
func rotation(c *fiber.Ctx) (portal.Rotation, error) {
	in, err := decodeOptional[api.RotateToken](c)
	if err != nil {
		return portal.Rotation{}, err
	}
	how := portal.Rotation{Now: in.Activate == "now"}
	if in.OverlapSeconds != nil {
		overlap := time.Duration(*in.OverlapSeconds) * time.Second
		how.Overlap = &overlap
	}
	return how, nil
}

// finishRotation answers POST …/rotate/finish.
func (s *Server) finishRotation(c *fiber.Ctx) error {
	t, err := s.portal.FinishRotation(c.UserContext(), person(c), pathID(c, "team"), pathID(c, "id"))
	if err != nil {
		return err
	}
	return sendTagged(c, fiber.StatusOK, t.Rev, tokenJSON(&t))
}

// undoRotation answers POST …/rotate/undo.
func (s *Server) undoRotation(c *fiber.Ctx) error {
	t, err := s.portal.UndoRotation(c.UserContext(), person(c), pathID(c, "team"), pathID(c, "id"))
	if err != nil {
		return err
	}
	return sendTagged(c, fiber.StatusOK, t.Rev, tokenJSON(&t))
}

// suspendToken answers POST …/suspend.
func (s *Server) suspendToken(c *fiber.Ctx) error { return s.changeState(c, s.portal.SuspendToken) }

// resumeToken answers POST …/resume.
func (s *Server) resumeToken(c *fiber.Ctx) error { return s.changeState(c, s.portal.ResumeToken) }

// revokeToken answers POST …/revoke.
func (s *Server) revokeToken(c *fiber.Ctx) error { return s.changeState(c, s.portal.RevokeToken) }

// changeState reads a reason, changes the state of a token and answers the
// receipt.
func (s *Server) changeState(
	c *fiber.Ctx, change func(ctx context.Context, who portal.Person, team, id string, why portal.Reason) (portal.Receipt, error),
) error {
	in, err := decodeOptional[api.Reason](c)
	if err != nil {
		return err
	}
	r, err := change(c.UserContext(), person(c), pathID(c, "team"), pathID(c, "id"), portal.Reason{Reason: in.Reason, Note: in.Note})
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.StatusOK, receiptJSON(r))
}

// revokeAllTokens answers POST …/tokens/revoke-all.
func (s *Server) revokeAllTokens(c *fiber.Ctx) error {
	in, err := decodeOptional[api.RevokeAll](c)
	if err != nil {
		return err
	}
	n, rev, err := s.portal.RevokeAll(c.UserContext(), person(c), pathID(c, "team"), in.Maker, portal.Reason{Reason: in.Reason})
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.StatusOK, api.RevokedAll{Revoked: n, Rev: rev})
}
