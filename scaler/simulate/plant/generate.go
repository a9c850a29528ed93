package plant

import (
	"math"
	"math/rand/v2"
	"time"
)

// generated traces have one value a minute.
const generatedInterval = time.Minute

// Generated are all generators with lengths that show what they are about:
// traces for tests and comparisons where no recorded ones are at hand.
func Generated(seed uint64) []Trace {
	const day = 24 * time.Hour
	return []Trace{
		Daily(seed, 7*day),
		FlashCrowd(seed, 3*day),
		Ramp(seed, 2*day),
		BatchBursts(seed, 2*day),
		RegimeChange(seed, 4*day),
		Outage(seed, 4*day),
	}
}

// Daily is a service that people use by day: a cycle of 24 hours between 0.3
// and 1.7 with a second, smaller peak in the evening, at six tenths on the
// last two days of every seven, with noise of 5 %.
func Daily(seed uint64, length time.Duration) Trace {
	g := newGenerator("daily", seed, length)
	return g.fill(func(at time.Duration) float64 { return daily(at) * g.noise(0.05) })
}

func daily(at time.Duration) float64 {
	day := at.Hours() / 24
	level := 1 - 0.6*math.Cos(2*math.Pi*day) - 0.1*math.Cos(4*math.Pi*day) + 0.15*math.Sin(4*math.Pi*day)
	if int(day)%7 >= 5 {
		level *= 0.6
	}
	return level
}

// FlashCrowd is steady demand of 1 that is overrun about every six hours: it
// grows four- to eightfold within one to five minutes and falls back with a
// time constant of 20 to 40 minutes. Noise of 5 %.
func FlashCrowd(seed uint64, length time.Duration) Trace {
	g := newGenerator("flash_crowd", seed, length)
	crowds := g.events(6*time.Hour, func(start time.Duration) event {
		return event{
			start: start, rise: g.between(time.Minute, 5*time.Minute),
			fall: g.between(20*time.Minute, 40*time.Minute), height: 3 + 4*g.rand.Float64(),
		}
	})
	return g.fill(func(at time.Duration) float64 {
		level := 1.0
		for _, c := range crowds {
			level += c.at(at)
		}
		return level * g.noise(0.05)
	})
}

// Ramp rises from 1 to 10 in a straight line over a third of a day, stays for
// a sixth, falls as slowly as it rose and stays again. Noise of 3 %.
func Ramp(seed uint64, length time.Duration) Trace {
	g := newGenerator("ramp", seed, length)
	return g.fill(func(at time.Duration) float64 {
		day := math.Mod(at.Hours()/24, 1)
		part := 1.0
		switch {
		case day < 1.0/3:
			part = 3 * day
		case day >= 1.0/2 && day < 5.0/6:
			part = 1 - 3*(day-1.0/2)
		case day >= 5.0/6:
			part = 0
		}
		return (1 + 9*part) * g.noise(0.03)
	})
}

// BatchBursts is a low floor of 0.5 and jobs on top of it: one about every 20
// minutes, of two to fifteen minutes, there at once and gone at once, the
// sizes heavy-tailed (Pareto with α = 1.5, from 1, at most 20). Noise of 10 %.
func BatchBursts(seed uint64, length time.Duration) Trace {
	g := newGenerator("batch_bursts", seed, length)
	jobs := g.events(20*time.Minute, func(start time.Duration) event {
		return event{
			start: start, stay: g.between(2*time.Minute, 15*time.Minute),
			height: min(20, math.Pow(1-g.rand.Float64(), -1/1.5)),
		}
	})
	return g.fill(func(at time.Duration) float64 {
		level := 0.5
		for _, j := range jobs {
			level += j.at(at)
		}
		return level * g.noise(0.1)
	})
}

// RegimeChange is a level between 0.5 and 4 that becomes another one about
// every ten hours, from one minute to the next, and noise that becomes another
// one with it, of 2 to 20 %.
func RegimeChange(seed uint64, length time.Duration) Trace {
	g := newGenerator("regime_change", seed, length)
	level, noise := 1.0, 0.05
	changes := g.events(10*time.Hour, func(start time.Duration) event { return event{start: start} })
	return g.fill(func(at time.Duration) float64 {
		for len(changes) > 0 && changes[0].start <= at {
			changes = changes[1:]
			level = 0.5 * math.Pow(8, g.rand.Float64())
			noise = 0.02 * math.Pow(10, g.rand.Float64())
		}
		return level * g.noise(noise)
	})
}

// Outage is the day of Daily, without weekends, cut off about every twelve
// hours: for 10 to 40 minutes 2 % of the demand arrive, and when it comes back
// everybody tries again, with 1.8 times of it, which wears off with a time
// constant of ten minutes. Noise of 5 %.
func Outage(seed uint64, length time.Duration) Trace {
	g := newGenerator("outage", seed, length)
	outages := g.events(12*time.Hour, func(start time.Duration) event {
		return event{start: start, stay: g.between(10*time.Minute, 40*time.Minute)}
	})
	return g.fill(func(at time.Duration) float64 {
		level := daily(at % (24 * time.Hour))
		for _, o := range outages {
			switch since := at - o.start - o.stay; {
			case at >= o.start && since < 0:
				level *= 0.02
			case since >= 0:
				level *= 1 + 0.8*math.Exp(-since.Minutes()/10)
			}
		}
		return level * g.noise(0.05)
	})
}

// event is something that comes over demand: it rises in a straight line,
// stays, and falls exponentially.
type event struct {
	start, rise, stay, fall time.Duration
	height                  float64
}

func (e *event) at(at time.Duration) float64 {
	since := at - e.start
	switch {
	case since < 0:
		return 0
	case since < e.rise:
		return e.height * float64(since) / float64(e.rise)
	case since < e.rise+e.stay:
		return e.height
	case e.fall == 0:
		return 0
	}
	return e.height * math.Exp(-float64(since-e.rise-e.stay)/float64(e.fall))
}

type generator struct {
	name   string
	length time.Duration
	rand   *rand.Rand
	step   time.Duration
	// memory is how much of the noise is left a value later.
	memory float64
	drift  float64
}

func newGenerator(name string, seed uint64, length time.Duration) *generator {
	// Each generator draws its own numbers, whatever the others drew.
	stream := uint64(0)
	for _, c := range name {
		stream = stream*131 + uint64(c)
	}
	return &generator{name: name, length: length, step: generatedInterval, memory: 0.8, rand: rand.New(rand.NewPCG(seed, stream))}
}

// noise is a factor around 1 with about the given deviation, correlated from
// value to value as the demand of many is (AR(1), φ = 0.8 from minute to
// minute).
func (g *generator) noise(deviation float64) float64 {
	phi := g.memory
	g.drift = phi*g.drift + math.Sqrt(1-phi*phi)*g.rand.NormFloat64()
	return math.Exp(deviation*g.drift - deviation*deviation/2)
}

func (g *generator) between(low, high time.Duration) time.Duration {
	return low + time.Duration(g.rand.Int64N(int64(high-low)))
}

// events come after exponential times with the given mean, as independent ones
// do, over the whole length.
func (g *generator) events(every time.Duration, draw func(start time.Duration) event) []event {
	var out []event
	for at := time.Duration(0); ; {
		at += time.Duration(g.rand.ExpFloat64() * float64(every))
		if at >= g.length {
			return out
		}
		out = append(out, draw(at))
	}
}

func (g *generator) fill(value func(at time.Duration) float64) Trace {
	t := Trace{Name: g.name, Interval: g.step, Values: make([]float64, int(g.length/g.step))}
	for i := range t.Values {
		t.Values[i] = value(time.Duration(i) * g.step)
	}
	return t
}
