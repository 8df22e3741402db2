package client

import (
	"context"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// Catalogue returns the abilities, roles and token policy of the deployment.
func (c *Client) Catalogue(ctx context.Context) (api.Catalogue, error) {
	return call[api.Catalogue](ctx, c, "GET", portal+"/catalogue", nil)
}

// Teams returns one's own teams.
func (c *Client) Teams(ctx context.Context) (api.List[api.Membership], error) {
	return call[api.List[api.Membership]](ctx, c, "GET", portal+"/teams", nil)
}

// CreateTeam makes a team with the caller as its owner.
func (c *Client) CreateTeam(ctx context.Context, r api.CreateTeam) (api.Team, error) {
	return call[api.Team](ctx, c, "POST", portal+"/teams", r)
}

// Team returns a team with the ETag that changing it needs.
func (c *Client) Team(ctx context.Context, team string) (api.Team, string, error) {
	return tagged[api.Team](ctx, c, "GET", path(portal+"/teams", team), nil)
}

// UpdateTeam changes a team that still has this ETag, and returns the new one.
func (c *Client) UpdateTeam(ctx context.Context, team, etag string, r api.UpdateTeam) (api.Team, string, error) {
	return tagged[api.Team](ctx, c, "PATCH", path(portal+"/teams", team), r, ifMatch(etag))
}

// Members returns who is in a team.
func (c *Client) Members(ctx context.Context, team string) (api.List[api.Member], error) {
	return call[api.List[api.Member]](ctx, c, "GET", path(portal+"/teams", team, "members"), nil)
}

// EventQuery narrows a list of events. Zero values do not.
type EventQuery struct {
	Action, Actor, Target string
	From, To              time.Time
	Limit                 int
	Cursor                string
}

func (q EventQuery) on(path string) string {
	return newQuery().set("action", q.Action).set("actor", q.Actor).set("target", q.Target).
		time("from", q.From).time("to", q.To).number("limit", q.Limit).set("cursor", q.Cursor).on(path)
}

// Events returns a team's audit events, newest first.
func (c *Client) Events(ctx context.Context, team string, q EventQuery) (api.List[api.Event], error) {
	return call[api.List[api.Event]](ctx, c, "GET", q.on(path(portal+"/teams", team, "events")), nil)
}

// TokenEvents returns the events of one token, newest first.
func (c *Client) TokenEvents(ctx context.Context, team, id string, q EventQuery) (api.List[api.Event], error) {
	return call[api.List[api.Event]](ctx, c, "GET", q.on(path(portal+"/teams", team, "tokens", id, "events")), nil)
}

// Chain has the server verify a team's chain of events.
func (c *Client) Chain(ctx context.Context, team string) (api.ChainState, error) {
	return call[api.ChainState](ctx, c, "GET", path(portal+"/teams", team, "events", "chain"), nil)
}

// ExportEvents returns all events of a team, oldest first, one JSON object a
// line: what `gatehouse audit verify` reads.
func (c *Client) ExportEvents(ctx context.Context, team string) ([]byte, error) {
	r, err := c.send(ctx, "GET", path(portal+"/teams", team, "events", "export"), nil)
	return r.Body, err
}

// UsageQuery says which usage is wanted. Zero values leave it to the server.
type UsageQuery struct {
	From, To time.Time
	Step     string // hour, day
	By       string // token, route, status
}

func (q UsageQuery) on(path string) string {
	return newQuery().time("from", q.From).time("to", q.To).set("step", q.Step).set("by", q.By).on(path)
}

// Usage returns a team's usage.
func (c *Client) Usage(ctx context.Context, team string, q UsageQuery) (api.Usage, error) {
	return call[api.Usage](ctx, c, "GET", q.on(path(portal+"/teams", team, "usage")), nil)
}

// TokenUsage returns the usage of one token.
func (c *Client) TokenUsage(ctx context.Context, team, id string, q UsageQuery) (api.Usage, error) {
	return call[api.Usage](ctx, c, "GET", q.on(path(portal+"/teams", team, "tokens", id, "usage")), nil)
}

// CallQuery narrows the call log. Zero values do not.
type CallQuery struct {
	Token, Status, Route, Address string
	From, To                      time.Time
	Limit                         int
	Cursor                        string
}

func (q CallQuery) on(path string) string {
	return newQuery().set("token", q.Token).set("status", q.Status).set("route", q.Route).set("address", q.Address).
		time("from", q.From).time("to", q.To).number("limit", q.Limit).set("cursor", q.Cursor).on(path)
}

// Calls returns a team's calls, newest first.
func (c *Client) Calls(ctx context.Context, team string, q CallQuery) (api.List[api.Call], error) {
	return call[api.List[api.Call]](ctx, c, "GET", q.on(path(portal+"/teams", team, "calls")), nil)
}

// TokenCalls returns the calls of one token, newest first.
func (c *Client) TokenCalls(ctx context.Context, team, id string, q CallQuery) (api.List[api.Call], error) {
	return call[api.List[api.Call]](ctx, c, "GET", q.on(path(portal+"/teams", team, "tokens", id, "calls")), nil)
}
