package objective

import (
	"math"
	"time"
)

const (
	// minTick is the finest grid on which samples are taken.
	minTick = 15 * time.Second
	// memory is how long what was observed counts: its weight falls by a
	// factor of e in that time.
	memory = 24 * time.Hour
	// maxProvisioning bounds how far ahead is looked.
	maxProvisioning = 15 * time.Minute
	// coldTicks is how many observations it takes until what was learnt is
	// played.
	coldTicks = 40
	// shortGap is what must have been seen again after a gap.
	shortGap = 10 * time.Minute
	// firstHour is the time of observations in which no more is wanted than at a
	// cold start.
	firstHour = time.Hour
	// longGap is after what time without a sample recent usage is not recent
	// any more.
	longGap = 5 * time.Minute
	// calibrateEvery is how many ticks pass between two calibrations.
	calibrateEvery = 20
	// cutOffFrom is the share of the ready capacity from which usage says no
	// more than that the demand is at least that.
	cutOffFrom = 0.97
	// openFrom is the share of the ready capacity above which usage proves
	// that capacity does not cut it off.
	openFrom = 1.05
	// growth is the step by which to grow while usage is cut off and rises
	// with capacity: nobody knows by how much it would exceed what there is.
	growth = 2
	// lead is how much of its last change usage is ahead of what was
	// measured: that is a mean over the time before.
	lead = 0.3
	// mostReplicas is more than there are anywhere: a usage beyond it is an
	// error of somebody's, and would outweigh everything that was learnt.
	mostReplicas = 1 << mostDoublings
	// mostDoublings is how much larger or smaller a replica may become at once.
	mostDoublings = 30
	// mostHidden is for how many ticks of usage that was cut off the first one
	// after them stands, at most.
	mostHidden = 20
	// endless is a weight beyond which all weights are scaled down.
	endless = 1e6
)

// ColdRatio is the share of the capacity that is kept free until enough was
// observed.
const ColdRatio = 0.3

// Sample is what one evaluation saw of one resource.
type Sample struct {
	At time.Time `json:"at"`
	// Usage is summed over all replicas, Capacity what one of them holds; both
	// in the resource's unit. A sample with a Capacity that is not above 0, or
	// with numbers that are not finite or beyond all reason, is ignored.
	Usage    float64 `json:"usage"`
	Capacity float64 `json:"capacity"`
	// Ready is how many replicas serve. 0 is taken for unknown unless NoneReady
	// is set: such a sample is learnt from, and counts neither as enough nor as
	// too little.
	Ready int `json:"ready,omitempty"`
	// NoneReady is set where it is known that no replica serves.
	NoneReady bool `json:"none_ready,omitempty"`
	// Provisioning is how long a replica takes to become ready, as far as
	// that is known by then.
	Provisioning time.Duration `json:"provisioning,omitempty"`
	// Bound is set where the number of replicas was not the policy's to choose,
	// but a pause's, a maximum's or the platform's. Whether there were enough
	// is counted then, and says nothing about the margin.
	Bound bool `json:"bound,omitempty"`
}

// Learner learns of one resource of one policy. It is not safe for concurrent
// use.
type Learner struct {
	goal   Goal
	tick   time.Duration
	growth float64 // of the weight, from tick to tick

	// reference is what one replica held when learning began. Everything is
	// counted in replicas of that size; size is that of one now.
	reference float64
	size      float64
	last      time.Time
	observed  int64
	unbroken  int64 // ticks since the last gap
	horizon   int   // ticks from a decision to when it counts

	held [len(held)]int // ticks of each

	limits     limits
	recent     recent
	season     season
	regression regression
	noise      noise
	forms      []form
	pending    []decision // those in force, oldest first, horizon at most
	reading    reading    // of the last one
	needs      []need     // room for them
	// weight of the newest observation, total of all of which it is known how
	// many replicas were ready, under of those under capacity.
	weight, total, under float64
	// demanded is the weighted sum of what was demanded, as far as the ready
	// replicas are known, lost of what of it found no capacity.
	demanded, lost float64
	// compared is the weighted number of ticks that forms were compared in.
	compared float64
	// aim is how often margins may be too small.
	aim float64
}

// New returns a learner with a goal that will be given samples every interval,
// or more often.
func New(g Goal, interval time.Duration) *Learner {
	l := &Learner{goal: g, tick: TickOf(interval), size: 1, weight: 1, forms: newForms(), aim: g.miss()}
	l.growth = math.Exp(l.tick.Seconds() / memory.Seconds())
	for i, h := range held {
		l.held[i] = l.ticks(h.of)
	}
	l.recent.init(l.tick)
	l.season.init(l.tick)
	return l
}

// SetGoal changes what is aimed at, and keeps what was learnt.
func (l *Learner) SetGoal(g Goal) {
	if g != l.goal {
		l.goal, l.aim = g, g.miss()
		l.calibrate()
	}
}

// Tick is how far apart the samples are that are learnt from.
func (l *Learner) Tick() time.Duration { return l.tick }

// Due reports whether a sample taken at now would be learnt from. Samples that
// come too early are not: they would say the same twice.
func (l *Learner) Due(now time.Time) bool {
	return l.last.IsZero() || now.Sub(l.last) >= l.tick-l.tick/10
}

// Last is when the newest sample was taken; zero where there is none.
func (l *Learner) Last() time.Time { return l.last }

// NotAfter has a learner go on at now whose newest sample is later, as a clock
// leaves it that was ahead: it would learn nothing until that time has come. It
// reports by how much. What it knows of the season, which goes by the time, is
// learnt anew.
func (l *Learner) NotAfter(now time.Time) (ahead time.Duration) {
	ahead = l.last.Sub(now)
	if l.last.IsZero() || ahead <= 0 {
		return 0
	}
	l.last = now
	l.interrupt(ahead)
	if l.season.newest > l.season.number(now) {
		l.season.clear()
	}
	return ahead
}

// Observations is how many samples were learnt from.
func (l *Learner) Observations() int64 { return l.observed }

// Observe learns from s and reports whether it did. Samples come in the order
// of their time; what lies in a gap between them stays unknown.
func (l *Learner) Observe(s Sample) bool {
	if !s.usable() || !l.Due(s.At) || l.reference > 0 && math.Abs(math.Log2(s.Capacity/l.reference)) > mostDoublings {
		return false
	}
	if gap := s.At.Sub(l.last); !l.last.IsZero() && gap > l.tick*5/2 {
		l.interrupt(gap)
	}
	l.last = s.At
	l.observed++
	l.resize(s.Capacity)
	l.look(s.Provisioning)
	l.age()

	u := s.Usage / l.reference
	cutOff := l.limits.see(u, float64(s.Ready)*l.size, l.tick)
	demand := l.demand(u, cutOff)
	unsure := l.limits.more > 0 // whether usage is cut off
	if (s.Ready > 0 || s.NoneReady) && !unsure {
		// Where nobody knows how many there were, nobody knows whether they
		// were enough.
		tooLittle := 1.0
		if !cutOff {
			tooLittle = demand.above(l.limits.ready)
		}
		l.realise(tooLittle, s.Bound)
		l.lose(&demand)
	}
	d := l.decide(s.At, u)
	if len(l.pending) >= l.horizon {
		if !unsure {
			l.compared += l.weight
			l.regret(&demand, cutOff, l.pending)
			l.judge(l.needed(&demand, u, cutOff))
			l.regression.learn(&l.pending[0].Inputs, u, l.weight)
		}
		l.pending = append(l.pending[:0], l.pending[1:]...)
	}
	if l.season.add(s.At, u) {
		l.anotherSeason()
		d = l.decide(s.At, u)
	}
	l.pending = append(l.pending, d)
	l.recent.add(u)
	l.unbroken++
	if l.observed%calibrateEvery == 0 || l.observed < 2*coldTicks {
		l.calibrate()
	}
	return true
}

func (s *Sample) usable() bool {
	return s.Capacity > 0 && !math.IsInf(s.Capacity, 0) && s.Usage >= 0 && s.Usage/s.Capacity <= mostReplicas
}

// interrupt forgets what was pending when samples ceased: what was needed
// meanwhile nobody saw. Recent usage stays where it is as good as recent; it is
// held a little longer then.
func (l *Learner) interrupt(gap time.Duration) {
	l.pending = l.pending[:0]
	l.unbroken = 0
	l.limits.clear()
	l.limits.open = max(0, l.limits.open-int64(gap/l.tick))
	if gap > longGap {
		l.recent.clear()
	}
}

// resize follows a change of what one replica holds. Small ones are noise of
// the measured capacity.
func (l *Learner) resize(capacity float64) {
	if l.reference == 0 {
		l.reference = capacity
	}
	l.size = capacity / l.reference
	if l.size > 0.8 && l.size < 1.25 {
		return
	}
	f := 1 / l.size
	l.recent.scale(f)
	l.season.scale(f)
	l.regression.scale(f)
	l.noise.scale(f)
	for i := range l.forms {
		l.forms[i].resize(f)
	}
	for i := range l.pending {
		l.pending[i].resize(f)
	}
	l.limits.clear()
	l.demanded *= f
	l.lost *= f
	l.reference, l.size = capacity, 1
	l.calibrate()
}

// anotherSeason has the forms with a seasonal forecast learn anew, and drops the
// decisions that were made before the season was known. These forms begin with the
// largest sum of squares that any form has: a few good moments are no reason to
// follow them.
func (l *Learner) anotherSeason() {
	squares := 0.0
	for i := range l.forms {
		squares = max(squares, l.forms[i].Squares)
	}
	for i := range l.forms {
		if f := &l.forms[i]; f.forecast.seasonal() {
			f.forget()
			f.Squares = squares
		}
	}
	l.pending = l.pending[:0]
}

// look says how far ahead a decision counts: until what it asks for is ready,
// and the next decision's is, seen by usage that is a tick old.
func (l *Learner) look(provisioning time.Duration) {
	ahead := min(max(provisioning, 0), maxProvisioning) + 2*l.tick
	l.horizon = int((ahead + l.tick - 1) / l.tick)
	if n := len(l.pending) - l.horizon; n > 0 {
		l.pending = append(l.pending[:0], l.pending[n:]...)
	}
}

// age lets the newest observation weigh the most.
func (l *Learner) age() {
	l.weight *= l.growth
	if l.weight < endless {
		return
	}
	f := 1 / l.weight
	for i := range l.forms {
		l.forms[i].fade(f)
	}
	l.regression.fade(f)
	l.noise.fade(f)
	l.total *= f
	l.under *= f
	l.demanded *= f
	l.lost *= f
	l.compared *= f
	l.weight = 1
}

// realise counts for which share of the tick there was too little, and corrects
// the aim where the goal is a share of the time, unless too little was not the
// policy's doing: a day without a miss raises the aim by a factor of e, and a day
// with twice as many as there may be lowers it by as much.
// That is adaptive conformal inference (Gibbs, Candès: "Adaptive Conformal
// Inference Under Distribution Shift", NeurIPS 2021) at the pace at which
// everything is forgotten, so that one burst moves it little. A price is no
// promise of a share of the time, and its aim stays.
func (l *Learner) realise(miss float64, bound bool) {
	l.total += l.weight
	l.under += l.weight * miss
	if alpha := l.goal.miss(); l.goal.Share > 0 && l.observed > coldTicks && !bound {
		l.aim *= math.Exp((alpha - miss) / alpha * l.tick.Seconds() / memory.Seconds())
		l.aim = l.goal.within(l.aim)
	}
}

// lose counts what was demanded, and what of it found no capacity. The first
// usage after one that was cut off says what of that was not seen.
func (l *Learner) lose(demand *amounts) {
	l.demanded += l.weight * demand.beyond(0)
	l.lost += l.weight * demand.beyond(l.limits.ready)
	hidden := l.weight * float64(min(l.limits.ended, mostHidden)) * demand.beyond(l.limits.reached)
	l.demanded += hidden
	l.lost += hidden
}

// decide is what is wanted at a usage of now. It goes by what was learnt before,
// so that no higher usage leads to fewer replicas.
func (l *Learner) decide(at time.Time, u float64) decision {
	var d decision
	l.forecast(&d, at, u)
	held := float64(d.Forecast[held5m])
	careful := held / (1 - ColdRatio)
	r := reading{Held: held, Careful: careful}
	played, forecast, most, by, ok := l.answer(&d)
	switch {
	case !ok || l.observed < coldTicks:
		played, by = careful, -1
	case time.Duration(l.observed)*l.tick < firstHour && played > careful:
		// What was seen for minutes is no reason to pay for much.
		played, by = careful, -1
	}
	r.Want, r.Forecast, r.Weight, r.By = played, forecast, most, int64(by)
	l.reading = r
	d.Played = float32(played)
	return d
}

// judge enters what was needed for each form.
func (l *Learner) judge(needs []need) {
	for i := range l.forms {
		f := &l.forms[i]
		if f.forecast.seasonal() && !l.season.known() {
			continue
		}
		for _, n := range needs {
			f.need(n.replicas, n.weight, l.pending, l.goal.ShortagePrice > 0)
		}
		if f.Judged++; f.Judged == leastJudged {
			f.calibrate(l.aim)
		}
	}
}

// calibrate sets all margins by what was seen so far.
func (l *Learner) calibrate() {
	for i := range l.forms {
		if f := &l.forms[i]; f.known() {
			f.calibrate(l.aim)
		}
	}
	l.regression.solve()
}
