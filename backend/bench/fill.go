//go:build linux

package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// outbox keeps the code of the last mail.
type outbox struct{ code string }

var codePattern = regexp.MustCompile(`/verify/(\S+)`)

// Send implements [portal.Mailer].
func (o *outbox) Send(_ context.Context, m portal.Message) error {
	if found := codePattern.FindStringSubmatch(m.Text); found != nil {
		o.code = found[1]
	}
	return nil
}

// database is the name of MongoDB's.
const database = "gatehouse_bench"

// fill signs a person up as the portal does, and makes tokens that may read
// orders, and some orders. It returns the secrets of the tokens. Each is used
// once, because the first use is an event.
func fill(ctx context.Context, p *portal.Portal, mails *outbox) ([]string, error) {
	const browser = "bench"
	from := portal.Origin{}
	account := portal.NewAccount{
		Name: "Ada", Email: "ada@example.com", Password: "a long phrase for measuring", TeamName: "Bench", Browser: browser,
	}
	if err := p.SignUp(ctx, account, from); err != nil {
		return nil, err
	}
	in, err := p.VerifyEmail(ctx, mails.code, browser, from)
	if err != nil {
		return nil, err
	}
	teams, err := p.Memberships(ctx, in.Person)
	if err != nil {
		return nil, err
	}
	team := teams[0].Team.ID
	secrets := make([]string, tokens)
	for i := range secrets {
		_, text, err := p.CreateToken(ctx, in.Person, team, portal.NewToken{
			Name: fmt.Sprintf("token %d", i), Env: portal.Live, Abilities: []string{"orders:read"},
		})
		if err != nil {
			return nil, err
		}
		d := p.Decide(ctx, &portal.Ask{Secret: text, At: time.Now()})
		if d.Code != portal.OK {
			return nil, fmt.Errorf("the first use of a token was refused: %s", d.Code)
		}
		if i < 20 {
			order := portal.NewOrder{Reference: fmt.Sprintf("SO-%d", i), Currency: "EUR", AmountMinor: 1000, Lines: []portal.OrderLine{{SKU: "A", Description: "Pallet cage", Quantity: 1, AmountMinor: 1000}}}
			if _, err := p.CreateOrder(ctx, &d, order); err != nil {
				return nil, err
			}
		}
		secrets[i] = text
	}
	return secrets, nil
}

// addIdle copies a token past the rules: what nobody asks for only has to lie
// there. A transaction of MongoDB would take minutes for it, so uri, the place
// of its database, is written to directly; it is "" for SQLite.
func addIdle(ctx context.Context, store portal.Store, uri, like string) error {
	parsed, _ := secret.ParseToken(like)
	ids := make([]string, idle)
	for i := range ids {
		ids[i] = secret.NewLookup()
	}
	if uri != "" {
		return mongotest.Copy(ctx, uri, database, "tokens", parsed.Lookup, ids)
	}
	found, err := store.TokenRecords(ctx, []string{parsed.Lookup})
	if err != nil {
		return err
	}
	t := *found[0]
	for some := range slices.Chunk(ids, 1000) {
		err := store.Atomically(ctx, func(ctx context.Context) error {
			for _, t.ID = range some {
				if err := store.InsertToken(ctx, t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
