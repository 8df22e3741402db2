package ui

import (
	"context"
	"net/url"
	"runtime/debug"
	"slices"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// Run starts the program in the browser and never returns.
func Run() {
	debug.SetGCPercent(400) // a start makes much and keeps all of it; of a few megabytes five times is still little
	bridge.Pause()
	first := newRoot(bridge.Transport{})
	first.begin(bridge.ReadConfig(), bridge.Address())
	app.RouteWithRegexpFunc("^/", func() app.Composer {
		r := first
		first = &root{} // for another address: go-app keeps what is there
		return r
	})
	bridge.Pause()
	app.RunWhenOnBrowser()
}

// What is known of who is signed in.
type standing int

const (
	unknown standing = iota // being asked
	nobody
	somebody
)

// root is the whole program: it knows who is signed in, chooses the page and
// draws the shell around it. go-app's router always leads here, so that the
// shell stays while pages come and go.
type root struct {
	app.Compo

	gate   *gate
	config bridge.Config

	standing standing
	session  api.Session
	failed   error // why the session could not be fetched

	drawn   bool // the shell is there
	path    string
	place   Place
	route   route
	found   bool
	visits  int // how often the path changed
	release []func()

	asking  question
	palette bool
	keys    bool
	offline bool
	returns int // how often the network came back
	newer   bool
	toasts  []toast
	toastID int
	stops   []*stopRun
	stopID  int
	closed  map[string]bool // notices that were closed
	drafts  map[string]token.Form
	theme   string
}

// newRoot returns a root that sends its requests through a transport.
func newRoot(t client.Transport) *root {
	return &root{gate: newGate(t), closed: map[string]bool{}, drafts: map[string]token.Form{}}
}

// begin finds out what there is to draw, so that the first drawing is not one that
// is thrown away. Until then the page that the server sent is to be seen.
func (r *root) begin(c bridge.Config, address string) {
	r.config = c
	r.gate.version = func(v string) { r.newer = v != c.Version }
	r.gate.network = func(up bool) { r.offline = !up }
	if c.Session {
		r.learn(r.gate.api.Session(context.Background()))
	}
	if u, err := url.Parse(address); err == nil {
		r.path, r.visits = u.EscapedPath(), 1
		r.look(u)
	}
}

// OnMount prepares what lasts as long as the program.
func (r *root) OnMount(ctx app.Context) {
	r.theme = bridge.Theme()
	later := func(f func(app.Context)) { ctx.Dispatch(f) }
	r.gate.ask = func(q question) {
		later(func(app.Context) {
			if r.asking != askSignIn { // which answers the other question too
				r.asking = q
			}
		})
	}
	r.gate.other = bridge.Reload
	r.gate.network = func(up bool) { later(func(ctx app.Context) { r.setOffline(ctx, !up) }) }
	r.gate.version = func(v string) {
		later(func(app.Context) { r.newer = r.config.Version != "" && v != r.config.Version })
	}
	r.release = append(r.release,
		bridge.OnNetwork(func() { later(func(ctx app.Context) { r.setOffline(ctx, !bridge.Online()) }) }),
		bridge.OnKey(func(k bridge.Key) bool { return r.key(ctx, k) }),
	)
	ctx.Handle(kit.ToastAction, r.onToast)
	ctx.Handle(actionStop, r.onStop)
	ctx.Handle(actionGo, func(ctx app.Context, a app.Action) {
		if address, ok := a.Value.(string); ok {
			ctx.Navigate(address)
		}
	})
	ctx.Handle(actionArrive, func(ctx app.Context, _ app.Action) { r.arrive(ctx) })
	ctx.Handle(actionSession, func(ctx app.Context, _ app.Action) { r.fetchSession(ctx, r.settleIn) })
	ctx.Handle(actionShow, func(ctx app.Context, a app.Action) {
		if change, ok := a.Value.(func(*api.Session)); ok {
			r.session.Teams = slices.Clone(r.session.Teams)
			change(&r.session)
			r.arrive(ctx)
		}
	})
	ctx.Handle(actionSignedIn, func(ctx app.Context, a app.Action) {
		next, _ := a.Value.(string)
		r.fetchSession(ctx, func(ctx app.Context) { Replace(ctx, next) })
	})
	ctx.Handle(actionSignOut, func(ctx app.Context, _ app.Action) { r.signOut(ctx) })
	ctx.SetState(kit.NowState, time.Now())
	kit.Every(ctx, r, 15*time.Second, func(ctx app.Context) bool {
		ctx.SetState(kit.NowState, time.Now())
		if r.offline { // a server that is back tells nobody
			kit.Ask(ctx, r, r.gate.api.Session, func(app.Context, api.Session, error) {})
		}
		return true
	})
	switch {
	case r.standing != unknown, r.failed != nil:
	case r.config.Session:
		r.fetchSession(ctx, r.settleIn)
	default:
		r.standing = nobody
	}
}

// OnDismount lets go of the browser's events.
func (r *root) OnDismount() {
	for _, release := range r.release {
		release()
	}
}

// OnNav follows the address bar.
func (r *root) OnNav(ctx app.Context) {
	if !r.drawn {
		r.drawn = true
		bridge.Pause() // between shell and page
	}
	r.arrive(ctx)
}

// setOffline says whether the server is out of reach. When it is no longer, what
// failed meanwhile is fetched again.
func (r *root) setOffline(ctx app.Context, offline bool) {
	back := r.offline && !offline
	r.offline = offline
	if !back {
		return
	}
	r.returns++
	ctx.SetState(kit.OnlineState, r.returns)
	if kit.Unreached(r.failed) {
		r.fetchSession(ctx, r.settleIn)
	}
}

// fetchSession asks who is signed in and then does what comes next.
func (r *root) fetchSession(ctx app.Context, then func(app.Context)) {
	r.failed = nil
	kit.Ask(ctx, r, r.gate.api.Session, func(ctx app.Context, s api.Session, err error) {
		if err != nil && client.Status(err) != 401 && r.standing == somebody {
			kit.ToastError(ctx, err) // the page stays as it is
			return
		}
		if r.learn(s, err); r.failed == nil {
			then(ctx)
		}
	})
}

// learn takes up the answer to who is signed in.
func (r *root) learn(s api.Session, err error) {
	switch {
	case err == nil:
		r.standing, r.session = somebody, s
	case client.Status(err) == 401:
		r.forget()
	default:
		r.failed = err
		return
	}
	r.gate.arm(r.session.User.ID)
}

// settleIn chooses the page again, now that more is known of the person.
func (r *root) settleIn(ctx app.Context) { r.arrive(ctx) }

// arrive reads the address and chooses the page.
func (r *root) arrive(ctx app.Context) {
	u := ctx.Page().URL()
	path := u.EscapedPath() // an id may hold a slash
	if path != r.path || r.visits == 0 {
		r.path = path
		r.visits++
		r.palette, r.keys = false, false
		popped := bridge.Popped()
		if r.visits > 1 {
			ctx.Defer(func(app.Context) {
				if !bridge.Focus("#main [autofocus]") {
					bridge.Focus("#main")
				}
				if !popped {
					bridge.ScrollTop()
				}
			})
		}
	}
	r.look(u)
	r.setTitle()
	switch {
	case r.route.page == nil, r.standing == unknown:
	case !r.route.open && r.standing == nobody:
		next := ""
		if path != "/" {
			next = "?next=" + escapeQuery(u.RequestURI())
		}
		Replace(ctx, "/sign-in"+next)
	case r.standing == somebody && (path == "/sign-in" || path == "/sign-up"):
		Replace(ctx, localPath(u.Query().Get("next")))
	case r.standing == somebody && path == "/" && len(r.session.Teams) > 0:
		Replace(ctx, teamPath(r.home()))
	}
	r.remember(ctx)
}

// look finds the page of an address.
func (r *root) look(u *url.URL) {
	found, params, ok := match(routes(), r.path)
	r.route, r.found = found, ok
	r.place = Place{
		API: r.gate.api, Path: r.path, Query: u.Query(), Outbox: r.config.Outbox, Drafts: r.drafts,
		User: r.session.User, Teams: r.session.Teams, Stopping: r.stopping(),
	}
	r.place.ID = params["id"] + params["code"]
	if id := params["team"]; id != "" && r.standing == somebody {
		r.place.Team, r.found = membership(r.session.Teams, id)
	}
}

// home returns the team where the person was last, the first one if they were
// nowhere yet or left it, "" if they are in none.
func (r *root) home() string {
	if m, ok := membership(r.session.Teams, r.session.User.LastTeam); ok {
		return m.Team.ID
	}
	if len(r.session.Teams) > 0 {
		return r.session.Teams[0].Team.ID
	}
	return ""
}

// remember has the server note the team that is looked at, for the next time. It
// is no reason to bother anybody if that fails.
func (r *root) remember(ctx app.Context) {
	team := r.place.Team.Team.ID
	if r.standing != somebody || team == "" || team == r.session.User.LastTeam {
		return
	}
	r.session.User.LastTeam = team
	change := api.UpdateAccount{LastTeam: api.Some(team)}
	kit.Do(ctx, r, func(ctx context.Context) error {
		_, err := r.gate.api.UpdateAccount(ctx, change)
		return err
	}, func(app.Context, error) {})
}

// forget lets go of who was signed in, and of all that was theirs. The page that
// is still there may keep a draft when it goes: in a map that nobody reads.
func (r *root) forget() {
	r.standing, r.session = nobody, api.Session{}
	r.drafts, r.toasts = map[string]token.Form{}, nil
}

func (r *root) setTitle() {
	title := r.route.title
	if !r.found {
		title = "Not found"
	}
	if r.place.Team.Team.Name != "" {
		title += " · " + r.place.Team.Team.Name
	}
	bridge.SetTitle(title + " · Gatehouse")
}

func membership(teams []api.Membership, id string) (api.Membership, bool) {
	for _, m := range teams {
		if m.Team.ID == id {
			return m, true
		}
	}
	return api.Membership{}, false
}

// signOut ends the session. Whatever the server says, nobody is signed in here
// afterwards as far as this page goes.
func (r *root) signOut(ctx app.Context) {
	theme := bridge.Theme()
	kit.Do(ctx, r, func(ctx context.Context) error { return r.gate.api.SignOut(ctx) }, func(ctx app.Context, err error) {
		if err != nil && client.Status(err) != 401 {
			kit.ToastError(ctx, err)
			return
		}
		if theme != "system" {
			bridge.SetTheme(theme) // the answer has cleared the browser's storage
		}
		r.forget()
		r.gate.arm("")
		ctx.Navigate("/sign-in")
	})
}

// signedIn takes up a session that a page has opened, and goes on to next.
func signedIn(ctx app.Context, next string) {
	ctx.NewActionWithValue(actionSignedIn, localPath(next))
}

const actionSignedIn = "signed-in"
