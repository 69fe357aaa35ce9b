package fleet

import (
	"math/bits"
	"time"
)

// histogram counts times in buckets that are 1/32 of their value wide. Adding does not allocate.
type histogram struct {
	counts [64 << fineness]uint64
	total  uint64
	max    int64
}

const fineness = 5 // bits of a value that a bucket tells

func (h *histogram) add(d time.Duration) {
	v := max(int64(d), 0)
	h.counts[bucketOf(v)]++
	h.total++
	h.max = max(h.max, v)
}

func bucketOf(v int64) int {
	e := bits.Len64(uint64(v)) - fineness - 1
	if e <= 0 {
		return int(v)
	}
	return e<<fineness + int(v>>e)
}

// top is the largest value of a bucket.
func top(bucket int) int64 {
	e := bucket>>fineness - 1
	if e <= 0 {
		return int64(bucket)
	}
	return int64(bucket-e<<fineness+1)<<e - 1
}

// quantile returns the value that the share q of all is not above.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.total))
	seen := uint64(0)
	for bucket, n := range h.counts {
		if seen += n; seen > rank || seen == h.total && n > 0 {
			return time.Duration(min(top(bucket), h.max))
		}
	}
	return 0
}

func (h *histogram) latency() Latency {
	return Latency{P50: h.quantile(.5), P99: h.quantile(.99), P999: h.quantile(.999), Max: time.Duration(h.max)}
}
