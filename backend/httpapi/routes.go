package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// portalSpace and apiSpace are where the two doors are.
const (
	portalSpace = "/portal/v1/"
	apiSpace    = "/api/v1/"
)

// route is one line of the table: what is served, to whom, and how it is
// described in openapi.json.
type route struct {
	method string
	path   string
	access access
	handle func(*Server, *fiber.Ctx) error
	about  string // a sentence without a full stop
	spec   spec

	need ability.Set // of access.abilities, once mounted
	list string      // the same as text, for headers

	names     string // the same, for sentences
	challenge string // the WWW-Authenticate of a token that lacks them
}

// spec is what openapi.json says of a route beyond its path: the types of the
// bodies (nil: none), the status of success (0: 200), the query parameters and
// what holds for its headers.
type spec struct {
	in, out any
	status  int
	bare    bool   // the body may be left out
	query   string // names, separated by spaces; name=rules where a name alone does not say what may stand there
	match   bool   // If-Match is needed
	once    bool   // Idempotency-Key is honoured

	throttled bool // 429: it can be asked only so often
	absent    bool // 404: it may not be there
	down      bool // 503: it says whether the server is ready
}

// template returns the path pattern, "" if no route matched.
func (rt *route) template() string {
	if rt == nil {
		return ""
	}
	return rt.path
}

func (r *request) template() string { return r.route.template() }

// mount binds a route to its door. The rule stands with the route, so no path
// can be spelled in a way that goes around it.
func (s *Server) mount(rt *route) {
	var h fiber.Handler
	switch rt.access.door {
	case doorPublic:
		h = func(c *fiber.Ctx) error {
			of(c).route = rt
			return rt.handle(s, c)
		}
	case doorAnyone:
		h = s.anyone(rt)
	case doorSession:
		h = s.session(rt)
	case doorToken:
		rt.need = s.portal.Catalogue().Index().Set(rt.access.abilities)
		rt.list, rt.names = strings.Join(rt.access.abilities, " "), strings.Join(rt.access.abilities, ", ")
		rt.challenge = `Bearer realm="` + realm + `", error="insufficient_scope", scope="` + rt.list + `"`
		h = s.bearer(rt)
	default:
		panic("a route without a rule: " + rt.method + " " + rt.path)
	}
	if rt.method == fiber.MethodGet {
		s.app.Get(rt.path, h) // HEAD too
		return
	}
	s.app.Add(rt.method, rt.path, h)
}

const (
	get    = fiber.MethodGet
	post   = fiber.MethodPost
	patch  = fiber.MethodPatch
	remove = fiber.MethodDelete

	team      = "/portal/v1/teams/:team"
	teamToken = team + "/tokens/:id"

	pageQuery  = "limit cursor"
	usageQuery = "from to step by"
	callQuery  = "status=call-status route address from to " + pageQuery
	eventQuery = "action actor target from to " + pageQuery
)

// table is every route that there is. A new one is a line here and a handler in
// the file of its noun; testdata/routes.golden and openapi.json follow.
func table() []route {
	var none any
	return []route{
		// People: sign-up, sign-in, account.
		{method: post, path: "/portal/v1/sign-up", access: anyone(), handle: (*Server).signUp, about: "Ask for an account; a mail is sent in any case", spec: spec{in: api.SignUp{}, out: api.Empty{}, status: 202, throttled: true}},
		{method: post, path: "/portal/v1/verify-email", access: anyone(), handle: (*Server).verifyEmail, about: "Verify an address with the code of the mail", spec: spec{in: api.VerifyEmail{}, out: api.SignInResult{}, throttled: true}},
		{method: post, path: "/portal/v1/verify-email/resend", access: anyone(), handle: (*Server).resendVerification, about: "Send the mail of a sign-up again", spec: spec{in: api.ResendVerification{}, out: api.Empty{}, status: 202, throttled: true}},
		{method: post, path: "/portal/v1/sessions", access: anyone(), handle: (*Server).signIn, about: "Sign in", spec: spec{in: api.SignIn{}, out: api.SignInResult{}, throttled: true}},
		{method: get, path: "/portal/v1/session", access: signedIn(), handle: (*Server).showSession, about: "Who is signed in", spec: spec{out: api.Session{}}},
		{method: remove, path: "/portal/v1/session", access: signedIn().beyondLimit(), handle: (*Server).signOut, about: "Sign out", spec: spec{out: none, status: 204}},
		{method: post, path: "/portal/v1/session/confirm", access: signedIn().beyondLimit(), handle: (*Server).confirmPassword, about: "Give the password again", spec: spec{in: api.ConfirmPassword{}, out: api.Fresh{}, throttled: true}},
		{method: patch, path: "/portal/v1/account", access: signedIn(), handle: (*Server).updateAccount, about: "Change one's own name, or remember the team looked at last", spec: spec{in: api.UpdateAccount{}, out: api.User{}}},
		{method: post, path: "/portal/v1/account/password", access: signedIn().beyondLimit(), handle: (*Server).changePassword, about: "Change one's own password; other sessions end", spec: spec{in: api.ChangePassword{}, status: 204, throttled: true}},
		{method: get, path: "/portal/v1/account/events", access: signedIn(), handle: (*Server).listAccountEvents, about: "One's own security log", spec: spec{out: api.List[api.Event]{}, query: eventQuery}},
		{method: get, path: "/portal/v1/catalogue", access: signedIn(), handle: (*Server).showCatalogue, about: "Abilities, defaults, roles and token policy", spec: spec{out: api.Catalogue{}}},

		// Teams.
		{method: get, path: "/portal/v1/teams", access: signedIn(), handle: (*Server).listTeams, about: "One's own teams", spec: spec{out: api.List[api.Membership]{}}},
		{method: post, path: "/portal/v1/teams", access: signedIn(), handle: (*Server).createTeam, about: "Make a team and own it", spec: spec{in: api.CreateTeam{}, out: api.Team{}, status: 201, once: true, throttled: true}},
		{method: get, path: team, access: member(portal.ViewTeam), handle: (*Server).showTeam, about: "A team", spec: spec{out: api.Team{}}},
		{method: patch, path: team, access: member(portal.EditTeam), handle: (*Server).updateTeam, about: "Rename a team", spec: spec{in: api.UpdateTeam{}, out: api.Team{}, match: true}},
		{method: get, path: team + "/members", access: member(portal.ViewTeam), handle: (*Server).listMembers, about: "The members of a team", spec: spec{out: api.List[api.Member]{}}},

		// Tokens.
		{method: get, path: team + "/tokens", access: member(portal.ViewTokens), handle: (*Server).listTokens, about: "The tokens of a team", spec: spec{out: api.List[api.Token]{}, query: "status=token-status env ability maker q sort " + pageQuery}},
		{method: post, path: team + "/tokens", access: member(portal.CreateTokens).afresh(), handle: (*Server).createToken, about: "Make a token; the only answer with its secret", spec: spec{in: api.CreateToken{}, out: api.IssuedToken{}, status: 201, once: true, throttled: true}},
		{method: post, path: team + "/tokens/revoke-all", access: member(portal.RevokeEvery).beyondLimit(), handle: (*Server).revokeAllTokens, about: "Revoke every token of a team, or of one member", spec: spec{in: api.RevokeAll{}, bare: true, out: api.RevokedAll{}}},
		{method: get, path: teamToken, access: member(portal.ViewTokens), handle: (*Server).showToken, about: "A token", spec: spec{out: api.Token{}}},
		{method: patch, path: teamToken, access: member(portal.ManageOwn), handle: (*Server).updateToken, about: "Change a token; widening needs a fresh password", spec: spec{in: api.UpdateToken{}, out: api.Token{}, match: true}},
		{method: post, path: teamToken + "/rotate", access: member(portal.ManageOwn).afresh().beyondLimit(), handle: (*Server).rotateToken, about: "Make the next secret of a token", spec: spec{in: api.RotateToken{}, bare: true, out: api.IssuedToken{}, status: 201, once: true, throttled: true}},
		{method: post, path: teamToken + "/rotate/finish", access: member(portal.ManageOwn).beyondLimit(), handle: (*Server).finishRotation, about: "End the overlap of a rotation now", spec: spec{out: api.Token{}}},
		{method: post, path: teamToken + "/rotate/undo", access: member(portal.ManageOwn).beyondLimit(), handle: (*Server).undoRotation, about: "Cancel a secret that was not used yet", spec: spec{out: api.Token{}}},
		{method: post, path: teamToken + "/suspend", access: member(portal.ManageOwn).beyondLimit(), handle: (*Server).suspendToken, about: "Stop a token for now", spec: spec{in: api.Reason{}, bare: true, out: api.Receipt{}}},
		{method: post, path: teamToken + "/resume", access: member(portal.ManageOwn).afresh(), handle: (*Server).resumeToken, about: "Let a suspended token work again", spec: spec{in: api.Reason{}, bare: true, out: api.Receipt{}}},
		{method: post, path: teamToken + "/revoke", access: member(portal.ManageOwn).beyondLimit(), handle: (*Server).revokeToken, about: "End a token for good", spec: spec{in: api.Reason{}, bare: true, out: api.Receipt{}}},

		// What tokens did, and what was done.
		{method: get, path: team + "/usage", access: member(portal.ViewUsage), handle: (*Server).showUsage, about: "Calls per hour or day", spec: spec{out: api.Usage{}, query: "token " + usageQuery}},
		{method: get, path: teamToken + "/usage", access: member(portal.ViewUsage), handle: (*Server).showUsage, about: "Calls of one token per hour or day", spec: spec{out: api.Usage{}, query: usageQuery}},
		{method: get, path: team + "/calls", access: member(portal.ViewUsage), handle: (*Server).listCalls, about: "Single calls, newest first", spec: spec{out: api.List[api.Call]{}, query: "token " + callQuery}},
		{method: get, path: teamToken + "/calls", access: member(portal.ViewUsage), handle: (*Server).listCalls, about: "Single calls of one token, newest first", spec: spec{out: api.List[api.Call]{}, query: callQuery}},
		{method: get, path: team + "/events", access: member(portal.ViewOwnEvents), handle: (*Server).listEvents, about: "What happened, newest first; developers see their own tokens'", spec: spec{out: api.List[api.Event]{}, query: eventQuery}},
		{method: get, path: teamToken + "/events", access: member(portal.ViewOwnEvents), handle: (*Server).listEvents, about: "What happened to one token, newest first", spec: spec{out: api.List[api.Event]{}, query: eventQuery}},
		{method: get, path: team + "/events/chain", access: member(portal.ViewEvents), handle: (*Server).showChain, about: "The head of the team's chain of events, after all of it was verified", spec: spec{out: api.ChainState{}, throttled: true}},
		{method: get, path: team + "/events/export", access: member(portal.ViewEvents), handle: (*Server).exportEvents, about: "Every event, oldest first, one JSON object a line", spec: spec{out: ndjson{}, throttled: true}},

		// The public API.
		{method: get, path: "/api/v1/token", access: token(), handle: (*Server).whoAmI, about: "The token that asks", spec: spec{out: api.WhoAmI{}}},
		{method: remove, path: "/api/v1/token", access: token().beyondLimit(), handle: (*Server).revokeSelf, about: "Revoke the token that asks", spec: spec{out: api.Receipt{}}},
		{method: post, path: "/api/v1/token/rotate", access: token("token:rotate"), handle: (*Server).rotateSelf, about: "Make the next secret of the token that asks", spec: spec{in: api.RotateToken{}, bare: true, out: api.IssuedToken{}, status: 201, once: true}},
		{method: get, path: "/api/v1/orders", access: token("orders:read"), handle: (*Server).listOrders, about: "Orders, newest first", spec: spec{out: api.List[api.Order]{}, query: pageQuery}},
		{method: post, path: "/api/v1/orders", access: token("orders:write"), handle: (*Server).createOrder, about: "Place an order", spec: spec{in: api.CreateOrder{}, out: api.Order{}, status: 201, once: true}},
		{method: get, path: "/api/v1/orders/:id", access: token("orders:read"), handle: (*Server).showOrder, about: "An order", spec: spec{out: api.Order{}}},
		{method: patch, path: "/api/v1/orders/:id", access: token("orders:write"), handle: (*Server).updateOrder, about: "Change an order", spec: spec{in: api.UpdateOrder{}, out: api.Order{}, match: true, once: true}},
		{method: remove, path: "/api/v1/orders/:id", access: token("orders:write"), handle: (*Server).cancelOrder, about: "Cancel an order", spec: spec{out: api.Order{}, match: true, once: true}},
		{method: get, path: "/api/v1/usage", access: token("usage:read"), handle: (*Server).showOwnUsage, about: "Calls of the token that asks per hour or day", spec: spec{out: api.Usage{}, query: usageQuery}},

		// Discovery and operation.
		{method: get, path: "/portal/v1/outbox", access: anyone(), handle: (*Server).listOutbox, about: "Mail in the local outbox, newest first; 404 when mail leaves for real", spec: spec{out: api.List[api.Mail]{}, absent: true}},
		{method: get, path: "/portal/v1/outbox/:id", access: anyone(), handle: (*Server).showMail, about: "One mail of the local outbox", spec: spec{out: api.Mail{}}},
		{method: post, path: "/portal/v1/crash-reports", access: anyone(), handle: (*Server).reportCrash, about: "Tell that the browser program stopped", spec: spec{in: api.CrashReport{}, status: 204, throttled: true}},
		{method: get, path: "/healthz", access: public(), handle: (*Server).healthz, about: "The process is alive", spec: spec{out: status{}}},
		{method: get, path: "/readyz", access: public(), handle: (*Server).readyz, about: "The database is reachable and migrated, the keys are loaded", spec: spec{out: status{}, down: true}},
		{method: get, path: "/version", access: public(), handle: (*Server).showVersion, about: "The versions of the server and the browser program", spec: spec{out: versions{}}},
		{method: get, path: "/openapi.json", access: public(), handle: (*Server).showOpenAPI, about: "This description", spec: spec{out: map[string]any{}}},
		{method: get, path: "/.well-known/oauth-protected-resource", access: public(), handle: (*Server).protectedResource, about: "How the API is called (RFC 9728)", spec: spec{out: resourceMetadata{}}},
		{method: get, path: "/.well-known/security.txt", access: public(), handle: (*Server).securityText, about: "Whom to tell of a weakness (RFC 9116)", spec: spec{out: plainText("")}},
		{method: get, path: "/problems", access: public(), handle: (*Server).listProblems, about: "Every problem type", spec: spec{out: plainText("")}},
		{method: get, path: "/problems/:kind", access: public(), handle: (*Server).showProblem, about: "What a problem type means", spec: spec{out: plainText("")}},
		{method: get, path: "/assets/:name", access: public(), handle: (*Server).serveAsset, about: "A file of the browser program", spec: spec{out: plainText("")}},
	}
}

// plainText marks an answer that is no JSON, ndjson one that is JSON lines.
type (
	plainText string
	ndjson    struct{}
)
