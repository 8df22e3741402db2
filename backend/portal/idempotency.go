package portal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

const (
	idempotentFor   = 24 * time.Hour   // how long an answer is repeated
	idempotentLease = 30 * time.Second // after which a request under way counts as dead
	idempotentWork  = 20 * time.Second // after which it is ended, so that it is dead then
	maxIdempotency  = 255
)

// Idempotent is one request that is answered once (Idempotency-Key).
type Idempotent struct {
	Key         string // hash of team, principal, method, route and the client's key
	Fingerprint string // hash of the body
	Done        bool
	Status      int
	Header      map[string]string // Location, ETag
	Body        []byte            // never with a secret
	LeaseUntil  time.Time         // of a request under way: when it counts as dead
	ExpiresAt   time.Time
}

// IdempotentStore is what requests that are answered once need from storage.
// They vanish some time after they ended.
type IdempotentStore interface {
	// BeginIdempotent stores r if its key is new or its lease ended, and
	// otherwise returns what is stored. The insert is the lock.
	BeginIdempotent(ctx context.Context, r Idempotent, now time.Time) (stored *Idempotent, err error)
	// FinishIdempotent stores the answer. Called inside the transaction of the
	// change itself, so that neither exists without the other. Conflict: it is
	// answered, by another who took this one for dead; its change must not
	// happen a second time.
	FinishIdempotent(ctx context.Context, r Idempotent) error
	// AbandonIdempotent frees the key of a request that failed. None is fine; an
	// answer that is stored stays, because a failed commit may have happened.
	AbandonIdempotent(ctx context.Context, key string) error
}

// IdempotentScope is what a client's Idempotency-Key is unique within.
type IdempotentScope struct {
	Team, Principal string // Principal: user or token id; Team: "" where none is concerned yet
	Method, Route   string // Route: the template with the ids filled in
	Key             string // the client's, 1 to 255 characters
}

// Answer is what is stored of a response, to be repeated: never a secret.
type Answer struct {
	Status int
	Header map[string]string // Location, ETag
	Body   []byte
}

// Idempotent runs do once for a key, and afterwards repeats its answer for a
// day; replayed tells which. do runs in the transaction that stores the answer,
// so neither exists without the other. An error of do is not stored: the client
// mends the request and may use the key again. around runs outside of the
// transaction and only if do is to; it is handed the whole of it to run, nil: just
// that. A repeated answer costs nobody anything.
//
// It fails with Invalid if the key came before with another body, Conflict
// while the first request runs, BadRequest for a key of a wrong length.
func (p *Portal) Idempotent(
	ctx context.Context, scope IdempotentScope, body []byte,
	around func(ctx context.Context, carryOut func(ctx context.Context) error) error, do func(ctx context.Context) (Answer, error),
) (answer Answer, replayed bool, err error) {
	if len(scope.Key) == 0 || len(scope.Key) > maxIdempotency {
		return Answer{}, false, &Error{Kind: BadRequest, Detail: "An Idempotency-Key has 1 to 255 characters."}
	}
	now := p.clock()
	r := Idempotent{
		Key:         hexSum(scope.Team, scope.Principal, scope.Method, scope.Route, scope.Key),
		Fingerprint: hexSum(string(body)), LeaseUntil: now.Add(idempotentLease), ExpiresAt: now.Add(idempotentFor),
	}
	stored, err := p.store.BeginIdempotent(ctx, r, now)
	if err != nil {
		return Answer{}, false, err
	}
	switch {
	case stored == nil:
	case stored.Fingerprint != r.Fingerprint:
		return Answer{}, false, &Error{
			Kind: Invalid, Code: "idempotency-key-reused", Detail: "This Idempotency-Key was used with another body.",
			Fix: "Use a new key for a new request.",
		}
	case !stored.Done:
		return Answer{}, false, &Error{
			Kind: Conflict, Code: "idempotency-key-in-use", Detail: "The first request with this Idempotency-Key is still running.",
			Fix: "Wait for its answer, then repeat.",
		}
	default:
		return Answer{Status: stored.Status, Header: stored.Header, Body: stored.Body}, true, nil
	}
	work, cancel := context.WithTimeout(ctx, idempotentWork)
	defer cancel()
	carryOut := func(ctx context.Context) error {
		return p.atomically(ctx, func(ctx context.Context) error {
			var err error
			if answer, err = do(ctx); err != nil {
				return err
			}
			done := r
			done.Done, done.Status, done.Header, done.Body = true, answer.Status, answer.Header, answer.Body
			return p.store.FinishIdempotent(ctx, done)
		})
	}
	if around == nil {
		err = carryOut(work)
	} else {
		err = around(work, carryOut)
	}
	if err != nil {
		// Not the request's context: it may have ended, and the key must not stay.
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if lost := p.store.AbandonIdempotent(free, r.Key); lost != nil {
			p.log.WarnContext(ctx, "an idempotency key stays until its lease ends", "error", lost)
		}
		return Answer{}, false, err
	}
	return answer, false, nil
}

// hexSum hashes parts so that no two lists of parts have the same text.
func hexSum(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part))
		b.Write(sum[:])
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
