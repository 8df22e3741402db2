package demo

import (
	"context"
	"net/http"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const day = 24 * time.Hour

// ago returns a time of the day, UTC, so many days before the present one.
func (s *stage) ago(daysAgo, hour, minute int) time.Time {
	y, m, d := s.now.Date()
	return time.Date(y, m, d-daysAgo, hour, minute, s.rand.IntN(60), 0, time.UTC)
}

// story is everything that happens, in no order.
func (s *stage) story() []step {
	steps := s.beginnings()
	steps = append(steps, s.changes()...)
	steps = append(steps, s.everyday()...)
	return append(steps, s.traffic()...)
}

// beginnings are the accounts, teams and tokens.
func (s *stage) beginnings() []step {
	var steps []step
	at := func(daysAgo, hour, minute int, do func(ctx context.Context) error) {
		steps = append(steps, step{s.ago(daysAgo, hour, minute), do})
	}
	when := [][2]int{{33, 8}, {33, 10}, {32, 9}, {31, 14}, {32, 15}, {34, 8}} // days ago and hour, as in cast
	for i, r := range cast {
		at(when[i][0], when[i][1], 5, func(ctx context.Context) error { return s.signUp(ctx, r) })
	}
	at(34, 8, 30, func(ctx context.Context) error {
		if err := s.portal.GrantAdmin(ctx, "olga@example.com"); err != nil {
			return err
		}
		_, err := s.portal.MarkPlatformTeam(ctx, platform)
		return err
	})
	join := func(email, by string, role portal.Role, daysAgo, hour int) {
		at(daysAgo, hour, 40, func(ctx context.Context) error { return s.join(ctx, by, email, acme, role) })
	}
	join("ben@example.com", "ada@example.com", portal.Admin, 33, 10)
	join("cleo@example.com", "ben@example.com", portal.Developer, 32, 9)
	join("dora@example.com", "ada@example.com", portal.Auditor, 31, 14)

	create := func(name string, daysAgo, hour int, p plan) {
		at(daysAgo, hour, 50, func(ctx context.Context) error { return s.create(ctx, name, p) })
	}
	ada, ben, cleo := "ada@example.com", "ben@example.com", "cleo@example.com"
	both := []string{"orders:read", "orders:write"}
	create(orderSync, 30, 9, plan{
		maker: ada, team: acme, env: portal.Live, abilities: append([]string{"usage:read"}, both...),
		note: "SAP job ZGH_ORDERS, every few minutes in office hours.", agent: "SAP-PI/7.5 gatehouse-sync", from: address("203.0.113.64"),
	})
	create(checkout, 30, 9, plan{
		maker: ben, team: acme, env: portal.Live, abilities: both, note: "Two deployments, eu-1 and us-1.",
		agent: "acme-webshop/4.18 (go)", from: address("203.0.113.90"),
	})
	create(scanners, 29, 7, plan{
		maker: cleo, team: acme, env: portal.Live, abilities: []string{"orders:read"}, addresses: []string{"198.51.100.0/24"},
		note: "Hand scanners in the Lyon warehouse.", agent: "ZebraScan/11.2 okhttp/5.1", from: address("198.51.100.30"),
	})
	create(reporting, 28, 11, plan{
		maker: ben, team: acme, env: portal.Live, abilities: []string{"orders:read", "usage:read"}, lives: 28*day + 9*day,
		agent: "python-requests/2.34 acme-bi", from: address("203.0.113.120"),
	})
	create(feed, 27, 10, plan{
		maker: cleo, team: acme, env: portal.Live, abilities: []string{"orders:read"}, agent: "carrier-feed/1.9",
		from: address("192.0.2.33"),
	})
	create(importer, 29, 13, plan{
		maker: ada, team: acme, env: portal.Live, abilities: both, lives: 26 * day, note: "To be replaced by " + orderSync + ".",
		agent: "curl/7.61.1", from: address("203.0.113.201"),
	})
	create(courier, 26, 9, plan{
		maker: cleo, team: acme, env: portal.Live, abilities: []string{"orders:read"}, agent: "CourierApp/3.2 (Android)",
		from: address("192.0.2.77"),
	})
	create(peakLoad, 3, 15, plan{
		maker: ben, team: acme, env: portal.Live, abilities: both, waits: 14 * day, limit: 3000,
		note: "For the sale in two weeks.", agent: "acme-webshop/5.0 (go)", from: address("203.0.113.91"),
	})
	create(customs, 12, 14, plan{
		maker: ada, team: acme, env: portal.Live, abilities: []string{"orders:read"}, note: "For the broker, once the contract is signed.",
		agent: "broker/1.0", from: address("192.0.2.5"),
	})
	create(staging, 25, 9, plan{
		maker: cleo, team: acme, env: portal.Test, abilities: both, limit: 60,
		agent: "acme-ci/2 (node)", from: address("203.0.113.150"),
	})
	create(agent, 24, 16, plan{
		maker: ben, team: acme, env: portal.Live, abilities: []string{"orders:read", "token:rotate"}, note: "Rotates itself every ten days.",
		agent: "night-agent/0.4", from: address("203.0.113.160"),
	})
	create(globexERP, 28, 12, plan{
		maker: "gus@example.com", team: globex, env: portal.Live, abilities: both, agent: "Globex.Erp/12 (.NET)", from: address("192.0.2.150"),
	})
	create(globexTry, 20, 12, plan{
		maker: "gus@example.com", team: globex, env: portal.Test, abilities: both, agent: "PostmanRuntime/7.49", from: address("192.0.2.151"),
	})
	create(edge, 30, 8, plan{
		maker: "olga@example.com", team: platform, env: portal.Live, abilities: []string{"tokens:verify", "tokens:introspect"},
		agent: "gatehouse-edge/1", from: address("203.0.113.6"),
	})
	return steps
}

// changes are what people do to tokens once they are there.
func (s *stage) changes() []step {
	ada, ben, cleo := "ada@example.com", "ben@example.com", "cleo@example.com"
	var steps []step
	at := func(daysAgo, hour, minute int, do func(ctx context.Context) error) {
		steps = append(steps, step{s.ago(daysAgo, hour, minute), do})
	}
	update := func(daysAgo, hour int, by, name string, c portal.TokenChange) {
		at(daysAgo, hour, 20, func(ctx context.Context) error { return s.update(ctx, by, name, c) })
	}
	note := "Read by the finance cube every night at two."
	update(21, 10, ben, reporting, portal.TokenChange{Note: &note})
	narrow := []string{"orders:read", "orders:write"}
	update(18, 15, ada, orderSync, portal.TokenChange{Abilities: &narrow}) // it never asked for its usage
	wide := []string{"198.51.100.0/24", "2001:db8:17::/48"}
	update(15, 11, cleo, scanners, portal.TokenChange{Addresses: &wide})

	// A rotation that went to its end, and one that is under way.
	at(20, 10, 5, func(ctx context.Context) error { return s.rotate(ctx, ada, orderSync, day) })
	at(2, 9, 30, func(ctx context.Context) error { return s.rotate(ctx, ben, checkout, 7*day) })
	for _, daysAgo := range []int{14, 4} {
		at(daysAgo, 3, 10, func(ctx context.Context) error { return s.rotateItself(ctx, agent) })
	}
	// One was made and undone, because it was the wrong token.
	at(9, 14, 0, func(ctx context.Context) error {
		return s.change(ctx, cleo, scanners, func(who portal.Person, t *held) error {
			if _, _, err := s.portal.RotateToken(ctx, who, t.team, t.id, portal.Rotation{}); err != nil {
				return err
			}
			s.clock.advance(s.clock.now().Add(time.Minute))
			_, err := s.portal.UndoRotation(ctx, who, t.team, t.id)
			return err
		})
	})
	suspend := func(daysAgo, hour int, by, name, why string) {
		at(daysAgo, hour, 12, func(ctx context.Context) error {
			return s.change(ctx, by, name, func(who portal.Person, t *held) error {
				_, err := s.portal.SuspendToken(ctx, who, t.team, t.id, portal.Reason{Reason: "other", Note: why})
				return err
			})
		})
	}
	suspend(16, 9, ben, checkout, "Deployment gone wrong; stopped for an hour.")
	at(16, 10, 2, func(ctx context.Context) error {
		return s.change(ctx, ben, checkout, func(who portal.Person, t *held) error {
			_, err := s.portal.ResumeToken(ctx, who, t.team, t.id, portal.Reason{Note: "Fixed with 4.18.2."})
			return err
		})
	})
	suspend(2, 14, ben, feed, "Asks for orders at night; the carrier looks into it.")
	at(8, 11, 45, func(ctx context.Context) error {
		return s.change(ctx, ada, courier, func(who portal.Person, t *held) error {
			_, err := s.portal.RevokeToken(ctx, who, t.team, t.id, portal.Reason{Reason: "compromised", Note: "Found in a public repository."})
			return err
		})
	})
	at(5, 2, 41, func(ctx context.Context) error { // whoever found it tries it: the alarm
		for range 3 {
			if _, err := s.call(ctx, courier, request{method: http.MethodGet, path: "/api/v1/orders", abroad: true}); err != nil {
				return err
			}
			s.clock.advance(s.clock.now().Add(4 * time.Second))
		}
		return nil
	})
	// Ten minutes without the orders' part of the database.
	at(11, 13, 30, func(context.Context) error { s.store.down = true; return nil })
	at(11, 13, 40, func(context.Context) error { s.store.down = false; return nil })
	return steps
}

// everyday are the sign-ins of people who look around, and of strangers who try.
func (s *stage) everyday() []step {
	var steps []step
	signIn := func(email string, hour int, daysAgo ...int) {
		for _, d := range daysAgo {
			steps = append(steps, step{s.ago(d, hour, s.rand.IntN(50)), func(ctx context.Context) error {
				_, err := s.as(ctx, email)
				return err
			}})
		}
	}
	signIn("ada@example.com", 8, 26, 23, 17, 10, 3)
	signIn("dora@example.com", 15, 24, 17, 10, 3)
	signIn("gus@example.com", 11, 19, 7)
	signIn("olga@example.com", 7, 22, 8, 1)
	steps = append(steps,
		step{s.ago(6, 8, 58), func(ctx context.Context) error {
			return s.mistype(ctx, "cleo@example.com", s.people["cleo@example.com"].from)
		}},
		step{s.ago(6, 8, 59), func(ctx context.Context) error { _, err := s.as(ctx, "cleo@example.com"); return err }},
	)
	for i := range 3 {
		steps = append(steps, step{s.ago(12, 23, 10+i), func(ctx context.Context) error {
			return s.mistype(ctx, "ada@example.com", address("198.18.3.90"))
		}})
	}
	steps = append(steps, step{s.ago(1, 17, 30), func(ctx context.Context) error {
		who, err := s.as(ctx, "ben@example.com")
		if err != nil {
			return err
		}
		return s.portal.SignOut(ctx, who)
	}})
	return steps
}
