package plant

import (
	"math"
	"time"
)

// requests are in work at a level of 1 in the generators at steps of
// DefaultStep. They come and go at random, and so few that their number
// varies as the requests of the recorded trace azure_llm_conv do: see
// Dispersion.Within, of which it is the reciprocal.
const requests = 70

// GeneratedFine are all generators at steps of DefaultStep, with lengths that
// show what they are about. In all of them requests arrive at random at a rate
// that itself moves, and stay for a random time (a Cox process): within a
// minute nothing tells the next value but the level.
func GeneratedFine(seed uint64) []Trace {
	const day = 24 * time.Hour
	return []Trace{
		Arrivals(seed, 2*day),
		Bursts(seed, 2*day),
		Regimes(seed, 3*day),
		DriftingSeason(seed, 6*day),
		Outages(seed, 4*day),
		MissingDays(seed, 6*day),
	}
}

// Arrivals is a service without a plan: its level wanders between about a half
// and twice its mean, with a memory of two hours, and moves by 10 % within
// minutes.
func Arrivals(seed uint64, length time.Duration) Trace {
	g := newFine("arrivals", seed, length)
	slow := g.wander(2*time.Hour, 0.35)
	quick := g.wander(2*time.Minute, 0.1)
	return g.cox(func(time.Duration) float64 { return slow() * quick() })
}

// Bursts is a floor of a half and bursts on top, one about every two minutes,
// each there within five seconds, for 5 to 45 s, the sizes heavy-tailed (Pareto
// with α = 1.4, from a half, at most 15); and about every four hours an hour
// with four times as many. Means of 15, 30 and 60 s differ from their neighbours
// by about 0.3, 0.6 and 0.7 (Dispersion): more than in the recorded trace
// alibaba_genai_qps, 0.08 at 57 s, less than in azure_llm_code, 1.8, 1.3 and
// 0.9.
func Bursts(seed uint64, length time.Duration) Trace {
	g := newFine("bursts", seed, length)
	busy := g.events(4*time.Hour, func(start time.Duration) event {
		return event{start: start, stay: time.Hour, height: 1}
	})
	burst := func(start time.Duration) event {
		return event{
			start: start, stay: g.between(5*time.Second, 45*time.Second),
			height: min(15, 0.5*math.Pow(1-g.rand.Float64(), -1/1.4)),
		}
	}
	usual := &passing{events: g.events(2*time.Minute, burst)}
	more := &passing{events: g.events(40*time.Second, burst)}
	return g.cox(func(at time.Duration) float64 {
		level := 0.5 + usual.at(at)
		extra := more.at(at)
		for i := range busy {
			if busy[i].at(at) > 0 {
				return level + extra
			}
		}
		return level
	})
}

// Regimes is a level between 0.5 and 4 that becomes another one about every
// five hours, from one step to the next, and another unrest with it, of 2 to
// 30 % within minutes.
func Regimes(seed uint64, length time.Duration) Trace {
	g := newFine("regimes", seed, length)
	level, unrest := 1.0, 0.05
	quick := g.wander(time.Minute, 1)
	changes := g.events(5*time.Hour, func(start time.Duration) event { return event{start: start} })
	return g.cox(func(at time.Duration) float64 {
		for len(changes) > 0 && changes[0].start <= at {
			changes = changes[1:]
			level = 0.5 * math.Pow(8, g.rand.Float64())
			unrest = 0.02 * math.Pow(15, g.rand.Float64())
		}
		return level * math.Pow(quick(), unrest)
	})
}

// DriftingSeason is a day between 0.3 and 1.7 that lasts 23 hours 20 minutes
// and does not keep its time either: it comes about an hour earlier or later
// than it should, and its size varies by 15 %.
func DriftingSeason(seed uint64, length time.Duration) Trace {
	g := newFine("drifting_season", seed, length)
	quick := g.wander(3*time.Minute, 0.08)
	phase := g.wander(24*time.Hour, 0.04) // of a day, around 1
	size := g.wander(24*time.Hour, 0.15)
	return g.cox(func(at time.Duration) float64 {
		days := at.Hours()/(24-40.0/60) + phase()
		return (1 - 0.7*math.Cos(2*math.Pi*days)) * size() * quick()
	})
}

// Outages is the day of Daily, cut off about every eight hours: for 3 to 40
// minutes nothing or up to 5 % arrives, and when it comes back everybody tries
// again, with up to 2.5 times of it, which wears off with a time constant of
// four minutes.
func Outages(seed uint64, length time.Duration) Trace {
	g := newFine("outages", seed, length)
	quick := g.wander(3*time.Minute, 0.06)
	outages := g.events(8*time.Hour, func(start time.Duration) event {
		return event{start: start, stay: g.between(3*time.Minute, 40*time.Minute), height: 0.05 * g.rand.Float64()}
	})
	retries := 0.5 + g.rand.Float64()
	return g.cox(func(at time.Duration) float64 {
		level := daily(at) * quick()
		for _, o := range outages {
			switch since := at - o.start - o.stay; {
			case at >= o.start && since < 0:
				level *= o.height
			case since >= 0:
				level *= 1 + retries*math.Exp(-since.Minutes()/4)
			}
		}
		return level
	})
}

// MissingDays is the day of Daily, of which one in four is not as the others:
// at a tenth, as a holiday is, or at twice its size.
func MissingDays(seed uint64, length time.Duration) Trace {
	g := newFine("missing_days", seed, length)
	quick := g.wander(3*time.Minute, 0.06)
	factors := make([]float64, 1+int(length/(24*time.Hour)))
	for i := range factors {
		factors[i] = 1
		// Not the first: a season must be there before a day is missing.
		if i > 0 && (g.rand.Float64() < 0.25 || i == 3) {
			factors[i] = 0.1
			if g.rand.Float64() < 0.4 && i != 3 {
				factors[i] = 2
			}
		}
	}
	return g.cox(func(at time.Duration) float64 {
		return daily(at%(24*time.Hour)) * factors[int(at/(24*time.Hour))] * quick()
	})
}

// newFine is a generator at steps of DefaultStep.
func newFine(name string, seed uint64, length time.Duration) *generator {
	g := newGenerator(name, seed, length)
	g.step = DefaultStep
	return g
}

// wander is a factor around 1 that is asked once a step: lognormal with the
// given deviation, forgetting what it was with the given time constant.
func (g *generator) wander(memory time.Duration, deviation float64) func() float64 {
	phi := math.Exp(-float64(g.step) / float64(memory))
	x := g.rand.NormFloat64()
	return func() float64 {
		x = phi*x + math.Sqrt(1-phi*phi)*g.rand.NormFloat64()
		return math.Exp(deviation*x - deviation*deviation/2)
	}
}

// cox is what is in work where requests arrive at random at a rate that keeps
// so many at the level, and each stays for an exponential service time.
func (g *generator) cox(level func(at time.Duration) float64) Trace {
	left := math.Exp(-float64(g.step) / float64(service))
	inWork := -1.0
	t := g.fill(func(at time.Duration) float64 {
		rate := requests * level(at)
		if inWork < 0 {
			inWork = math.Round(rate)
		}
		// Those that go, and those that came and are still there.
		inWork -= min(inWork, g.poisson(inWork*(1-left)))
		inWork += g.poisson(rate * (1 - left))
		return inWork / requests
	})
	return t
}

// poisson draws a count with the given mean; of large means, the normal that
// is like it.
func (g *generator) poisson(mean float64) float64 {
	if mean > 50 {
		return max(0, math.Round(mean+math.Sqrt(mean)*g.rand.NormFloat64()))
	}
	n, p := 0, math.Exp(-mean)
	for u := g.rand.Float64(); u > p; u *= g.rand.Float64() {
		n++
	}
	return float64(n)
}

// passing are events that are asked about in the order of time.
type passing struct{ events []event }

// at is the sum of those that are there. None of them stays for two minutes.
func (p *passing) at(at time.Duration) float64 {
	for len(p.events) > 0 && at-p.events[0].start > 2*time.Minute {
		p.events = p.events[1:]
	}
	sum := 0.0
	for i := range p.events {
		if p.events[i].start > at {
			break
		}
		sum += p.events[i].at(at)
	}
	return sum
}
