package ui

import (
	"net/url"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/token"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// Place is where a page is shown and to whom. Signed-out pages know no user.
type Place struct {
	API    *client.Client
	Path   string
	Query  url.Values
	ID     string         // {id} or {code} of the path
	Team   api.Membership // {team} of the path, with the person's role in it
	User   api.User
	Teams  []api.Membership
	Outbox bool // mails stay in the local outbox

	// Drafts are the new tokens that were begun, by team: in memory only, for as
	// long as somebody is signed in.
	Drafts map[string]token.Form

	Stopping map[string]string // tokens that are being stopped, by id, with the verb
}

// Get returns a parameter of the query, "" if it is not there.
func (p Place) Get(name string) string { return p.Query.Get(name) }

// With returns the address of this page with some parameters changed, given as
// name, value, name, value. An empty value takes the parameter away. The cursor
// of a list goes with any change but its own.
func (p Place) With(pairs ...string) string {
	q := url.Values{}
	for name, values := range p.Query {
		q[name] = slices.Clone(values)
	}
	q.Del("cursor")
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return p.Path
	}
	return p.Path + "?" + q.Encode()
}

// InTeam returns the address of a page of this team: InTeam("tokens", id).
func (p Place) InTeam(parts ...string) string { return teamPath(p.Team.Team.ID, parts...) }

// May reports whether the person has one of these roles in the team. It decides
// what is shown; what is allowed the server decides.
func (p Place) May(roles ...string) bool { return slices.Contains(roles, p.Team.Role) }

func teamPath(team string, parts ...string) string {
	path := "/teams/" + url.PathEscape(team)
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// The actions that pages ask of the root.
const (
	actionArrive  = "arrive"  // read the address again
	actionGo      = "go"      // to the address that is its value
	actionSession = "session" // fetch the session again: a name or a team changed
	actionShow    = "show"    // change the session that is shown by the func that is its value
	actionSignOut = "sign-out"
)

// Replace goes to another address of this program without a new entry in the
// history.
func Replace(ctx app.Context, address string) {
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	ctx.Page().ReplaceURL(ctx.Page().URL().ResolveReference(u))
	ctx.NewAction(actionArrive)
}

// Go goes to another address of this program from what leaves the page with it,
// such as a dialog that closes: ctx.Navigate would be lost with it.
func Go(ctx app.Context, address string) { ctx.NewActionWithValue(actionGo, address) }

// SessionChanged has the shell fetch who is signed in again, after a change to
// the person or a team.
func SessionChanged(ctx app.Context) { ctx.NewAction(actionSession) }

// ShowSession changes what the shell knows of the person and the teams before the
// server has agreed to it; SessionChanged is to follow in any case.
func ShowSession(ctx app.Context, change func(*api.Session)) {
	ctx.NewActionWithValue(actionShow, change)
}

// localPath returns next if it is a path of this program, otherwise /.
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\t\r\n") {
		return "/"
	}
	return next
}
