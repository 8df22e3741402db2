//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

func report(out io.Writer, targets []*target, p plan) {
	fmt.Fprintf(out, "\n%d tokens take turns among %d; %d rounds of %v each, in turns; median [least to most]; of bare Fiber: all rounds together; CPU and allocations are for one request\n\n",
		tokens, tokens+idle, p.rounds, p.length)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "server, request, connections\trequests/s\tof bare Fiber\tgoal\tCPU\tof bare\tof its mongod\tof the generator\tallocations\tp50\tp99")
	for _, t := range targets {
		ratio, computed, goal := "", "", ""
		if t.bare != nil {
			// Not the median of the rounds: in which of them the machine was slower,
			// or a collection ran, is chance, and a sum has all of it.
			together := 100 * served(t.runs) / served(t.bare.runs)
			ratio = around(together, each(t.runs, func(i int, r run) float64 { return 100 * r.rate / t.bare.runs[i].rate })) + " %"
			computed = fmt.Sprintf("%.1f ×", median(each(t.runs, func(i int, r run) float64 { return float64(r.cpu) / float64(t.bare.runs[i].cpu) })))
			if least := 100 * goals[t.name()]; least > 0 {
				goal = fmt.Sprintf("≥ %.0f: met", least)
				if together < least {
					goal = fmt.Sprintf("≥ %.0f: MISSED", least)
				}
			}
		}
		behind := "-"
		if t.server.behind != 0 {
			behind = micros(each(t.runs, func(_ int, r run) float64 { return float64(r.behind) }))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.1f\t%s\t%s\n", t.name(),
			spread(each(t.runs, func(_ int, r run) float64 { return r.rate })), ratio, goal,
			micros(each(t.runs, func(_ int, r run) float64 { return float64(r.cpu) })), computed, behind,
			micros(each(t.runs, func(_ int, r run) float64 { return float64(r.generator) })),
			median(each(t.runs, func(_ int, r run) float64 { return r.mallocs })),
			micros(each(t.runs, func(_ int, r run) float64 { return float64(r.p50) })),
			micros(each(t.runs, func(_ int, r run) float64 { return float64(r.p99) })))
	}
	_ = w.Flush()
	reportSteady(out, targets, p)
}

func reportSteady(out io.Writer, targets []*target, p plan) {
	if p.rate == 0 {
		return
	}
	fmt.Fprintf(out, "\nA steady %d requests a second; latency counts from when a request is due\n\n", p.rate)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "server, request\trequests/s\tCPU\tof its mongod\tp50\tp99")
	for _, t := range targets {
		if len(t.steady) == 0 {
			continue
		}
		behind := "-"
		if t.server.behind != 0 {
			behind = micros(each(t.steady, func(_ int, r run) float64 { return float64(r.behind) }))
		}
		fmt.Fprintf(w, "%s, %s\t%.0f\t%s\t%s\t%s\t%s\n", t.server.name, t.route.name, median(each(t.steady, func(_ int, r run) float64 { return r.rate })),
			micros(each(t.steady, func(_ int, r run) float64 { return float64(r.cpu) })), behind,
			micros(each(t.steady, func(_ int, r run) float64 { return float64(r.p50) })), micros(each(t.steady, func(_ int, r run) float64 { return float64(r.p99) })))
	}
	_ = w.Flush()
}

// each returns a figure of every run.
func each(runs []run, get func(i int, r run) float64) []float64 {
	var list []float64
	for i, r := range runs {
		list = append(list, get(i, r))
	}
	return list
}

// served returns the requests of all runs; each was as long.
func served(runs []run) (sum float64) {
	for _, r := range runs {
		sum += r.rate
	}
	return sum
}

func spread(list []float64) string { return around(median(list), list) }

// around writes a figure between the least and the most of a list.
func around(figure float64, list []float64) string {
	return fmt.Sprintf("%.0f [%.0f to %.0f]", figure, slices.Min(list), slices.Max(list))
}

// micros writes the median of durations.
func micros(list []float64) string {
	d := time.Duration(median(list))
	if d < 100*time.Microsecond {
		return d.Round(100 * time.Nanosecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
