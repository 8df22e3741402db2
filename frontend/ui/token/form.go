package token

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/validate"
)

// Suggestions are names that say what a token is for.
var Suggestions = []string{"ERP integration", "Web shop", "Reporting", "Warehouse", "Local development"}

// Nameless is what is said of a token without a name.
const Nameless = "Give it a name."

// Form is a new token as it is being filled in: text as it was typed.
type Form struct {
	Name, Env string
	Expiry    Expiry
	Abilities []string
	Addresses string // one a line
	Limit     Limit
	NotBefore string // as a field of type datetime-local holds it, "" for at once
	Note      string
}

// NewForm returns the form before anything is chosen.
func NewForm(p Picker) Form {
	f := Form{Env: "test", Abilities: p.Defaults(), Limit: LimitOf(p.Catalogue.Tokens.DefaultRateLimit)}
	f.Limit.Own = false
	choices := ExpiryChoices(p.Catalogue.Tokens)
	f.Expiry.Choice = choices[0].Value
	for _, c := range choices {
		if c.Value == strconv.Itoa(p.Catalogue.Tokens.DefaultLifetimeDays) {
			f.Expiry.Choice = c.Value
		}
	}
	return f
}

// WithoutSecret returns the form without those of its texts that hold a secret.
func (f Form) WithoutSecret() Form {
	for _, text := range []*string{&f.Name, &f.Note, &f.Addresses} {
		if !validate.NoSecret(*text) {
			*text = ""
		}
	}
	return f
}

// Limit is a request limit as it is being filled in.
type Limit struct {
	Own   bool   // not the usual one
	Quota string // a number
	Per   string // second, minute, hour, day, or a number of seconds
}

var windows = []struct {
	name    string
	seconds int
}{{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}}

// Windows are the spans of time that a limit can be about.
func Windows(now string) []kit.Option {
	var out []kit.Option
	for _, w := range windows {
		out = append(out, kit.Option{Value: w.name, Text: "per " + w.name})
	}
	if n, err := strconv.Atoi(now); err == nil {
		out = append(out, kit.Option{Value: now, Text: "per " + kit.Count(n, "second", "seconds")})
	}
	return out
}

// LimitOf returns a limit as a form shows it.
func LimitOf(r api.RateLimit) Limit {
	l := Limit{Own: true, Quota: strconv.Itoa(r.Quota), Per: strconv.Itoa(r.WindowSeconds)}
	for _, w := range windows {
		if w.seconds == r.WindowSeconds {
			l.Per = w.name
		}
	}
	return l
}

// Rate returns the limit, nil for the usual one, and what is wrong with it.
func (l Limit) Rate(p api.TokenPolicy) (*api.RateLimit, string) {
	if !l.Own {
		return nil, ""
	}
	quota, err := strconv.Atoi(strings.TrimSpace(l.Quota))
	if err != nil || quota < 1 {
		return nil, "Write a whole number of requests, at least 1."
	}
	seconds, err := strconv.Atoi(l.Per)
	for _, w := range windows {
		if w.name == l.Per {
			seconds, err = w.seconds, nil
		}
	}
	if err != nil || seconds < 1 {
		return nil, "Choose a span of time."
	}
	if most := p.MaxRateLimit; most.Quota > 0 && (quota > most.Quota || quota*most.WindowSeconds > most.Quota*seconds) {
		return nil, "This portal allows at most " + LimitWords(most) + "."
	}
	return &api.RateLimit{Quota: quota, WindowSeconds: seconds}, ""
}

// LimitWords says how many requests are allowed: 600 requests a minute.
func LimitWords(r api.RateLimit) string {
	n := kit.Count(r.Quota, "request", "requests")
	for _, w := range windows {
		if w.seconds == r.WindowSeconds {
			if w.name == "hour" {
				return n + " an hour"
			}
			return n + " a " + w.name
		}
	}
	return n + " in " + kit.Count(r.WindowSeconds, "second", "seconds")
}

// Lines cuts the text of the address field into addresses: one a line, and
// commas do as well.
func Lines(text string) []string {
	out := []string{}
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == ',' || r == ';' }) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// AddLine adds an address to the text of the field, unless it is there.
func AddLine(text, address string) string {
	lines := Lines(text)
	for _, l := range lines {
		if l == address {
			return text
		}
	}
	return strings.Join(append(lines, address), "\n")
}

// Request returns the form as the server takes it, with what is wrong that the
// rules of shared/api do not cover.
func (f Form) Request(now time.Time, c api.Catalogue) (api.CreateToken, []api.FieldError) {
	names := ability.Normalize(f.Abilities)
	r := api.CreateToken{
		Name: strings.TrimSpace(f.Name), Env: f.Env, Abilities: &names, Addresses: Lines(f.Addresses), Note: f.Note,
		NeverEnds: f.Expiry.Choice == Never,
	}
	var wrong []api.FieldError
	refuse := func(pointer, detail string) {
		if detail != "" {
			wrong = append(wrong, api.FieldError{Pointer: pointer, Detail: detail})
		}
	}
	if r.Name == "" {
		refuse("#/name", Nameless)
	}
	expires, detail := f.Expiry.Time(now, now, c.Tokens)
	refuse("#/expires_at", detail)
	r.ExpiresAt = api.At(expires)
	r.RateLimit, detail = f.Limit.Rate(c.Tokens)
	refuse("#/rate_limit", detail)
	if f.NotBefore != "" {
		at, ok := bridge.LocalTime(f.NotBefore)
		switch {
		case !ok:
			refuse("#/not_before", "Choose a day and a time, or leave it empty.")
		case detail == "" && !expires.IsZero() && !at.Before(expires):
			refuse("#/not_before", "The token would expire before it becomes valid. Choose a time before its expiry.")
		}
		r.NotBefore = api.At(at)
	}
	return r, wrong
}

// Token returns the form as the token it would make, for the sentences about it,
// and what of it is not to be told of yet.
func (f Form) Token(now time.Time, c api.Catalogue) (api.Token, Unsettled) {
	r, wrong := f.Request(now, c)
	u := Unsettled{Addresses: slices.ContainsFunc(r.Addresses, func(a string) bool { return !validate.Address(a) })}
	for _, w := range wrong {
		u.Expiry = u.Expiry || w.Pointer == "#/expires_at"
		u.Limit = u.Limit || w.Pointer == "#/rate_limit"
	}
	t := api.Token{
		Name: r.Name, Env: r.Env, Abilities: *r.Abilities, Addresses: r.Addresses,
		ExpiresAt: r.ExpiresAt, NotBefore: r.NotBefore, RateLimit: c.Tokens.DefaultRateLimit,
	}
	if r.RateLimit != nil {
		t.RateLimit = *r.RateLimit
	}
	return t, u
}
