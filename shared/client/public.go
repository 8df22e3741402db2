package client

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// The methods of this file are the integrations': the transport presents the
// bearer token.

// WhoAmI returns the token that asks.
func (c *Client) WhoAmI(ctx context.Context) (api.WhoAmI, error) {
	return call[api.WhoAmI](ctx, c, "GET", public+"/token", nil)
}

// RevokeSelf ends the token that asks.
func (c *Client) RevokeSelf(ctx context.Context) (api.Receipt, error) {
	return call[api.Receipt](ctx, c, "DELETE", public+"/token", nil)
}

// RotateSelf adds a generation to the token that asks.
func (c *Client) RotateSelf(ctx context.Context, key string, r api.RotateToken) (api.IssuedToken, error) {
	return call[api.IssuedToken](ctx, c, "POST", public+"/token/rotate", r, idempotent(key))
}

// Orders returns one page of orders, newest first.
func (c *Client) Orders(ctx context.Context, limit int, cursor string) (api.List[api.Order], error) {
	return call[api.List[api.Order]](ctx, c, "GET", newQuery().number("limit", limit).set("cursor", cursor).on(public+"/orders"), nil)
}

// CreateOrder makes an order, and returns it with its ETag.
func (c *Client) CreateOrder(ctx context.Context, key string, r api.CreateOrder) (api.Order, string, error) {
	return tagged[api.Order](ctx, c, "POST", public+"/orders", r, idempotent(key))
}

// Order returns an order with its ETag.
func (c *Client) Order(ctx context.Context, id string) (api.Order, string, error) {
	return tagged[api.Order](ctx, c, "GET", path(public+"/orders", id), nil)
}

// UpdateOrder changes an order that still has this ETag.
func (c *Client) UpdateOrder(ctx context.Context, id, etag string, r api.UpdateOrder) (api.Order, string, error) {
	return tagged[api.Order](ctx, c, "PATCH", path(public+"/orders", id), r, ifMatch(etag))
}

// CancelOrder cancels an order that still has this ETag.
func (c *Client) CancelOrder(ctx context.Context, id, etag string) (api.Order, error) {
	return call[api.Order](ctx, c, "DELETE", path(public+"/orders", id), nil, ifMatch(etag))
}

// OwnUsage returns the usage of the token that asks.
func (c *Client) OwnUsage(ctx context.Context, q UsageQuery) (api.Usage, error) {
	return call[api.Usage](ctx, c, "GET", q.on(public+"/usage"), nil)
}
