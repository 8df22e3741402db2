// Command bench measures whole requests: a bare Fiber server and Gatehouse, each
// in a process of its own, loaded in turns by the same generator in the same
// run. What it prints are ratios, because figures of different minutes or
// machines cannot be compared.
//
//	go run ./backend/bench [-rounds 5] [-seconds 3] [-connections 64]
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each server is loaded")
	length := flag.Duration("length", 3*time.Second, "how long each time")
	connections := flag.Int("connections", 64, "keep-alive connections at once")
	serve := flag.String("serve", "", "used by itself: bare, sqlite or mongodb")
	database := flag.String("database", "", "used by itself: where the store is")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *serve != "" {
		err = serveFor(ctx, *serve, *database)
	} else {
		err = measure(ctx, *rounds, *length, *connections)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// ready is what a server process says once it listens.
type ready struct {
	Addr    string
	Secrets []string // of tokens that may read orders
}

// target is one server with one kind of request.
type target struct {
	name   string
	addr   string
	method string
	path   string
	want   int
	tokens []string

	rates  []float64 // requests a second, one a round
	ratios []float64 // to the bare server of the same round
	p50    []time.Duration
	p99    []time.Duration
}

func measure(ctx context.Context, rounds int, length time.Duration, connections int) error {
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bare, err := start(ctx, "bare", "")
	if err != nil {
		return err
	}
	targets := []*target{{name: "bare Fiber", addr: bare.Addr, method: "GET", path: "/hello", want: 200, tokens: []string{"none"}}}
	add := func(store string, r ready) {
		targets = append(targets,
			&target{name: store + ", decision (403)", addr: r.Addr, method: "DELETE", path: "/api/v1/orders/none", want: 403, tokens: r.Secrets},
			&target{name: store + ", list of orders", addr: r.Addr, method: "GET", path: "/api/v1/orders?limit=1", want: 200, tokens: r.Secrets},
		)
	}
	sqlite, err := start(ctx, "sqlite", dir+"/bench.db")
	if err != nil {
		return err
	}
	add("SQLite", sqlite)
	uri, end, err := mongotest.Run(ctx, dir+"/mongod")
	if err != nil {
		fmt.Println("Without MongoDB:", err)
	} else {
		defer end()
		mongodb, err := start(ctx, "mongodb", mongotest.WithDatabase(uri, "gatehouse_bench"))
		if err != nil {
			return err
		}
		add("MongoDB", mongodb)
	}
	for round := range rounds {
		for _, t := range targets {
			if err := t.load(ctx, length, connections); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			t.ratios = append(t.ratios, t.rates[round]/targets[0].rates[round])
		}
	}
	report(targets, rounds, length, connections)
	return nil
}

// start runs this program again as a server, which ends with ctx.
func start(ctx context.Context, kind, database string) (ready, error) {
	self, err := os.Executable()
	if err != nil {
		return ready{}, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve", kind, "-database", database)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = endWithParent()
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return ready{}, err
	}
	if err := cmd.Start(); err != nil {
		return ready{}, err
	}
	line, err := bufio.NewReader(pipe).ReadBytes('\n')
	if err != nil {
		return ready{}, errors.Join(fmt.Errorf("the %s server did not start", kind), err)
	}
	var r ready
	return r, json.Unmarshal(line, &r)
}

func report(targets []*target, rounds int, length time.Duration, connections int) {
	fmt.Printf("\n%d connections, %d rounds of %v each, in turns; median [least to most]\n\n", connections, rounds, length)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "server\trequests/s\tof bare Fiber\tp50\tp99")
	for _, t := range targets {
		fmt.Fprintf(w, "%s\t%.0f [%.0f to %.0f]\t%.0f %% [%.0f to %.0f]\t%v\t%v\n", t.name,
			median(t.rates), slices.Min(t.rates), slices.Max(t.rates),
			100*median(t.ratios), 100*slices.Min(t.ratios), 100*slices.Max(t.ratios),
			median(t.p50).Round(10*time.Microsecond), median(t.p99).Round(100*time.Microsecond))
	}
	_ = w.Flush()
}

func median[T float64 | time.Duration](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
