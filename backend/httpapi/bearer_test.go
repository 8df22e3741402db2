package httpapi_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/mongo"
	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// Every way to present a credential has its answer.
func TestBearerDoor(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		good := ada.token("good", "orders:read").Secret
		flipped := good[:len(good)-10] + flip(good[len(good)-10:])
		challenge := `Bearer realm="gatehouse", resource_metadata="` + w.url + `/.well-known/oauth-protected-resource"`
		invalid := `Bearer realm="gatehouse", error="invalid_token", error_description="The token is not valid"`
		twice := `Bearer realm="gatehouse", error="invalid_request", error_description="More than one credential was sent"`
		unknown := "gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"
		tests := []struct {
			name    string
			path    string
			headers []string // Authorization, each
			status  int
			kind    string
			www     string
		}{
			{"good", "", []string{"Bearer " + good}, 200, "", ""},
			{"in another case", "", []string{"bEARER " + good}, 200, "", ""},
			{"two spaces", "", []string{"Bearer  " + good}, 200, "", ""},
			{"no header", "", nil, 401, "no-token", challenge},
			{"an empty header", "", []string{""}, 401, "no-token", challenge},
			{"another scheme", "", []string{"Basic YTpi"}, 401, "no-token", challenge},
			{"no scheme", "", []string{good}, 401, "no-token", challenge},
			{"the scheme alone", "", []string{"Bearer"}, 401, "invalid-token", invalid},
			{"the scheme and spaces", "", []string{"Bearer   "}, 401, "invalid-token", invalid},
			{"garbage", "", []string{"Bearer garbage"}, 401, "invalid-token", invalid},
			{"wrong checksum", "", []string{"Bearer " + flip(good)}, 401, "invalid-token", invalid},
			{"wrong secret", "", []string{"Bearer " + flipped}, 401, "invalid-token", invalid},
			{"unknown", "", []string{"Bearer " + unknown}, 401, "invalid-token", invalid},
			{"with more behind it", "", []string{"Bearer " + good + " x"}, 401, "invalid-token", invalid},
			{"Unicode", "", []string{"Bearer gtk_live_\u00e9\u202e"}, 401, "invalid-token", invalid},
			{"very long", "", []string{"Bearer " + strings.Repeat("a", 9000)}, 401, "invalid-token", invalid},
			{"two headers", "", []string{"Bearer " + good, "Bearer " + good}, 400, "invalid-request", twice},
			{"two headers, one of another scheme", "", []string{"Bearer " + good, "Basic YTpi"}, 400, "invalid-request", twice},
			{"header and query", "?access_token=" + good, []string{"Bearer " + good}, 400, "invalid-request", twice},
			{"query alone", "?access_token=" + good, nil, 401, "no-token", challenge},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				a := w.raw(t, "GET", "/api/v1/token"+tt.path, tt.headers, "", "")
				if tt.status == 200 {
					a.want(t, 200)
					return
				}
				p := a.problem(t, tt.status, tt.kind)
				if got := a.header.Get("Www-Authenticate"); got != tt.www {
					t.Errorf("got WWW-Authenticate %s, want %s", got, tt.www)
				}
				if p.Token != "" || p.Code != "" {
					t.Errorf("a stranger is told %s", a.body)
				}
				if a.header.Get("Ratelimit") != "" {
					t.Error("a stranger is told of a limit")
				}
			})
		}
		t.Run("header and form", func(t *testing.T) {
			w.raw(t, "POST", "/api/v1/orders", []string{"Bearer " + good}, "application/x-www-form-urlencoded", "access_token="+good).
				problem(t, 400, "invalid-request")
		})
		t.Run("form alone", func(t *testing.T) {
			w.raw(t, "POST", "/api/v1/orders", nil, "application/x-www-form-urlencoded", "access_token="+good).problem(t, 401, "no-token")
		})
		t.Run("cookie alone", func(t *testing.T) {
			ada.call("GET", "/api/v1/token", nil).problem(t, 401, "no-token")
		})
		t.Run("a bearer opens no portal route", func(t *testing.T) {
			a := w.integration(good).call("GET", "/portal/v1/session", nil)
			a.problem(t, 401, "signed-out")
			if got := a.header.Get("Www-Authenticate"); got != `Session realm="gatehouse"` {
				t.Errorf("got %q", got)
			}
		})
	})
}

// flip changes the last character.
func flip(s string) string {
	if last := s[len(s)-1]; last != 'a' {
		return s[:len(s)-1] + "a"
	}
	return s[:len(s)-1] + "b"
}

// raw sends a request with exactly these Authorization fields, which net/http
// would not.
func (w *world) raw(t *testing.T, method, path string, authorization []string, media, body string) answer {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method, path)
	for _, h := range authorization {
		fmt.Fprintf(&b, "Authorization: %s\r\n", h)
	}
	if media != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Length: %d\r\n", media, len(body))
	}
	return w.send(t, b.String()+"\r\n"+body)
}

// send writes bytes to a connection of its own and reads the answer.
func (w *world) send(t *testing.T, text string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return read(t, bufio.NewReader(conn))
}

func read(t *testing.T, r *bufio.Reader) answer {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body := make([]byte, 0, 512)
	for {
		var chunk [512]byte
		n, err := resp.Body.Read(chunk[:])
		body = append(body, chunk[:n]...)
		if err != nil {
			return answer{resp.StatusCode, resp.Header, body, resp.Close}
		}
	}
}

// The holder of a whole secret is told what is the matter with it.
func TestHolderIsTold(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada, bob := w.signUp("Ada"), w.signUp("Bob")
		bob.join(ada, portal.Developer)
		inAda := *bob
		inAda.team = ada.team

		suspended := ada.token("suspended")
		ada.call("POST", ada.path("tokens", suspended.Token.ID, "suspend"), nil).want(t, 200)
		revoked := ada.token("revoked")
		ada.call("POST", ada.path("tokens", revoked.Token.ID, "revoke"), api.Reason{Reason: "unused"}).want(t, 200)
		in := newToken("pending")
		in.NotBefore = api.At(w.clock.now().Add(48 * time.Hour))
		pending := into[api.IssuedToken](t, ada.call("POST", ada.path("tokens"), in).want(t, 201))
		in = newToken("expired")
		in.ExpiresAt = api.At(w.clock.now().Add(time.Hour))
		expired := into[api.IssuedToken](t, ada.call("POST", ada.path("tokens"), in).want(t, 201))
		old := ada.token("rotated")
		ada.call("POST", ada.path("tokens", old.Token.ID, "rotate"), api.RotateToken{Activate: "now", OverlapSeconds: new(int)}).want(t, 201)
		orphan := inAda.token("orphan")
		shrunk := inAda.token("shrunk", "orders:read")
		if err := w.portal.RemoveMember(t.Context(), ada.principal(), ada.team, bob.id); err != nil {
			t.Fatal(err)
		}
		gone := w.integration(orphan.Secret).call("GET", "/api/v1/token", nil).problem(t, 401, "invalid-token")
		if gone.Code != "maker-gone" {
			t.Errorf("got %q, want maker-gone", gone.Code)
		}
		bob.join(ada, portal.Auditor)
		w.clock.advance(2 * time.Hour)

		for _, tt := range []struct{ secret, code string }{
			{suspended.Secret, "suspended"},
			{revoked.Secret, "revoked"},
			{pending.Secret, "not-yet-valid"},
			{expired.Secret, "expired"},
			{old.Secret, "generation-ended"},
		} {
			t.Run(tt.code, func(t *testing.T) {
				a := w.integration(tt.secret).call("GET", "/api/v1/token", nil)
				p := a.problem(t, 401, "invalid-token")
				if p.Code != tt.code || p.Token == "" || !strings.HasPrefix(p.Instance, "urn:gatehouse:decision:") {
					t.Errorf("got %s", a.body)
				}
				if !strings.Contains(a.header.Get("Www-Authenticate"), `error="invalid_token"`) {
					t.Errorf("got WWW-Authenticate %q", a.header.Get("Www-Authenticate"))
				}
			})
		}
		t.Run("role", func(t *testing.T) {
			a := w.integration(shrunk.Secret).call("GET", "/api/v1/orders", nil)
			if p := a.problem(t, 403, "insufficient-ability"); p.Reason != "role" {
				t.Errorf("got %s", a.body)
			}
		})
	})
}

func TestInsufficientAbilityIsNamed(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		issued := ada.token("reader", "orders:read")
		a := w.integration(issued.Secret).call("POST", "/api/v1/orders", `{}`)
		p := a.problem(t, 403, "insufficient-ability")
		if fmt.Sprint(p.RequiredAbilities, p.GrantedAbilities) != "[orders:write] [orders:read]" || p.Token != issued.Token.ID || p.RequestAccess == "" {
			t.Errorf("got %s", a.body)
		}
		if got := a.header.Get("Www-Authenticate"); got != `Bearer realm="gatehouse", error="insufficient_scope", scope="orders:write"` {
			t.Errorf("got WWW-Authenticate %q", got)
		}
		if got := a.header.Get("X-Accepted-Scopes"); got != "orders:write" {
			t.Errorf("got X-Accepted-Scopes %q", got)
		}
	})
}

func TestAddressRule(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		in := newToken("office")
		in.Addresses = []string{"203.0.113.0/24", "2001:db8::1"}
		c := w.integration(into[api.IssuedToken](t, ada.call("POST", ada.path("tokens"), in).want(t, 201)).Secret)
		for address, ok := range map[string]bool{
			"203.0.113.9": true, "::ffff:203.0.113.9": true, "2001:db8::1": true, "203.0.114.1": false, "2001:db8::2": false,
			"203.0.113.9, 198.51.100.1": false, "198.51.100.1, 203.0.113.9": true,
		} {
			a := c.call("GET", "/api/v1/token", nil, "X-Forwarded-For", address)
			if ok {
				a.want(t, 200)
			} else {
				a.problem(t, 403, "ip-not-allowed")
			}
		}
	})
}

func TestRateLimitFields(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		in := newToken("slow")
		in.RateLimit = &api.RateLimit{Quota: 3, WindowSeconds: 60}
		c := w.integration(into[api.IssuedToken](t, ada.call("POST", ada.path("tokens"), in).want(t, 201)).Secret)
		a := c.call("GET", "/api/v1/token", nil).want(t, 200)
		if got := a.header.Get("Ratelimit-Policy"); got != `"token";q=3;w=60` {
			t.Errorf("got RateLimit-Policy %q", got)
		}
		if got := a.header.Get("Ratelimit"); got != `"token";r=2;t=20` {
			t.Errorf("got RateLimit %q", got)
		}
		c.call("POST", "/api/v1/orders", `{}`).problem(t, 403, "insufficient-ability") // refusals count
		c.call("GET", "/api/v1/token", nil).want(t, 200)
		a = c.call("GET", "/api/v1/token", nil).want(t, 429)
		p := into[api.Problem](t, a)
		if p.Type != "https://iana.org/assignments/http-problem-types#quota-exceeded" || fmt.Sprint(p.ViolatedPolicies) != "[token]" {
			t.Errorf("got %s", a.body)
		}
		if got := a.header.Get("Retry-After"); got != "20" && got != "19" || p.RetryAfterSeconds == 0 {
			t.Errorf("got Retry-After %q", got)
		} else if limit := a.header.Get("Ratelimit"); limit != `"token";r=0;t=`+got {
			t.Errorf("got RateLimit %s, want the wait of Retry-After, %s", limit, got)
		}
		w.clock.advance(21 * time.Second)
		c.call("GET", "/api/v1/token", nil).want(t, 200)
	})
}

// Stopping is always possible: a token that has used its requests can still end
// itself, but from no other address than before.
func TestTokenEndsItselfBeyondItsLimit(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		in := newToken("spent")
		in.RateLimit = &api.RateLimit{Quota: 1, WindowSeconds: 3600}
		in.Addresses = []string{"203.0.113.0/24"}
		c := w.integration(into[api.IssuedToken](t, ada.call("POST", ada.path("tokens"), in).want(t, 201)).Secret)
		c.header.Set("X-Forwarded-For", "203.0.113.9")
		c.call("GET", "/api/v1/token", nil).want(t, 200)
		c.call("GET", "/api/v1/token", nil).want(t, 429)
		c.call("DELETE", "/api/v1/token", nil, "X-Forwarded-For", "198.51.100.1").problem(t, 403, "ip-not-allowed")
		a := c.call("DELETE", "/api/v1/token", nil).want(t, 200)
		if got := a.header.Get("Ratelimit"); !strings.HasPrefix(got, `"token";r=0;t=`) {
			t.Errorf("got RateLimit %s, want nothing remaining", got)
		}
		c.call("DELETE", "/api/v1/token", nil).problem(t, 401, "invalid-token")
	})
}

func TestTokenExpiresField(t *testing.T) {
	w := onOneStore(t, nil)
	ada := w.signUp("Ada")
	in := newToken("soon")
	in.ExpiresAt = api.At(w.clock.now().Add(20 * 24 * time.Hour))
	c := w.integration(into[api.IssuedToken](t, ada.call("POST", ada.path("tokens"), in).want(t, 201)).Secret)
	if got, want := c.call("GET", "/api/v1/token", nil).header.Get("Gatehouse-Token-Expires"), in.ExpiresAt.UTC().Format(time.RFC3339); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	later := w.integration(ada.token("later").Secret)
	if got := later.call("GET", "/api/v1/token", nil).header.Get("Gatehouse-Token-Expires"); got != "" {
		t.Errorf("got %q, want nothing 90 days ahead", got)
	}
}

// A change is in force for the very next request, on the connection that was
// open before.
func TestRevocationOnTheSameConnection(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		for _, change := range []string{"suspend", "revoke"} {
			issued := ada.token("to "+change, "orders:read")
			conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			ask := func() answer {
				fmt.Fprintf(conn, "GET /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", issued.Secret)
				return read(t, r)
			}
			for range 5 {
				ask().want(t, 200)
			}
			ada.call("POST", ada.path("tokens", issued.Token.ID, change), nil).want(t, 200)
			ask().problem(t, 401, "invalid-token")
		}
	})
}

// A change that one server answered is in force for the next request to another
// that shares the database.
func TestRevocationOnAnotherNode(t *testing.T) {
	uri := mongotest.Start(t)
	keys, err := secret.InitKeys(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	var nodes [2]*world
	for i := range nodes {
		s, err := mongo.Open(t.Context(), uri)
		if err != nil {
			t.Fatal(err)
		}
		nodes[i] = newNode(t, s, nil, keys, nil)
	}
	ada := nodes[0].signUp("Ada")
	for i := range 20 {
		issued := ada.token(fmt.Sprintf("token %d", i), "orders:read")
		there := nodes[1].integration(issued.Secret)
		there.call("GET", "/api/v1/orders", nil).want(t, 200)
		ada.call("POST", ada.path("tokens", issued.Token.ID, "revoke"), nil).want(t, 200)
		there.call("GET", "/api/v1/orders", nil).problem(t, 401, "invalid-token")
	}
}

func TestCallsAreRecorded(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		issued := ada.token("watched", "orders:read")
		c := w.integration(issued.Secret)
		a := c.call("GET", "/api/v1/orders/nothing", nil, "X-Forwarded-For", "203.0.113.77", "User-Agent", "erp/1.0 \u00fc")
		a.problem(t, 404, "not-found")
		c.call("POST", "/api/v1/orders", `{}`).want(t, 403)
		var calls []api.Call
		eventually(t, "two calls are recorded", func() bool {
			calls = into[api.List[api.Call]](t, ada.call("GET", ada.path("tokens", issued.Token.ID, "calls"), nil).want(t, 200)).Data
			return len(calls) == 2
		})
		got := calls[1]
		if got.Route != "/api/v1/orders/:id" || got.Status != 404 || got.Code != "ok" || got.Address != "203.0.113.77" ||
			got.UserAgent != "erp/1.0 \u00fc" || got.RequestID != a.header.Get("X-Request-Id") || got.Bytes != int64(len(a.body)) || got.Method != "GET" {
			t.Errorf("got %+v", got)
		}
		if calls[0].Code != "insufficient-ability" || calls[0].Status != 403 {
			t.Errorf("got %+v", calls[0])
		}
	})
}
