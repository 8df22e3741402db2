package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

func TestTeams(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		a := ada.call("POST", "/portal/v1/teams", api.CreateTeam{Name: "Second"}).want(t, 201)
		team := into[api.Team](t, a)
		if a.header.Get("Location") != "/portal/v1/teams/"+team.ID || team.Rev != 1 {
			t.Errorf("got %s", a.body)
		}
		list := into[api.List[api.Membership]](t, ada.call("GET", "/portal/v1/teams", nil).want(t, 200))
		if len(list.Data) != 2 || list.Data[1].Role != "owner" || list.NextCursor != nil {
			t.Errorf("got %+v", list)
		}
		path := "/portal/v1/teams/" + team.ID
		tag := ada.call("GET", path, nil).want(t, 200).header.Get("Etag")
		ada.call("PATCH", path, `{"name":"Third"}`).problem(t, 428, "precondition-required")
		ada.call("PATCH", path, `{}`).problem(t, 428, "precondition-required")
		ada.call("PATCH", path, `{"name":null}`, "If-Match", tag).problem(t, 422, "invalid")
		renamed := ada.call("PATCH", path, `{"name":"Third"}`, "If-Match", tag).want(t, 200)
		if got := into[api.Team](t, renamed); got.Name != "Third" || got.Rev != 2 {
			t.Errorf("got %+v", got)
		}
		ada.call("PATCH", path, `{"name":"Fourth"}`, "If-Match", tag).problem(t, 412, "precondition-failed")
		ada.call("PATCH", path, `{}`, "If-Match", renamed.header.Get("Etag")).want(t, 200)
		bob := w.signUp("Bob")
		bob.join(ada, portal.Auditor)
		members := into[api.List[api.Member]](t, ada.call("GET", ada.path("members"), nil).want(t, 200))
		if len(members.Data) != 2 || members.Data[1].Name != "Bob" || members.Data[1].Email != "bob@example.com" || members.Data[1].Role != "auditor" {
			t.Errorf("got %+v", members)
		}
		cat := into[api.Catalogue](t, ada.call("GET", "/portal/v1/catalogue", nil).want(t, 200))
		if len(cat.Abilities) != 4 || len(cat.Roles) != 4 || cat.Roles[3].Grants == nil || cat.Tokens.DefaultLifetimeDays != 90 {
			t.Errorf("got %+v", cat)
		}
	})
}

func TestUsageAndCalls(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		one, two := ada.token("one", "orders:read", "usage:read"), ada.token("two")
		c := w.integration(one.Secret)
		for range 4 {
			c.call("GET", "/api/v1/orders", nil).want(t, 200)
		}
		c.call("GET", "/api/v1/orders/x", nil).want(t, 404)
		w.integration(two.Secret).call("GET", "/api/v1/orders", nil).want(t, 403)
		eventually(t, "six calls are counted", func() bool {
			u := into[api.Usage](t, ada.call("GET", ada.path("usage"), nil).want(t, 200))
			last := u.Series[0].Points[len(u.Series[0].Points)-1]
			return len(u.Series[0].Points) == 30 && last.Calls == 6 && last.Refused == 1 && last.P50MS != nil
		})
		by := into[api.Usage](t, ada.call("GET", ada.path("usage")+"?by=token&step=hour", nil).want(t, 200))
		if len(by.Series) != 2 || by.Series[0].Key != one.Token.ID || len(by.Series[0].Points) != 48 {
			t.Errorf("got %+v", by)
		}
		alone := into[api.Usage](t, ada.call("GET", ada.path("tokens", two.Token.ID, "usage")+"?by=route", nil).want(t, 200))
		if len(alone.Series) != 1 || alone.Series[0].Key != "GET /api/v1/orders" {
			t.Errorf("got %+v", alone)
		}
		own := into[api.Usage](t, c.call("GET", "/api/v1/usage?by=status", nil).want(t, 200))
		if len(own.Series) < 2 {
			t.Errorf("got %+v", own)
		}
		for query, want := range map[string]int{
			"": 7, "token=" + two.Token.ID: 1, "status=404": 1, "status=4": 2, "status=4xx": 2, "status=refused": 1, "status=200": 5, "route=/api/v1/orders/:id": 1,
			"address=203.0.113.0/24": 0, "from=2001-01-01&to=2001-01-02": 0, "from=2001-01-01": 7,
		} {
			eventually(t, query, func() bool {
				return len(into[api.List[api.Call]](t, ada.call("GET", ada.path("calls")+"?"+query, nil).want(t, 200)).Data) == want
			})
		}
		list := into[api.List[api.Call]](t, ada.call("GET", ada.path("calls")+"?limit=5", nil).want(t, 200))
		rest := into[api.List[api.Call]](t, ada.call("GET", ada.path("calls")+"?limit=5&cursor="+*list.NextCursor, nil).want(t, 200))
		if len(list.Data) != 5 || len(rest.Data) != 2 || rest.NextCursor != nil {
			t.Errorf("got pages of %d and %d", len(list.Data), len(rest.Data))
		}
		for _, bad := range []string{"status=99", "status=x", "status=600", "address=x", "from=yesterday", "to=10000-01-01", "from=0000-01-01T00:00:00Z"} {
			ada.call("GET", ada.path("calls")+"?"+bad, nil).problem(t, 422, "invalid")
		}
		for _, bad := range []string{"step=minute", "by=moon", "from=2002-01-01&to=2001-01-01", "step=hour&from=2001-01-01", "from=9999-12-31"} {
			ada.call("GET", ada.path("usage")+"?"+bad, nil).problem(t, 422, "invalid")
		}
		ada.call("GET", ada.path("usage")+"?token=x", nil).problem(t, 404, "not-found")
		ada.call("GET", ada.path("calls")+"?token=x", nil).problem(t, 404, "not-found")
	})
}

func TestEvents(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		issued := ada.token("x")
		for range 3 {
			ada.call("POST", ada.path("tokens", issued.Token.ID, "suspend"), nil).want(t, 200)
			ada.call("POST", ada.path("tokens", issued.Token.ID, "resume"), nil).want(t, 200)
		}
		var seqs []int64
		path := ada.path("events") + "?limit=3"
		for {
			list := into[api.List[api.Event]](t, ada.call("GET", path, nil).want(t, 200))
			for _, e := range list.Data {
				seqs = append(seqs, e.Seq)
				if e.Summary == "" || e.ActorName != "Ada" || e.Data["address"] == "" {
					t.Errorf("got %+v", e)
				}
			}
			if list.NextCursor == nil {
				break
			}
			path = ada.path("events") + "?limit=3&cursor=" + *list.NextCursor
		}
		if len(seqs) != 8 || seqs[0] != 8 || seqs[7] != 1 {
			t.Errorf("got %v", seqs)
		}
		for query, want := range map[string]int{"action=token.suspended": 3, "action=token.": 7, "action=team.,token.created": 2, "actor=" + ada.id: 8, "target=" + issued.Token.ID: 7, "actor=x": 0} {
			if list := into[api.List[api.Event]](t, ada.call("GET", ada.path("events")+"?"+query, nil).want(t, 200)); len(list.Data) != want {
				t.Errorf("%s: got %d events, want %d", query, len(list.Data), want)
			}
		}
		chain := into[api.ChainState](t, ada.call("GET", ada.path("events", "chain"), nil).want(t, 200))
		if !chain.Verified || chain.Seq != 8 {
			t.Errorf("got %+v", chain)
		}
		a := ada.call("GET", ada.path("events", "export"), nil).want(t, 200)
		if a.header.Get("Content-Type") != "application/x-ndjson; charset=utf-8" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment;") {
			t.Errorf("got %v", a.header)
		}
		var v audit.Verifier
		lines := json.NewDecoder(bytes.NewReader(a.body))
		for lines.More() {
			var e audit.Event
			if err := lines.Decode(&e); err != nil {
				t.Fatal(err)
			}
			if err := v.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		if v.Seq != 8 || v.Hash != chain.Hash {
			t.Errorf("the export ends at %d %s, the chain at %d %s", v.Seq, v.Hash, chain.Seq, chain.Hash)
		}
	})
}

// HEAD of an export has the fields of GET and no body: nothing is cut off.
func TestHeadOfAnExport(t *testing.T) {
	w := onOneStore(t, nil)
	ada := w.signUp("Ada")
	for i := range 15 { // more than is buffered
		ada.token(fmt.Sprint("token ", i))
	}
	path := ada.path("events", "export")
	whole := ada.call("GET", path, nil).want(t, 200)
	for range 3 {
		a := ada.call("HEAD", path, nil).want(t, 200)
		for name := range whole.header {
			if got, want := a.header.Get(name), whole.header.Get(name); got != want && name != "Date" && name != "X-Request-Id" {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		if got := a.header.Get("Content-Length"); got != "" || len(a.body) > 0 {
			t.Errorf("got Content-Length %q and a body of %d bytes, want neither", got, len(a.body))
		}
	}
	if log := w.log.String(); strings.Contains(log, "WARN") {
		t.Errorf("the log complains:\n%s", log)
	}
}

func TestOrdersList(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		c := w.integration(ada.token("x", "orders:read", "orders:write").Secret)
		for range 5 {
			w.clock.advance(time.Millisecond)
			c.call("POST", "/api/v1/orders", api.CreateOrder{Reference: "r", Currency: "EUR", AmountMinor: new(int64(1))}).want(t, 201)
		}
		a := c.call("GET", "/api/v1/orders?limit=3", nil).want(t, 200)
		first := into[api.List[api.Order]](t, a)
		second := into[api.List[api.Order]](t, c.call("GET", "/api/v1/orders?limit=3&cursor="+*first.NextCursor, nil).want(t, 200))
		if len(first.Data) != 3 || len(second.Data) != 2 || second.NextCursor != nil || first.Data[0].Lines == nil {
			t.Errorf("got %+v then %+v", first, second)
		}
		link := a.header.Get("Link")
		if !strings.Contains(link, `rel="next"`) || !strings.Contains(link, `</api/v1/orders?limit=3>; rel="first"`) {
			t.Errorf("got Link %s", link)
		}
		c.call("GET", "/api/v1/orders?cursor="+strings.ToLower(*first.NextCursor), nil).problem(t, 400, "bad-request")
		c.call("POST", "/api/v1/orders", `{"reference":"r","currency":"EUR","lines":"none"}`).problem(t, 422, "invalid")
		c.call("POST", "/api/v1/orders", `{`).problem(t, 400, "bad-request")
	})
}

// A cursor opens for the list it was made for, and for no other at the same path.
func TestCursorsAreOfOneList(t *testing.T) {
	w := onOneStore(t, nil)
	ada, bob := w.signUp("Ada"), w.signUp("Bob")
	orders := func(p *someone, env string) *client {
		in := newToken(env, "orders:read", "orders:write")
		in.Env = env
		c := w.integration(into[api.IssuedToken](t, p.call("POST", p.path("tokens"), in).want(t, 201)).Secret)
		for range 2 {
			c.call("POST", "/api/v1/orders", api.CreateOrder{Reference: "r", Currency: "EUR", AmountMinor: new(int64(1))}).want(t, 201)
		}
		return c
	}
	live, test, his := orders(ada, "live"), orders(ada, "test"), orders(bob, "live")
	cursor := func(c *client, path string) string {
		t.Helper()
		next := into[api.List[any]](t, c.call("GET", path+"?limit=1", nil).want(t, 200)).NextCursor
		if next == nil {
			t.Fatalf("%s is one page", path)
		}
		return path + "?cursor=" + *next
	}
	at := cursor(live, "/api/v1/orders")
	live.call("GET", at, nil).want(t, 200)
	w.integration(ada.token("another", "orders:read").Secret).call("GET", at, nil).want(t, 200)
	test.call("GET", at, nil).problem(t, 400, "bad-request")
	his.call("GET", at, nil).problem(t, 400, "bad-request")
	at = cursor(ada.client, "/portal/v1/account/events")
	ada.call("GET", at, nil).want(t, 200)
	bob.call("GET", at, nil).problem(t, 400, "bad-request")
}

// outbox is mail that did not leave.
type outbox []api.Mail

func (o outbox) Mails(int) ([]api.Mail, error) { return append([]api.Mail(nil), o...), nil }

func (o outbox) Mail(id string) (api.Mail, bool, error) {
	for _, m := range o {
		if m.ID == id {
			return m, true, nil
		}
	}
	return api.Mail{}, false, nil
}

func TestOutbox(t *testing.T) {
	w := onOneStore(t, func(o *httpapi.Options) {
		o.Outbox = outbox{{ID: "mail_1", To: "ada@example.com", Text: "hello", Links: []string{"http://x/"}}}
	})
	c := w.integration("")
	list := into[api.List[api.Mail]](t, c.call("GET", "/portal/v1/outbox", nil).want(t, 200))
	if len(list.Data) != 1 || list.Data[0].Text != "" || list.Data[0].Links == nil {
		t.Errorf("got %+v", list)
	}
	if m := into[api.Mail](t, c.call("GET", "/portal/v1/outbox/mail_1", nil).want(t, 200)); m.Text != "hello" {
		t.Errorf("got %+v", m)
	}
	c.call("GET", "/portal/v1/outbox/..%2fkeys", nil).problem(t, 404, "not-found")
	closed := onOneStore(t, nil).integration("")
	closed.call("GET", "/portal/v1/outbox", nil).problem(t, 404, "not-found")
	closed.call("GET", "/portal/v1/outbox/mail_1", nil).problem(t, 404, "not-found")
}

// Whoever makes a name of theirs mean this machine gets its browser to read what
// only this machine may read, but cannot make it send another Host.
func TestOutboxOnlyByThePublicURL(t *testing.T) {
	w := onOneStore(t, func(o *httpapi.Options) {
		o.Web = built
		o.Outbox = outbox{{ID: "mail_1", To: "ada@example.com", Text: "hello"}}
	})
	port := w.url[strings.LastIndexByte(w.url, ':'):]
	for _, tt := range []struct {
		host string
		want int
	}{
		{"localhost" + port, 200},
		{"LOCALHOST" + port, 200},
		{"localhost", 404},
		{"localhost.evil.example" + port, 404},
		{"evil.example" + port, 404},
		{"evil.example", 404},
		{"127.0.0.1" + port, 404}, // of this machine, but not the public URL
		{"localhost" + port + "1", 404},
	} {
		for _, path := range []string{"/portal/v1/outbox", "/portal/v1/outbox/mail_1", "/outbox", "/outbox/mail_1"} {
			req, err := http.NewRequest("GET", w.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = tt.host
			req.Header.Set("X-Forwarded-Host", "localhost"+port)
			if !strings.HasPrefix(path, "/portal") {
				req.Header.Set("Accept", "text/html")
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("%s at %s: got %d, want %d", path, tt.host, resp.StatusCode, tt.want)
			}
		}
	}
}

// built is a tree of web assets as web/build writes it.
var built = fstest.MapFS{
	"manifest.json": {Data: []byte(`{"version":"0123456789ab","files":{"app.css":"/assets/app.1.css","mono.woff2":"/assets/mono.2.woff2","app.wasm":"/assets/app.3.wasm"}}`)},
	// "hello", with gzip and with brotli
	"assets/app.1.css.gz":  {Data: []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xcaH\xcd\xc9\xc9\x07\x04\x00\x00\xff\xff\x86\xa6\x106\x05\x00\x00\x00")},
	"assets/app.1.css.br":  {Data: []byte("\x0b\x02\x80hello\x03")},
	"assets/app.3.wasm.br": {Data: []byte("\x0b\x02\x80hello\x03")},
	"assets/app.3.wasm.gz": {Data: []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xcaH\xcd\xc9\xc9\x07\x04\x00\x00\xff\xff\x86\xa6\x106\x05\x00\x00\x00")},
	"assets/mono.2.woff2":  {Data: []byte("woff")},
}

func TestAssets(t *testing.T) {
	w := onOneStore(t, func(o *httpapi.Options) { o.Web = built })
	c := w.integration("")
	tests := []struct{ path, accept, coding, media string }{
		{"/assets/app.1.css", "gzip, deflate, br", "br", "text/css; charset=utf-8"},
		{"/assets/app.1.css", "gzip", "gzip", "text/css; charset=utf-8"},
		{"/assets/app.1.css", "br;q=0, gzip", "gzip", "text/css; charset=utf-8"},
		{"/assets/app.1.css", "identity", "", "text/css; charset=utf-8"},
		{"/assets/app.3.wasm", "br", "br", "application/wasm"},
		{"/assets/mono.2.woff2", "br", "", "font/woff2"},
	}
	for _, tt := range tests {
		a := c.call("GET", tt.path, nil, "Accept-Encoding", tt.accept).want(t, 200)
		if got := a.header.Get("Content-Encoding"); got != tt.coding {
			t.Errorf("%s for %s: got the coding %q, want %q", tt.path, tt.accept, got, tt.coding)
		}
		if a.header.Get("Content-Type") != tt.media || a.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: got %v", tt.path, a.header)
		}
		if tt.coding == "" && tt.media != "font/woff2" && string(a.body) != "hello" {
			t.Errorf("%s: got %q", tt.path, a.body)
		}
	}
	c.call("GET", "/assets/app.css", nil, "Accept", "text/html").problem(t, 404, "not-found")
	c.call("GET", "/assets/app.1.css.br", nil).problem(t, 404, "not-found")
}

func TestShell(t *testing.T) {
	w := onOneStore(t, func(o *httpapi.Options) { o.Web = built })
	c := w.integration("")
	c.header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	a := c.call("GET", "/teams/tea_1/tokens", nil).want(t, 200)
	if a.header.Get("Content-Type") != "text/html; charset=utf-8" || a.header.Get("Cache-Control") != "no-cache" ||
		!bytes.Contains(a.body, []byte("/assets/app.1.css")) || !strings.Contains(a.header.Get("Content-Security-Policy"), "'wasm-unsafe-eval'") {
		t.Errorf("got %v %s", a.header, a.body)
	}
	c.call("GET", "/teams/tea_1/tokens", nil, "If-None-Match", a.header.Get("Etag")).want(t, 304)
	c.call("GET", "/nothing/here", nil).want(t, 404)
	c.call("GET", "/outbox", nil).want(t, 404) // there is none here
	c.call("GET", `/x"><script>alert(1)</script>`, nil).want(t, 404)
	c.call("POST", "/sign-in", "{}").problem(t, 404, "not-found")
	c.call("GET", "/api/v1/nothing", nil).problem(t, 404, "not-found")
	for path, want := range map[string]string{"/teams/tea_1/tokens": "Accept, Cookie", "/nothing/here": "Accept, Cookie", "/api/v1/nothing": ""} {
		if got := c.call("GET", path, nil).header.Get("Vary"); got != want {
			t.Errorf("%s as a page: got Vary %q, want %q", path, got, want)
		}
		if want != "" {
			want = "Accept"
		}
		if got := c.call("GET", path, nil, "Accept", "application/json").want(t, 404).header.Get("Vary"); got != want {
			t.Errorf("%s as JSON: got Vary %q, want %q", path, got, want)
		}
	}
	if got := c.call("GET", "/teams/tea_1/tokens", nil, "If-None-Match", a.header.Get("Etag")).want(t, 304).header.Get("Vary"); got != "Accept, Cookie" {
		t.Errorf("304: got Vary %q", got)
	}
	c.call("GET", "/", nil, "Accept", "*/*").want(t, 200)
	c.call("GET", "/nothing/here", nil, "Accept", "application/json").problem(t, 404, "not-found")
	if got := w.browser("198.51.100.9").call("POST", "/portal/v1/sessions", "{}").header.Get("Gatehouse-Version"); got != "0123456789ab" {
		t.Errorf("got Gatehouse-Version %q", got)
	}
	bare := onOneStore(t, nil).integration("")
	if a := bare.call("GET", "/", nil, "Accept", "text/html").want(t, 503); !bytes.Contains(a.body, []byte("go run ./web/build")) {
		t.Errorf("got %s", a.body)
	}
}

func TestMetrics(t *testing.T) {
	var m *httpapi.Metrics
	store, _ := stores[0].open(t)
	w := newWorld(t, store, nil, func(o *httpapi.Options) { // records are read as on MongoDB
		m = httpapi.NewMetrics(httpapi.MetricsOptions{
			Portal: o.Portal, Version: "v1.2.3", PasswordsQueue: func() int { return 5 }, MailsQueue: func() int { return 7 },
			MailsDelivered: func() int64 { return 11 }, MailsFailed: func() int64 { return 2 }, FailedWrites: func() int64 { return 3 },
		})
		o.Metrics = m
	})
	ada := w.signUp("Ada")
	w.integration(ada.token("x").Secret).call("GET", "/api/v1/token", nil).want(t, 200)
	w.integration("garbage").call("GET", "/api/v1/token", nil).want(t, 401)
	w.integration("").call("GET", "/api/v1/usage", nil).want(t, 401)
	w.integration("").call("GET", "/some/unknown/path", nil).want(t, 404)
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	text := rec.Body.String()
	for _, want := range []string{
		`gatehouse_http_requests_total{method="GET",route="/api/v1/token",status="200"} 1`,
		`gatehouse_http_requests_total{method="GET",route="none",status="404"} 1`,
		`gatehouse_build_info{go="` + runtime.Version() + `",version="v1.2.3"} 1`,
		`gatehouse_decisions_total{code="ok"} 1`, `gatehouse_decisions_total{code="no-token"} 1`, `gatehouse_decisions_total{code="invalid-token"} 1`, `gatehouse_malformed_tokens_total 1`, `gatehouse_mails_queued 7`, `gatehouse_mails_delivered_total 11`, `gatehouse_mails_failed_total 2`, `gatehouse_storage_writes_failed_total 3`, `gatehouse_calls_queued`,
		`gatehouse_mistyped_tokens_total 0`, `gatehouse_passwords_queued 5`, `gatehouse_call_batches_repeated_total 0`, `gatehouse_calls_lost_total 0`, `gatehouse_calls_unrecorded_total 0`,
		`gatehouse_lookup_batch_size_bucket{le="1"} 1`, `gatehouse_lookup_batch_size_sum 1`, `gatehouse_lookups_in_flight 0`,
		`gatehouse_lookups_waiting 0`, `gatehouse_lookup_round_trip_seconds`,
		`gatehouse_http_request_duration_seconds_count{method="GET",route="/api/v1/token"} 2`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	deadline := time.Now().Add(5 * time.Second) // the access log waits a moment
	for !strings.Contains(w.log.String(), `"route":"none","path":"/some/unknown/path"`) {
		if time.Now().After(deadline) {
			t.Fatalf("the access log does not name the route as the metrics do:\n%s", w.log)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if strings.Contains(text, ada.team) {
		t.Error("the metrics name a team")
	}
}
