package token

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// LastCalls is how many of the latest calls [WillBreak] wants to see.
const LastCalls = 100

// Breakage says what stops when a token is stopped.
type Breakage struct {
	Text    string
	Callers []Caller // today's, most calls first
	Grave   bool     // something used it in the last day
}

// Caller is an address with the client that calls from there.
type Caller struct {
	Address, Client string
	Calls           int
}

// WillBreak says what a revocation would break. Today is the number of calls
// since midnight, calls are the latest ones, newest first; both may be unknown
// (negative, nil) when they could not be fetched.
func WillBreak(t api.Token, today int64, calls []api.Call, now time.Time) Breakage {
	switch {
	case t.LastUsedAt.IsZero():
		return Breakage{Text: "It has never been used. Nothing will break."}
	case now.Sub(t.LastUsedAt.Time) >= day:
		b := Breakage{Text: "It was last used " + kit.Ago(now.Sub(t.LastUsedAt.Time)) + from(t.LastUsedFrom) + ". What called it then will be refused if it comes back."}
		return b
	}
	b := Breakage{Grave: true, Callers: callers(calls, now)}
	var s strings.Builder
	switch {
	case today > 0:
		s.WriteString("Used " + kit.Count(int(today), "time", "times") + " today")
	default:
		s.WriteString("Last used " + kit.Ago(now.Sub(t.LastUsedAt.Time)))
	}
	if len(b.Callers) > 0 {
		s.WriteString(" by " + addresses(b.Callers))
	} else {
		s.WriteString(strings.Replace(from(t.LastUsedFrom), "from", "by", 1))
	}
	if today > 0 {
		s.WriteString(", last " + kit.Ago(now.Sub(t.LastUsedAt.Time)))
	}
	s.WriteString(". These calls will be refused.")
	b.Text = s.String()
	return b
}

func from(address *string) string {
	if address == nil || *address == "" {
		return ""
	}
	return " from " + *address
}

// callers sums up the calls of the last day by address.
func callers(calls []api.Call, now time.Time) []Caller {
	by := map[string]*Caller{}
	for _, c := range calls {
		if c.Address == "" || now.Sub(c.At.Time) >= day {
			continue
		}
		if by[c.Address] == nil {
			by[c.Address] = &Caller{Address: c.Address, Client: ClientName(c.UserAgent)}
		}
		by[c.Address].Calls++
	}
	out := make([]Caller, 0, len(by))
	for _, address := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[address])
	}
	slices.SortStableFunc(out, func(a, b Caller) int { return b.Calls - a.Calls })
	return out
}

// Source is an address that a token was used from.
type Source struct {
	Address, Client string
	Calls, Refused  int
	Last            time.Time
}

// Sources sums up calls, newest first, by address and client: most calls first.
func Sources(calls []api.Call) []Source {
	at := map[[2]string]int{}
	var out []Source
	for _, c := range calls {
		key := [2]string{c.Address, ClientName(c.UserAgent)}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, Source{Address: key[0], Client: key[1], Last: c.At.Time})
		}
		out[i].Calls++
		if c.Status == 401 || c.Status == 403 || c.Status == 429 {
			out[i].Refused++
		}
	}
	slices.SortStableFunc(out, func(a, b Source) int { return b.Calls - a.Calls })
	return out
}

func addresses(callers []Caller) string {
	const most = 2
	var out []string
	for i, c := range callers {
		if i == most {
			out = append(out, kit.Count(len(callers)-most, "other address", "other addresses"))
			break
		}
		name := c.Address
		if c.Client != "" {
			name += " (" + c.Client + ")"
		}
		out = append(out, name)
	}
	return kit.List(out, "and")
}

// ClientName shortens a user agent to the product that it begins with: curl/8.5.
func ClientName(agent string) string {
	name, _, _ := strings.Cut(strings.TrimSpace(agent), " ")
	if len(name) > 40 {
		name = strings.ToValidUTF8(name[:40], "") + "…"
	}
	return name
}

// MustType reports whether a revocation asks for the token's name: it is live
// and was used in the last day.
func MustType(t api.Token, now time.Time) bool {
	return t.Env == "live" && !t.LastUsedAt.IsZero() && now.Sub(t.LastUsedAt.Time) < day
}

// Midnight is when the reader's day began.
func Midnight(now time.Time, local func(text string) (time.Time, bool)) time.Time {
	if at, ok := local(string(Today(now)) + "T00:00"); ok && !at.After(now) {
		return at
	}
	return now.Truncate(day)
}
