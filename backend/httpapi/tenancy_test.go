package httpapi_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// goldenRoutes reads the table of routes as a reader sees it: method, path,
// rule.
func goldenRoutes(t testing.TB) [][3]string {
	t.Helper()
	text, err := os.ReadFile("testdata/routes.golden")
	if err != nil {
		t.Fatal(err)
	}
	var routes [][3]string
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		routes = append(routes, [3]string{f[0], f[1], strings.Join(f[2:], " ")})
	}
	return routes
}

// bodyFor is a body that a route takes, so that what refuses is not the body.
func bodyFor(method, path string) any {
	switch {
	case method == "GET" || method == "DELETE":
		return nil
	case strings.HasSuffix(path, "/tokens"):
		return newToken("stolen", "orders:read")
	case path == "/api/v1/orders":
		return api.CreateOrder{Reference: "r", Currency: "EUR", AmountMinor: new(int64(1))}
	case strings.HasPrefix(path, "/api/v1/orders/"):
		return `{"reference":"stolen"}`
	case method == "PATCH":
		return `{"name":"stolen"}`
	default:
		return `{}`
	}
}

// comparable takes out of a problem what differs between any two requests.
func comparable(t *testing.T, a answer) api.Problem {
	t.Helper()
	p := into[api.Problem](t, a)
	p.RequestID, p.Instance = "", ""
	return p
}

// Every route of a team answers the ids of another team as it answers ids that
// do not exist, in status and body, and changes nothing.
func TestOtherTenantsDoNotExist(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada, eve := w.signUp("Ada"), w.signUp("Eve")
		hers := ada.token("hers", "orders:read", "orders:write")
		before := ada.call("GET", ada.path("events"), nil).want(t, 200)
		seen := 0
		for _, r := range goldenRoutes(t) {
			method, path := r[0], r[1]
			if !strings.Contains(path, ":team") {
				continue
			}
			seen++
			try := func(team, id string) answer {
				p := strings.NewReplacer(":team", team, ":id", id).Replace(path)
				return eve.call(method, p, bodyFor(method, path), "If-Match", "*")
			}
			wrong := try("tea_01JD8R2T7Q01JD8R2T7Q01JD8R", hers.Token.ID)
			theirs := try(ada.team, hers.Token.ID)
			theirs.problem(t, 404, "not-found")
			if a, b := comparable(t, wrong), comparable(t, theirs); a.Detail != b.Detail || a.Type != b.Type || a.Fix != b.Fix {
				t.Errorf("%s %s: a team of others answers %s, a wrong id %s", method, path, theirs.body, wrong.body)
			}
			for _, id := range []string{`{"$gt":""}`, "%7B%22$gt%22:%22%22%7D", "..", "%00", "%2e%2e", "%C3%A9", strings.Repeat("x", 300)} {
				try(id, "x").problem(t, 404, "not-found")
			}
			if strings.Contains(path, ":id") { // one's own team, another's token
				wrong, theirs := try(eve.team, "000000000000"), try(eve.team, hers.Token.ID)
				theirs.problem(t, 404, "not-found")
				if a, b := comparable(t, wrong), comparable(t, theirs); a.Detail != b.Detail {
					t.Errorf("%s %s: a token of others answers %s, a wrong id %s", method, path, theirs.body, wrong.body)
				}
			}
		}
		if seen < 20 {
			t.Errorf("only %d routes of teams were tried", seen)
		}
		if after := ada.call("GET", ada.path("events"), nil).want(t, 200); !bytes.Equal(before.body, after.body) {
			t.Errorf("something happened to the other team:\n%s", after.body)
		}
		w.integration(hers.Secret).call("GET", "/api/v1/token", nil).want(t, 200)
	})
}

// Orders of another team, and of the other environment, do not exist either.
func TestOtherTenantsOrders(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada, eve := w.signUp("Ada"), w.signUp("Eve")
		hers := w.integration(ada.token("hers", "orders:read", "orders:write").Secret)
		his := w.integration(eve.token("his", "orders:read", "orders:write").Secret)
		in := newToken("trial", "orders:read", "orders:write")
		in.Env = "test"
		trial := w.integration(into[api.IssuedToken](t, ada.call("POST", ada.path("tokens"), in).want(t, 201)).Secret)
		o := into[api.Order](t, hers.call("POST", "/api/v1/orders", api.CreateOrder{Reference: "PO-1", Currency: "EUR", AmountMinor: new(int64(1))}).want(t, 201))
		for _, c := range []*client{his, trial} {
			for _, method := range []string{"GET", "PATCH", "DELETE"} {
				theirs := c.call(method, "/api/v1/orders/"+o.ID, bodyFor(method, "/api/v1/orders/x"), "If-Match", `"1.0"`)
				theirs.problem(t, 404, "not-found")
				wrong := c.call(method, "/api/v1/orders/ord_x", bodyFor(method, "/api/v1/orders/x"), "If-Match", `"1.0"`)
				if a, b := comparable(t, wrong), comparable(t, theirs); a.Detail != b.Detail {
					t.Errorf("%s: got %s, a wrong id %s", method, theirs.body, wrong.body)
				}
			}
			if list := into[api.List[api.Order]](t, c.call("GET", "/api/v1/orders", nil).want(t, 200)); len(list.Data) != 0 {
				t.Errorf("got %d orders of others", len(list.Data))
			}
		}
		hers.call("PATCH", "/api/v1/orders/"+o.ID, `{"reference":"PO-2"}`).problem(t, 428, "precondition-required")
		a := hers.call("GET", "/api/v1/orders/"+o.ID, nil).want(t, 200)
		changed := hers.call("PATCH", "/api/v1/orders/"+o.ID, `{"reference":"PO-2","lines":[{"sku":"a","quantity":1}]}`, "If-Match", a.header.Get("Etag")).want(t, 200)
		hers.call("DELETE", "/api/v1/orders/"+o.ID, nil, "If-Match", a.header.Get("Etag")).problem(t, 412, "precondition-failed")
		got := into[api.Order](t, hers.call("DELETE", "/api/v1/orders/"+o.ID, nil, "If-Match", changed.header.Get("Etag")).want(t, 200))
		if got.Status != "cancelled" || got.Reference != "PO-2" || len(got.Lines) != 1 {
			t.Errorf("got %+v", got)
		}
		hers.call("PATCH", "/api/v1/orders/"+o.ID, `{"reference":"x"}`, "If-Match", "*").problem(t, 409, "conflict")
	})
}

// Every route that asks for a session refuses without one, and every API route
// without a token.
func TestEveryRouteIsClosed(t *testing.T) {
	w := onOneStore(t, nil)
	b, c := w.browser(nextAddress()), w.integration("")
	fill := strings.NewReplacer(":team", "tea_x", ":id", "x")
	for _, r := range goldenRoutes(t) {
		method, path, rule := r[0], fill.Replace(r[1]), r[2]
		switch {
		case strings.HasPrefix(rule, "session"):
			b.call(method, path, bodyFor(method, r[1])).problem(t, 401, "signed-out")
		case strings.HasPrefix(rule, "token"):
			c.call(method, path, bodyFor(method, r[1])).problem(t, 401, "no-token")
		}
		if rule == "anyone" && method != "GET" {
			c.call(method, path, `{}`).problem(t, 403, "cross-site-request")
			b.call(method, path, `{`).problem(t, 400, "bad-request")
			b.call(method, path, `{"x":1}`).problem(t, 422, "invalid")
		}
	}
}

// Each role is refused exactly what the table says it may not do.
func TestRoles(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		for _, role := range portal.Roles {
			p := w.signUp(strings.ToUpper(string(role[:1])) + string(role[1:]))
			p.join(ada, role)
			for _, r := range goldenRoutes(t) {
				method, path, rule := r[0], r[1], r[2]
				_, roles, ok := strings.Cut(rule, "(")
				if !ok {
					continue
				}
				roles, _, _ = strings.Cut(roles, ")")
				may := strings.Contains(", "+roles+",", ", "+string(role)+",")
				own := strings.Contains(rule, "their own") && role == portal.Developer
				w.clock.advance(time.Second)
				id := ada.token("for " + string(role) + " " + method + path).Token.ID
				a := p.call(method, strings.NewReplacer(":team", ada.team, ":id", id).Replace(path), bodyFor(method, path), "If-Match", "*")
				switch {
				case own: // somebody else's token
				case may && (a.status == 403 || a.status == 404):
					t.Errorf("%s %s as %s: got %d, but the table allows it: %s", method, path, role, a.status, a.body)
				case !may:
					if got := a.problem(t, 403, "role-not-allowed"); len(got.Roles) == 0 {
						t.Errorf("%s %s as %s: nobody is named who may: %s", method, path, role, a.body)
					}
				}
				if own && strings.HasPrefix(rule, "session may manage") {
					a.problem(t, 403, "role-not-allowed")
				}
			}
		}
	})
}

// Developers may do with the tokens that they made what admins may with all.
func TestDevelopersOwnTokens(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada, dev := w.signUp("Ada"), w.signUp("Dev")
		dev.join(ada, portal.Developer)
		hers := ada.token("hers")
		dev.team = ada.team
		mine := dev.token("mine")
		dev.call("POST", dev.path("tokens", mine.Token.ID, "suspend"), nil).want(t, 200)
		list := into[api.List[api.Token]](t, dev.call("GET", dev.path("tokens"), nil).want(t, 200))
		for _, tok := range list.Data {
			if tok.MayManage != (tok.ID == mine.Token.ID) {
				t.Errorf("%s: got may_manage %v", tok.Name, tok.MayManage)
			}
		}
		events := into[api.List[api.Event]](t, dev.call("GET", dev.path("events"), nil).want(t, 200))
		for _, e := range events.Data {
			if e.Target != mine.Token.ID {
				t.Errorf("a developer sees %s of %s", e.Action, e.Target)
			}
		}
		if len(events.Data) != 2 {
			t.Errorf("got %d events, want 2", len(events.Data))
		}
		dev.call("GET", dev.path("tokens", mine.Token.ID, "events"), nil).want(t, 200)
		dev.call("GET", dev.path("tokens", hers.Token.ID, "events"), nil).problem(t, 403, "role-not-allowed")
	})
}
