package plant

import (
	"math"
	"time"
)

// service is how long demand that arrives stays, where a trace does not say.
// Demand in replicas is work in progress, so what arrives at random is
// smoothed by it.
const service = 15 * time.Second

// mostVariance bounds what a trace's own samples say of the time between them.
// Where single samples are ten times their neighbours, they are the bursts,
// and to put a tenfold burst into each sample again would count them twice.
const mostVariance = 1.0

// Dispersion is how much neighbouring samples of a trace differ: half of the
// mean squared difference of neighbours ÷ the squared mean (the relative Allan
// variance), of the samples themselves and of means of two and of four. From
// one to the next it halves where samples are independent, stays where demand
// comes in bursts of all lengths, and grows where demand drifts.
type Dispersion struct {
	Interval       time.Duration
	One, Two, Four float64
}

// Dispersion of a trace that is valid.
func (t Trace) Dispersion() Dispersion {
	return Dispersion{Interval: t.Interval, One: t.allan(1), Two: t.allan(2), Four: t.allan(4)}
}

func (t Trace) allan(samples int) float64 {
	sum, n, last := 0.0, 0, 0.0
	for i := 0; i+samples <= len(t.Values); i += samples {
		m := mean(t.Values, i+samples, samples)
		if i > 0 {
			sum += (m - last) * (m - last)
			n++
		}
		last = m
	}
	return share(sum/2, float64(n)*t.Mean()*t.Mean())
}

// Arrivals is the part of One that independent arrivals explain: that which
// halves when two samples are taken together.
func (d Dispersion) Arrivals() float64 { return min(max(0, 2*(d.One-d.Two)), d.One) }

// Bursts is the part of One that is found at finer scales too: what does not
// become less when two samples are taken together. Of a drift as much is left
// as its growth from one sample to two says of the way down to the service
// time.
func (d Dispersion) Bursts() float64 {
	if d.Two <= d.One {
		return d.One - d.Arrivals()
	}
	octaves := max(0, math.Log2(float64(d.Interval)/float64(service)))
	return d.One * math.Pow(d.One/d.Two, octaves)
}

// Within is the relative variance of demand within a sample: independent
// arrivals with the density of Arrivals, each staying for an exponential time,
// and Bursts.
func (d Dispersion) Within() float64 {
	arrivals := d.Arrivals() * float64(d.Interval) / float64(2*service)
	return min(arrivals+d.Bursts(), mostVariance)
}
