package portal

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// EventQuery selects events of one chain. Zero fields select all.
type EventQuery struct {
	Actions  []string // any of; "token." selects all that begin so
	Actor    string
	Target   string
	From, To time.Time
	After    int64 // the seq after which the page begins; 0: at the newest
	Limit    int
}

// EventView is an event with what a reader needs beside it.
type EventView struct {
	audit.Event
	Summary    string // a sentence without the actor: "revoked the token ERP integration"
	ActorName  string
	TargetName string
}

// EventPage is one page of events; Next is 0 on the last.
type EventPage struct {
	Events []EventView
	Next   int64
}

// Events lists the events of a team, newest first. Developers see those of the
// tokens they made.
func (p *Portal) Events(ctx context.Context, who Person, team string, q EventQuery) (EventPage, error) {
	m, err := p.member(ctx, who, team, ViewOwnEvents)
	if err != nil {
		return EventPage{}, err
	}
	var targets []string
	if !m.Role.May(ViewEvents) {
		if targets, err = p.tokensMadeBy(ctx, team, who.User.ID); err != nil {
			return EventPage{}, err
		}
	}
	return p.events(ctx, team, targets, q)
}

// TokenEvents lists the events of one token, newest first.
func (p *Portal) TokenEvents(ctx context.Context, who Person, team, id string, q EventQuery) (EventPage, error) {
	m, err := p.member(ctx, who, team, ViewOwnEvents)
	if err != nil {
		return EventPage{}, err
	}
	t, err := p.store.Token(ctx, team, id)
	if err != nil {
		return EventPage{}, err
	}
	if !m.Role.May(ViewEvents) && t.Maker != who.User.ID {
		return EventPage{}, roleNotAllowed(m.Role, ViewEvents)
	}
	q.Target = id
	return p.events(ctx, team, nil, q)
}

// tokensMadeBy returns the ids of a member's tokens, never nil.
func (p *Portal) tokensMadeBy(ctx context.Context, team, maker string) ([]string, error) {
	ids := []string{}
	f := TokenFilter{Team: team, Maker: maker, Sort: NewestFirst, Limit: 100, Now: p.clock()}
	for {
		tokens, err := p.store.Tokens(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, t := range tokens {
			ids = append(ids, t.ID)
		}
		if len(tokens) < f.Limit {
			return ids, nil
		}
		f.After = cursorAt(tokens[len(tokens)-1], f.Sort)
	}
}

// events reads a page of a chain; targets limits what may be seen, nil does not.
func (p *Portal) events(ctx context.Context, chain string, targets []string, q EventQuery) (EventPage, error) {
	if q.Target != "" {
		if targets != nil && !slices.Contains(targets, q.Target) {
			return EventPage{}, nil
		}
		targets = []string{q.Target}
	}
	limit := pageLimit(q.Limit)
	list, err := p.store.Events(ctx, EventFilter{
		Chain: chain, Actions: q.Actions, Actor: q.Actor, Targets: targets,
		From: q.From, To: q.To, After: q.After, Limit: limit + 1,
	})
	if err != nil {
		return EventPage{}, err
	}
	var page EventPage
	if len(list) > limit {
		list = list[:limit]
		page.Next = list[limit-1].Seq
	}
	page.Events, err = p.eventViews(ctx, chain, list)
	return page, err
}

func (p *Portal) eventViews(ctx context.Context, chain string, list []audit.Event) ([]EventView, error) {
	names, err := p.namesIn(ctx, chain, list)
	if err != nil {
		return nil, err
	}
	views := make([]EventView, len(list))
	for i, e := range list {
		views[i] = EventView{Event: e, ActorName: names[e.Actor], TargetName: names[e.Target], Summary: summary(e, names)}
	}
	return views, nil
}

// namesIn resolves the ids in events: people, tokens of the team, the team.
func (p *Portal) namesIn(ctx context.Context, chain string, list []audit.Event) (map[string]string, error) {
	names := map[string]string{ActorSystem: "Gatehouse", ActorAnonymous: "Somebody"}
	var people, tokens []string
	for _, e := range list {
		for _, id := range []string{e.Actor, e.Target} {
			switch {
			case strings.HasPrefix(id, secret.UserID):
				people = append(people, id)
			case secret.IsLookup(id):
				tokens = append(tokens, id)
			}
		}
	}
	slices.Sort(people)
	users, err := p.users(ctx, slices.Compact(people))
	if err != nil {
		return nil, err
	}
	for id, u := range users {
		names[id] = u.Name
	}
	if strings.HasPrefix(chain, secret.UserID) {
		return names, nil
	}
	slices.Sort(tokens)
	tokens = slices.Compact(tokens)
	for len(tokens) > 0 {
		n := min(len(tokens), maxBatch)
		found, err := p.store.TokenRecords(ctx, tokens[:n])
		if err != nil {
			return nil, err
		}
		for _, t := range found {
			if t.Team == chain {
				names[t.ID] = t.Name
			}
		}
		tokens = tokens[n:]
	}
	if t, err := p.store.Team(ctx, chain); err == nil {
		names[chain] = t.Name
	} else if KindOf(err) != NotFound {
		return nil, err
	}
	return names, nil
}

// Chain is the state of a chain after all of it was verified.
type Chain struct {
	ID    string
	First int64 // seq of the oldest event that is kept, 0 if there is none
	Seq   int64 // of the newest
	Hash  string
	Wrong string // what is wrong, "" if nothing
	At    time.Time
}

// ErrPruned is what [Portal.ExportEvents] ends with when events that it would have
// handed on next were pruned while it ran. What remains does not follow what it
// handed on, but is a chain by itself.
var ErrPruned = errors.New("events were pruned while they were read")

// ChainState verifies the whole chain of a team.
func (p *Portal) ChainState(ctx context.Context, who Person, team string) (Chain, error) {
	if _, err := p.member(ctx, who, team, ViewEvents); err != nil {
		return Chain{}, err
	}
	c := Chain{ID: team, Hash: audit.Genesis, At: p.clock()}
	var v audit.Verifier
	err := p.eachEvent(ctx, team, func(e audit.Event, begins bool) error {
		if begins { // what is past retention is gone from the front
			v = audit.Verifier{Chain: team, Seq: e.Seq - 1, Hash: e.Prev}
			c.First = e.Seq
			if e.Seq == 1 {
				v.Hash = ""
			}
		}
		if err := v.Add(e); err != nil {
			return err
		}
		c.Seq, c.Hash = e.Seq, e.Hash
		return nil
	})
	if errors.Is(err, audit.ErrBroken) {
		c.Wrong = err.Error()
		return c, nil
	}
	return c, err
}

// ExportEvents hands every event of a team to yield, oldest first. It fails with
// [ErrPruned] rather than leave out events that were not missing when it began.
func (p *Portal) ExportEvents(ctx context.Context, who Person, team string, yield func(audit.Event) error) error {
	if _, err := p.member(ctx, who, team, ViewEvents); err != nil {
		return err
	}
	first := true
	return p.eachEvent(ctx, team, func(e audit.Event, begins bool) error {
		if begins && !first {
			return ErrPruned
		}
		first = false
		return yield(e)
	})
}

// eachEvent hands every event of a chain to yield, oldest first, and whether the
// chain begins with it: so does the first, and one before which others were pruned
// since the last was read.
func (p *Portal) eachEvent(ctx context.Context, chain string, yield func(e audit.Event, begins bool) error) error {
	f := EventFilter{Chain: chain, Oldest: true, Limit: 1000}
	for {
		list, err := p.store.Events(ctx, f)
		if err != nil {
			return err
		}
		for _, e := range list {
			begins := f.After == 0
			if !begins && e.Seq > f.After+1 {
				if begins, err = p.chainBegins(ctx, e); err != nil {
					return err
				}
			}
			if err := yield(e, begins); err != nil {
				return err
			}
			f.After = e.Seq
		}
		if len(list) < f.Limit {
			return nil
		}
	}
}

// chainBegins reports whether nothing is left of a chain before an event. Pruning
// takes from the front only, so what is missing between others was not pruned.
func (p *Portal) chainBegins(ctx context.Context, e audit.Event) (bool, error) {
	oldest, err := p.store.Events(ctx, EventFilter{Chain: e.Chain, Oldest: true, Limit: 1})
	return err == nil && len(oldest) > 0 && oldest[0].Seq >= e.Seq, err
}
