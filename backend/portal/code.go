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

// dead reports whether a decision refused the token itself, though its whole
// secret was presented: no limit was asked.
func (c Code) dead() bool {
	switch c {
	case NotYetValid, Expired, Revoked, Suspended, GenerationEnded, MakerGone:
		return true
	}
	return false
}
