package httpapi_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// odd are values that have broken programs before.
var odd = []string{
	"", " ", "\x00", "\xff\xfe", "\u202e\u0000", "\U0001F600", "null", "true", "-1", "0", "9223372036854775808", "1e309", "NaN",
	`{"$gt":""}`, `{"$where":"sleep(1)"}`, "' OR 1=1 --", "%00", "%", "%zz", "../../etc/passwd", "10000-01-01T00:00:00Z", "0000-00-00",
	"2027-02-30T25:61:61Z", "::1/129", "1.2.3.4/33", "fe80::1%eth0", "\r\nX-Injected: 1", "<script>", strings.Repeat("A", 5000), "[]", "{}", `"`, `\`,
}

// oddJSON are values that stand in bodies where others are expected.
var oddJSON = []string{
	`null`, `true`, `-1`, `0`, `1.5`, `1e400`, `99999999999999999999`, `""`, `" "`, `"\u0000"`, `"\ud83d"`, `"\u202e"`, `[]`, `[null]`, `[[]]`,
	`{}`, `{"a":{"b":[]}}`, `{"$gt":""}`, `"9999-12-31T23:59:59.999Z"`, `"0001-01-01T00:00:00Z"`, `"10000-01-01T00:00:00Z"`, `["*"]`,
	`["orders:read","orders:read"]`, `["10.0.0.0/8","::/0"]`, `{"quota":1,"window_seconds":86400}`, `{"quota":9223372036854775807,"window_seconds":1}`,
	`"` + strings.Repeat("é", 3000) + `"`,
}

var fields = []string{
	"name", "email", "password", "team_name", "code", "current", "env", "abilities", "expires_at", "never_expires", "not_before", "addresses",
	"rate_limit", "note", "overlap_seconds", "activate", "reason", "maker", "reference", "currency", "amount_minor", "lines", "x", "__proto__",
}

var parameters = []string{"limit", "cursor", "status", "env", "ability", "maker", "q", "sort", "from", "to", "step", "by", "token", "route", "address", "action", "actor", "target", "access_token"}

// strange is a client that sends nonsense and looks only at the status.
type strange struct {
	t      testing.TB
	w      *world
	person *someone
	api    *http.Client
	secret string
	token  string // the id of another token
}

// send returns the status, 0 if the request cannot be sent.
func (s *strange) send(method, path, query, body, media string, headers map[string]string) (status int) {
	target := s.w.url + path
	u, err := url.Parse(target)
	if err != nil {
		return 0
	}
	u.RawQuery = query
	req, err := http.NewRequest(method, u.String(), strings.NewReader(body))
	if err != nil {
		return 0
	}
	client := s.api
	if strings.HasPrefix(path, "/portal") {
		req.Header = s.person.header.Clone()
		client = s.person.http
	} else {
		req.Header.Set("Authorization", "Bearer "+s.secret)
	}
	req.Header.Set("Content-Type", media)
	for k, v := range headers {
		req.Header[k] = []string{v}
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0 // net/http refuses to
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode >= 500 {
		s.t.Errorf("%s %s?%s %q made a %d: %s", method, path, query, body, resp.StatusCode, text)
	}
	if resp.StatusCode >= 400 && !bytes.Contains(text, []byte(`"type":`)) && !strings.Contains(resp.Header.Get("Content-Type"), "html") && method != "HEAD" {
		s.t.Errorf("%s %s made a %d that is no problem: %q", method, path, resp.StatusCode, text)
	}
	if resp.Header.Get("X-Injected") != "" {
		s.t.Errorf("%s %s?%s: a header was injected", method, path, query)
	}
	return resp.StatusCode
}

// once sends one request that r makes up for a route.
func (s *strange) once(r *rand.Rand, route [3]string) (status int) {
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	team, id := s.person.team, s.token
	if r.IntN(8) == 0 {
		team = url.PathEscape(pick(odd))
	}
	if r.IntN(4) == 0 {
		id = url.PathEscape(pick(odd))
	}
	query := url.Values{}
	for range r.IntN(3) {
		query.Add(pick(parameters), pick(odd))
	}
	var body strings.Builder
	body.WriteString("{")
	for i := range r.IntN(6) {
		if i > 0 {
			body.WriteString(",")
		}
		fmt.Fprintf(&body, "%q:%s", pick(fields), pick(oddJSON))
	}
	body.WriteString("}")
	text := body.String()
	switch r.IntN(12) {
	case 0:
		text = pick(odd)
	case 1:
		text = text[:r.IntN(len(text))]
	}
	media := "application/json"
	if r.IntN(15) == 0 {
		media = pick(odd[:20])
	}
	headers := map[string]string{}
	for _, name := range []string{"If-Match", "If-None-Match", "Idempotency-Key", "Accept", "User-Agent", "X-Forwarded-For", "X-Request-Id", "Accept-Encoding"} {
		if r.IntN(6) == 0 {
			headers[name] = pick(odd)
		}
	}
	if r.IntN(3) == 0 {
		headers["If-Match"] = "*"
	}
	path := strings.NewReplacer(":team", team, ":id", id, ":kind", id, ":name", id).Replace(route[1])
	return s.send(route[0], path, query.Encode(), text, media, headers)
}

func newStrange(t testing.TB, w *world) *strange {
	ada := w.signUp("Ada")
	issued := ada.token("x", "orders:read", "orders:write", "usage:read", "token:rotate")
	return &strange{t, w, ada, w.integration("").http, issued.Secret, ada.token("y").Token.ID}
}

// ends are routes that would end the session or the token under test.
func ends(route [3]string) bool {
	return route[0] == "DELETE" && (route[1] == "/portal/v1/session" || route[1] == "/api/v1/token") || strings.HasSuffix(route[1], "/revoke-all")
}

// No input makes a 500: every route, many times, with nonsense in every place,
// the same nonsense each time the test runs.
func TestNoInputMakesA500(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		s := newStrange(t, w)
		r := rand.New(rand.NewPCG(20261122, 1))
		for range 25 {
			for _, route := range goldenRoutes(t) {
				if !ends(route) {
					s.once(r, route)
				}
			}
		}
	})
}

// One server serves all inputs, as a server does; its clock goes on, so that no
// throttle gets in the way.
func FuzzRequest(f *testing.F) {
	for i := range 8 {
		f.Add(uint64(i), uint(i*7), "limit=1", `{"name":"x"}`)
	}
	w := onOneStore(f, nil)
	s := newStrange(f, w)
	routes := goldenRoutes(f)
	f.Fuzz(func(t *testing.T, seed uint64, n uint, query, body string) {
		w.clock.advance(time.Second)
		route := routes[n%uint(len(routes))]
		if ends(route) {
			return
		}
		mine := *s
		mine.t = t
		mine.once(rand.New(rand.NewPCG(seed, 2)), route)
		path := strings.NewReplacer(":team", s.person.team, ":id", s.token, ":kind", "x", ":name", "x").Replace(route[1])
		mine.send(route[0], path, query, body, "application/json", nil)
	})
}
