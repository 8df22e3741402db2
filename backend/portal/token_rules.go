package portal

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
	"github.com/gatehouse-portal/gatehouse/shared/validate"
)

const (
	maxAddresses = 50
	maxNote      = 1000
)

// rules checks what people ask of a token, collects every mistake, and returns
// the values as they are stored.
type rules struct {
	catalogue *Catalogue
	now       time.Time
	madeAt    time.Time // of the token, from which its longest life counts
	wrong     []FieldError
}

func (r *rules) add(pointer, code, detail, fix string) {
	r.wrong = append(r.wrong, FieldError{Pointer: pointer, Code: code, Detail: detail, Fix: fix})
}

func (r *rules) err() error {
	if len(r.wrong) == 0 {
		return nil
	}
	return invalid(r.wrong...)
}

func (r *rules) name(name string) string {
	name = normalName(name)
	if e := (*Error)(nil); asError(checkName("#/name", name), &e) {
		r.wrong = append(r.wrong, e.Fields...)
	}
	return name
}

func (r *rules) note(note string) string {
	switch {
	case utf8.RuneCountInString(note) > maxNote:
		r.add("#/note", "max", fmt.Sprintf("A note has at most %d characters.", maxNote), "Shorten it.")
	case !utf8.ValidString(note), !validate.Multiline(note):
		r.add("#/note", "multiline", "A note has no control characters.", "Leave them out.")
	case !validate.NoSecret(note):
		r.add("#/note", "no_secret", "This note holds a whole token.", "Take its secret out.")
	}
	return note
}

// abilities checks what is asked for; what the token had before may stay, even
// if the role of who edits it could not grant it.
func (r *rules) abilities(names, before []string, role Role, team Team) []string {
	for i, name := range names {
		pointer := fmt.Sprintf("#/abilities/%d", i)
		a, known := r.catalogue.Ability(name)
		switch {
		case !known:
			r.add(pointer, "unknown", fmt.Sprintf("There is no ability %q.", cut(name, ability.MaxName)), "Choose from the abilities that the catalogue lists.")
		case slices.Contains(names[:i], name):
			r.add(pointer, "unique", name+" is in the list already.", "Leave it out here.")
		case slices.Contains(before, name):
		case a.Platform && !team.Platform:
			r.add(pointer, "platform_only", name+" is only for the operator's own team.", "Leave it out.")
		case !r.catalogue.MayGrant(role, name):
			r.add(pointer, "not_grantable", "Your role, "+string(role)+", may not grant "+name+".", "Leave it out, or ask an owner of the team.")
		case team.Policy.Abilities != nil && !slices.Contains(team.Policy.Abilities, name):
			r.add(pointer, "team_policy", "The policy of this team does not allow "+name+".", "Leave it out.")
		}
	}
	return ability.Normalize(names)
}

func (r *rules) addresses(texts []string) []netip.Prefix {
	if len(texts) > maxAddresses {
		r.add("#/addresses", "max", fmt.Sprintf("A token has at most %d address rules.", maxAddresses), "Use wider prefixes.")
		return nil
	}
	var list []netip.Prefix
	for i, text := range texts {
		prefix, err := ParsePrefix(text)
		if err != nil {
			r.add(fmt.Sprintf("#/addresses/%d", i), "address", fmt.Sprintf("%q is not an IP address or a CIDR prefix.", cut(text, 64)), "Write it as 203.0.113.7 or 203.0.113.0/24.")
			continue
		}
		if !slices.Contains(list, prefix) {
			list = append(list, prefix)
		}
	}
	return list
}

// ParsePrefix reads a CIDR prefix or a single address, which stands for /32 or
// /128. The bits beyond the prefix are dropped.
func ParsePrefix(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(text); err == nil {
		if a.Zone() != "" {
			return netip.Prefix{}, errors.New("an address with a zone means nothing elsewhere")
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	if a := prefix.Addr(); a.Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, errors.New("a prefix over mapped addresses is not a prefix of IPv4")
		}
		prefix = netip.PrefixFrom(a.Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), nil
}

// expiry is checked against a beginning that stands already.
func (r *rules) expiry(at, notBefore time.Time) time.Time {
	longest := r.catalogue.Tokens.MaxLifetime
	if at.IsZero() {
		if longest != 0 {
			r.add("#/expires_at", "required", "Tokens must expire here.", "Choose a date before "+r.madeAt.Add(longest).Format(time.DateOnly)+".")
		}
		return time.Time{}
	}
	at = at.UTC().Truncate(time.Millisecond)
	switch {
	case !at.After(r.now):
		r.add("#/expires_at", "past", "The expiry must lie ahead.", "Choose a later time.")
	case !notBefore.IsZero() && !at.After(notBefore):
		r.add("#/expires_at", "past", "The token would expire before it becomes valid.", "Choose a time after "+timeText(notBefore)+".")
	case longest != 0 && at.After(r.madeAt.Add(longest)):
		r.add("#/expires_at", "too_far", fmt.Sprintf("Tokens live at most %d days here.", int(longest.Hours()/24)), "Choose a date before "+r.madeAt.Add(longest).Format(time.DateOnly)+".")
	case at.Year() > 9999:
		r.add("#/expires_at", "too_far", "The year has at most four digits.", "Choose an earlier time.")
	}
	return at
}

// notBefore is checked against an expiry that was checked before.
func (r *rules) notBefore(at, expires time.Time) time.Time {
	if at.IsZero() {
		return time.Time{}
	}
	at = at.UTC().Truncate(time.Millisecond)
	switch {
	case !expires.IsZero() && !at.Before(expires):
		r.add("#/not_before", "too_far", "The token would expire before it becomes valid.", "Choose a time before its expiry.")
	case at.Year() > 9999:
		r.add("#/not_before", "too_far", "The year has at most four digits.", "Choose an earlier time.")
	}
	return at
}

func (r *rules) rateLimit(l RateLimit) RateLimit {
	most := r.catalogue.Tokens.MaxLimit
	switch {
	case l.Quota < 1 || l.Window < time.Second || l.Window > 24*time.Hour || l.Window%time.Second != 0:
		r.add("#/rate_limit", "min", "A limit is at least one request, in 1 to 86400 whole seconds.", "Choose both numbers within these bounds.")
	case l.Quota > 1_000_000 || exceeds(l, most):
		r.add("#/rate_limit", "too_high", "The limit is higher than this portal allows: "+limitText(most)+".", "Choose a lower one.")
	}
	return l
}

// exceeds reports whether a allows more than b: a higher rate, or larger bursts.
func exceeds(a, b RateLimit) bool {
	ah, al := bits.Mul64(uint64(a.Quota), uint64(b.Window))
	bh, bl := bits.Mul64(uint64(b.Quota), uint64(a.Window))
	return ah > bh || ah == bh && al > bl || a.Quota > b.Quota
}

// moreAddresses reports whether to admits an address that from does not.
func moreAddresses(from, to []netip.Prefix) bool {
	if len(from) == 0 {
		return false
	}
	if len(to) == 0 {
		return true
	}
	for _, t := range to {
		if !slices.ContainsFunc(from, func(f netip.Prefix) bool {
			return f.Bits() <= t.Bits() && f.Contains(t.Addr())
		}) {
			return true
		}
	}
	return false
}

// asError finds an [Error] in err's chain.
func asError(err error, e **Error) bool { return errors.As(err, e) }

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return audit.FormatTime(t)
}

func limitText(l RateLimit) string {
	if l.Quota == 0 {
		return ""
	}
	return fmt.Sprintf("%d requests in %d s", l.Quota, int(l.Window/time.Second))
}

func prefixTexts(prefixes []netip.Prefix) []string {
	list := make([]string, len(prefixes))
	for i, p := range prefixes {
		list[i] = p.String()
	}
	return list
}
