package plant

import (
	"fmt"
	"math"
	"time"
)

// What a trace becomes when it is prepared, unless a Shape says otherwise.
const (
	DefaultStep = 5 * time.Second
	// DefaultMean and DefaultCap are in replicas.
	DefaultMean = 10.0
	DefaultCap  = 150.0
	// Traces sampled this slowly or slower are replayed at ReplayInterval a
	// sample, since what happened between two samples is not in them.
	SlowInterval   = 5 * time.Minute
	ReplayInterval = time.Minute
)

// Demand is a prepared series: how many replicas would be busy, step by step.
type Demand struct {
	Name string
	Step time.Duration
	// Values in replicas, finite and not negative.
	Values []float64
	// need is max(1, ceil(value)).
	need []float64
}

// Shape says how a trace becomes demand. The zero value is the comparison's
// own: steps of five seconds, a mean of ten replicas, never more than 150, and
// traces sampled every five minutes or slower replayed at a minute a sample.
type Shape struct {
	Step time.Duration
	// Mean in replicas, of the trace before it is capped.
	Mean float64
	// Cap in replicas; negative is none.
	Cap float64
	// OwnPace replays slow traces at the pace at which they were recorded.
	OwnPace bool
}

// NewDemand takes a series that is in replicas already.
func NewDemand(name string, step time.Duration, values []float64) (Demand, error) {
	if step <= 0 {
		return Demand{}, fmt.Errorf("demand %q: step %s, it must be positive", name, step)
	}
	if len(values) == 0 {
		return Demand{}, fmt.Errorf("demand %q: no values", name)
	}
	d := Demand{Name: name, Step: step, Values: values, need: make([]float64, len(values))}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			return Demand{}, fmt.Errorf("demand %q: value %d is %v, it must be finite and not negative", name, i, v)
		}
		d.need[i] = Need(v)
	}
	return d, nil
}

// Need is how many replicas serve the demand: max(1, ceil(demand)).
func Need(demand float64) float64 { return max(1, math.Ceil(demand)) }

// Prepare makes demand of a trace: scaled to the mean, interpolated linearly
// from sample to sample, and capped. The last sample holds for one interval.
func Prepare(t Trace, s Shape) (Demand, error) {
	if err := t.Validate(); err != nil {
		return Demand{}, err
	}
	if s.Step == 0 {
		s.Step = DefaultStep
	}
	if s.Mean == 0 {
		s.Mean = DefaultMean
	}
	switch {
	case s.Cap == 0:
		s.Cap = DefaultCap
	case s.Cap < 0:
		s.Cap = math.Inf(1)
	}
	if s.Step < 0 || !(s.Mean > 0) {
		return Demand{}, fmt.Errorf("trace %q: step %s and mean %v must be positive", t.Name, s.Step, s.Mean)
	}
	interval := t.Interval
	if interval >= SlowInterval && !s.OwnPace {
		interval = ReplayInterval
	}
	scale := s.Mean / t.Mean()
	values := make([]float64, int(time.Duration(len(t.Values))*interval/s.Step))
	for i := range values {
		values[i] = min(scale*t.at(float64(i)*float64(s.Step)/float64(interval)), s.Cap)
	}
	return NewDemand(t.Name, s.Step, values)
}

// at is the value at a place between samples.
func (t Trace) at(x float64) float64 {
	i := int(x)
	if i+1 >= len(t.Values) {
		return t.Values[len(t.Values)-1]
	}
	part := x - float64(i)
	// In this form what does not change stays exactly what it is.
	return t.Values[i] + (t.Values[i+1]-t.Values[i])*part
}

// Duration of the whole series.
func (d *Demand) Duration() time.Duration { return time.Duration(len(d.Values)) * d.Step }

// needs returns the need of every step, also of a Demand that was put together
// by hand.
func (d *Demand) needs() []float64 {
	if len(d.need) == len(d.Values) {
		return d.need
	}
	need := make([]float64, len(d.Values))
	for i, v := range d.Values {
		need[i] = Need(v)
	}
	return need
}
