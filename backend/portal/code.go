package portal

// Code is the outcome of a decision about a token, as problems, calls and
// verification answers name it.
type Code string

// The outcomes. Everything but OK is a refusal.
const (
	OK              Code = "ok"
	NoToken         Code = "no-token"      // no credential at all
	InvalidToken    Code = "invalid-token" // garbage, unknown or a wrong secret: one and the same
	NotYetValid     Code = "not-yet-valid"
	Expired         Code = "expired"
	Revoked         Code = "revoked"
	Suspended       Code = "suspended"
	GenerationEnded Code = "generation-ended"
	MakerGone       Code = "maker-gone"
	AddressDenied   Code = "ip-not-allowed"
	Insufficient    Code = "insufficient-ability"
	RateLimited     Code = "quota-exceeded"
	Undecided       Code = "temporary-reduced-capacity" // storage did not answer: fail closed
	UnknownKey      Code = "unknown-key"                // hashed with a key that this node does not have: closed too
)

// unlimited reports whether any number of calls may end like this, though the
// whole secret of a token was presented: the token itself was refused before its
// limit was asked, or by it.
func (c Code) unlimited() bool {
	switch c {
	case NotYetValid, Expired, Revoked, Suspended, GenerationEnded, MakerGone, RateLimited:
		return true
	}
	return false
}
