package portal

import "context"

type changesKey struct{}

// changes collects the tokens whose records a transaction changes.
type changes struct {
	ids []string
	all bool
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

// replaceToken stores a changed token.
func (p *Portal) replaceToken(ctx context.Context, t Token) error {
	p.changed(ctx, t.ID)
	return p.store.ReplaceToken(ctx, t)
}
