package objective

import "math"

// What is demanded is more and less than usage says, since that is a mean over
// some time. A peak that a mean hides finds no capacity all the same, so what is
// learnt from is what may have been demanded, by its likelihood.

// amount is what may have been demanded, in replicas, and the share of the time
// that it was.
type amount struct{ replicas, share float64 }

// amounts are a few that stand for all there may be; their shares add up to 1.
type amounts [len(hidden) + 1]amount

// hidden are peaks above the mean: how many standard deviations they are above it,
// and for which share of the time. They are the upper two nodes of the five-point
// Gauss-Hermite quadrature of the normal distribution. Demand below the mean is
// never missing, and counts as the mean.
var hidden = [...]struct{ deviations, share float64 }{{2.856970, 0.011257}, {1.355626, 0.222076}}

// noise measures how much demand varies within the time over which usage is a
// mean, by how one change of that is taken back by another just after it
// (Roll: "A Simple Implicit Measure of the Effective Bid-Ask Spread in an
// Efficient Market", Journal of Finance 1984): a trend, and what comes and goes
// slowly, has changes that go on, and only what is gone after the time of one
// mean has changes that are taken back.
type noise struct {
	// TakenBack is the weighted sum of what changes two ticks apart have
	// against each other, as a product, and Usage that of usage: the noise of
	// independent requests has a variance in proportion to their number.
	TakenBack, Usage float64
}

// variancePerTakenBack is the variance of demand around the mean for one of
// TakenBack. Usage is taken for a mean over two ticks, so that it changes by
// (b - b″)/2, with b the mean of the tick that came and b″ of the one that went,
// and two changes two ticks apart have a product of -var(b)/4 on average. Peaks
// of a tick are meant, which is as often as anybody looks: they vary around the
// mean of two by var(b)/2.
const variancePerTakenBack = 2

// see enters a change and the one two ticks before it.
func (n *noise) see(u, change, before, weight float64) {
	n.TakenBack -= weight * change * before
	n.Usage += weight * u
}

// deviation is the standard deviation of demand around a usage.
func (n *noise) deviation(u float64) float64 {
	if n.Usage <= 0 || n.TakenBack <= 0 {
		return 0
	}
	return math.Sqrt(variancePerTakenBack * n.TakenBack / n.Usage * u)
}

func (n *noise) fade(by float64) {
	n.TakenBack *= by
	n.Usage *= by
}

// scale follows a change of the unit that usage is counted in.
func (n *noise) scale(f float64) {
	n.TakenBack *= f * f
	n.Usage *= f
}

// demand is what may have been demanded at a usage of now.
func (l *Learner) demand(u float64, cutOff bool) (all amounts) {
	r := &l.recent
	mean := u
	if len(l.pending) > 0 {
		// Usage is a mean over the time before, and behind what it is now.
		mean = max(u, u+lead*(u-r.at(0)))
	}
	if l.unbroken > 2 && !cutOff {
		l.noise.see(u, u-r.at(0), r.at(1)-r.at(2), l.weight)
	}
	deviation := 0.0
	if !cutOff && l.observed > coldTicks {
		deviation = l.noise.deviation(u)
	}
	rest := 1.0
	for i, h := range hidden {
		all[i] = amount{mean + h.deviations*deviation, h.share}
		rest -= h.share
	}
	all[len(hidden)] = amount{mean, rest}
	return all
}

// above is the share of the time that more was demanded than a capacity.
func (a *amounts) above(capacity float64) (share float64) {
	for _, x := range a {
		if x.replicas > capacity*(1+1e-9) {
			share += x.share
		}
	}
	return share
}

// beyond is the mean of what exceeds a capacity.
func (a *amounts) beyond(capacity float64) (mean float64) {
	for _, x := range a {
		mean += x.share * max(0, x.replicas-capacity)
	}
	return mean
}

// need is what capacity had to exceed, and the weight of knowing it.
type need struct{ replicas, weight float64 }

// needed is what capacity had to exceed. With a price the last replica that was
// needed counts by what of it was: one that would have been a tenth in use is
// missed for a tenth only.
func (l *Learner) needed(all *amounts, u float64, cutOff bool) []need {
	needs := l.needs[:0]
	if cutOff {
		// At least one more than there are, and as good a guess as any: what is
		// asked for then.
		return append(needs, need{max(u, l.limits.ready*careful), l.weight})
	}
	add := func(replicas, weight float64) {
		replicas = max(0, replicas) * l.size
		for i := range needs {
			if needs[i].replicas == replicas {
				needs[i].weight += weight
				return
			}
		}
		if weight > 0 {
			needs = append(needs, need{replicas, weight})
		}
	}
	// The first usage after one that was cut off says what those before it
	// stood for.
	weight := l.weight * float64(1+min(l.limits.ended, mostHidden))
	for _, x := range all {
		below := max(0, math.Ceil(x.replicas/l.size-1e-9)-1)
		used := 1.0
		if l.goal.ShortagePrice > 0 {
			used = min(1, x.replicas/l.size-below)
		}
		add(below, weight*x.share*used)
		add(below-1, weight*x.share*(1-used))
	}
	l.needs = needs
	return needs
}
