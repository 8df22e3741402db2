package httpapi

import (
	"encoding/json"
	"strconv"
	"sync"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// The functions of this file write the answers that integrations get most as
// encoding/json does, byte for byte, in a tenth of its time: it looks at each
// field by reflection, allocates each time of day and checks it again. Every
// other answer is left to it.

// bodies are buffers that answers are written in.
var bodies = sync.Pool{New: func() any { return new(make([]byte, 0, 4<<10)) }}

const maxBody = 64 << 10 // of a buffer that is kept

// appendBody writes an answer, or reports that it is not one of those that are
// written here.
func appendBody(b []byte, body any) ([]byte, bool) {
	switch v := body.(type) {
	case *api.WhoAmI:
		return appendWhoAmI(b, v), true
	case *api.Problem:
		return appendProblem(b, v)
	case api.List[api.Order]:
		b = appendList(append(b, `{"data":`...), v.Data, appendOrder)
		b = appendOrNull(append(b, `,"next_cursor":`...), v.NextCursor)
		return append(b, '}'), true
	}
	return b, false
}

func appendWhoAmI(b []byte, w *api.WhoAmI) []byte {
	b = appendText(append(b, `{"id":`...), w.ID)
	b = appendText(append(b, `,"name":`...), w.Name)
	b = appendText(append(b, `,"team":{"id":`...), w.Team.ID)
	b = appendText(append(b, `,"name":`...), w.Team.Name)
	b = appendText(append(b, `},"env":`...), w.Env)
	b = appendTexts(append(b, `,"abilities":`...), w.Abilities)
	b = appendTexts(append(b, `,"addresses":`...), w.Addresses)
	b = w.CreatedAt.AppendJSON(append(b, `,"created_at":`...))
	b = w.ExpiresAt.AppendJSON(append(b, `,"expires_at":`...))
	b = append(b, `,"expires_in":`...)
	if w.ExpiresIn == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, *w.ExpiresIn, 10)
	}
	b = w.LastUsedAt.AppendJSON(append(b, `,"last_used_at":`...))
	b = appendList(append(b, `,"limits":`...), w.Limits, appendLimit)
	b = appendGeneration(append(b, `,"generation":`...), &w.Generation)
	b = appendTexts(append(b, `,"warnings":`...), w.Warnings)
	b = strconv.AppendInt(append(b, `,"rev":`...), w.Rev, 10)
	return append(b, '}')
}

func appendLimit(b []byte, l *api.Limit) []byte {
	b = appendText(append(b, `{"name":`...), l.Name)
	b = appendInt(append(b, `,"quota":`...), l.Quota)
	b = appendInt(append(b, `,"window_seconds":`...), l.WindowSeconds)
	b = appendInt(append(b, `,"remaining":`...), l.Remaining)
	b = appendInt(append(b, `,"reset_seconds":`...), l.ResetSeconds)
	return append(b, '}')
}

func appendGeneration(b []byte, g *api.Generation) []byte {
	b = appendInt(append(b, `{"number":`...), g.Number)
	b = appendText(append(b, `,"status":`...), g.Status)
	b = g.CreatedAt.AppendJSON(append(b, `,"created_at":`...))
	b = g.ActivatedAt.AppendJSON(append(b, `,"activated_at":`...))
	b = g.EndsAt.AppendJSON(append(b, `,"ends_at":`...))
	b = appendInt(append(b, `,"overlap_seconds":`...), g.OverlapSeconds)
	b = g.LastUsedAt.AppendJSON(append(b, `,"last_used_at":`...))
	b = appendOrNull(append(b, `,"last_used_from":`...), g.LastUsedFrom)
	b = appendOrNull(append(b, `,"last_client":`...), g.LastClient)
	return append(b, '}')
}

func appendOrder(b []byte, o *api.Order) []byte {
	b = appendText(append(b, `{"id":`...), o.ID)
	b = appendText(append(b, `,"reference":`...), o.Reference)
	b = appendText(append(b, `,"currency":`...), o.Currency)
	b = strconv.AppendInt(append(b, `,"amount_minor":`...), o.AmountMinor, 10)
	b = appendList(append(b, `,"lines":`...), o.Lines, func(b []byte, l *api.OrderLine) []byte {
		b = appendText(append(b, `{"sku":`...), l.SKU)
		b = appendText(append(b, `,"description":`...), l.Description)
		b = strconv.AppendInt(append(b, `,"quantity":`...), l.Quantity, 10)
		b = strconv.AppendInt(append(b, `,"amount_minor":`...), l.AmountMinor, 10)
		return append(b, '}')
	})
	b = appendText(append(b, `,"status":`...), o.Status)
	b = o.CreatedAt.AppendJSON(append(b, `,"created_at":`...))
	b = o.UpdatedAt.AppendJSON(append(b, `,"updated_at":`...))
	return append(b, '}')
}

// appendProblem writes a problem without mistakes of fields, the kind that a
// token is refused with.
func appendProblem(b []byte, p *api.Problem) ([]byte, bool) {
	if len(p.Errors) > 0 {
		return b, false
	}
	b = appendText(append(b, `{"type":`...), p.Type)
	b = appendText(append(b, `,"title":`...), p.Title)
	b = appendInt(append(b, `,"status":`...), p.Status)
	text := func(key, value string) {
		if value != "" {
			b = appendText(append(b, key...), value)
		}
	}
	list := func(key string, values []string) {
		if len(values) > 0 {
			b = appendTexts(append(b, key...), values)
		}
	}
	text(`,"code":`, p.Code)
	text(`,"detail":`, p.Detail)
	text(`,"instance":`, p.Instance)
	text(`,"request_id":`, p.RequestID)
	text(`,"fix":`, p.Fix)
	text(`,"token":`, p.Token)
	list(`,"required_abilities":`, p.RequiredAbilities)
	list(`,"granted_abilities":`, p.GrantedAbilities)
	text(`,"reason":`, p.Reason)
	list(`,"roles":`, p.Roles)
	text(`,"conflict":`, p.Conflict)
	text(`,"request_access":`, p.RequestAccess)
	list(`,"violated-policies":`, p.ViolatedPolicies)
	if p.RetryAfterSeconds != 0 {
		b = appendInt(append(b, `,"retry_after_seconds":`...), p.RetryAfterSeconds)
	}
	return append(b, '}'), true
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

func appendList[T any](b []byte, list []T, item func([]byte, *T) []byte) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, &list[i])
	}
	return append(b, ']')
}

func appendTexts(b []byte, list []string) []byte {
	return appendList(b, list, func(b []byte, s *string) []byte { return appendText(b, *s) })
}

func appendOrNull(b []byte, s *string) []byte {
	if s == nil {
		return append(b, "null"...)
	}
	return appendText(b, *s)
}

// appendText writes a string. One with characters that have to be escaped, or
// that may have to, is left to encoding/json.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
			escaped, _ := json.Marshal(s) // a string is always encoded
			return append(b, escaped...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// plain are the bytes that encoding/json writes as they are, wherever they stand.
var plain = func() (is [256]bool) {
	for ch := byte(' '); ch < 0x7f; ch++ {
		is[ch] = ch != '"' && ch != '\\' && ch != '<' && ch != '>' && ch != '&'
	}
	return is
}()
