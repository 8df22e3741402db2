// Package client is the API as Go methods: one per route, typed by shared/api.
// The portal's program, the end-to-end tests and integrations share it; how a
// request travels is a [Transport], so that the browser need not link net/http.
//
// Every method returns a [*Problem] for an answer of 400 or more, and the
// transport's own error if there was no answer. A Client may be used by many
// goroutines at once.
package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// Request is what a transport sends.
type Request struct {
	Method string
	Path   string // with the query: /portal/v1/session
	Header map[string]string
	Body   []byte // JSON, nil for none
}

// Response is what came back. Header names are in lower case.
type Response struct {
	Status int
	Header map[string]string
	Body   []byte
}

// Transport carries requests. It returns an error only if there was no answer;
// [ErrOffline] and [ErrTimeout] are the ones that callers can tell apart.
type Transport interface {
	Do(ctx context.Context, r Request) (Response, error)
}

// TransportFunc is a function as a [Transport].
type TransportFunc func(ctx context.Context, r Request) (Response, error)

// Do implements [Transport].
func (f TransportFunc) Do(ctx context.Context, r Request) (Response, error) { return f(ctx, r) }

// Client calls the API.
type Client struct {
	transport Transport
	csrf      atomic.Value // string: from the last session answer
}

// New returns a client that sends through t.
func New(t Transport) *Client { return &Client{transport: t} }

// CSRFToken returns the token that changes carry, "" before the first session.
// A transport that repeats a request after a new sign-in needs it.
func (c *Client) CSRFToken() string {
	token, _ := c.csrf.Load().(string)
	return token
}

// portal is where people's routes begin, public where the integrations' do.
const (
	portal = "/portal/v1"
	public = "/api/v1"
)

// option changes a request before it is sent.
type option func(*Request)

func ifMatch(etag string) option {
	return func(r *Request) { r.Header["If-Match"] = etag }
}

func idempotent(key string) option {
	return func(r *Request) {
		if key != "" {
			r.Header["Idempotency-Key"] = strconv.Quote(key)
		}
	}
}

// send makes one request and returns its answer if that is not a problem. A nil
// body sends none.
func (c *Client) send(ctx context.Context, method, path string, body any, opts ...option) (Response, error) {
	r := Request{Method: method, Path: path, Header: map[string]string{"Accept": "application/json"}}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return Response{}, fmt.Errorf("encode %s %s: %w", method, path, err)
		}
		r.Body = b
		r.Header["Content-Type"] = "application/json"
	}
	if token := c.CSRFToken(); token != "" && method != "GET" && strings.HasPrefix(path, portal) {
		r.Header["X-CSRF-Token"] = token
	}
	for _, o := range opts {
		o(&r)
	}
	answer, err := c.transport.Do(ctx, r)
	if err != nil {
		return Response{}, fmt.Errorf("%s %s: %w", method, cutQuery(path), err)
	}
	if answer.Status >= 400 {
		return answer, problemOf(answer)
	}
	return answer, nil
}

// call makes one request and decodes the answer as a T. An answer without a
// body (204) gives the zero T.
func call[T any](ctx context.Context, c *Client, method, path string, body any, opts ...option) (T, error) {
	v, _, err := tagged[T](ctx, c, method, path, body, opts...)
	return v, err
}

// tagged is call with the ETag of the answer.
func tagged[T any](ctx context.Context, c *Client, method, path string, body any, opts ...option) (v T, etag string, err error) {
	answer, err := c.send(ctx, method, path, body, opts...)
	if err != nil {
		return v, "", err
	}
	if len(answer.Body) > 0 {
		if err := json.Unmarshal(answer.Body, &v); err != nil {
			return v, "", fmt.Errorf("%s %s: decode the answer: %w", method, cutQuery(path), err)
		}
	}
	return v, answer.Header["etag"], nil
}

// cutQuery keeps search words out of error texts.
func cutQuery(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// path joins parts, each escaped: path("/portal/v1/teams", "tea_1", "tokens").
func path(base string, parts ...string) string {
	for _, p := range parts {
		base += "/" + url.PathEscape(p)
	}
	return base
}

// query builds the query string of a list.
type query struct{ url.Values }

func newQuery() query { return query{url.Values{}} }

func (q query) set(name, value string) query {
	if value != "" {
		q.Set(name, value)
	}
	return q
}

func (q query) number(name string, n int) query {
	if n != 0 {
		q.Set(name, strconv.Itoa(n))
	}
	return q
}

func (q query) time(name string, t time.Time) query {
	return q.set(name, api.At(t).String())
}

func (q query) on(path string) string {
	if len(q.Values) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
