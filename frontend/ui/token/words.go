package token

import (
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// Description says in plain sentences what a token is able to do.
type Description struct {
	Can    []string
	Cannot []string
	Bounds []string // data, time, place, number of requests
	Advice string   // "" if there is nothing to say
}

// Unsettled is what of a token is wrong or not written yet while a form is filled
// in: nothing is said about it.
type Unsettled struct{ Expiry, Addresses, Limit bool }

// Describe describes a token.
func Describe(t api.Token, u Unsettled, c api.Catalogue, now time.Time) Description {
	var d Description
	resources := map[string]bool{}
	risky := false
	for _, name := range Ordered(c, t.Abilities) {
		a := Find(c, name)
		if a.Title == name {
			continue // it left the catalogue and allows nothing
		}
		resources[a.Resource] = true
		risky = risky || a.Risk == "high"
		d.Can = append(d.Can, sentence(a.Title, false))
	}
	for _, a := range c.Abilities {
		if !a.Platform && !slices.Contains(t.Abilities, a.Name) && (len(resources) == 0 || resources[a.Resource]) {
			d.Cannot = append(d.Cannot, sentence(a.Title, true))
		}
	}
	if others := len(c.Abilities) - len(t.Abilities) - len(d.Cannot); others > 0 && len(resources) > 0 {
		d.Cannot = append(d.Cannot, "do anything else")
	}
	d.Cannot = append(d.Cannot, "sign in here, or manage people or other tokens")

	if t.Env == "live" {
		d.Bounds = append(d.Bounds, "It works on live data.")
	} else {
		d.Bounds = append(d.Bounds, "It works on test data only; live data is out of its reach.")
	}
	if t.NotBefore.After(now) {
		d.Bounds = append(d.Bounds, "It starts to work on "+bridge.FormatDate(t.NotBefore.Time, bridge.Minute)+".")
	}
	if !u.Expiry {
		d.Bounds = append(d.Bounds, ExpiryWords(t.ExpiresAt.Time, now))
	}
	if !u.Addresses {
		d.Bounds = append(d.Bounds, "It works from "+places(t.Addresses)+".")
	}
	if !u.Limit {
		d.Bounds = append(d.Bounds, "It may make "+LimitWords(t.RateLimit)+"; what is beyond is answered with 429.")
	}

	switch {
	case len(d.Can) == 0:
		d.Advice = "Without an ability it can only ask who it is. Choose at least one."
	case risky && t.Env == "live" && !u.Addresses && len(t.Addresses) == 0:
		d.Advice = "Whoever gets hold of it can use its high-risk abilities from anywhere. If the caller has a fixed address, add it."
	case risky && t.Env == "live" && !u.Expiry && t.ExpiresAt.IsZero():
		d.Advice = "A token with high risk that never expires is worth stealing. Consider an expiry and rotate in time."
	}
	return d
}

// sentence turns the title of an ability into the rest of "It can …".
func sentence(title string, not bool) string {
	first, n := utf8.DecodeRuneInString(title)
	second, _ := utf8.DecodeRuneInString(title[n:])
	if unicode.IsUpper(first) && !unicode.IsUpper(second) {
		title = string(unicode.ToLower(first)) + title[n:]
	}
	if not {
		title = strings.ReplaceAll(title, " and ", " or ")
	}
	return title
}

// places says from where a token works.
func places(addresses []string) string {
	if len(addresses) == 0 {
		return "any address"
	}
	out := make([]string, 0, 4)
	for i, a := range addresses {
		if i == 3 && len(addresses) > 4 {
			out = append(out, kit.Count(len(addresses)-3, "other network", "other networks"))
			break
		}
		out = append(out, ShortAddress(a))
	}
	return kit.List(out, "and") + " only"
}

// ShortAddress writes the prefix of a single address as that address.
func ShortAddress(prefix string) string {
	if p, err := netip.ParsePrefix(prefix); err == nil && p.IsSingleIP() {
		return p.Addr().String()
	}
	return prefix
}
