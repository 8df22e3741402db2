package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// attempt shows a token at once as a change will leave it, and has the server
// make the change. The token that work returns takes its place; if the server
// refuses, what was there before does. Then done runs, to say so beside what was
// asked. What as in [kit.Change].
//
// Only what can be taken back is shown so: that a secret is refused from now on
// is said once the server has answered, and not before.
func (p *tokenPage) attempt(
	ctx app.Context, what string, next api.Token, work func(context.Context) (taggedToken, error), done func(app.Context, taggedToken, error),
) {
	before, _ := p.token.Get()
	p.saving = true
	p.token.Set(taggedToken{next, before.etag})
	kit.Change(ctx, p, what, work, func(ctx app.Context, t taggedToken, err error) {
		p.saving = false
		if err != nil {
			p.token.Set(before)
		} else {
			p.changed(ctx, t)
		}
		done(ctx, t, err)
	})
}
