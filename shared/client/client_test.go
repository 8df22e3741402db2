package client

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// answering returns a client that always gets r, and where its last request is.
func answering(r Response) (*Client, *Request) {
	last := &Request{}
	return New(TransportFunc(func(_ context.Context, q Request) (Response, error) {
		*last = q
		return r, nil
	})), last
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name   string
		answer Response
		kind   string
		title  string
		retry  time.Duration
		id     string
	}{
		{"of ours", Response{Status: 409, Body: []byte(`{"type":"https://x/problems/name-taken","title":"Taken","status":409,"request_id":"r1"}`)}, "name-taken", "Taken", 0, "r1"},
		{"status of the answer wins", Response{Status: 429, Header: map[string]string{"retry-after": "21"}, Body: []byte(`{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Quota","status":200}`)}, "quota-exceeded", "Quota", 21 * time.Second, ""},
		{"seconds in the body", Response{Status: 503, Body: []byte(`{"type":"a/busy","title":"Busy","retry_after_seconds":3}`)}, "busy", "Busy", 3 * time.Second, ""},
		{"a proxy's page", Response{Status: 502, Header: map[string]string{"x-request-id": "r2"}, Body: []byte("<html>")}, "blank", "The server failed", 0, "r2"},
		{"nothing", Response{Status: 404}, "blank", "The server refused the request", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := answering(tt.answer)
			_, err := c.Session(t.Context())
			p := ProblemOf(err)
			if p == nil {
				t.Fatalf("got %v, want a problem", err)
			}
			if tt.kind == "blank" {
				tt.kind = "about:blank"
			}
			if p.Kind() != tt.kind || p.Title != tt.title || p.Status != tt.answer.Status || p.RetryAfter != tt.retry || p.RequestID != tt.id {
				t.Errorf("got kind %q, %+v", p.Kind(), p)
			}
		})
	}
}

func TestChangesCarryTheTokenOfTheSession(t *testing.T) {
	c, last := answering(Response{Status: 200, Body: []byte(`{"csrf_token":"t1"}`)})
	if _, err := c.SuspendToken(t.Context(), "tea_1", "abc", api.Reason{}); err != nil || last.Header["X-CSRF-Token"] != "" {
		t.Errorf("before a session: got %q, %v", last.Header["X-CSRF-Token"], err)
	}
	if _, err := c.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SuspendToken(t.Context(), "tea_1", "abc", api.Reason{}); err != nil || last.Header["X-CSRF-Token"] != "t1" {
		t.Errorf("after: got %q, %v", last.Header["X-CSRF-Token"], err)
	}
	if _, err := c.WhoAmI(t.Context()); err != nil || last.Header["X-CSRF-Token"] != "" {
		t.Error("the token went to the public API")
	}
}

func TestPathsAreEscaped(t *testing.T) {
	c, last := answering(Response{Status: 200, Header: map[string]string{"etag": `"7"`}, Body: []byte(`{}`)})
	if _, etag, err := c.Token(t.Context(), "../x", "a/b?c"); err != nil || etag != `"7"` {
		t.Fatal(etag, err)
	}
	if want := "/portal/v1/teams/..%2Fx/tokens/a%2Fb%3Fc"; last.Path != want {
		t.Errorf("got %s, want %s", last.Path, want)
	}
	from := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	if _, err := c.Calls(t.Context(), "t", CallQuery{Address: "10.0.0.0/8", From: from, Limit: 5}); err != nil {
		t.Fatal(err)
	}
	if want := "/portal/v1/teams/t/calls?address=10.0.0.0%2F8&from=2026-11-22T01%3A00%3A00.000Z&limit=5"; last.Path != want {
		t.Errorf("got %s, want %s", last.Path, want)
	}
}

func TestNoAnswerIsTheTransportsError(t *testing.T) {
	c := New(TransportFunc(func(context.Context, Request) (Response, error) { return Response{}, ErrOffline }))
	if _, err := c.Session(t.Context()); !errors.Is(err, ErrOffline) || ProblemOf(err) != nil {
		t.Errorf("got %v", err)
	}
}
