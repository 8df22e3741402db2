package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/testskip"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// TestIntegration is the life of an integration: it asks who it is, reads and
// makes orders, is told what it lacks, is limited, and is refused at the very
// next request after it was revoked.
func TestIntegration(t *testing.T) {
	for _, store := range stores {
		t.Run(store.name, func(t *testing.T) {
			testskip.Ran(t, "the journey of an integration on "+store.name)
			s := start(t, store.uri(t))
			ada := signUp(t, s, "Ada", "ada@partner.example", "Acme")
			reader, secret := ada.token(api.CreateToken{Name: "ERP integration"}, "orders:read")
			_, writing := ada.token(api.CreateToken{Name: "Shop"}, "orders:read", "orders:write")
			_, trying := ada.token(api.CreateToken{Name: "Shop trial", Env: "test"}, "orders:read", "orders:write")

			erp, shop, trial := newCaller(t, s.url, secret), newCaller(t, s.url, writing), newCaller(t, s.url, trying)
			var me api.WhoAmI
			decode(t, erp.want(200, "GET", "/api/v1/token", ""), &me)
			if me.ID != reader.ID || me.Name != "ERP integration" || strings.Join(me.Abilities, " ") != "orders:read" {
				t.Errorf("who am I: got %+v", me)
			}
			ordersAreStored(t, erp, shop, trial)
			refusalsSayHow(t, erp, shop)
			limitsAreTold(t, s, ada)
			idempotent(t, shop)
			revokedAtOnce(t, s, ada, reader, erp, store.name == "mongodb")
		})
	}
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
}

const order = `{"reference":"PO-1 🚚","currency":"EUR","amount_minor":1250,"lines":[{"sku":"A1","description":"a box","quantity":2,"amount_minor":625}]}`

func ordersAreStored(t *testing.T, erp, shop, trial *caller) {
	t.Helper()
	var made api.Order
	decode(t, shop.want(201, "POST", "/api/v1/orders", order), &made)
	var list api.List[api.Order]
	decode(t, erp.want(200, "GET", "/api/v1/orders", ""), &list)
	if len(list.Data) != 1 || list.Data[0].ID != made.ID || list.Data[0].Reference != "PO-1 🚚" || len(list.Data[0].Lines) != 1 {
		t.Errorf("orders: got %+v", list.Data)
	}
	decode(t, trial.want(200, "GET", "/api/v1/orders", ""), &list)
	if len(list.Data) != 0 {
		t.Errorf("a test token sees %d live orders", len(list.Data))
	}
	trial.want(404, "GET", "/api/v1/orders/"+made.ID, "")
}

func refusalsSayHow(t *testing.T, erp, shop *caller) {
	t.Helper()
	resp, text := erp.call("POST", "/api/v1/orders", order)
	var p api.Problem
	decode(t, text, &p)
	if resp.StatusCode != 403 || len(p.RequiredAbilities) != 1 || p.RequiredAbilities[0] != "orders:write" || p.Fix == "" {
		t.Errorf("POST without orders:write: got %d %s", resp.StatusCode, text)
	}
	if got := resp.Header.Get("WWW-Authenticate"); !strings.Contains(got, `error="insufficient_scope"`) || !strings.Contains(got, `scope="orders:write"`) {
		t.Errorf("WWW-Authenticate: got %q", got)
	}
	if got := resp.Header.Get("Content-Type"); got != api.ProblemType {
		t.Errorf("Content-Type: got %q", got)
	}
	shop.want(422, "POST", "/api/v1/orders", `{"reference":"","currency":"euro","amount_minor":-1,"surprise":true}`)
	shop.want(400, "POST", "/api/v1/orders", `{"reference":`)
	nobody := newCaller(t, erp.url, "")
	resp, _ = nobody.call("GET", "/api/v1/token", "")
	if resp.StatusCode != 401 || strings.Contains(resp.Header.Get("WWW-Authenticate"), "error=") {
		t.Errorf("without a token: got %d, %q", resp.StatusCode, resp.Header.Get("WWW-Authenticate"))
	}
}

func limitsAreTold(t *testing.T, s *server, ada *owner) {
	t.Helper()
	_, secret := ada.token(api.CreateToken{Name: "Slow", RateLimit: &api.RateLimit{Quota: 3, WindowSeconds: 60}}, "orders:read")
	slow := newCaller(t, s.url, secret)
	for range 3 {
		slow.want(200, "GET", "/api/v1/orders", "")
	}
	resp, text := slow.call("GET", "/api/v1/orders", "")
	if resp.StatusCode != 429 {
		t.Fatalf("fourth request of three: got %d %s", resp.StatusCode, text)
	}
	for name, want := range map[string]string{"RateLimit-Policy": "q=3;w=60", "RateLimit": "r=0", "Retry-After": ""} {
		if got := resp.Header.Get(name); got == "" || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want it to hold %q", name, got, want)
		}
	}
	if !strings.Contains(text, "quota-exceeded") {
		t.Errorf("the body of 429 is %s", text)
	}
}

func idempotent(t *testing.T, shop *caller) {
	t.Helper()
	key := []string{"Idempotency-Key", `"8e03978e-40d5-43dd-bc93-6894a57f9324"`}
	first := shop.want(201, "POST", "/api/v1/orders", order, key...)
	resp, again := shop.call("POST", "/api/v1/orders", order, key...)
	if resp.StatusCode != 201 || again != first || resp.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("replay: got %d %q %s, want the first answer %s", resp.StatusCode, resp.Header.Get("Idempotent-Replayed"), again, first)
	}
	shop.want(422, "POST", "/api/v1/orders", strings.Replace(order, "1250", "1", 1), key...)
}

// revokedAtOnce revokes a token and calls again on the same connection, and in
// another process where the store allows one.
func revokedAtOnce(t *testing.T, s *server, ada *owner, token api.Token, erp *caller, two bool) {
	t.Helper()
	callers := []*caller{erp}
	if two {
		elsewhere := newCaller(t, s.beside().url, erp.secret)
		elsewhere.want(200, "GET", "/api/v1/token", "")
		callers = append(callers, elsewhere)
	}
	dials := erp.dials
	receipt, err := ada.api.RevokeToken(t.Context(), ada.team, token.ID, api.Reason{Reason: "superseded"})
	if err != nil || receipt.Status != api.TokenRevoked || receipt.Rev == 0 {
		t.Fatalf("revoke: %+v, %v", receipt, err)
	}
	for _, c := range callers {
		resp, text := c.call("GET", "/api/v1/token", "")
		if resp.StatusCode != 401 || !strings.Contains(text, `"code":"revoked"`) {
			t.Errorf("after the revocation: got %d %s", resp.StatusCode, text)
		}
	}
	if erp.dials != dials {
		t.Errorf("the connection was not kept: %d dials, then %d", dials, erp.dials)
	}
	again, err := ada.api.RevokeToken(t.Context(), ada.team, token.ID, api.Reason{})
	if err != nil || again != receipt {
		t.Errorf("a repeat: got %+v, %v, want the receipt %+v", again, err, receipt)
	}
	within(t, 2*time.Second, "the refused call is in the log", func(ctx context.Context) bool {
		calls, err := ada.api.TokenCalls(ctx, ada.team, token.ID, client.CallQuery{Status: "401"})
		return err == nil && len(calls.Data) >= len(callers) && calls.Data[0].Code == "revoked"
	})
	events, err := ada.api.TokenEvents(t.Context(), ada.team, token.ID, client.EventQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, e := range events.Data {
		actions = append(actions, e.Action)
	}
	if got, want := strings.Join(actions, " "), "token.dead_secret_used token.revoked token.used_first token.created"; got != want {
		t.Errorf("events: got %s, want %s", got, want)
	}
	chain, err := ada.api.Chain(t.Context(), ada.team)
	if err != nil || !chain.Verified {
		t.Errorf("the chain: %+v, %v", chain, err)
	}
	if strings.Contains(s.logged(), erp.secret[len("gtk_live_")+13:]) {
		t.Error("the log holds a secret")
	}
	resp, err := http.Get(s.url + "/healthz")
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("healthz: %v", err)
	}
}
