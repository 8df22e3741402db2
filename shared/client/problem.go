package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// What a transport reports when there was no answer.
var (
	ErrOffline = errors.New("the server could not be reached")
	ErrTimeout = errors.New("the server did not answer in time")
)

// Problem is an answer of 400 or more.
type Problem struct {
	api.Problem
	RetryAfter time.Duration // of 429 and 503, 0 if not said
}

// Error implements error.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return fmt.Sprintf("%d %s: %s", p.Status, p.Kind(), p.Detail)
	}
	return fmt.Sprintf("%d %s: %s", p.Status, p.Kind(), p.Title)
}

// ProblemOf returns the problem in an error's chain, nil if there is none.
func ProblemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// Status returns the HTTP status of a problem, 0 if err is something else.
func Status(err error) int {
	if p := ProblemOf(err); p != nil {
		return p.Status
	}
	return 0
}

// problemOf reads a problem from an answer. What stands before the server, such
// as a proxy, answers in other ways; the status is then all there is.
func problemOf(r Response) *Problem {
	p := &Problem{}
	if err := json.Unmarshal(r.Body, &p.Problem); err != nil || p.Title == "" {
		p.Problem = api.Problem{Type: "about:blank", Title: "The server refused the request"}
		if r.Status >= 500 {
			p.Title = "The server failed"
		}
	}
	p.Status = r.Status
	if p.RequestID == "" {
		p.RequestID = r.Header["x-request-id"]
	}
	if n, err := strconv.Atoi(r.Header["retry-after"]); err == nil && n > 0 {
		p.RetryAfter = time.Duration(n) * time.Second
	} else if p.RetryAfterSeconds > 0 {
		p.RetryAfter = time.Duration(p.RetryAfterSeconds) * time.Second
	}
	return p
}
