package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/backend/mongo"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/backend/sqlite"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
)

// tokens is how many tokens the requests take turns with.
const tokens = 200

// serveFor serves until ctx ends.
func serveFor(ctx context.Context, kind, database string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r := ready{Addr: l.Addr().String()}
	if kind == "bare" {
		app := fiber.New(fiber.Config{DisableStartupMessage: true})
		app.Get("/hello", func(c *fiber.Ctx) error { return c.JSON(fiber.Map{"hello": "world"}) })
		return serveUntil(ctx, r, func() error { return app.Listener(l) }, func() error { return app.Shutdown() })
	}
	var store portal.Store
	var records portal.RecordReader
	if kind == "sqlite" {
		s, err := sqlite.Open(ctx, database)
		if err != nil {
			return err
		}
		store, records = s, s.Records()
	} else if store, err = mongo.Open(ctx, database); err != nil {
		return err
	}
	defer store.Close()
	dir, err := os.MkdirTemp("", "gatehouse-bench-keys-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	keys, err := secret.InitKeys(filepath.Join(dir, "keys"))
	if err != nil {
		return err
	}
	var mails outbox
	p := portal.New(portal.Options{
		Store: store, Records: records, Catalogue: catalogue(), Keys: keys, Hasher: secret.NewHasher(), Mailer: &mails,
		PublicURL: "http://localhost",
	})
	if r.Secrets, err = fill(ctx, p, &mails); err != nil {
		return err
	}
	server, err := httpapi.New(httpapi.Options{Portal: p, Keys: keys, PublicURL: "http://localhost"})
	if err != nil {
		return err
	}
	return serveUntil(ctx, r, func() error { return server.Serve(l) }, func() error {
		end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(end); err != nil {
			return err
		}
		return p.Close(end)
	})
}

func serveUntil(ctx context.Context, r ready, serve, stop func() error) error {
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return stop()
	}
}

// catalogue allows what the measurement needs: limits that are never reached.
func catalogue() *portal.Catalogue {
	all := []string{"orders:read", "orders:write"}
	most := portal.RateLimit{Quota: 1_000_000, Window: time.Second}
	return (&portal.Catalogue{
		Abilities: []portal.Ability{
			{Name: all[0], Title: "Read orders", Risk: ability.Low},
			{Name: all[1], Title: "Write orders", Risk: ability.High},
		},
		Grants: map[portal.Role][]string{portal.Owner: all},
		Tokens: portal.TokenRules{
			DefaultLifetime: 24 * time.Hour, MaxLifetime: 48 * time.Hour, MaxPerTeam: tokens,
			DefaultLimit: most, MaxLimit: most, MaxOverlap: time.Hour,
		},
		Retention: portal.Retention{Calls: 24 * time.Hour, Events: 24 * time.Hour, EndedTokens: 24 * time.Hour},
	}).Prepare()
}

// outbox keeps the code of the last mail.
type outbox struct{ code string }

var codePattern = regexp.MustCompile(`/verify/(\S+)`)

func (o *outbox) Send(_ context.Context, m portal.Message) error {
	if found := codePattern.FindStringSubmatch(m.Text); found != nil {
		o.code = found[1]
	}
	return nil
}

// fill signs a person up as the portal does, and makes tokens that may read
// orders. Each is used once, because the first use is an event.
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
	var secrets []string
	for i := range tokens {
		_, text, err := p.CreateToken(ctx, in.Person, teams[0].Team.ID, portal.NewToken{
			Name: fmt.Sprintf("token %d", i), Env: portal.Live, Abilities: []string{"orders:read"},
		})
		if err != nil {
			return nil, err
		}
		if d := p.Decide(ctx, &portal.Ask{Secret: text, At: time.Now()}); d.Code != portal.OK {
			return nil, fmt.Errorf("the first use of a token was refused: %s", d.Code)
		}
		secrets = append(secrets, text)
	}
	return secrets, nil
}
