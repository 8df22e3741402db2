package httpapi

import (
	"net/netip"
	"sync"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// The functions of this file write the types of portal as those of shared/api,
// field by field: what is not listed here is not shown.

func userJSON(u portal.User) api.User {
	return api.User{
		ID: u.ID, Name: u.Name, Email: u.Email, CreatedAt: api.At(u.CreatedAt), VerifiedAt: api.At(u.VerifiedAt),
		PlatformAdmin: u.PlatformAdmin, LastTeam: u.LastTeam,
	}
}

func teamJSON(m portal.Membership) api.Team {
	return api.Team{ID: m.Team.ID, Name: m.Team.Name, Platform: m.Team.Platform, CreatedAt: api.At(m.Team.CreatedAt), Rev: m.Rev}
}

func membershipsJSON(list []portal.Membership) []api.Membership {
	return mapped(list, func(m portal.Membership) api.Membership {
		return api.Membership{Team: teamJSON(m), Role: string(m.Role)}
	})
}

func memberJSON(m portal.MemberView) api.Member {
	return api.Member{ID: m.User, Name: m.Name, Email: m.Email, Role: string(m.Role), JoinedAt: api.At(m.JoinedAt)}
}

func tokenJSON(v *portal.TokenView) api.Token {
	t := api.Token{
		ID: v.ID, Name: v.Name, Note: v.Note, Team: v.Team, Env: string(v.Env), Abilities: texts(v.Abilities),
		Status: string(v.Status), CreatedAt: api.At(v.CreatedAt), CreatedBy: api.Person{ID: v.Maker, Name: v.MakerName},
		ExpiresAt: api.At(v.ExpiresAt), NotBefore: api.At(v.NotBefore), Addresses: prefixesJSON(v.Addresses),
		RateLimit: rateJSON(v.Limit), LastUsedAt: api.At(v.LastUsedAt), LastUsedFrom: orNull(&v.LastUsedFrom),
		RevokedAt: api.At(v.RevokedAt), RevokeReason: orNull(&v.RevokeReason),
		SuspendedAt: api.At(v.SuspendedAt), SuspendReason: orNull(&v.SuspendReason),
		MayManage: v.MayManage, Calls7Days: v.Calls7Days,
		Generations: generationsJSON(v.Generations, v.At),
	}
	if v.Window != nil {
		t.Limits = []api.Limit{limitJSON(v.Window)}
	}
	if v.RevokedBy != "" {
		t.RevokedBy = &api.Person{ID: v.RevokedBy, Name: v.Revoker}
	}
	return t
}

func limitJSON(s *portal.LimitState) api.Limit {
	return api.Limit{
		Name: "token", Quota: s.Quota, WindowSeconds: int(s.Window / time.Second),
		Remaining: s.Remaining, ResetSeconds: portal.Seconds(s.Reset),
	}
}

// generationJSON points to texts of the generation, which nobody changes.
func generationJSON(g *portal.Generation, at time.Time) api.Generation {
	return api.Generation{
		Number: g.Number, Status: string(g.Status(at)), CreatedAt: api.At(g.CreatedAt), ActivatedAt: api.At(g.ActivatedAt),
		EndsAt: api.At(g.EndsAt), LastUsedAt: api.At(g.LastUsedAt), LastUsedFrom: orNull(&g.LastUsedFrom), LastClient: orNull(&g.LastClient),
		OverlapSeconds: int(g.Overlap / time.Second),
	}
}

func generationsJSON(list []portal.Generation, at time.Time) []api.Generation {
	out := make([]api.Generation, len(list))
	for i := range list {
		out[i] = generationJSON(&list[i], at)
	}
	return out
}

func receiptJSON(r portal.Receipt) api.Receipt {
	return api.Receipt{ID: r.ID, Status: string(r.Status), At: api.At(r.At), Rev: r.Rev}
}

// selfView is an answer to who am I with the memory that it points to.
type selfView struct {
	api.WhoAmI
	limits [1]api.Limit
	left   int64
}

var selfViews = sync.Pool{New: func() any { return new(selfView) }}

func (v *selfView) fill(s *portal.Self) {
	v.limits[0] = limitJSON(s.Window)
	v.WhoAmI = api.WhoAmI{
		ID: s.ID, Name: s.Name, Team: api.Person{ID: s.Team, Name: s.TeamName}, Env: string(s.Env),
		Abilities: texts(s.Effective), Addresses: prefixesJSON(s.Addresses), CreatedAt: api.At(s.CreatedAt),
		ExpiresAt: api.At(s.ExpiresAt), LastUsedAt: api.At(s.LastUsedAt), Generation: generationJSON(s.Generation, s.At),
		Warnings: texts(s.Warnings), Rev: s.Rev,
		Limits: v.limits[:],
	}
	if !s.ExpiresAt.IsZero() {
		v.left = int64(s.ExpiresAt.Sub(s.At) / time.Second)
		v.ExpiresIn = &v.left
	}
}

func orderJSON(o portal.Order) api.Order {
	status := "open"
	if !o.CancelledAt.IsZero() {
		status = "cancelled"
	}
	return api.Order{
		ID: o.ID, Reference: o.Reference, Currency: o.Currency, AmountMinor: o.AmountMinor, Status: status,
		CreatedAt: api.At(o.CreatedAt), UpdatedAt: api.At(o.UpdatedAt),
		Lines: mapped(o.Lines, func(l portal.OrderLine) api.OrderLine { return api.OrderLine(l) }),
	}
}

func callJSON(c portal.Call) api.Call {
	return api.Call{
		At: api.At(c.At), Token: c.Token, Generation: c.Generation, Method: c.Method, Route: c.Route, Status: c.Status,
		Code: string(c.Code), DurationMS: millis(c.Duration), Bytes: c.Bytes, Address: portal.AddressText(c.Address),
		UserAgent: c.UserAgent, RequestID: c.RequestID, DecisionID: c.ID,
	}
}

func usageJSON(r portal.UsageReport) api.Usage {
	return api.Usage{
		From: api.At(r.From), To: api.At(r.To), Step: string(r.Step), By: string(r.By),
		Series: mapped(r.Series, func(s portal.UsageSeries) api.Series {
			return api.Series{Key: s.Key, Points: mapped(s.Points, pointJSON)}
		}),
	}
}

func pointJSON(p portal.UsagePoint) api.Point {
	out := api.Point{At: api.At(p.At), Calls: p.Calls, Refused: p.Refused, Errors: p.Errors}
	if p.P50 != nil {
		ms := millis(*p.P50)
		out.P50MS = &ms
	}
	if p.P95 != nil {
		ms := millis(*p.P95)
		out.P95MS = &ms
	}
	return out
}

func eventJSON(v portal.EventView) api.Event {
	e := exportJSON(v.Event)
	e.Summary, e.ActorName, e.TargetName = v.Summary, v.ActorName, v.TargetName
	return e
}

// exportJSON writes the canonical fields and the hash.
func exportJSON(e audit.Event) api.Event {
	data := e.Data
	if data == nil {
		data = map[string]any{}
	}
	return api.Event{
		V: e.V, Chain: e.Chain, Seq: e.Seq, At: api.At(e.At), Actor: e.Actor, Action: e.Action, Target: e.Target,
		Data: data, Prev: e.Prev, Hash: e.Hash,
	}
}

func chainJSON(c portal.Chain) api.ChainState {
	return api.ChainState{Chain: c.ID, First: c.First, Seq: c.Seq, Hash: c.Hash, Verified: c.Wrong == "", Detail: c.Wrong, At: api.At(c.At)}
}

func catalogueJSON(c *portal.Catalogue) api.Catalogue {
	out := api.Catalogue{
		Defaults: texts(c.Defaults),
		Abilities: mapped(c.Abilities, func(a portal.Ability) api.Ability {
			resource, action := ability.Split(a.Name)
			return api.Ability{
				Name: a.Name, Title: a.Title, Description: a.Description, Risk: string(a.Risk),
				Resource: resource, Action: action, Platform: a.Platform,
			}
		}),
		Roles: mapped(portal.Roles, func(r portal.Role) api.Role {
			return api.Role{Name: string(r), Grants: texts(c.Grants[r])}
		}),
	}
	const day = 24 * time.Hour
	out.Tokens = api.TokenPolicy{
		DefaultLifetimeDays: int(c.Tokens.DefaultLifetime / day), MaxLifetimeDays: int(c.Tokens.MaxLifetime / day),
		MaxPerTeam: c.Tokens.MaxPerTeam, DefaultRateLimit: rateJSON(c.Tokens.DefaultLimit), MaxRateLimit: rateJSON(c.Tokens.MaxLimit),
		MaxOverlapSeconds: int(c.Tokens.MaxOverlap / time.Second),
	}
	return out
}

func rateJSON(l portal.RateLimit) api.RateLimit {
	return api.RateLimit{Quota: l.Quota, WindowSeconds: int(l.Window / time.Second)}
}

// prefixesJSON writes address rules as they are stored: single addresses are /32
// and /128.
func prefixesJSON(list []netip.Prefix) []string {
	return mapped(list, func(p netip.Prefix) string { return p.String() })
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func orNull(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}

// texts returns a list that is never null.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// mapped converts a list; the result is never null.
func mapped[A, B any](list []A, convert func(A) B) []B {
	out := make([]B, len(list))
	for i := range list {
		out[i] = convert(list[i])
	}
	return out
}
