// Package ui is the portal's program: its shell, its pages, and how they talk to
// the server. Components that know nothing of Gatehouse are in ui/kit; what
// touches the browser is in ui/bridge.
//
// # How to write a page
//
// One page per file, named for its path: page_tokens.go. A page is a component
// with one exported field, the [Place] that the router gives it, and what it
// remembers in unexported ones:
//
//	// tokensPage lists a team's tokens, at /teams/{team}/tokens.
//	type tokensPage struct {
//		app.Compo
//		At Place
//
//		now    time.Time
//		tokens kit.Load[api.List[api.Token]]
//	}
//
//	func (p *tokensPage) OnMount(ctx app.Context) {
//		kit.WatchNow(ctx, &p.now)
//		p.fetch(ctx)
//	}
//
//	// OnUpdate runs when the query changed.
//	func (p *tokensPage) OnUpdate(ctx app.Context) { p.fetch(ctx) }
//
//	func (p *tokensPage) fetch(ctx app.Context) {
//		at := p.At
//		p.tokens.Fetch(ctx, p, func(ctx context.Context) (api.List[api.Token], error) {
//			return at.API.Tokens(ctx, at.Team.Team.ID, client.TokenQuery{Status: at.Get("status")})
//		})
//	}
//
// Then it has one line in routes.go, and one in pages of package web, so that
// the server knows its title and skeleton; a test holds the two together. A
// route with a Nav name is in the sidebar by itself.
//
//   - A different path is a new component: nothing is left of the page before.
//     Another query is the same component with another At, so OnUpdate runs.
//   - Whatever is worth sharing is in the query: read it with [Place.Get], change
//     it with ctx.Navigate(p.At.With("status", "active")), or with [Replace]
//     where going back should skip it, as while typing.
//   - Requests go through At.API in kit.Load.Fetch, kit.Do or kit.Ask, never
//     inside a handler itself. Pass the page: results come back to it even if
//     the button that was clicked is gone.
//   - What changes something goes through kit.Change: it is told of even if the
//     page was left. Show at once what can be taken back (tokenPage.attempt,
//     [ShowSession]); what is a promise, such as that a secret is refused from now
//     on, only when the server has given it.
//   - Errors of a form go into a kit.Errors: Check before sending, Take after;
//     kit.Errors.At beside each field, kit.Errors.Rest above them. Everything
//     else: kit.ToastError, or kit.Failed in the place of what did not come.
//   - A sign-in that ended, and a password that is asked for again, are not the
//     page's business: the request waits for the person and is sent again. If
//     they give up it fails with kit.ErrGivenUp, which shows no message.
//   - Render only draws: no clock (kit.WatchNow), no request, no app.If around
//     what may be nil.
//   - A secret is held in an unexported field of the page that shows it and
//     nowhere else.
package ui
