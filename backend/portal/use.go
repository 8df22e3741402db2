package portal

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// firstUse records the first use of a token or of a new generation, and starts
// the overlap clock of the generation before. It is written before the request
// goes on; what cannot be recorded does not pass. If the token changed in the
// meantime the outcome changes with it. It returns the token as it is then. An
// error is of storage, or means that ctx ended first.
//
// A new secret often begins with many requests at once. One of them writes, the
// others of this process wait for it and read the token again: each in a
// transaction of its own, on one chain, would stop the team for seconds.
//
// It takes copies, so that decisions that need none of this stay off the heap.
func (p *Portal) firstUse(ctx context.Context, read *Token, number int, ask Ask) (*Token, *Generation, Code, error) {
	key := useKey{read.ID, number}
	underWay, first := p.firstUses.enter(key)
	if first {
		defer p.firstUses.leave(key)
		return p.recordFirstUse(ctx, read, number, ask)
	}
	p.firstUses.waiting.Add(1)
	defer p.firstUses.waiting.Add(-1)
	select {
	case <-underWay:
	case <-ctx.Done():
		return nil, nil, "", ctx.Err()
	}
	t, err := p.records.Record(ctx, read.ID)
	if err != nil {
		p.stats.LookupErrors.Add(1)
		p.log.WarnContext(ctx, "a token record could not be read", "error", err)
		return nil, nil, "", err
	}
	if t != nil {
		if g := t.generation(number); g != nil {
			if code := t.refusal(g, ask.At); code != OK || !t.FirstUsedAt.IsZero() && !g.ActivatedAt.IsZero() {
				return t, g, code, nil
			}
		}
	}
	return p.recordFirstUse(ctx, read, number, ask) // the other could not, or the token is gone
}

// useKey names one generation of a token.
type useKey struct {
	token      string
	generation int
}

// underWay knows the first uses that are being recorded.
type underWay struct {
	waiting atomic.Int64 // requests
	mu      sync.Mutex
	done    map[useKey]chan struct{}
}

// enter reports whether the caller is the first, who has to leave; the others
// get a channel that is closed then.
func (u *underWay) enter(key useKey) (done <-chan struct{}, first bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if done, ok := u.done[key]; ok {
		return done, false
	}
	if u.done == nil {
		u.done = map[useKey]chan struct{}{}
	}
	u.done[key] = make(chan struct{})
	return nil, true
}

func (u *underWay) leave(key useKey) {
	u.mu.Lock()
	defer u.mu.Unlock()
	close(u.done[key])
	delete(u.done, key)
}

func (a *Ask) origin() Origin {
	return Origin{Address: a.Address, UserAgent: a.UserAgent, RequestID: a.RequestID}
}

// recordFirstUse writes a first use, unless another has.
func (p *Portal) recordFirstUse(ctx context.Context, read *Token, number int, ask Ask) (*Token, *Generation, Code, error) {
	from := ask.origin()
	now := ask.At.UTC().Truncate(time.Millisecond)
	var t Token
	var code Code
	err := p.atomically(ctx, func(ctx context.Context) error {
		changed := false
		t, code = *read, OK
		stored, err := p.store.Token(ctx, read.Team, read.ID)
		if KindOf(err) == NotFound {
			code = Revoked
			return nil
		} else if err != nil {
			return err
		}
		g := stored.generation(number)
		if g == nil {
			code = GenerationEnded
			return nil
		}
		t = stored.clone()
		g = t.generation(number)
		if code = t.refusal(g, ask.At); code != OK {
			return nil
		}
		if t.FirstUsedAt.IsZero() {
			t.FirstUsedAt, changed = now, true
			// Rev stays: a use changes nothing that somebody could be editing, and
			// must not refuse the edit.
			if _, err := p.store.Append(ctx, p.event(t.Team, t.ID, audit.TokenUsedFirst, t.ID, from, map[string]any{"generation": number})); err != nil {
				return err
			}
		}
		if g.ActivatedAt.IsZero() {
			t.activate(number, now)
			changed = true
			data := map[string]any{"generation": number, "overlap_seconds": int(g.Overlap.Seconds())}
			if _, err := p.store.Append(ctx, p.event(t.Team, t.ID, audit.TokenRotationActivated, t.ID, from, data)); err != nil {
				return err
			}
		}
		if !changed {
			return nil
		}
		return p.replaceToken(ctx, t)
	})
	if err != nil {
		p.log.WarnContext(ctx, "the first use of a token could not be recorded", "token", read.ID, "error", err)
		return nil, nil, "", err
	}
	return &t, t.generation(number), code, nil
}

const (
	alarmEvery = time.Hour   // for one token and network
	alarmShare = time.Minute // how soon a process asks again about the alarm of another
)

// alarm records that a secret is in use which must not be: once per token,
// network and hour, however often it is tried and in however many processes. The
// event counts this use and those since the event before, as far as this process
// knows of them.
func (p *Portal) alarm(ctx context.Context, d Decision, ask Ask) {
	t, now := d.Token, ask.At.UTC().Truncate(time.Millisecond)
	key := "dead-secret|" + t.ID + "|" + Network(ask.Address).String()
	if untold, ok := p.alarms.get(key, now); ok {
		untold.Add(1)
		return
	}
	untold := p.alarms.last(key)
	if untold == nil {
		untold = new(atomic.Int64)
	}
	uses := untold.Add(1)
	var first bool
	err := p.atomically(ctx, func(ctx context.Context) error {
		var err error
		if first, err = p.store.Once(ctx, key, now, now.Add(alarmEvery)); err != nil || !first {
			return err
		}
		_, err = p.store.Append(ctx, p.event(t.Team, ActorAnonymous, audit.TokenDeadSecretUsed, t.ID,
			ask.origin(), map[string]any{
				"generation": d.Generation.Number, "generation_status": string(d.Generation.Status(ask.At)),
				"status": string(t.Status(ask.At)), "decision_id": d.ID.String(), "count": uses,
			}))
		return err
	})
	if err != nil { // the request is refused anyway; the next one tries again
		p.log.WarnContext(ctx, "the use of a dead secret could not be recorded", "token", t.ID, "error", err)
		return
	}
	again := now.Add(alarmEvery)
	if first {
		untold.Add(-uses)
	} else {
		again = now.Add(alarmShare)
	}
	p.alarms.put(key, untold, again)
}

// Network returns the network that an address is counted with: the address
// itself for IPv4, the /64 for IPv6, because one customer holds all of that.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	prefix, err := a.Prefix(bits)
	if err != nil { // the zero address
		return netip.Prefix{}
	}
	return prefix
}

// rekey hashes a generation with the newest active pepper, beside the request: the
// token is valid either way. One at a time; the next use tries again.
func (p *Portal) rekey(read *Token, old *Generation, text string) {
	select {
	case p.rekeying <- struct{}{}:
	default:
		return
	}
	kid, mac := p.keys.NewestMAC(secret.Digest(text))
	go func() {
		defer func() { <-p.rekeying }()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err := p.atomically(ctx, func(ctx context.Context) error {
			stored, err := p.store.Token(ctx, read.Team, read.ID)
			if err != nil {
				return err
			}
			t := stored.clone()
			g := t.generation(old.Number)
			if g == nil || g.MAC != old.MAC {
				return nil
			}
			g.KeyID, g.MAC = kid, mac
			return p.replaceToken(ctx, t)
		})
		if err != nil {
			p.log.Warn("a token could not be re-keyed", "token", read.ID, "error", err)
		}
	}()
}
