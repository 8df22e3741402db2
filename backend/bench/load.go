package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// load sends requests one after the other on each connection, with another
// token each time, and notes rate and latencies.
func (t *target) load(ctx context.Context, length time.Duration, connections int) error {
	requests := make([][]byte, len(t.tokens))
	for i, token := range t.tokens {
		requests[i] = fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAuthorization: Bearer %s\r\n\r\n", t.method, t.path, token)
	}
	var wg sync.WaitGroup
	took := make([][]time.Duration, connections)
	errs := make([]error, connections)
	begin, computed, behind := time.Now(), cpuOf(t.pid), cpuOf(t.behind)
	end := begin.Add(length)
	for i := range connections {
		wg.Go(func() { took[i], errs[i] = t.drive(ctx, requests, i, end) })
	}
	wg.Wait()
	elapsed := time.Since(begin)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	all := slices.Concat(took...)
	t.cpu = append(t.cpu, (cpuOf(t.pid)-computed)/time.Duration(len(all)))
	t.cpuBehind = append(t.cpuBehind, (cpuOf(t.behind)-behind)/time.Duration(len(all)))
	slices.Sort(all)
	t.rates = append(t.rates, float64(len(all))/elapsed.Seconds())
	t.p50 = append(t.p50, all[len(all)/2])
	t.p99 = append(t.p99, all[len(all)*99/100])
	return nil
}

func (t *target) drive(ctx context.Context, requests [][]byte, n int, end time.Time) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", t.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 16<<10)
	took := make([]time.Duration, 0, 1<<16)
	for began := time.Now(); began.Before(end) && ctx.Err() == nil; n++ {
		if _, err := conn.Write(requests[n%len(requests)]); err != nil {
			return nil, err
		}
		status, err := answer(r)
		if err != nil {
			return nil, err
		}
		if status != t.want {
			return nil, fmt.Errorf("got status %d, want %d", status, t.want)
		}
		now := time.Now()
		took = append(took, now.Sub(began))
		began = now
	}
	return took, nil
}

// answer reads one response and throws its body away. It knows no more of HTTP
// than it needs, so that the generator takes little of the machine.
func answer(r *bufio.Reader) (status int, err error) {
	length := -1
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		switch {
		case first:
			if len(line) < 12 {
				return 0, fmt.Errorf("not a status line: %q", line)
			}
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, err
			}
		case len(line) <= 2:
			if length < 0 {
				return 0, errors.New("an answer without a length")
			}
			_, err := io.CopyN(io.Discard, r, int64(length))
			return status, err
		case len(line) > 15 && strings.EqualFold(string(line[:15]), "Content-Length:"):
			if length, err = strconv.Atoi(strings.TrimSpace(string(line[15:]))); err != nil {
				return 0, err
			}
		}
	}
}
