package portal

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketOf(t *testing.T) {
	const us = time.Microsecond
	for _, tt := range []struct {
		d    time.Duration
		want int
	}{
		{-1, 0},
		{0, 0},
		{100 * us, 0},
		{100*us + 1, 1},
		{150 * us, 1},
		{150*us + 1, 2},
		{225 * us, 2},
		{225*us + 1, 3},
		{time.Hour, Buckets - 1},
		{1<<63 - 1, Buckets - 1},
	} {
		if got := bucketOf(tt.d); got != tt.want {
			t.Errorf("%v: got %d, want %d", tt.d, got, tt.want)
		}
	}
	for i, bound := range bucketBounds {
		if bucketOf(bound) != i || bucketOf(bound+1) != i+1 {
			t.Errorf("%v: got %d and %d, want it to end class %d", bound, bucketOf(bound), bucketOf(bound+1), i)
		}
	}
}

func TestPercentile(t *testing.T) {
	const us = time.Microsecond
	tests := []struct {
		name  string
		calls map[int]int64 // by class
		q     float64
		want  time.Duration
	}{
		{"one call, in the middle of its class", map[int]int64{1: 1}, 0.5, 125 * us},
		{"the first class begins at nothing", map[int]int64{0: 100}, 0.95, 95 * us},
		{"half below", map[int]int64{0: 50, 2: 50}, 0.5, 100 * us},
		{"the slow ones", map[int]int64{0: 90, 2: 10}, 0.95, 150*us + 75*us/2},
		{"all of them", map[int]int64{0: 90, 2: 10}, 1, 225 * us},
		{"beyond the last bound", map[int]int64{Buckets - 1: 3}, 0.5, bucketBounds[Buckets-2]},
	}
	for _, tt := range tests {
		var b [Buckets]int64
		for i, n := range tt.calls {
			b[i] = n
		}
		if got, ok := percentile(&b, tt.q); !ok || (got-tt.want).Abs() > us {
			t.Errorf("%s: got %v %v, want %v", tt.name, got, ok, tt.want)
		}
	}
	if _, ok := percentile(&[Buckets]int64{}, 0.5); ok {
		t.Error("got a percentile of no calls")
	}
}

// What is shown is never further from the truth than a class is wide.
func TestPercentileAgainstSorting(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		var b [Buckets]int64
		var all []time.Duration
		for range 1 + r.IntN(2000) {
			d := time.Duration(r.ExpFloat64() * float64(20*time.Millisecond))
			b[bucketOf(d)]++
			all = append(all, d)
		}
		slices.Sort(all)
		for _, q := range []float64{0.5, 0.95} {
			exact := all[min(int(q*float64(len(all))), len(all)-1)]
			got, _ := percentile(&b, q)
			if i, j := bucketOf(exact), bucketOf(got); j < i-1 || j > i+1 {
				t.Errorf("seed %d, %v of %d calls: got %v, want about %v", seed, q, len(all), got, exact)
			}
		}
	}
}
