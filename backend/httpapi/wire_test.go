package httpapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func TestPathsAreStrict(t *testing.T) {
	w := onOneStore(t, nil)
	ada := w.signUp("Ada")
	c := w.integration(ada.token("x").Secret)
	for _, path := range []string{
		"/API/V1/TOKEN", "/api/v1/token/", "/api/v1//token", "//api/v1/token", "/api/v1/Token", "/api/v1/./token", "/api/v1/x/../token",
		"/api/v1/%74oken", "/api", "/api/v1", "/api/v2/token", "/portal/v1/", "/portal/v1/Session", "/assets/", "/assets/x.js",
		"/problems/nothing", "/.well-known/x", "/metrics", "/api/v1/token;x", "/api/v1/orders/%2e%2e/token",
	} {
		c.call("GET", path, nil).problem(t, 404, "not-found")
	}
}

func TestWrongMethods(t *testing.T) {
	w := onOneStore(t, nil)
	ada := w.signUp("Ada")
	for path, want := range map[string]string{
		"/api/v1/token":        "DELETE, GET, HEAD",
		"/api/v1/token/rotate": "POST",
		"/api/v1/orders/x":     "DELETE, GET, HEAD, PATCH",
		"/portal/v1/sessions":  "POST",
		"/healthz":             "GET, HEAD",
		ada.path("tokens"):     "GET, HEAD, POST",
	} {
		for _, method := range []string{"PUT", "OPTIONS", "TRACE"} {
			a := ada.call(method, path, nil)
			a.problem(t, 405, "method-not-allowed")
			allow := strings.Split(a.header.Get("Allow"), ", ")
			slices.Sort(allow)
			if got := strings.Join(allow, ", "); got != want {
				t.Errorf("%s %s: got Allow %s, want %s", method, path, got, want)
			}
		}
	}
	w.send(t, "BREW /api/v1/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").problem(t, 501, "method-not-implemented")
	w.send(t, "get /api/v1/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").problem(t, 501, "method-not-implemented")
}

func TestSizes(t *testing.T) {
	w := onOneStore(t, nil)
	ada := w.signUp("Ada")
	big := `{"name":"` + strings.Repeat("x", 10<<20) + `"}`
	for range 5 {
		ada.call("POST", "/portal/v1/teams", big).problem(t, 413, "body-too-large")
	}
	ada.call("POST", "/portal/v1/teams", `{"name":"`+strings.Repeat("x", 60_000)+`"}`).problem(t, 422, "invalid")
	chunked := "POST /portal/v1/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
	w.send(t, chunked+"20000\r\n"+strings.Repeat("x", 0x20000)+"\r\n0\r\n\r\n").problem(t, 413, "body-too-large")
	head := "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x", 64<<10) + "\r\n\r\n"
	w.send(t, head).problem(t, 431, "header-fields-too-large")
	ada.call("POST", "/portal/v1/teams", "name=x", "Content-Type", "application/x-www-form-urlencoded").problem(t, 415, "unsupported-media-type")
	ada.call("POST", "/portal/v1/teams", "{}", "Content-Encoding", "gzip").problem(t, 415, "unsupported-media-type")
	for _, tt := range []struct{ method, field, value, accept, takes string }{
		{"POST", "Content-Type", "text/plain", "Accept", "application/json"},
		{"POST", "Content-Type", "application/json; charset=latin1", "Accept", "application/json"},
		{"PATCH", "Content-Type", "text/plain", "Accept-Patch", "application/merge-patch+json, application/json"},
		{"POST", "Content-Encoding", "br", "Accept-Encoding", "identity"},
	} {
		path := map[string]string{"POST": "/portal/v1/teams", "PATCH": "/portal/v1/account"}[tt.method]
		a := ada.call(tt.method, path, "{}", tt.field, tt.value)
		if a.problem(t, 415, "unsupported-media-type"); a.header.Get(tt.accept) != tt.takes {
			t.Errorf("%s of %s: got %s %q, want %q", tt.method, tt.value, tt.accept, a.header.Get(tt.accept), tt.takes)
		}
	}
	w.send(t, "GET\r\n\r\n").problem(t, 400, "bad-request")
}

// A request that arrives bit by bit holds a connection only so long.
func TestSlowRequests(t *testing.T) {
	w := onOneStore(t, func(o *httpapi.Options) { o.ReadTimeout = 300 * time.Millisecond })
	for name, begin := range map[string]string{
		"header": "POST /portal/v1/sessions HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"body":   "POST /portal/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		began := time.Now()
		fmt.Fprint(conn, begin)
		go func() {
			for range 100 {
				time.Sleep(50 * time.Millisecond)
				if _, err := conn.Write([]byte(" ")); err != nil {
					return
				}
			}
		}()
		a := read(t, bufio.NewReader(conn))
		if a.problem(t, 408, "request-timeout"); !a.closes {
			t.Errorf("%s: the connection goes on", name)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: refused after %v", name, took)
		}
	}
	for range 100 { // lines are written a few times a second
		if strings.Contains(w.log.String(), `"status":408`) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if log := w.log.String(); !strings.Contains(log, `"address":"127.0.0.1"`) {
		t.Errorf("the log does not say who was slow:\n%s", log)
	}
}

// Who keeps a connection is told to leave before it is closed, so that a
// shutdown loses no request.
func TestDrainingSendsClientsAway(t *testing.T) {
	w := onOneStore(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	ask := func() answer {
		fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		return read(t, r).want(t, 200)
	}
	if ask().closes {
		t.Error("the connection closes before the server drains")
	}
	w.server.Drain()
	if !ask().closes {
		t.Error("the connection goes on while the server drains")
	}
}

func TestConnectionsEndWhenServerStops(t *testing.T) {
	w := onOneStore(t, nil)
	c := w.integration("")
	c.call("GET", "/healthz", nil).want(t, 200) // leaves an idle connection
	began := time.Now()
	if err := w.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("shutdown took %v with an idle connection", took)
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(w.url, "http://"), time.Second); err == nil {
		t.Error("the server still listens")
	}
}

// golden compares text with a file of testdata; go test -update rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if flag.Lookup("update").Value.String() == "true" { // routes_test.go has it
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs (go test -update rewrites it). Got:\n%s", path, got)
	}
}

// headersOf writes the fields of an answer that do not differ between requests.
func headersOf(w *world, what string, a answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %d\n", what, a.status)
	names := make([]string, 0, len(a.header))
	for name := range a.header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range a.header[name] {
			switch name {
			case "Date", "X-Request-Id", "Content-Length", "Etag", "Ratelimit", "Link", "Location":
				v = "…"
			case "Set-Cookie":
				before, after, _ := strings.Cut(v, "=")
				_, after, _ = strings.Cut(after, ";")
				v = before + "=…;" + after
				if at := strings.Index(v, "expires="); at >= 0 {
					v = v[:at] + "expires=…" + v[at+len("expires=Thu, 01 Jan 1970 00:00:00 GMT"):]
				}
			}
			fmt.Fprintf(&b, "%s: %s\n", name, strings.ReplaceAll(v, w.url, "https://portal.example.com"))
		}
	}
	return b.String() + "\n"
}

func TestHeadersGolden(t *testing.T) {
	w := onOneStore(t, nil)
	ada := w.signUp("Ada")
	issued := ada.call("POST", ada.path("tokens"), newToken("x", "orders:read", "orders:write")).want(t, 201)
	c := w.integration(into[api.IssuedToken](t, issued).Secret)
	page := w.integration("")
	page.header.Set("Accept", "text/html")
	got := headersOf(w, "GET /portal/v1/session", ada.call("GET", "/portal/v1/session", nil)) +
		headersOf(w, "POST …/tokens", issued) +
		headersOf(w, "GET …/tokens", ada.call("GET", ada.path("tokens"), nil)) +
		headersOf(w, "GET …/events/export", ada.call("GET", "/portal/v1/teams/"+ada.team+"/events/export", nil, "X-Forwarded-For", "198.51.100.1")) +
		headersOf(w, "GET /api/v1/token", c.call("GET", "/api/v1/token", nil)) +
		headersOf(w, "POST /api/v1/orders", c.call("POST", "/api/v1/orders", api.CreateOrder{Reference: "r", Currency: "EUR", AmountMinor: new(int64(1))})) +
		headersOf(w, "GET /api/v1/token without a token", w.integration("").call("GET", "/api/v1/token", nil)) +
		headersOf(w, "GET /healthz", c.call("GET", "/healthz", nil)) +
		headersOf(w, "GET /problems/not-found as a page", page.call("GET", "/problems/not-found", nil)) +
		headersOf(w, "GET / as a page, not built", page.call("GET", "/", nil)) +
		headersOf(w, "DELETE /portal/v1/session", ada.call("DELETE", "/portal/v1/session", nil)) +
		headersOf(w, "GET /portal/v1/session, signed out", ada.call("GET", "/portal/v1/session", nil))
	golden(t, "headers.golden", strings.ReplaceAll(got, ada.team, "tea_…"))
	if strings.Contains(got, "Strict-Transport-Security") || strings.Contains(got, "Server:") {
		t.Error("HSTS on http, or a Server field")
	}
}

func TestHSTSOnHTTPS(t *testing.T) {
	w := onOneStore(t, func(o *httpapi.Options) { o.PublicURL = "https://portal.example.com" })
	for _, path := range []string{"/", "/healthz", "/api/v1/token", "/nothing"} {
		if got := w.integration("").call("GET", path, nil).header.Get("Strict-Transport-Security"); got == "" {
			t.Errorf("%s has no Strict-Transport-Security", path)
		}
	}
}

func TestRequestID(t *testing.T) {
	w := onOneStore(t, nil)
	c := w.integration("")
	if got := c.call("GET", "/healthz", nil, "X-Request-Id", "from-a-proxy.1").header.Get("X-Request-Id"); got != "from-a-proxy.1" {
		t.Errorf("a trusted proxy's id: got %q", got)
	}
	for _, bad := range []string{"short", "with space in it", strings.Repeat("x", 65), "newline\\n123456"} {
		if got := c.call("GET", "/healthz", nil, "X-Request-Id", bad).header.Get("X-Request-Id"); got == bad || len(got) != 26 {
			t.Errorf("%q: got %q", bad, got)
		}
	}
	stranger := onOneStore(t, func(o *httpapi.Options) { o.TrustedProxies = nil })
	if got := stranger.integration("").call("GET", "/healthz", nil, "X-Request-Id", "from-a-stranger").header.Get("X-Request-Id"); got == "from-a-stranger" {
		t.Error("a stranger's id was taken over")
	}
}

func TestLogHasNoSecrets(t *testing.T) {
	w := onOneStore(t, nil)
	ada := w.signUp("Ada")
	secret := ada.token("x").Secret
	c := w.integration(secret)
	c.call("GET", "/api/v1/token?access_token="+secret, nil)
	c.call("GET", "/"+secret, nil)
	c.call("GET", "/odd%22\u00e9", nil)
	c.call("GET", "/api/v1/orders/"+secret, nil)
	code := w.mails.code(t, "ada@example.com")
	c.call("GET", "/verify/"+code, nil)
	eventually(t, "the log is written", func() bool { return strings.Contains(w.log.String(), "/verify/") })
	log := w.log.String()
	for line := range strings.Lines(log) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
	for name, text := range map[string]string{"the secret": secret[20:], "the code": code, "the password": password, "a query": "access_token"} {
		if strings.Contains(log, text) {
			t.Errorf("the log has %s", name)
		}
	}
	for _, want := range []string{`"route":"/api/v1/token"`, `"status":400`, `"request_id":"`, `"path":"/verify/…"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}

func TestDiscovery(t *testing.T) {
	w := onOneStore(t, nil)
	c := w.integration("")
	if got := string(c.call("GET", "/healthz", nil).want(t, 200).body); got != `{"status":"ok"}` {
		t.Errorf("got %s", got)
	}
	c.call("GET", "/readyz", nil).want(t, 200)
	c.call("GET", "/version", nil).want(t, 200)
	meta := into[map[string]any](t, c.call("GET", "/.well-known/oauth-protected-resource", nil).want(t, 200))
	if meta["resource"] != w.url || fmt.Sprint(meta["scopes_supported"]) != "[orders:read orders:write usage:read token:rotate]" {
		t.Errorf("got %v", meta)
	}
	for _, path := range []string{"/openapi.json", "/version", "/problems", "/problems/not-found", "/.well-known/security.txt", "/.well-known/oauth-protected-resource"} {
		for _, accept := range []string{"*/*", "text/html"} {
			a := c.call("GET", path, nil, "Accept", accept).want(t, 200)
			if got := a.header.Get("Cache-Control"); got != "no-cache" {
				t.Errorf("%s: got Cache-Control %q", path, got)
			}
			if again := c.call("GET", path, nil, "Accept", accept, "If-None-Match", a.header.Get("Etag")); again.status != 304 || len(again.body) > 0 {
				t.Errorf("%s: got %d and %q for its own ETag %s", path, again.status, again.body, a.header.Get("Etag"))
			}
		}
	}
	text := string(c.call("GET", "/.well-known/security.txt", nil).want(t, 200).body)
	if !strings.Contains(text, "Contact: http") || !strings.Contains(text, "Expires: 20") {
		t.Errorf("got %s", text)
	}
	if a := c.call("GET", "/problems/name-taken", nil).want(t, 200); a.header.Get("Content-Type") != "text/plain; charset=utf-8" || !bytes.Contains(a.body, []byte("living tokens")) {
		t.Errorf("got %s", a.body)
	}
	a := c.call("GET", "/problems", nil, "Accept", "text/html").want(t, 200)
	if a.header.Get("Content-Type") != "text/html; charset=utf-8" || !bytes.Contains(a.body, []byte(`href="/problems/name-taken"`)) {
		t.Errorf("got %s", a.body)
	}
	resp, err := http.Head(w.url + "/healthz")
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("HEAD: %v %v", resp, err)
	}
	resp.Body.Close()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	c.call("GET", "/readyz", nil).problem(t, 503, "unavailable")
	c.call("GET", "/healthz", nil).want(t, 200)
}
