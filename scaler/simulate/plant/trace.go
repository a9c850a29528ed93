package plant

import (
	"fmt"
	"math"
	"time"
)

// Trace is demand as it was recorded or generated, in whatever unit, one value
// an interval.
type Trace struct {
	Name     string
	Interval time.Duration
	Values   []float64
	// First is the timestamp of the first value in seconds, where it was read
	// from rows.
	First float64
}

// Validate reports the first thing that keeps t from being replayed.
func (t Trace) Validate() error {
	if len(t.Values) < 2 {
		return fmt.Errorf("trace %q: %d values, at least 2 are needed", t.Name, len(t.Values))
	}
	if t.Interval <= 0 {
		return fmt.Errorf("trace %q: interval %s, it must be positive", t.Name, t.Interval)
	}
	sum := 0.0
	for i, v := range t.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			return fmt.Errorf("trace %q: value %d is %v, it must be finite and not negative", t.Name, i, v)
		}
		sum += v
	}
	if sum == 0 {
		return fmt.Errorf("trace %q: there is no demand in it", t.Name)
	}
	if math.IsInf(sum, 0) {
		return fmt.Errorf("trace %q: the sum of its values is not finite", t.Name)
	}
	return nil
}

// Mean of the values; 0 where there are none.
func (t Trace) Mean() float64 {
	if len(t.Values) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range t.Values {
		sum += v
	}
	return sum / float64(len(t.Values))
}

// Scaled returns t with every value multiplied by what makes their mean the
// given one. A trace without demand is returned as it is.
func (t Trace) Scaled(mean float64) Trace {
	old := t.Mean()
	if old == 0 {
		return t
	}
	values := make([]float64, len(t.Values))
	for i, v := range t.Values {
		values[i] = v * (mean / old)
	}
	t.Values = values
	return t
}
