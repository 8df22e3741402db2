package secret

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// The prefixes of ids, which tell a reader what an id names. The id of a token
// is its lookup part instead.
const (
	UserID     = "usr_"
	SignupID   = "sup_"
	TeamID     = "tea_"
	SessionID  = "ses_"
	InviteID   = "inv_"
	EventID    = "evt_"
	OrderID    = "ord_"
	RequestID  = "req_"
	DecisionID = "dec_"
)

// NewID returns the prefix and a ULID of this moment: 26 characters, unique,
// and in the order of time to the millisecond. It is safe for concurrent use.
func NewID(prefix string) string { return NewIDAt(prefix, time.Now()) }

// NewIDAt is [NewID] for a moment of the caller's clock.
func NewIDAt(prefix string, at time.Time) string {
	// Not monotonic within a millisecond: that needs a lock that all share, and
	// whoever sorts by id breaks ties only.
	id := ulid.MustNew(ulid.Timestamp(at), rand.Reader)
	var b [32]byte
	n := copy(b[:], prefix)
	if n+ulid.EncodedSize > len(b) {
		return prefix + id.String()
	}
	_ = id.MarshalTextTo(b[n : n+ulid.EncodedSize]) // fails only for a wrong length
	return string(b[:n+ulid.EncodedSize])
}

// IsID reports whether text has the form that [NewID] gives an id.
func IsID(text string) bool {
	const prefix = len(UserID)
	if len(text) != prefix+ulid.EncodedSize || text[prefix-1] != '_' {
		return false
	}
	_, err := ulid.ParseStrict(text[prefix:])
	return err == nil && strings.ToUpper(text[prefix:]) == text[prefix:]
}
