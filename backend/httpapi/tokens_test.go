package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

func TestCreateToken(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		path := ada.path("tokens")
		tests := []struct {
			name string
			body string
			want string // status, kind, pointers
		}{
			{"not JSON", `{`, "400 bad-request"},
			{"abilities missing", `{"name":"x","env":"live"}`, "422 invalid #/abilities"},
			{"abilities as a string", `{"name":"x","env":"live","abilities":"orders:read"}`, "422 invalid #/abilities"},
			{"abilities as null", `{"name":"x","env":"live","abilities":null}`, "422 invalid #/abilities"},
			{"an unknown ability", `{"name":"x","env":"live","abilities":["orders:fly"]}`, "422 invalid #/abilities/0"},
			{"an ability twice", `{"name":"x","env":"live","abilities":["orders:read","orders:read"]}`, "422 invalid #/abilities/1"},
			{"abilities twice", `{"name":"x","env":"live","abilities":["orders:read"],"abilities":[]}`, "400 bad-request"},
			{"everything", `{"name":"x","env":"live","abilities":["*"]}`, "422 invalid #/abilities/0"},
			{"an unknown environment", `{"name":"x","env":"prod","abilities":[]}`, "422 invalid #/env"},
			{"a blank name", `{"name":"  ","env":"live","abilities":[]}`, "422 invalid #/name"},
			{"a control character", `{"name":"a\u0000b","env":"live","abilities":[]}`, "422 invalid #/name"},
			{"a character that shows nothing", `{"name":"a\u200bb","env":"live","abilities":[]}`, "422 invalid #/name"},
			{"nothing but an accent", `{"name":"\u0301","env":"live","abilities":[]}`, "422 invalid #/name"},
			{"nothing but the form of a character", `{"name":"\ufe0f","env":"live","abilities":[]}`, "422 invalid #/name"},
			{"a long name", `{"name":"` + strings.Repeat("x", 101) + `","env":"live","abilities":[]}`, "422 invalid #/name"},
			{"an unknown field", `{"name":"x","env":"live","abilities":[],"team":"tea_other"}`, "422 invalid #/team"},
			{"already over", `{"name":"x","env":"live","abilities":[],"expires_at":"2001-01-01T00:00:00Z"}`, "422 invalid #/expires_at"},
			{"too far", `{"name":"x","env":"live","abilities":[],"expires_at":"9999-12-31T00:00:00Z"}`, "422 invalid #/expires_at"},
			{"the year 10000", `{"name":"x","env":"live","abilities":[],"expires_at":"10000-01-01T00:00:00Z"}`, "422 invalid #/expires_at"},
			{"never, against policy", `{"name":"x","env":"live","abilities":[],"never_expires":true}`, "422 invalid #/expires_at"},
			{"nonsense for addresses", `{"name":"x","env":"live","abilities":[],"addresses":["10.0.0.0/8","1.2.3","10.0.0.0/33"]}`, "422 invalid #/addresses/1 #/addresses/2"},
			{"a limit of nothing", `{"name":"x","env":"live","abilities":[],"rate_limit":{"quota":0,"window_seconds":0}}`, "422 invalid #/rate_limit/quota #/rate_limit/window_seconds"},
			{"a limit beyond policy", `{"name":"x","env":"live","abilities":[],"rate_limit":{"quota":1000000,"window_seconds":1}}`, "422 invalid #/rate_limit"},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				a := ada.call("POST", path, tt.body)
				p := into[api.Problem](t, a)
				got := fmt.Sprintf("%d %s", a.status, p.Kind())
				for _, e := range p.Errors {
					got += " " + e.Pointer
				}
				if got != tt.want {
					t.Errorf("got %s, want %s: %s", got, tt.want, a.body)
				}
			})
		}
		list := into[api.List[api.Token]](t, ada.call("GET", path, nil).want(t, 200))
		if len(list.Data) != 0 {
			t.Errorf("refused requests made %d tokens", len(list.Data))
		}
		first := ada.token(" ERP \u00e4\U0001F600 ")
		if first.Token.Name != "ERP \u00e4\U0001F600" || first.Token.ExpiresAt.Sub(first.Token.CreatedAt.Time) != 90*24*time.Hour {
			t.Errorf("got %+v", first.Token)
		}
		p := ada.call("POST", path, newToken("ERP \u00e4\U0001F600")).problem(t, 409, "name-taken")
		if p.Conflict != first.Token.ID {
			t.Errorf("got the conflict %q, want %q", p.Conflict, first.Token.ID)
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		in := newToken("once", "orders:write")
		a := ada.call("POST", ada.path("tokens"), in, "Idempotency-Key", `"8e03978e"`).want(t, 201)
		first := into[api.IssuedToken](t, a)
		b := ada.call("POST", ada.path("tokens"), in, "Idempotency-Key", `8e03978e`).want(t, 201) // unquoted is the same
		again := into[api.IssuedToken](t, b)
		if first.Secret == "" || again.Secret != "" || again.Token.ID != first.Token.ID || b.header.Get("Idempotent-Replayed") != "true" || a.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("got %s then %s", a.body, b.body)
		}
		if strings.Contains(string(b.body), "secret") {
			t.Errorf("a replay has the word secret: %s", b.body)
		}
		if a.header.Get("Location") == "" || a.header.Get("Location") != b.header.Get("Location") {
			t.Errorf("got Location %q then %q", a.header.Get("Location"), b.header.Get("Location"))
		}
		other := newToken("twice")
		ada.call("POST", ada.path("tokens"), other, "Idempotency-Key", `"8e03978e"`).problem(t, 422, "idempotency-key-reused")
		for _, key := range []string{
			`""`, strings.Repeat("x", 256), `"` + strings.Repeat("x", 256) + `"`, "\u00fc", "\"\u00fc\"", `"`, `"a`, `a"`, `a"b`, `"a"b`, `"a""b"`, `"a\"`,
			`"a\b"`, `a\b`, `"a", "b"`, "a, b", "a b", `"a";x=1`, "a;x",
		} {
			ada.call("POST", ada.path("tokens"), other, "Idempotency-Key", key).problem(t, 400, "bad-request")
		}
		ada.call("POST", ada.path("tokens"), newToken("once"), "Idempotency-Key", `"k2"`).problem(t, 409, "name-taken")
		ada.call("POST", ada.path("tokens"), other, "Idempotency-Key", `"k2"`).want(t, 201) // a refusal does not use up the key

		ada.call("POST", ada.path("tokens"), newToken("quoted"), "Idempotency-Key", `"a \"b\" \\"`).want(t, 201)

		erp := w.integration(first.Secret)
		order := api.CreateOrder{Reference: "PO-1", Currency: "EUR", AmountMinor: new(int64(1))}
		one := erp.call("POST", "/api/v1/orders", order, "Idempotency-Key", "k").want(t, 201)
		two := erp.call("POST", "/api/v1/orders", order, "Idempotency-Key", "k").want(t, 201)
		if string(one.body) != string(two.body) || one.header.Get("Etag") != two.header.Get("Etag") || two.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("got %s then %s", one.body, two.body)
		}

		// A repeated change has the ETag of what is no more, and is no conflict.
		path, tag := one.header.Get("Location"), one.header.Get("Etag")
		for _, change := range []struct{ method, body string }{{"PATCH", `{"amount_minor":7}`}, {"DELETE", ""}} {
			one = erp.call(change.method, path, change.body, "Idempotency-Key", "k", "If-Match", tag).want(t, 200)
			two = erp.call(change.method, path, change.body, "Idempotency-Key", "k", "If-Match", tag).want(t, 200)
			if string(one.body) != string(two.body) || one.header.Get("Etag") != two.header.Get("Etag") || two.header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("%s: got %s then %s", change.method, one.body, two.body)
			}
			erp.call(change.method, path, change.body, "Idempotency-Key", "k2", "If-Match", tag).problem(t, 412, "precondition-failed")
			tag = one.header.Get("Etag")
		}
		erp.call("PATCH", path, `{"amount_minor":8}`, "Idempotency-Key", "k", "If-Match", tag).problem(t, 422, "idempotency-key-reused")

		team := api.CreateTeam{Name: "Second"}
		one = ada.call("POST", "/portal/v1/teams", team, "Idempotency-Key", "k").want(t, 201)
		two = ada.call("POST", "/portal/v1/teams", team, "Idempotency-Key", "k").want(t, 201)
		if string(one.body) != string(two.body) || one.header.Get("Location") != two.header.Get("Location") || two.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("got %s then %s", one.body, two.body)
		}
		if got := len(ada.session().Teams); got != 2 {
			t.Errorf("got %d teams, want 2", got)
		}
	})
}

// Every route that can be repeated says so, and every unsafe one of the API can:
// a second end of a token is refused at the door.
func TestUnsafeRoutesOfTheAPIHonourTheKey(t *testing.T) {
	w := onOneStore(t, nil)
	spec := into[openAPI](t, w.integration("").call("GET", "/openapi.json", nil).want(t, 200))
	for path, ops := range spec.Paths {
		for method, op := range ops {
			honours := slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.Name == "Idempotency-Key" })
			if strings.HasPrefix(path, "/api/") && method != "get" && method+path != "delete/api/v1/token" && !honours {
				t.Errorf("%s %s does not honour Idempotency-Key", method, path)
			}
		}
	}
}

// The ETag of an answer with a secret is that of the token it names, so that a
// change can follow it.
func TestIssuedTokensHaveTheirETag(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		a := ada.call("POST", ada.path("tokens"), newToken("x", "token:rotate"), "Idempotency-Key", "k").want(t, 201)
		path, secret := a.header.Get("Location"), into[api.IssuedToken](t, a).Secret
		check := func(a answer) {
			t.Helper()
			if got := a.header.Get("Location"); got != path {
				t.Errorf("got Location %q, want %q", got, path)
			}
			now := ada.call("GET", path, nil).want(t, 200)
			if got, want := a.header.Get("Etag"), now.header.Get("Etag"); got != want {
				t.Errorf("got ETag %s, want that of GET, %s: %s, %s", got, want, a.body, now.body)
			}
			ada.call("GET", path, nil, "If-None-Match", a.header.Get("Etag")).want(t, 304)
		}
		check(a)
		check(ada.call("POST", ada.path("tokens"), newToken("x", "token:rotate"), "Idempotency-Key", "k").want(t, 201)) // a replay
		a = ada.call("POST", path+"/rotate", nil).want(t, 201)
		check(a)
		ada.call("PATCH", path, `{"note":"rotated"}`, "If-Match", a.header.Get("Etag")).want(t, 200)

		self := w.integration(secret).call("POST", "/api/v1/token/rotate", nil).want(t, 201)
		if got, tag := self.header.Get("Location"), self.header.Get("Etag"); got != "/api/v1/token" || tag != "" {
			t.Errorf("got Location %q and ETag %q, want /api/v1/token and none", got, tag)
		}
	})
}

func TestUpdateToken(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		issued := ada.token("first", "orders:read", "orders:write")
		path := ada.path("tokens", issued.Token.ID)
		a := ada.call("GET", path, nil).want(t, 200)
		tag := a.header.Get("Etag")
		ada.call("GET", path, nil, "If-None-Match", tag).want(t, 304)
		ada.call("GET", path, nil, "If-None-Match", `"x", W/`+tag).want(t, 304)
		ada.call("GET", path, nil, "If-None-Match", `"x"`).want(t, 200)

		ada.call("PATCH", path, `{"name":"second"}`).problem(t, 428, "precondition-required")
		for _, bad := range []string{`"999.00000000"`, `"x"`, `W/` + tag, "garbage", `"1`, `"-1.0"`} {
			ada.call("PATCH", path, `{"name":"second"}`, "If-Match", bad).problem(t, 412, "precondition-failed")
		}
		b := ada.call("PATCH", path, `{"name":"second","abilities":["orders:read"],"note":"line\nline"}`, "If-Match", tag,
			"Content-Type", "application/merge-patch+json").want(t, 200)
		got := into[api.Token](t, b)
		if got.Name != "second" || !slices.Equal(got.Abilities, []string{"orders:read"}) || got.Note != "line\nline" {
			t.Errorf("got %+v", got)
		}
		ada.call("PATCH", path, `{"name":"third"}`, "If-Match", tag).problem(t, 412, "precondition-failed")
		ada.call("PATCH", path, `{"name":"third"}`, "If-Match", `"999.0", `+b.header.Get("Etag")).want(t, 200)
		two := http.Header{"If-Match": {`"999.0"`, ada.call("GET", path, nil).header.Get("Etag")}}
		ada.also(two).call("PATCH", path, `{"name":"fourth"}`).want(t, 200)
		ada.also(two).call("PATCH", path, `{"name":"fifth"}`).problem(t, 412, "precondition-failed")
		two = http.Header{"If-None-Match": {`"x"`, ada.call("GET", path, nil).header.Get("Etag")}}
		ada.also(two).call("GET", path, nil).want(t, 304)
		ada.call("PATCH", path, `{"name":"second"}`, "If-Match", `*`).want(t, 200)
		ada.call("PATCH", path, `{"env":"test"}`, "If-Match", `*`).problem(t, 422, "invalid")

		w.integration(issued.Secret).call("GET", "/api/v1/token", nil).want(t, 200)
		eventually(t, "the use is shown", func() bool {
			a = ada.call("GET", path, nil)
			return !into[api.Token](t, a).LastUsedAt.IsZero()
		})
		w.clock.advance(20 * time.Minute) // not fresh any more
		narrow := ada.call("PATCH", path, `{"abilities":[]}`, "If-Match", a.header.Get("Etag")).want(t, 200)
		ada.call("PATCH", path, `{"abilities":["orders:read"]}`, "If-Match", narrow.header.Get("Etag")).problem(t, 403, "fresh-sign-in-required")
		w.integration(issued.Secret).call("GET", "/api/v1/orders", nil).problem(t, 403, "insufficient-ability")
	})
}

func TestTokenList(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		var all []string
		for i := range 7 {
			w.clock.advance(time.Millisecond)
			all = append(all, ada.token(fmt.Sprintf("token %d", i), "orders:read").Token.ID)
		}
		var got []string
		path := ada.path("tokens") + "?limit=3&sort=name"
		for range 3 {
			a := ada.call("GET", path, nil).want(t, 200)
			list := into[api.List[api.Token]](t, a)
			for _, tok := range list.Data {
				got = append(got, tok.ID)
				if len(tok.Calls7Days) != 7 || !tok.MayManage || tok.Abilities == nil || tok.Addresses == nil {
					t.Errorf("got %+v", tok)
				}
			}
			link := a.header.Get("Link")
			if list.NextCursor == nil {
				if strings.Contains(link, `rel="next"`) {
					t.Errorf("the last page links to a next one: %s", link)
				}
				break
			}
			next, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), `>; rel="next"`)
			if !strings.Contains(next, "cursor="+*list.NextCursor) || !strings.Contains(next, "limit=3") {
				t.Fatalf("got Link %s", link)
			}
			path = next
		}
		if !slices.Equal(got, all) {
			t.Errorf("got %v, want %v", got, all)
		}
		cursor := *into[api.List[api.Token]](t, ada.call("GET", ada.path("tokens")+"?limit=3&sort=name", nil)).NextCursor
		for _, bad := range []string{
			"?cursor=x", "?cursor=" + cursor, "?sort=name&cursor=" + cursor + "A", "?sort=name&q=z&cursor=" + cursor,
			"?sort=name&cursor=" + strings.Repeat("A", 4000), "?sort=name&cursor=%00", "?sort=name&cursor=%ff",
		} {
			ada.call("GET", ada.path("tokens")+bad, nil).problem(t, 400, "bad-request")
		}
		ada.call("GET", ada.path("tokens")+"?sort=name&limit=5&cursor="+cursor, nil).want(t, 200) // another length is fine
		for _, bad := range []string{
			"limit=0", "limit=101", "limit=-1", "limit=x", "limit=1e1", "limit=%2B5", "limit=99999999999999999999", "status=dead",
			"env=prod", "sort=size", "q=%00", "q=%ff", "q=" + strings.Repeat("x", 300), "ability=%0a",
		} {
			ada.call("GET", ada.path("tokens")+"?"+bad, nil).problem(t, 422, "invalid")
		}
		for query, want := range map[string]int{
			"q=TOKEN+3": 1, "status=active": 7, "status=revoked,expired": 0, "env=test": 0, "ability=orders:read": 7,
			"maker=" + ada.id: 7, "maker=%7B%22$gt%22:%22%22%7D": 0, "q=" + all[2][:6]: 1, "limit=": 7,
		} {
			list := into[api.List[api.Token]](t, ada.call("GET", ada.path("tokens")+"?"+query, nil).want(t, 200))
			if len(list.Data) != want {
				t.Errorf("%s: got %d tokens, want %d", query, len(list.Data), want)
			}
		}
	})
}

func TestRotation(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		issued := ada.token("rotating", "token:rotate")
		path := ada.path("tokens", issued.Token.ID)
		old := w.integration(issued.Secret)
		old.call("GET", "/api/v1/token", nil).want(t, 200)

		ada.call("POST", path+"/rotate", `{"overlap_seconds":-1}`).problem(t, 422, "invalid")
		ada.call("POST", path+"/rotate", `{"overlap_seconds":604801}`).problem(t, 422, "invalid")
		ada.call("POST", path+"/rotate", `{"activate":"later"}`).problem(t, 422, "invalid")
		ada.call("POST", path+"/rotate/undo", nil).problem(t, 409, "conflict")
		undone := into[api.IssuedToken](t, ada.call("POST", path+"/rotate", nil).want(t, 201)) // an empty body says all
		ada.call("POST", path+"/rotate/undo", nil).want(t, 200)
		w.integration(undone.Secret).call("GET", "/api/v1/token", nil).problem(t, 401, "invalid-token")

		next := into[api.IssuedToken](t, ada.call("POST", path+"/rotate", `{"overlap_seconds":3600}`).want(t, 201))
		old.call("GET", "/api/v1/token", nil).want(t, 200)
		w.integration(next.Secret).call("GET", "/api/v1/token", nil).want(t, 200)
		old.call("GET", "/api/v1/token", nil).want(t, 200)
		ada.call("POST", path+"/rotate/finish", nil).want(t, 200)
		if p := old.call("GET", "/api/v1/token", nil).problem(t, 401, "invalid-token"); p.Code != "generation-ended" {
			t.Errorf("got %q", p.Code)
		}
		self := w.integration(next.Secret).call("POST", "/api/v1/token/rotate", `{"activate":"now","overlap_seconds":0}`).want(t, 201)
		third := into[api.IssuedToken](t, self)
		w.integration(next.Secret).call("GET", "/api/v1/token", nil).problem(t, 401, "invalid-token")
		last := w.integration(third.Secret)
		receipt := into[api.Receipt](t, last.call("DELETE", "/api/v1/token", nil).want(t, 200))
		if receipt.Status != "revoked" || receipt.ID != issued.Token.ID {
			t.Errorf("got %+v", receipt)
		}
		last.call("DELETE", "/api/v1/token", nil).problem(t, 401, "invalid-token")
		w.integration(ada.token("plain").Secret).call("POST", "/api/v1/token/rotate", nil).problem(t, 403, "insufficient-ability")
	})
}

func TestStateChanges(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		issued := ada.token("changing")
		path := ada.path("tokens", issued.Token.ID)
		c := w.integration(issued.Secret)
		ada.call("POST", path+"/suspend", `{"reason":"bored"}`).problem(t, 422, "invalid")
		ada.call("POST", path+"/resume", nil).problem(t, 409, "conflict")
		first := into[api.Receipt](t, ada.call("POST", path+"/suspend", `{"reason":"compromised","note":"seen in a log"}`).want(t, 200))
		again := into[api.Receipt](t, ada.call("POST", path+"/suspend", nil).want(t, 200))
		if first != again || first.Status != "suspended" {
			t.Errorf("got %+v then %+v", first, again)
		}
		c.call("GET", "/api/v1/token", nil).problem(t, 401, "invalid-token")
		ada.call("POST", path+"/resume", nil).want(t, 200)
		c.call("GET", "/api/v1/token", nil).want(t, 200)

		w.clock.advance(20 * time.Minute) // stopping needs no fresh password, starting does
		ada.call("POST", path+"/suspend", nil).want(t, 200)
		ada.call("POST", path+"/resume", nil).problem(t, 403, "fresh-sign-in-required")
		one := into[api.Receipt](t, ada.call("POST", path+"/revoke", `{"reason":"unused"}`).want(t, 200))
		w.clock.advance(time.Minute)
		two := into[api.Receipt](t, ada.call("POST", path+"/revoke", `{"reason":"other"}`).want(t, 200))
		if one != two {
			t.Errorf("got %+v then %+v", one, two)
		}
		got := into[api.Token](t, ada.call("GET", path, nil).want(t, 200))
		if got.Status != "revoked" || got.RevokedBy == nil || got.RevokedBy.Name != "Ada" || *got.RevokeReason != "unused" {
			t.Errorf("got %+v", got)
		}
		ada.call("PATCH", path, `{"name":"x"}`, "If-Match", "*").problem(t, 409, "conflict")
		ada.call("POST", "/portal/v1/session/confirm", api.ConfirmPassword{Password: password}).want(t, 200)
		ada.call("POST", path+"/rotate", nil).problem(t, 409, "conflict")
	})
}

func TestRevokeAll(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada, bob := w.signUp("Ada"), w.signUp("Bob")
		bob.join(ada, portal.Admin)
		bobs := *bob
		bobs.team = ada.team
		mine, his := ada.token("mine"), bobs.token("his")
		all := into[api.RevokedAll](t, ada.call("POST", ada.path("tokens", "revoke-all"), api.RevokeAll{Maker: bob.id, Reason: "left_team"}).want(t, 200))
		if all.Revoked != 1 || all.Rev == 0 {
			t.Errorf("got %+v", all)
		}
		w.integration(his.Secret).call("GET", "/api/v1/token", nil).problem(t, 401, "invalid-token")
		w.integration(mine.Secret).call("GET", "/api/v1/token", nil).want(t, 200)
		all = into[api.RevokedAll](t, ada.call("POST", ada.path("tokens", "revoke-all"), nil).want(t, 200))
		if all.Revoked != 1 {
			t.Errorf("got %+v", all)
		}
		w.integration(mine.Secret).call("GET", "/api/v1/token", nil).problem(t, 401, "invalid-token")
	})
}
