//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
)

// route is a kind of request that is measured.
type route struct {
	name   string
	method string
	path   string
	want   int
	full   bool // with every number of connections and a steady load
}

var routes = []route{
	{"who am I", "GET", "/api/v1/token", 200, true},
	{"refusal (403)", "DELETE", "/api/v1/orders/none", 403, false},
	{"five orders", "GET", "/api/v1/orders?limit=5", 200, false},
}

// usual is the number of connections of what is not measured in full.
const usual = 64

// goals are what part of the bare server's requests we mean to serve.
var goals = map[string]float64{
	"SQLite, who am I, 64": .75, "MongoDB, who am I, 64": .25, "MongoDB, who am I, 256": .35,
}

// target is one server with one kind of request from so many connections.
type target struct {
	route
	server      *server
	connections int
	bare        *target // nil: it is that itself
	runs        []run
	steady      []run
}

func (t *target) name() string {
	return fmt.Sprintf("%s, %s, %d", t.server.name, t.route.name, t.connections)
}

// run is what one load came to. What is computed is for one request.
type run struct {
	rate      float64 // requests a second
	p50, p99  time.Duration
	cpu       time.Duration // of the server
	behind    time.Duration // of its database
	generator time.Duration
	mallocs   float64 // of the server
}

func measure(ctx context.Context, p plan) error {
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	servers := &servers{profile: p.profile}
	defer servers.stop()
	sqlite, err := servers.start(ctx, "SQLite", filepath.Join(dir, "bench.db"))
	if err != nil {
		return err
	}
	if err := keepAnswers(ctx, sqlite, dir); err != nil {
		return err
	}
	bare, err := servers.start(ctx, "bare", dir)
	if err != nil {
		return err
	}
	bare.secrets = sqlite.secrets // it reads as much
	ours := []*server{sqlite}
	if len(choose(p, bare, []*server{{name: "MongoDB"}})) == 0 {
		fmt.Println("Without MongoDB, as it is told.")
	} else if set, err := mongotest.Run(ctx, filepath.Join(dir, "mongod")); err != nil {
		fmt.Println("Without MongoDB:", err)
	} else {
		defer set.Stop()
		mongodb, err := servers.start(ctx, "MongoDB", mongotest.WithDatabase(set.URI, database))
		if err != nil {
			return err
		}
		mongodb.behind = set.PID(0)
		ours = append(ours, mongodb)
	}
	targets := choose(p, bare, ours)
	for range p.rounds {
		for _, t := range targets {
			r, err := t.load(ctx, p.length, func(end time.Time) (load, error) { return t.flood(end) })
			if err != nil {
				return fmt.Errorf("%s: %w", t.name(), err)
			}
			t.runs = append(t.runs, r)
		}
	}
	for range p.rounds {
		for _, t := range targets {
			if !t.full || t.connections != usual || p.rate == 0 {
				continue
			}
			r, err := t.load(ctx, p.length, func(end time.Time) (load, error) { return t.pace(end, p.rate) })
			if err != nil {
				return fmt.Errorf("%s, steady: %w", t.name(), err)
			}
			t.steady = append(t.steady, r)
		}
	}
	report(os.Stdout, targets, p)
	return nil
}

// keepAnswers writes what a server answers to each route, for the bare server to
// answer the same.
func keepAnswers(ctx context.Context, s *server, dir string) error {
	for i, r := range routes {
		req, err := http.NewRequestWithContext(ctx, r.method, "http://"+s.addr+r.path, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+s.secrets[0])
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != r.want {
			return fmt.Errorf("%s: got %d %s, %v; want %d", r.name, resp.StatusCode, body, err, r.want)
		}
		if err := os.WriteFile(answerFile(dir, i), body, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func answerFile(dir string, route int) string {
	return filepath.Join(dir, fmt.Sprintf("answer%d.json", route))
}

// choose returns what is loaded, in the order of a round: what is compared stands
// side by side.
func choose(p plan, bare *server, ours []*server) []*target {
	var list []*target
	for _, r := range routes {
		for _, n := range p.connections {
			if !r.full && n != usual {
				continue
			}
			plain := &target{route: r, server: bare, connections: n}
			compared := []*target{plain}
			for _, s := range ours {
				t := &target{route: r, server: s, connections: n, bare: plain}
				if strings.Contains(t.name(), p.only) {
					compared = append(compared, t)
				}
			}
			if len(compared) > 1 {
				list = append(list, compared...)
			}
		}
	}
	return list
}

// load is what a generator counts of one run.
type load struct {
	took    []time.Duration
	elapsed time.Duration
}

// load loads a server for a while and counts what that takes.
func (t *target) load(ctx context.Context, length time.Duration, generate func(end time.Time) (load, error)) (run, error) {
	if err := ctx.Err(); err != nil {
		return run{}, err
	}
	mallocs, err := t.server.mallocs()
	if err != nil {
		return run{}, err
	}
	self := os.Getpid()
	cpu, behind, own := cpuOf(t.server.pid), cpuOf(t.server.behind), cpuOf(self)
	l, err := generate(time.Now().Add(length))
	if err != nil {
		return run{}, err
	}
	cpu, behind, own = cpuOf(t.server.pid)-cpu, cpuOf(t.server.behind)-behind, cpuOf(self)-own
	after, err := t.server.mallocs()
	if err != nil {
		return run{}, err
	}
	n := len(l.took)
	slices.Sort(l.took)
	return run{
		rate: float64(n) / l.elapsed.Seconds(), p50: l.took[n/2], p99: l.took[n*99/100],
		cpu: cpu / time.Duration(n), behind: behind / time.Duration(n), generator: own / time.Duration(n),
		mallocs: float64(after-mallocs) / float64(n),
	}, nil
}
