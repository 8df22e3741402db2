//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	var p plan
	var connections string
	flag.IntVar(&p.rounds, "rounds", 15, "how often each server is loaded")
	flag.DurationVar(&p.length, "length", time.Second, "how long each time")
	flag.StringVar(&connections, "connections", "1,64,256", "keep-alive connections at once")
	flag.IntVar(&p.rate, "rate", 5000, "requests a second of the steady load, 0 for none")
	flag.StringVar(&p.only, "only", "", "load only what has this text in its name, such as SQLite or who, and its bare server")
	flag.StringVar(&p.profile, "profile", "", "a directory to write profiles of each server to")
	serve := flag.String("serve", "", "used by itself: bare, sqlite or mongodb")
	from := flag.String("from", "", "used by itself: where the store is, or the answers of the bare server")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *serve != "" {
		err = serveFor(ctx, *serve, *from, p.profile)
	} else if p.connections, err = numbers(connections); err == nil {
		err = measure(ctx, p)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// plan is what the flags say.
type plan struct {
	rounds      int
	length      time.Duration
	connections []int
	rate        int
	only        string
	profile     string
}

func numbers(text string) ([]int, error) {
	var list []int
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 {
			return nil, errors.New("-connections takes numbers such as 1,64,256")
		}
		list = append(list, n)
	}
	return list, nil
}
