package portal

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

type changesKey struct{}

// changes collects what a transaction changes, and for whom.
type changes struct {
	ids  []string // the tokens whose records change
	all  bool     // any may
	held string   // hash of the session that it acts for, "" for none so far
}

// atomically is [Store.Atomically], and tells the reader of records afterwards
// what changed: after the commit, before the answer, once for transactions that
// join each other.
func (p *Portal) atomically(ctx context.Context, do func(ctx context.Context) error) error {
	if _, joined := ctx.Value(changesKey{}).(*changes); joined {
		return p.store.Atomically(ctx, do)
	}
	var c changes
	err := p.store.Atomically(ctx, func(ctx context.Context) error {
		c = changes{}
		return do(context.WithValue(ctx, changesKey{}, &c))
	})
	switch {
	case err != nil:
		return err
	case c.all:
		return p.records.Changed(ctx)
	case len(c.ids) > 0:
		return p.records.Changed(ctx, c.ids...)
	}
	return nil
}

// changed notes, inside [Portal.atomically], that the records of these tokens
// change, or with no ids that any may.
func (p *Portal) changed(ctx context.Context, ids ...string) {
	c := ctx.Value(changesKey{}).(*changes)
	c.ids = append(c.ids, ids...)
	c.all = c.all || len(ids) == 0
}

// appendAs appends an event of what a person changes, inside
// [Portal.atomically]. Because there is no change without its event, it is also
// where a session that has ended meanwhile is stopped: SignedOut.
func (p *Portal) appendAs(ctx context.Context, who Person, chain, action, target string, data map[string]any) (audit.Event, error) {
	e, err := p.store.Append(ctx, p.event(chain, who.User.ID, action, target, who.Origin, data))
	if err != nil {
		return audit.Event{}, err
	}
	return e, p.stillIn(ctx, who)
}

// stillIn holds the session of a person until the transaction has ended, inside
// [Portal.atomically]: SignedOut if it has ended since the request began, or the
// account was disabled.
func (p *Portal) stillIn(ctx context.Context, who Person) error {
	c := ctx.Value(changesKey{}).(*changes)
	if c.held != "" && c.held == who.Session.Hash {
		return nil
	}
	if _, err := p.store.HoldSession(ctx, who.User.ID, who.Session.Hash); KindOf(err) == NotFound {
		return errSignedOut()
	} else if err != nil {
		return err
	}
	u, err := p.store.User(ctx, who.User.ID)
	if KindOf(err) == NotFound || err == nil && !u.DisabledAt.IsZero() {
		return errSignedOut()
	} else if err != nil {
		return err
	}
	c.held = who.Session.Hash
	return nil
}

// replaceToken stores a changed token.
func (p *Portal) replaceToken(ctx context.Context, t Token) error {
	p.changed(ctx, t.ID)
	return p.store.ReplaceToken(ctx, t)
}
