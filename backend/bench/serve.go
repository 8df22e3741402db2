//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/httpapi"
	"github.com/gatehouse-portal/gatehouse/backend/mongo"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/backend/sqlite"
	"github.com/gatehouse-portal/gatehouse/shared/ability"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// The tokens of a store.
const (
	tokens = 1_000  // that the requests take turns with
	idle   = 99_000 // beside them
)

// serveFor serves until ctx ends: from a store, or answers that were kept.
func serveFor(ctx context.Context, kind, from, profiles string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r := ready{Addr: l.Addr().String()}
	if kind == "bare" {
		app, err := bare(from)
		if err != nil {
			return err
		}
		return serveUntil(ctx, r, profiles, kind, func() error { return app.Listener(l) }, app.Shutdown)
	}
	var store portal.Store
	var records portal.RecordReader
	if kind == "sqlite" {
		s, err := sqlite.Open(ctx, from)
		if err != nil {
			return err
		}
		store, records = s, s.Records()
	} else if store, err = mongo.Open(ctx, from); err != nil {
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
	uri := ""
	if kind == "mongodb" {
		uri = from
	}
	if err := addIdle(ctx, store, uri, r.Secrets[0]); err != nil {
		return fmt.Errorf("add idle tokens: %w", err)
	}
	server, err := httpapi.New(httpapi.Options{Portal: p, Keys: keys, PublicURL: "http://localhost"})
	if err != nil {
		return err
	}
	return serveUntil(ctx, r, profiles, kind, func() error { return server.Serve(l) }, func() error {
		end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(end); err != nil {
			return err
		}
		return p.Close(end)
	})
}

// bare answers what was kept of ours, each value of the type that we encode.
func bare(dir string) (*fiber.App, error) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	for i, r := range routes {
		body, err := os.ReadFile(answerFile(dir, i))
		if err != nil {
			return nil, err
		}
		answer := []any{&api.WhoAmI{}, &api.Problem{}, &api.List[api.Order]{}}[i]
		if err := json.Unmarshal(body, answer); err != nil {
			return nil, err
		}
		path, _, _ := strings.Cut(r.path, "?")
		app.Add(r.method, path, func(c *fiber.Ctx) error { return c.Status(r.want).JSON(answer) })
	}
	return app, nil
}

func serveUntil(ctx context.Context, r ready, profiles, kind string, serve, stop func() error) error {
	end, err := profile(profiles, kind)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		return err
	}
	go tellMallocs(os.Stdin, os.Stdout)
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return errors.Join(end(), stop())
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
			DefaultLifetime: 90 * 24 * time.Hour, MaxLifetime: 365 * 24 * time.Hour, MaxPerTeam: tokens + idle,
			DefaultLimit: most, MaxLimit: most, MaxOverlap: time.Hour,
		},
		Retention: portal.Retention{Calls: 24 * time.Hour, Events: 24 * time.Hour, EndedTokens: 24 * time.Hour},
	}).Prepare()
}
