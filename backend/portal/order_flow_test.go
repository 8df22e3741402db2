package portal_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Orders are real and stored, apart for each team and environment.
func TestOrders(t *testing.T) {
	w := newWorld(t)
	w.Catalogue().Tokens.DefaultLimit = portal.RateLimit{Quota: 1000, Window: time.Second}
	ada, bob := w.signedUp("Ada"), w.signedUp("Bob")
	in := func(env portal.Env) func(*portal.NewToken) { return func(in *portal.NewToken) { in.Env = env } }
	live, trial, other := w.token(ada, in(portal.Live)), w.token(ada, in(portal.Test)), w.token(bob, in(portal.Live))
	decided := func(tok issued) *portal.Decision { d := w.wants(portal.OK, tok.secret); return &d }

	lines := []portal.OrderLine{{SKU: "A-1", Description: "a \x00 box\n📦", Quantity: 2, AmountMinor: 250}}
	o := get[portal.Order](t)(w.CreateOrder(w.ctx, decided(live), portal.NewOrder{Reference: " PO-1 ", Currency: "EUR", AmountMinor: 500, Lines: lines}))
	if o.Reference != "PO-1" || o.Version != 1 || !o.CreatedAt.Equal(w.now) || !o.CancelledAt.IsZero() {
		t.Errorf("got %+v", o)
	}
	again := w.token(ada, in(portal.Live)) // another token of the team
	if got := get[portal.Order](t)(w.Order(w.ctx, decided(again), o.ID)); fmt.Sprint(got) != fmt.Sprint(o) {
		t.Errorf("got %+v, want %+v", got, o)
	}
	for name, stranger := range map[string]issued{"the other environment": trial, "another team": other} {
		_, err := w.Order(w.ctx, decided(stranger), o.ID)
		here := refused(t, err, "not-found")
		_, err = w.Order(w.ctx, decided(stranger), "ord_none")
		if none := refused(t, err, "not-found"); none.Error() != here.Error() {
			t.Errorf("%s: got %v and %v, want them the same", name, here, none)
		}
		_, err = w.UpdateOrder(w.ctx, decided(stranger), o.ID, &o.Version, portal.OrderChange{})
		refused(t, err, "not-found")
		_, err = w.CancelOrder(w.ctx, decided(stranger), o.ID, nil)
		refused(t, err, "not-found")
		if list, _, err := w.Orders(w.ctx, decided(stranger), "", 10); err != nil || len(list) != 0 {
			t.Errorf("%s: got %v, %v, want none", name, list, err)
		}
	}

	_, err := w.UpdateOrder(w.ctx, decided(live), o.ID, nil, portal.OrderChange{})
	refused(t, err, "precondition-required")
	wrong := o.Version + 1
	_, err = w.UpdateOrder(w.ctx, decided(live), o.ID, &wrong, portal.OrderChange{})
	refused(t, err, "precondition-failed")
	w.now = w.now.Add(time.Minute)
	ref, amount := "PO-2", int64(0)
	changed := get[portal.Order](t)(w.UpdateOrder(w.ctx, decided(live), o.ID, &o.Version, portal.OrderChange{Reference: &ref, AmountMinor: &amount}))
	if changed.Reference != "PO-2" || changed.AmountMinor != 0 || changed.Currency != "EUR" || changed.Version != 2 || !changed.UpdatedAt.Equal(w.now) {
		t.Errorf("got %+v", changed)
	}
	w.now = w.now.Add(time.Minute)
	for name, patch := range map[string]portal.OrderChange{
		"nothing":      {},
		"the same":     {Reference: new(" PO-2 "), Currency: new("EUR"), AmountMinor: new(int64(0)), Lines: new(slices.Clone(lines))},
		"the lines":    {Lines: &lines},
		"the currency": {Currency: new("EUR")},
	} {
		same := get[portal.Order](t)(w.UpdateOrder(w.ctx, decided(live), o.ID, &changed.Version, patch))
		if stored := get[portal.Order](t)(w.Order(w.ctx, decided(live), o.ID)); fmt.Sprint(same, stored) != fmt.Sprint(changed, changed) {
			t.Errorf("%s: got %+v, stored as %+v, want %+v", name, same, stored, changed)
		}
		_, err = w.UpdateOrder(w.ctx, decided(live), o.ID, &o.Version, patch)
		refused(t, err, "precondition-failed")
	}
	cancelled := get[portal.Order](t)(w.CancelOrder(w.ctx, decided(live), o.ID, &changed.Version))
	if !cancelled.CancelledAt.Equal(w.now) {
		t.Errorf("got %+v, want it cancelled", cancelled)
	}
	_, err = w.UpdateOrder(w.ctx, decided(live), o.ID, &cancelled.Version, portal.OrderChange{})
	refused(t, err, "conflict order-cancelled")
	_, err = w.CancelOrder(w.ctx, decided(live), o.ID, &cancelled.Version)
	refused(t, err, "conflict order-cancelled")

	for range 4 {
		w.now = w.now.Add(time.Second)
		get[portal.Order](t)(w.CreateOrder(w.ctx, decided(live), portal.NewOrder{Reference: "x", Currency: "EUR"}))
	}
	var seen []string
	for after, pages := "", 0; ; pages++ {
		list, next, err := w.Orders(w.ctx, decided(live), after, 2)
		noError(t, err)
		for _, o := range list {
			seen = append(seen, o.ID)
		}
		if after = next; next == "" || pages > 5 {
			break
		}
	}
	if len(seen) != 5 || seen[4] != o.ID {
		t.Errorf("got %v, want five, the oldest last", seen)
	}
}

// Every call is seen by the team: as a record, in the sums, and as last use.
func TestCallsAndUsage(t *testing.T) {
	w := newWorld(t)
	ada, bob := w.signedUp("Ada"), w.signedUp("Bob")
	dev := w.member(ada, "Dev", portal.Developer)
	aud := w.member(ada, "Aud", portal.Auditor)
	tok, other := w.token(dev, nil), w.token(ada, nil)
	elsewhere := w.token(bob, nil)
	call := func(text string, status int, need ...string) portal.Decision {
		d := w.ask(text, need...)
		w.Record(&d, portal.Recorded{
			Method: "GET", Route: "/api/v1/orders", Status: status, Duration: 2 * time.Millisecond, Bytes: 10,
			Address: home.Address, UserAgent: "erp/1.2", RequestID: "req_1",
		})
		return d
	}
	began := w.now
	call(tok.secret, 200)
	refusal := call(tok.secret, 403, "orders:write")
	call(other.secret, 500)
	call(elsewhere.secret, 200)
	w.now = w.now.Add(25 * time.Hour)
	call(tok.secret, 200)
	w.now = w.now.Add(time.Second)
	call(tok.secret, 200)
	noError(t, w.Close(w.ctx)) // everything is stored

	page := get[portal.CallPage](t)(w.Calls(w.ctx, aud.Person, portal.CallFilter{Team: ada.team, Limit: 3}))
	if len(page.Calls) != 3 || page.Next == nil || !page.Calls[0].At.Equal(w.now) {
		t.Errorf("got %+v, want the newest three", page)
	}
	page = get[portal.CallPage](t)(w.Calls(w.ctx, aud.Person, portal.CallFilter{Team: ada.team, Limit: 3, After: page.Next}))
	if len(page.Calls) != 2 || page.Next != nil {
		t.Errorf("got %+v, want the other two", page)
	}
	page = get[portal.CallPage](t)(w.Calls(w.ctx, aud.Person, portal.CallFilter{Team: ada.team, Status: 403}))
	want := portal.Call{
		ID: refusal.ID.String(), Team: ada.team, At: began, Token: tok.ID, Generation: 1, Method: "GET", Route: "/api/v1/orders",
		Status: 403, Code: portal.Insufficient, Duration: 2 * time.Millisecond, Bytes: 10,
		Address: netip.MustParseAddr("203.0.113.9"), UserAgent: "erp/1.2", RequestID: "req_1",
	}
	if len(page.Calls) != 1 || page.Calls[0] != want {
		t.Errorf("got %+v, want %+v", page.Calls, want)
	}
	_, err := w.Calls(w.ctx, aud.Person, portal.CallFilter{Team: ada.team, Token: elsewhere.ID})
	refused(t, err, "not-found")

	sum := func(r portal.UsageReport, err error) (calls, refused, errors int64) {
		t.Helper()
		noError(t, err)
		for _, s := range r.Series {
			for _, p := range s.Points {
				calls, refused, errors = calls+p.Calls, refused+p.Refused, errors+p.Errors
			}
		}
		return calls, refused, errors
	}
	for _, tt := range []struct {
		name                   string
		q                      portal.UsageQuery
		calls, refused, errors int64
	}{
		{"the team", portal.UsageQuery{}, 5, 1, 1},
		{"by the hour", portal.UsageQuery{Step: portal.Hour}, 5, 1, 1},
		{"by route", portal.UsageQuery{By: portal.ByRoute}, 5, 1, 1},
		{"one token", portal.UsageQuery{Token: tok.ID}, 4, 1, 0},
		{"one day", portal.UsageQuery{To: began.Truncate(day).Add(day)}, 3, 1, 1},
		{"one hour", portal.UsageQuery{Step: portal.Hour, From: began, To: began.Add(time.Minute)}, 3, 1, 1},
		{"an hour without calls", portal.UsageQuery{Step: portal.Hour, From: began.Add(time.Hour), To: began.Add(time.Hour + time.Minute)}, 0, 0, 0},
	} {
		c, r, e := sum(w.Usage(w.ctx, aud.Person, ada.team, tt.q))
		if c != tt.calls || r != tt.refused || e != tt.errors {
			t.Errorf("%s: got %d, %d, %d, want %d, %d, %d", tt.name, c, r, e, tt.calls, tt.refused, tt.errors)
		}
	}
	d := w.wants(portal.OK, tok.secret)
	if c, _, _ := sum(w.OwnUsage(w.ctx, &d, portal.UsageQuery{Token: other.ID})); c != 4 {
		t.Errorf("a token sees %d calls, want its own 4, whatever it asks for", c)
	}

	v := get[portal.TokenView](t)(w.Token(w.ctx, dev.Person, ada.team, tok.ID))
	last := began.Add(25 * time.Hour) // a second later is within the minute
	if !v.LastUsedAt.Equal(last) || v.LastUsedFrom != "203.0.113.9" || !v.Generations[0].LastUsedAt.Equal(last) || v.Generations[0].LastClient != "erp/1.2" || !v.FirstUsedAt.Equal(began) {
		t.Errorf("got %+v", v)
	}
	list := get[portal.TokenPage](t)(w.Tokens(w.ctx, ada.Person, portal.TokenFilter{Team: ada.team, Sort: portal.ByLastUse}))
	if got := fmt.Sprint(list.Tokens[0].Calls7Days, list.Tokens[1].Calls7Days); got != "[0 0 0 0 0 2 2] [0 0 0 0 0 1 0]" {
		t.Errorf("got %s calls a day", got)
	}
}

func TestPrune(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	tok := w.token(ada, nil)
	get[portal.Receipt](t)(w.RevokeToken(w.ctx, ada.Person, ada.team, tok.ID, portal.Reason{}))
	w.now = w.now.Add(90*day - time.Second)
	get[int](t)(w.Prune(w.ctx))
	get[portal.TokenView](t)(w.Token(w.ctx, ada.Person, ada.team, tok.ID)) // still kept
	w.now = w.now.Add(2 * time.Second)
	if n := get[int](t)(w.Prune(w.ctx)); n == 0 {
		t.Error("got nothing removed")
	}
	_, err := w.Token(w.ctx, ada.Person, ada.team, tok.ID)
	refused(t, err, "not-found")
	w.wants(portal.InvalidToken, tok.secret)
	if n := get[int](t)(w.Prune(w.ctx)); n != 0 {
		t.Errorf("got %d removed again", n)
	}
}
