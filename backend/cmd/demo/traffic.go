package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"path"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// shape is how the calls of a day spread over its hours, UTC, and over the days
// of the week from Sunday. Only the proportions count.
type shape struct {
	hours [24]float64
	week  [7]float64
}

var (
	office = shape{
		[24]float64{6: 1, 7: 4, 8: 9, 9: 12, 10: 12, 11: 10, 12: 6, 13: 9, 14: 11, 15: 11, 16: 9, 17: 5, 18: 2, 19: 1},
		[7]float64{.05, 1, 1.05, 1.1, 1.05, .9, .1},
	}
	shop = shape{
		[24]float64{3, 2, 1, 1, 1, 2, 3, 5, 6, 7, 8, 9, 10, 9, 8, 8, 9, 10, 12, 14, 15, 13, 9, 5},
		[7]float64{1.3, .9, .85, .9, .95, 1.1, 1.35},
	}
	shifts = shape{
		[24]float64{4: 2, 5: 8, 6: 10, 7: 10, 8: 9, 9: 6, 10: 10, 11: 9, 12: 8, 13: 7, 14: 9, 15: 9, 16: 8, 17: 6, 18: 7, 19: 6, 20: 4, 21: 1},
		[7]float64{0, 1, 1, 1, 1, 1, .5},
	}
	nights = shape{[24]float64{1: 1, 2: 8, 3: 2}, [7]float64{1, 1, 1, 1, 1, 1, 1}}
	always = shape{
		[24]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		[7]float64{1, 1, 1, 1, 1, 1, 1},
	}
)

// stream is the everyday calls of one integration.
type stream struct {
	token    string
	from, to int // days ago
	daily    float64
	shape    shape
	do       func(ctx context.Context) error
}

// traffic is every call that integrations make of their own accord.
func (s *stage) traffic() []step {
	var steps []step
	for _, st := range []stream{
		{orderSync, 30, 0, 115, office, s.syncOrders},
		{checkout, 30, 0, 140, shop, s.checkOut},
		{scanners, 29, 0, 100, shifts, s.scan},
		{reporting, 28, 0, 28, nights, s.report},
		{feed, 27, 0, 18, always, s.list(feed)},
		{importer, 29, 0, 14, office, s.list(importer)},
		{courier, 26, 7, 24, shifts, s.list(courier)},
		{agent, 24, 0, 24, always, s.whoAmI(agent)},
		{globexERP, 28, 0, 45, office, s.mixed(globexERP)},
		{globexTry, 20, 0, 6, office, s.mixed(globexTry)},
		{edge, 30, 0, 12, always, s.whoAmI(edge)},
	} {
		for _, at := range s.times(st) {
			steps = append(steps, step{at, st.do})
		}
	}
	for at := s.ago(11, 13, 31); at.Before(s.ago(11, 13, 39)); at = at.Add(19 * time.Second) { // the outage is noticed
		steps = append(steps, step{at, s.list(orderSync)})
	}
	for d := 24; d >= 0; d -= 2 { // a test run that goes beyond its limit now and then
		at := s.ago(d, 11, s.rand.IntN(60))
		for i := range 40 + s.rand.IntN(45) {
			steps = append(steps, step{at.Add(time.Duration(i) * 150 * time.Millisecond), s.mixed(staging)})
		}
	}
	return s.past(steps)
}

// past leaves out what would lie ahead of the present.
func (s *stage) past(steps []step) []step {
	kept := steps[:0]
	for _, st := range steps {
		if st.at.Before(s.now.Add(-5 * time.Second)) {
			kept = append(kept, st)
		}
	}
	return kept
}

// times returns when the calls of a stream are made: at random, as many in each
// hour as its shape says.
func (s *stage) times(st stream) []time.Time {
	sum := 0.0
	for _, share := range st.shape.hours {
		sum += share
	}
	var list []time.Time
	for d := st.from; d >= st.to; d-- {
		for hour, share := range st.shape.hours {
			begin := s.ago(d, hour, 0).Truncate(time.Hour)
			growth := 1 + .25*float64(days-d)/days // business is good
			expected := st.daily * share / sum * st.shape.week[begin.Weekday()] * growth
			for range s.poisson(expected) {
				list = append(list, begin.Add(time.Duration(s.rand.Int64N(int64(time.Hour)))))
			}
		}
	}
	// Nothing before the token is made, in the first day's tenth hour at the latest.
	first := s.ago(st.from, 17, 0)
	for len(list) > 0 && list[0].Before(first) {
		list = list[1:]
	}
	kept := list[:0]
	for _, at := range list {
		if !at.Before(first) {
			kept = append(kept, at)
		}
	}
	return kept
}

// poisson returns a number of events where so many are expected (Knuth).
func (s *stage) poisson(expected float64) int {
	n, p, limit := 0, 1.0, math.Exp(-expected)
	for {
		if p *= s.rand.Float64(); p <= limit {
			return n
		}
		n++
	}
}

// known is an order that integrations of a team know.
type known struct{ path, etag string }

// chance is true in so many of a hundred cases.
func (s *stage) chance(percent float64) bool { return s.rand.Float64()*100 < percent }

func (s *stage) list(name string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		_, err := s.call(ctx, name, request{method: http.MethodGet, path: "/api/v1/orders?limit=5"})
		return err
	}
}

func (s *stage) whoAmI(name string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		_, err := s.call(ctx, name, request{method: http.MethodGet, path: "/api/v1/token"})
		return err
	}
}

// place makes an order, and remembers it.
func (s *stage) place(ctx context.Context, name string, r request) error {
	t := s.tokens[name]
	shelf := t.team + string(t.env)
	s.placed++
	price, quantity := int64(900+s.rand.IntN(40_000)), int64(1+s.rand.IntN(12))
	r.method, r.path = http.MethodPost, "/api/v1/orders"
	r.body = api.CreateOrder{
		Reference: fmt.Sprintf("SO-%06d", 410_000+s.placed), Currency: []string{"EUR", "EUR", "EUR", "USD", "CHF"}[s.rand.IntN(5)],
		AmountMinor: new(price * quantity), Lines: []api.OrderLine{{
			SKU: fmt.Sprintf("ACM-%04d", 1000+s.rand.IntN(240)), Description: goods[s.rand.IntN(len(goods))], Quantity: quantity, AmountMinor: price * quantity,
		}},
	}
	got, err := s.call(ctx, name, r)
	if err == nil && got.status == http.StatusCreated {
		s.orders[shelf] = append(s.orders[shelf], known{got.location, got.etag})
	}
	return err
}

var goods = []string{"Pallet cage, galvanised", "Stretch film, 500 mm", "Label roll, 100 × 150", "Hand truck", "Dock plate", "Void fill, 200 l", "Euro pallet, used A"}

// order returns an order of the integration's team, mostly a late one, or false.
func (s *stage) order(name string) (*known, bool) {
	t := s.tokens[name]
	list := s.orders[t.team+string(t.env)]
	if len(list) == 0 {
		return nil, false
	}
	return &list[len(list)-1-s.rand.IntN(min(len(list), 60))], true
}

// mixed is what a client of the whole API does.
func (s *stage) mixed(name string) func(ctx context.Context) error {
	return func(ctx context.Context) error { return s.mixedWith(ctx, name, request{}) }
}

func (s *stage) mixedWith(ctx context.Context, name string, r request) error {
	o, some := s.order(name)
	switch {
	case s.chance(2.5) || !some:
		return s.place(ctx, name, r)
	case s.chance(3): // the amount was forgotten to be positive
		r.method, r.path, r.body = http.MethodPost, "/api/v1/orders", map[string]any{"reference": "SO-draft", "currency": "EURO", "amount_minor": -1}
	case s.chance(2):
		r.method, r.path = http.MethodGet, "/api/v1/orders/ord_01J0000000000000000000GONE"
	case s.chance(2):
		reference := path.Base(o.path)[4:12] + "-B"
		r.method, r.path, r.match, r.body = http.MethodPatch, o.path, o.etag, map[string]string{"reference": reference}
		got, err := s.call(ctx, name, r)
		if err == nil && got.etag != "" && !s.chance(15) { // who forgets to look gets 412 the next time
			o.etag = got.etag
		}
		return err
	case s.chance(1):
		r.method, r.path, r.match = http.MethodDelete, o.path, o.etag
	case s.chance(45):
		r.method, r.path = http.MethodGet, o.path
	case s.chance(10):
		r.method, r.path = http.MethodGet, "/api/v1/token"
	default:
		r.method, r.path = http.MethodGet, "/api/v1/orders?limit=5"
	}
	_, err := s.call(ctx, name, r)
	return err
}

func (s *stage) syncOrders(ctx context.Context) error { return s.mixedWith(ctx, orderSync, request{}) }

// checkOut comes from two deployments; one moves to a new secret at once, the
// other has not got it yet.
func (s *stage) checkOut(ctx context.Context) error {
	r := request{old: s.chance(40)}
	if s.chance(5) {
		return s.place(ctx, checkout, r)
	}
	return s.mixedWith(ctx, checkout, r)
}

// scan reads single orders, now and then from outside the warehouse.
func (s *stage) scan(ctx context.Context) error {
	r := request{method: http.MethodGet, path: "/api/v1/orders?limit=5", abroad: s.chance(1.5)}
	if o, ok := s.order(scanners); ok && s.chance(85) {
		r.path = o.path
	}
	_, err := s.call(ctx, scanners, r)
	return err
}

// report reads everything once a night; its author also tried to write.
func (s *stage) report(ctx context.Context) error {
	switch {
	case s.chance(4):
		return s.place(ctx, reporting, request{})
	case s.chance(25):
		_, err := s.call(ctx, reporting, request{method: http.MethodGet, path: "/api/v1/usage"})
		return err
	}
	got, err := s.call(ctx, reporting, request{method: http.MethodGet, path: "/api/v1/orders?limit=100"})
	if err != nil || got.status != http.StatusOK {
		return err
	}
	var page api.List[json.RawMessage]
	if err := json.Unmarshal(got.body, &page); err != nil || page.NextCursor == nil {
		return err
	}
	_, err = s.call(ctx, reporting, request{method: http.MethodGet, path: "/api/v1/orders?limit=100&cursor=" + *page.NextCursor})
	return err
}
