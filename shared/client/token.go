package client

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// TokenQuery narrows and sorts the list of tokens. Zero values do not.
type TokenQuery struct {
	Status, Env, Ability, Maker string
	Q                           string // part of a name, or a lookup id
	Sort                        string
	Limit                       int // 1 to 100, 50 if 0
	Cursor                      string
}

func (q TokenQuery) on(path string) string {
	return newQuery().set("status", q.Status).set("env", q.Env).set("ability", q.Ability).set("maker", q.Maker).
		set("q", q.Q).set("sort", q.Sort).number("limit", q.Limit).set("cursor", q.Cursor).on(path)
}

func tokenPath(team string, parts ...string) string {
	return path(portal+"/teams", append([]string{team, "tokens"}, parts...)...)
}

// Tokens returns one page of a team's tokens.
func (c *Client) Tokens(ctx context.Context, team string, q TokenQuery) (api.List[api.Token], error) {
	return call[api.List[api.Token]](ctx, c, "GET", q.on(tokenPath(team)), nil)
}

// CreateToken makes a token; the answer is the only one with its secret. A key
// makes a repetition of the request harmless; "" sends none.
func (c *Client) CreateToken(ctx context.Context, team, key string, r api.CreateToken) (api.IssuedToken, error) {
	return call[api.IssuedToken](ctx, c, "POST", tokenPath(team), r, idempotent(key))
}

// Token returns a token with the ETag that changing it needs.
func (c *Client) Token(ctx context.Context, team, id string) (api.Token, string, error) {
	return tagged[api.Token](ctx, c, "GET", tokenPath(team, id), nil)
}

// UpdateToken changes a token that still has this ETag, and returns the new one.
func (c *Client) UpdateToken(ctx context.Context, team, id, etag string, r api.UpdateToken) (api.Token, string, error) {
	return tagged[api.Token](ctx, c, "PATCH", tokenPath(team, id), r, ifMatch(etag))
}

// RotateToken adds a generation; the answer is the only one with its secret.
func (c *Client) RotateToken(ctx context.Context, team, id, key string, r api.RotateToken) (api.IssuedToken, error) {
	return call[api.IssuedToken](ctx, c, "POST", tokenPath(team, id, "rotate"), r, idempotent(key))
}

// FinishRotation ends the overlap now.
func (c *Client) FinishRotation(ctx context.Context, team, id string) (api.Token, error) {
	return call[api.Token](ctx, c, "POST", tokenPath(team, id, "rotate", "finish"), api.Empty{})
}

// UndoRotation cancels the pending generation.
func (c *Client) UndoRotation(ctx context.Context, team, id string) (api.Token, error) {
	return call[api.Token](ctx, c, "POST", tokenPath(team, id, "rotate", "undo"), api.Empty{})
}

// SuspendToken refuses the token until it is resumed.
func (c *Client) SuspendToken(ctx context.Context, team, id string, r api.Reason) (api.Receipt, error) {
	return call[api.Receipt](ctx, c, "POST", tokenPath(team, id, "suspend"), r)
}

// ResumeToken lets a suspended token work again.
func (c *Client) ResumeToken(ctx context.Context, team, id string, r api.Reason) (api.Receipt, error) {
	return call[api.Receipt](ctx, c, "POST", tokenPath(team, id, "resume"), r)
}

// RevokeToken ends a token for good.
func (c *Client) RevokeToken(ctx context.Context, team, id string, r api.Reason) (api.Receipt, error) {
	return call[api.Receipt](ctx, c, "POST", tokenPath(team, id, "revoke"), r)
}

// RevokeAll ends every token of a team, or those of one maker.
func (c *Client) RevokeAll(ctx context.Context, team string, r api.RevokeAll) (api.RevokedAll, error) {
	return call[api.RevokedAll](ctx, c, "POST", tokenPath(team, "revoke-all"), r)
}
