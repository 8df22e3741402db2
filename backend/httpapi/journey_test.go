package httpapi_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// A person signs up, makes a token, an integration calls with it, the person
// sees the calls and revokes it.
func TestJourney(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		issued := ada.token("ERP integration", "orders:read", "orders:write")
		if !strings.HasPrefix(issued.Secret, "gtk_live_"+issued.Token.ID) {
			t.Fatalf("got the secret %q of token %q", issued.Secret, issued.Token.ID)
		}
		erp := w.integration(issued.Secret)
		me := into[api.WhoAmI](t, erp.call("GET", "/api/v1/token", nil).want(t, 200))
		if me.ID != issued.Token.ID || me.Team.ID != ada.team || len(me.Limits) != 1 {
			t.Errorf("who am I: %+v", me)
		}
		order := api.CreateOrder{Reference: "PO-1", Currency: "EUR", AmountMinor: new(int64(1200)), Lines: []api.OrderLine{{SKU: "A", Quantity: 2, AmountMinor: 600}}}
		made := erp.call("POST", "/api/v1/orders", order).want(t, 201)
		o := into[api.Order](t, made)
		if made.header.Get("Location") != "/api/v1/orders/"+o.ID || made.header.Get("Etag") == "" {
			t.Errorf("headers of the order: %v", made.header)
		}
		list := into[api.List[api.Order]](t, erp.call("GET", "/api/v1/orders", nil).want(t, 200))
		if len(list.Data) != 1 || list.Data[0].ID != o.ID {
			t.Errorf("orders: %+v", list)
		}
		eventually(t, "the calls are recorded", func() bool {
			calls := into[api.List[api.Call]](t, ada.call("GET", ada.path("calls"), nil).want(t, 200))
			return len(calls.Data) == 3 && calls.Data[0].Route == "/api/v1/orders" && calls.Data[0].Status == 200
		})
		seen := into[api.Token](t, ada.call("GET", ada.path("tokens", issued.Token.ID), nil).want(t, 200))
		if left := seen.Limits; len(left) != 1 || left[0].Quota != me.Limits[0].Quota || left[0].WindowSeconds != 60 {
			t.Errorf("what remains of the limit: %+v", left)
		}
		receipt := into[api.Receipt](t, ada.call("POST", ada.path("tokens", issued.Token.ID, "revoke"), api.Reason{Reason: "superseded"}).want(t, 200))
		if receipt.Status != api.TokenRevoked || receipt.Rev == 0 {
			t.Errorf("receipt: %+v", receipt)
		}
		p := erp.call("GET", "/api/v1/token", nil).problem(t, 401, "invalid-token")
		if p.Code != "revoked" || p.Token != issued.Token.ID {
			t.Errorf("refusal: %+v", p)
		}
		events := into[api.List[api.Event]](t, ada.call("GET", ada.path("events"), nil).want(t, 200))
		var actions []string
		for _, e := range events.Data {
			actions = append(actions, e.Action)
			if id, _ := e.Data["request_id"].(string); id == "" {
				t.Errorf("the event %s does not say of which request it is: %v", e.Action, e.Data)
			}
		}
		for _, want := range []string{"token.created", "token.used_first", "token.revoked", "token.dead_secret_used", "team.created"} {
			if !strings.Contains(strings.Join(actions, " "), want) {
				t.Errorf("no event %s among %v", want, actions)
			}
		}
		if strings.Contains(w.log.String(), issued.Secret[9:]) {
			t.Error("the log has the secret")
		}
	})
}
