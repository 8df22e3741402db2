package token

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Changes says in sentences what a token has become while it was being edited
// here.
func Changes(before, after api.Token) []string {
	var out []string
	say := func(changed bool, s string) {
		if changed {
			out = append(out, s)
		}
	}
	say(before.Name != after.Name, "The name is now “"+after.Name+"”.")
	say(before.Note != after.Note && after.Note != "", "The note is now “"+after.Note+"”.")
	say(before.Note != after.Note && after.Note == "", "The note was taken away.")
	if added := ability.Wider(before.Abilities, after.Abilities); len(added) > 0 {
		out = append(out, "Abilities were added: "+strings.Join(added, ", ")+".")
	}
	if gone := ability.Wider(after.Abilities, before.Abilities); len(gone) > 0 {
		out = append(out, "Abilities were taken away: "+strings.Join(gone, ", ")+".")
	}
	say(!slices.Equal(before.Addresses, after.Addresses), "It now works from "+places(after.Addresses)+".")
	say(before.RateLimit != after.RateLimit, "The limit is now "+LimitWords(after.RateLimit)+".")
	if !before.ExpiresAt.Equal(after.ExpiresAt.Time) {
		if after.ExpiresAt.IsZero() {
			out = append(out, "It does not expire any more.")
		} else {
			out = append(out, "It now expires on "+bridge.FormatDate(after.ExpiresAt.Time, bridge.Minute)+".")
		}
	}
	if before.Status != after.Status {
		out = append(out, "It is now "+statusWord(after.Status)+".")
	} else if len(before.Generations) != len(after.Generations) || !slices.EqualFunc(before.Generations, after.Generations, func(a, b api.Generation) bool { return a.Number == b.Number && a.Status == b.Status }) {
		out = append(out, "Its secret was rotated.")
	}
	return out
}

func statusWord(status string) string {
	if status == api.TokenPending {
		return "not yet valid"
	}
	return status
}

// Apply returns a token as a change will leave it.
func Apply(t api.Token, c api.UpdateToken, usual api.RateLimit) api.Token {
	if c.Name.Set {
		t.Name = c.Name.Value
	}
	if c.Note.Set {
		t.Note = c.Note.Value
	}
	if c.Abilities.Set {
		t.Abilities = c.Abilities.Value
	}
	if c.Addresses.Set {
		t.Addresses = c.Addresses.Value
	}
	if c.RateLimit.Set {
		t.RateLimit = limitAfter(c, usual)
	}
	if c.ExpiresAt.Set {
		t.ExpiresAt = c.ExpiresAt.Value
	}
	return t
}

// Resumed returns the status of a suspended token once it is resumed.
func Resumed(t api.Token, now time.Time) string {
	switch {
	case !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(now):
		return api.TokenExpired
	case t.NotBefore.After(now):
		return api.TokenPending
	}
	return api.TokenActive
}

// limitAfter returns the limit that a change leaves: null means the usual one.
func limitAfter(c api.UpdateToken, usual api.RateLimit) api.RateLimit {
	if c.RateLimit.Null {
		return usual
	}
	return c.RateLimit.Value
}

// Widens reports whether a change lets a token do more than before, so that the
// password is asked for if it was not given lately. The server decides; here it
// is said beforehand.
func Widens(before api.Token, c api.UpdateToken, usual api.RateLimit) bool {
	if c.Abilities.Set && len(ability.Wider(before.Abilities, c.Abilities.Value)) > 0 {
		return true
	}
	if c.Addresses.Set && moreAddresses(before.Addresses, c.Addresses.Value) {
		return true
	}
	if c.RateLimit.Set {
		after := limitAfter(c, usual)
		if after.Quota > before.RateLimit.Quota || after.Quota*before.RateLimit.WindowSeconds > before.RateLimit.Quota*after.WindowSeconds {
			return true
		}
	}
	return c.ExpiresAt.Set && !before.ExpiresAt.IsZero() && (c.ExpiresAt.Null || c.ExpiresAt.Value.After(before.ExpiresAt.Time))
}

// moreAddresses reports whether after admits an address that before does not.
func moreAddresses(before, after []string) bool {
	if len(before) == 0 {
		return false
	}
	if len(after) == 0 {
		return true
	}
	old := prefixes(before)
	for _, p := range prefixes(after) {
		if !slices.ContainsFunc(old, func(o netip.Prefix) bool { return o.Bits() <= p.Bits() && o.Contains(p.Addr()) }) {
			return true
		}
	}
	return false
}

func prefixes(texts []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range texts {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		} else if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}

// Unused returns the abilities of a token that no call of the last days needed,
// by what each route needs. Abilities that no route of the API needs by itself
// are never called unused. A token younger than that is left alone.
func Unused(t api.Token, byRoute api.Usage, needs map[string][]string, now time.Time) []string {
	if now.Sub(t.CreatedAt.Time) < 7*day || t.LastUsedAt.IsZero() {
		return nil
	}
	last := LastUse(byRoute, needs)
	known := map[string]bool{}
	for _, names := range needs {
		for _, n := range names {
			known[n] = true
		}
	}
	var out []string
	for _, name := range t.Abilities {
		if known[name] && last[name].IsZero() {
			out = append(out, name)
		}
	}
	return out
}

// LastUse returns for each ability the start of the last step in which a call
// that needed it was let through.
func LastUse(byRoute api.Usage, needs map[string][]string) map[string]api.Time {
	out := map[string]api.Time{}
	for _, s := range byRoute.Series {
		for _, p := range s.Points {
			if p.Calls <= p.Refused {
				continue
			}
			for _, name := range needs[s.Key] {
				if p.At.After(out[name].Time) {
					out[name] = p.At
				}
			}
		}
	}
	return out
}
