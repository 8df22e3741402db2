package portal

import (
	"math"
	"slices"
	"time"
)

// bucketBase and bucketGrowth shape the latency classes of a [Rollup].
const (
	bucketBase   = 100 * time.Microsecond
	bucketGrowth = 1.5
)

// bucketBounds are the longest durations of the classes; the last class has no
// bound.
var bucketBounds = func() (bounds [Buckets - 1]time.Duration) {
	for i := range bounds {
		bounds[i] = time.Duration(float64(bucketBase) * math.Pow(bucketGrowth, float64(i)))
	}
	return bounds
}()

func bucketOf(d time.Duration) int {
	i, _ := slices.BinarySearch(bucketBounds[:], d)
	return i
}

// percentile returns the duration below which the share q of the calls lie,
// interpolated within its class; of the last class only its beginning is known.
// It is false without calls.
func percentile(buckets *[Buckets]int64, q float64) (time.Duration, bool) {
	var total int64
	for _, n := range buckets {
		total += n
	}
	if total == 0 {
		return 0, false
	}
	rank := q * float64(total)
	var below float64
	for i, n := range buckets[:Buckets-1] {
		if n > 0 && below+float64(n) >= rank {
			lower := time.Duration(0)
			if i > 0 {
				lower = bucketBounds[i-1]
			}
			share := (rank - below) / float64(n)
			return lower + time.Duration(share*float64(bucketBounds[i]-lower)), true
		}
		below += float64(n)
	}
	return bucketBounds[Buckets-2], true
}
