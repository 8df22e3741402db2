package api

// ProblemType is the media type of every error body (RFC 9457).
const ProblemType = "application/problem+json"

// Problem is the body of every answer with a status of 400 or more.
type Problem struct {
	Type              string       `json:"type"` // absolute URI, the last part is the kind: …/problems/name-taken
	Title             string       `json:"title"`
	Status            int          `json:"status"`
	Code              string       `json:"code,omitempty"` // finer than the type, such as expired
	Detail            string       `json:"detail,omitempty"`
	Instance          string       `json:"instance,omitempty"` // urn:gatehouse:decision:… or :request:…
	RequestID         string       `json:"request_id,omitempty"`
	Fix               string       `json:"fix,omitempty"`
	Errors            []FieldError `json:"errors,omitempty"`
	Token             string       `json:"token,omitempty"` // lookup id
	RequiredAbilities []string     `json:"required_abilities,omitempty"`
	GrantedAbilities  []string     `json:"granted_abilities,omitempty"`
	Reason            string       `json:"reason,omitempty"`   // role: the maker's role does not lend the ability any more
	Roles             []string     `json:"roles,omitempty"`    // those that may
	Conflict          string       `json:"conflict,omitempty"` // id of the one that has the name
	RequestAccess     string       `json:"request_access,omitempty"`
	ViolatedPolicies  []string     `json:"violated-policies,omitempty"`
	RetryAfterSeconds int          `json:"retry_after_seconds,omitempty"`
}

// Kind returns the last part of the type: "name-taken".
func (p Problem) Kind() string {
	for i := len(p.Type) - 1; i >= 0; i-- {
		if p.Type[i] == '/' || p.Type[i] == '#' {
			return p.Type[i+1:]
		}
	}
	return p.Type
}

// FieldError is one broken rule about one field of a request.
type FieldError struct {
	Pointer string `json:"pointer"` // JSON Pointer as a fragment: #/lines/0/quantity
	Code    string `json:"code"`
	Detail  string `json:"detail"`
	Fix     string `json:"fix,omitempty"`
}

// List is one page of a list. NextCursor is null on the last page.
type List[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// Empty is the body {}.
type Empty struct{}
