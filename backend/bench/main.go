// Command bench measures whole requests: a bare Fiber server and Gatehouse, each
// in a process of its own, loaded in turns by the same generator in the same
// run. What it prints are ratios, because figures of different minutes or
// machines cannot be compared.
//
//	go run ./backend/bench [-rounds 5] [-length 3s] [-connections 64] [-only TEXT] [-profile DIR]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each server is loaded")
	length := flag.Duration("length", 3*time.Second, "how long each time")
	connections := flag.Int("connections", 64, "keep-alive connections at once")
	only := flag.String("only", "", "load only the bare server and those whose name has this text")
	profile := flag.String("profile", "", "a directory to write a CPU profile of each server to")
	serve := flag.String("serve", "", "used by itself: bare, sqlite or mongodb")
	database := flag.String("database", "", "used by itself: where the store is")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *serve != "" {
		err = profiled(*profile, *serve, func() error { return serveFor(ctx, *serve, *database) })
	} else {
		err = measure(ctx, plan{*rounds, *length, *connections, *only, *profile})
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// target is one server with one kind of request.
type target struct {
	name   string
	addr   string
	pid    int
	behind int // the process of its database, 0 if it has none of its own
	method string
	path   string
	want   int
	tokens []string

	rates     []float64       // requests a second, one a round
	ratios    []float64       // to the bare server of the same round
	cpu       []time.Duration // of the server process, for one request
	cpuBehind []time.Duration // of its database
	p50       []time.Duration
	p99       []time.Duration
}

// plan is what the flags say.
type plan struct {
	rounds      int
	length      time.Duration
	connections int
	only        string
	profile     string
}

func measure(ctx context.Context, p plan) error {
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	servers := servers{profile: p.profile}
	defer servers.stop()
	bare, err := servers.start(ctx, "bare", "")
	if err != nil {
		return err
	}
	targets := []*target{{name: "bare Fiber", addr: bare.Addr, pid: bare.PID, method: "GET", path: "/hello", want: 200, tokens: []string{"none"}}}
	add := func(store string, r ready, behind int) {
		for _, t := range []*target{
			{name: "who am I", method: "GET", path: "/api/v1/token", want: 200},
			{name: "refusal (403)", method: "DELETE", path: "/api/v1/orders/none", want: 403},
			{name: "list of orders", method: "GET", path: "/api/v1/orders?limit=1", want: 200},
		} {
			t.name, t.addr, t.pid, t.behind, t.tokens = store+", "+t.name, r.Addr, r.PID, behind, r.Secrets
			if strings.Contains(t.name, p.only) {
				targets = append(targets, t)
			}
		}
	}
	sqlite, err := servers.start(ctx, "sqlite", dir+"/bench.db")
	if err != nil {
		return err
	}
	add("SQLite", sqlite, 0)
	set, err := mongotest.Run(ctx, dir+"/mongod")
	if err != nil {
		fmt.Println("Without MongoDB:", err)
	} else {
		defer set.Stop()
		mongodb, err := servers.start(ctx, "mongodb", mongotest.WithDatabase(set.URI, "gatehouse_bench"))
		if err != nil {
			return err
		}
		add("MongoDB", mongodb, set.PID(0))
	}
	for round := range p.rounds {
		for _, t := range targets {
			if err := t.load(ctx, p.length, p.connections); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			t.ratios = append(t.ratios, t.rates[round]/targets[0].rates[round])
		}
	}
	report(targets, p)
	return nil
}

func report(targets []*target, p plan) {
	fmt.Printf("\n%d connections, %d rounds of %v each, in turns; median [least to most]\n\n", p.connections, p.rounds, p.length)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "server\trequests/s\tof bare Fiber\tCPU of the server\tof its mongod\tp50\tp99")
	for _, t := range targets {
		fmt.Fprintf(w, "%s\t%.0f [%.0f to %.0f]\t%.0f %% [%.0f to %.0f]\t%v\t%s\t%v\t%v\n", t.name,
			median(t.rates), slices.Min(t.rates), slices.Max(t.rates),
			100*median(t.ratios), 100*slices.Min(t.ratios), 100*slices.Max(t.ratios),
			median(t.cpu).Round(100*time.Nanosecond), t.databaseCPU(), median(t.p50).Round(10*time.Microsecond), median(t.p99).Round(100*time.Microsecond))
	}
	_ = w.Flush()
}

func (t *target) databaseCPU() string {
	if t.behind == 0 {
		return "-"
	}
	return median(t.cpuBehind).Round(100 * time.Nanosecond).String()
}

func median[T float64 | time.Duration](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
