//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

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

// fill signs a person up as the portal does, and makes tokens that may read and
// write orders, some orders, and the idle tokens. It returns the secrets of the
// others. Each is used once, because the first use is an event.
func fill(ctx context.Context, p *portal.Portal, store portal.Store, mails *outbox) ([]string, error) {
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
	made, err := store.Tokens(ctx, portal.TokenFilter{Team: team, Sort: portal.NewestFirst, Limit: 1, Now: time.Now()})
	if err != nil {
		return nil, err
	}
	return secrets, addIdle(ctx, store, made[0])
}

// addIdle copies a token into the store, past the rules: what nobody asks for
// only has to lie there.
func addIdle(ctx context.Context, store portal.Store, t portal.Token) error {
	const atOnce, writers = 1000, 4
	firsts := make(chan int)
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for i := range errs {
		wg.Go(func() {
			for first := range firsts {
				if errs[i] == nil {
					errs[i] = insert(ctx, store, t, first, atOnce)
				}
			}
		})
	}
	for first := 0; first < idle; first += atOnce {
		firsts <- first
	}
	close(firsts)
	wg.Wait()
	return errors.Join(errs...)
}

func insert(ctx context.Context, store portal.Store, t portal.Token, first, n int) error {
	return store.Atomically(ctx, func(ctx context.Context) error {
		for i := range n {
			t.ID, t.Name = secret.NewLookup(), fmt.Sprintf("idle %d", first+i)
			if err := store.InsertToken(ctx, t); err != nil {
				return err
			}
		}
		return nil
	})
}
