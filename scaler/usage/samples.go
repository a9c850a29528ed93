package usage

import (
	"math"
	"sort"
	"time"
)

// staleMarker is the NaN by which Prometheus says that a series has ended.
const staleMarker uint64 = 0x7ff0000000000002

// Sample is one value and when it was taken.
type Sample struct {
	At time.Time
	// Value; the NaN that Prometheus marks the end of a series with ends this
	// one until its next sample.
	Value float64
}

// Samples is a recorded series. It is not safe for concurrent use.
type Samples struct {
	// all by time.
	all []Sample
	// next is the index after the sample found last: time goes on as a rule.
	next int
}

var _ MemorySeries = (*Samples)(nil)

// NewSamples returns the series of samples, which are sorted by time and
// belong to it from now on.
func NewSamples(samples []Sample) *Samples { return &Samples{all: samples} }

// Sample implements MemorySeries.
func (s *Samples) Sample(t time.Time, lookback time.Duration) (value float64, at time.Time, ok bool) {
	if s.next > 0 && s.all[s.next-1].At.After(t) {
		s.next = sort.Search(len(s.all), func(i int) bool { return s.all[i].At.After(t) })
	}
	for s.next < len(s.all) && !s.all[s.next].At.After(t) {
		s.next++
	}
	if s.next == 0 {
		return 0, time.Time{}, false
	}
	last := s.all[s.next-1]
	if t.Sub(last.At) >= lookback || math.Float64bits(last.Value) == staleMarker {
		return 0, time.Time{}, false
	}
	return last.Value, last.At, true
}
