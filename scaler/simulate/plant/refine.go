package plant

import (
	"math"
	"time"
)

// Refined is the trace at steps of DefaultStep, as nobody recorded it: within
// each sample demand moves around the recorded value as Dispersion.Within says
// of this trace, lognormally, with the memory of a service time, and its mean
// is the recorded value. So nothing in a sample tells the next one, which a
// straight line between the two does. Traces sampled at SlowInterval or slower
// are refined at the pace at which they are replayed. A trace that is sampled
// as finely already is returned as it is.
func (t Trace) Refined(seed uint64) Trace {
	if t.Interval <= DefaultStep {
		return t
	}
	if t.Interval >= SlowInterval {
		t.Interval = ReplayInterval
	}
	variance := t.Dispersion().Within()
	g := newGenerator(t.Name, seed, time.Duration(len(t.Values))*t.Interval)
	g.memory = serviceMemory
	deviation := math.Sqrt(math.Log1p(variance)) // of the logarithm
	out := Trace{Name: t.Name, Interval: DefaultStep, First: t.First, Values: make([]float64, int(g.length/DefaultStep))}
	for i := 0; i < len(out.Values); {
		sample := sampleAt(i, t.Interval)
		from := i
		for ; i < len(out.Values) && sampleAt(i, t.Interval) == sample; i++ {
			out.Values[i] = g.noise(deviation)
		}
		steps := out.Values[from:i]
		m := Trace{Values: steps}.Mean()
		for j := range steps {
			steps[j] *= t.Values[sample] / m
		}
	}
	return out
}

// sampleAt is the sample in which a step lies.
func sampleAt(step int, interval time.Duration) int {
	return int(time.Duration(step) * DefaultStep / interval)
}

// serviceMemory is how much of a deviation is left a step later, when what
// arrives stays for the service time.
var serviceMemory = math.Exp(-float64(DefaultStep) / float64(service))
