package httpapi_test

import (
	"crypto/rand"
	"fmt"
	"sync"
	"testing"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// If-Match: * holds for whatever is there (RFC 9110, 13.1.1), also while others
// change it.
func TestIfMatchAnything(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		issued := ada.token("x", "orders:read", "orders:write")
		erp := w.integration(issued.Secret)
		in := api.CreateOrder{Reference: "PO-1", Currency: "EUR", AmountMinor: new(int64(1))}
		order := erp.call("POST", "/api/v1/orders", in).want(t, 201).header.Get("Location")
		for _, tt := range []struct {
			who                  *client
			path, absent, change string
			keyed                bool
		}{
			{ada.client, ada.path(), "/portal/v1/teams/tea_none", `{"name":"%s"}`, false},
			{ada.client, ada.path("tokens", issued.Token.ID), ada.path("tokens", "7Hq2LmZx9RtB"), `{"note":"%s"}`, false},
			{erp, order, "/api/v1/orders/ord_none", `{"reference":"%s"}`, false},
			{erp, order, "/api/v1/orders/ord_none", `{"reference":"%s"}`, true},
		} {
			change := func(path, match string) answer {
				key := ""
				if tt.keyed {
					key = rand.Text()
				}
				return tt.who.call("PATCH", path, fmt.Sprintf(tt.change, rand.Text()), "If-Match", match, "Idempotency-Key", key)
			}
			old := tt.who.call("GET", tt.path, nil).want(t, 200).header.Get("Etag")
			answers := make([]answer, 12)
			var work sync.WaitGroup
			for i := range answers {
				work.Go(func() { answers[i] = change(tt.path, "*") })
			}
			work.Wait()
			tags := map[string]bool{}
			for _, a := range answers {
				tags[a.want(t, 200).header.Get("Etag")] = true
			}
			if len(tags) != len(answers) {
				t.Errorf("%s: got %d ETags of %d changes", tt.path, len(tags), len(answers))
			}
			change(tt.path, old).problem(t, 412, "precondition-failed")
			change(tt.absent, "*").problem(t, 404, "not-found")
			change(tt.absent, old).problem(t, 404, "not-found")
		}
	})
}

// A patch that changes nothing leaves the ETag that others hold good, but is
// compared with If-Match as any other.
func TestPatchesThatChangeNothing(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		ada := w.signUp("Ada")
		erp := w.integration(ada.token("ERP", "orders:read", "orders:write").Secret)
		order := func(lines ...api.OrderLine) string {
			in := api.CreateOrder{Reference: "PO-1", Currency: "EUR", AmountMinor: new(int64(1)), Lines: lines}
			return erp.call("POST", "/api/v1/orders", in).want(t, 201).header.Get("Location")
		}
		// Of one that is used, what its limit leaves is in the answer too.
		token := ada.path("tokens", ada.token("x", "orders:read", "orders:write").Token.ID)
		full, empty := order(api.OrderLine{SKU: "a", Quantity: 1}), order()
		for _, tt := range []struct {
			who         *client
			path, patch string
		}{
			{ada.client, ada.path(), `{}`},
			{ada.client, ada.path(), `{"name":"Ada Ltd"}`},
			{ada.client, token, `{}`},
			{ada.client, token, `{"name":"x","note":"","abilities":["orders:write","orders:read"],"addresses":[],"rate_limit":null}`},
			{erp, full, `{}`},
			{erp, full, `{"reference":" PO-1 ","currency":"EUR","amount_minor":1,"lines":[{"sku":"a","quantity":1}]}`},
			{erp, empty, `{"lines":[]}`},
		} {
			before := tt.who.call("GET", tt.path, nil).want(t, 200)
			tag := before.header.Get("Etag")
			for _, match := range []string{tag, "*", tag} {
				a := tt.who.call("PATCH", tt.path, tt.patch, "If-Match", match).want(t, 200)
				if got := a.header.Get("Etag"); got != tag || string(a.body) != string(before.body) {
					t.Errorf("%s %s: got %s %s, want %s %s", tt.path, tt.patch, got, a.body, tag, before.body)
				}
			}
			tt.who.call("PATCH", tt.path, tt.patch, "If-Match", `"999.0"`).problem(t, 412, "precondition-failed")
			tt.who.call("PATCH", tt.path, tt.patch).problem(t, 428, "precondition-required")
		}
	})
}
