package portal

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of refusal an [Error] is. Each has one HTTP status.
type Kind string

// The kinds of refusal.
const (
	Invalid        Kind = "invalid"                // 422: a rule about the input is broken; Fields say which
	NotFound       Kind = "not-found"              // 404: does not exist, or not for this principal
	RoleNotAllowed Kind = "role-not-allowed"       // 403: a member, but of another role; Roles may
	NotFresh       Kind = "fresh-sign-in-required" // 403: the password was given too long ago
	NotVerified    Kind = "address-not-verified"   // 403
	NameTaken      Kind = "name-taken"             // 409: Other names the one that has it
	Conflict       Kind = "conflict"               // 409: the state does not allow it
	Changed        Kind = "precondition-failed"    // 412: it changed since it was read
	MatchRequired  Kind = "precondition-required"  // 428: no If-Match where one is needed
	SignedOut      Kind = "signed-out"             // 401: no session, or it has ended
	TooMany        Kind = "too-many-requests"      // 429: RetryAfter
	Busy           Kind = "busy"                   // 503: RetryAfter; nothing was changed
	BadRequest     Kind = "bad-request"            // 400: cannot be read, such as a forged cursor
)

// Error is a refusal that the client may read. Every other error is a failure
// of ours and is shown to nobody.
type Error struct {
	Kind       Kind
	Code       string        // a finer name where a kind has several, else ""
	Detail     string        // a sentence about this occurrence
	Fix        string        // what to do next, a sentence, or ""
	Fields     []FieldError  // of Invalid
	Roles      []Role        // of RoleNotAllowed: those that may
	Other      string        // of NameTaken: the id of the one that has the name
	RetryAfter time.Duration // of TooMany and Busy
}

// FieldError is one broken rule about one field of the input.
type FieldError struct {
	Pointer string // JSON Pointer as a fragment: #/expires_at
	Code    string // too_far, required, taken …
	Detail  string // a sentence
	Fix     string // a sentence, or ""
}

func (e *Error) Error() string {
	if len(e.Fields) > 0 {
		return fmt.Sprintf("%s: %s %s", e.Kind, e.Fields[0].Pointer, e.Fields[0].Detail)
	}
	return fmt.Sprintf("%s: %s", e.Kind, e.Detail)
}

// KindOf returns the kind of the [Error] in err's chain, or "" if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// ErrNotFound is what a store answers for a record that is not there.
func ErrNotFound(noun string) error {
	return &Error{Kind: NotFound, Detail: noun + " not found."}
}

// ErrTaken is what a store answers when a unique name is held by other.
func ErrTaken(other string) error {
	return &Error{Kind: NameTaken, Other: other, Detail: "The name is taken."}
}

// ErrUnavailable is what a store answers when it cannot be reached in time.
var ErrUnavailable = &Error{
	Kind: Busy, Code: "storage-unavailable", RetryAfter: 2 * time.Second,
	Detail: "The database did not answer in time. Nothing was decided or changed.",
	Fix:    "Try again in a moment.",
}

// ErrStorageFailing is [ErrUnavailable] of a store that answers and cannot write:
// its disk is full, or failing.
var ErrStorageFailing = &Error{
	Kind: Busy, Code: ErrUnavailable.Code, RetryAfter: 10 * time.Second,
	Detail: "The storage of the database is full or failing. Nothing was decided or changed.",
	Fix:    "Try again later. The operator has to free space, or look after the disk.",
}

// ErrUnknownKey is what a client reads when this node lacks the key that its
// token is hashed with, see [UnknownKey].
var ErrUnknownKey = &Error{
	Kind: Busy, Code: string(UnknownKey), RetryAfter: 10 * time.Second,
	Detail: "This server does not have the key that the token is stored with, so it cannot tell whether the token is valid. The database answered.",
	Fix:    "Try again in a moment. If it goes on, the operator has to give this server the key file of the others.",
}

func invalid(fields ...FieldError) error {
	return &Error{Kind: Invalid, Detail: "The input breaks a rule.", Fields: fields}
}
