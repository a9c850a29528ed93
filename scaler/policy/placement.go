package policy

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// noLimit stands for a target without a maximum of its own.
const noLimit = math.MaxInt32

// targetBounds are the i-th target's bounds as configured, narrowed by its
// platform's. Where the two contradict each other the upper bound wins.
func (p *Policy) targetBounds(i int, targets []TargetState) (lowest, highest int) {
	highest = noLimit
	if i < len(p.Targets) {
		lowest = p.Targets[i].Min
		if p.Targets[i].Max > 0 {
			highest = p.Targets[i].Max
		}
	}
	lowest = max(lowest, targets[i].Min)
	if targets[i].Max > 0 {
		highest = min(highest, targets[i].Max)
	}
	return min(lowest, highest), highest
}

// finish spreads the move over the targets and says whether to act.
func (d *decider) finish() {
	if d.out.Desired == d.out.Current && !d.o.stuck() {
		return
	}
	s := newSpread(d.p, d.o, d.h, d.now)
	if d.out.Desired != d.out.Current {
		d.place(s)
	}
	d.moveOn(s)
	if s.unchanged() {
		return
	}
	d.out.Placements = s.placements()
	if d.p.Mode == ModeOff || (d.p.Mode == ModeOnlyScaleUp && d.out.Desired < d.out.Current) {
		d.out.Reason = ReasonShadow
		d.note(Step{Name: StepMode, Subject: string(d.p.Mode), Reason: ReasonShadow})
		return
	}
	d.out.Act = true
}

// stuck reports whether a target has replicas that are not coming.
func (o *Observation) stuck() bool {
	return slices.ContainsFunc(o.Targets, func(t TargetState) bool { return t.Stuck > 0 })
}

// place spreads the difference over the targets. What no target can take is
// not asked for.
func (d *decider) place(s *spread) {
	left := s.spread(d.out.Desired - d.out.Current)
	step := Step{Name: StepPlacement, Subject: string(d.p.Strategy), Value: float64(left)}
	reason := ReasonTargetBackoff
	switch {
	case left > 0 && s.poor:
		reason = ReasonBudgetLimited
		step.Name, step.Subject, step.Limit = StepBudget, s.purse.Budget, *s.purse.CostPerHour
		step.Detail = s.purse.why()
		d.out.Cuts = append(d.out.Cuts, Cut{Budget: s.purse.Budget, CostPerHour: float64(left) * s.cheapest(), By: s.purse.Rivals, More: s.purse.MoreRivals})
	case left < 0 && s.kept != nil:
		reason = ReasonBlocked
		step.Name, step.Subject, step.Detail = StepVictims, s.kept.Name, s.kept.ProtectedBy
	case left != 0:
		step.Until = s.waits
	}
	d.limit(d.out.Desired-left, step, reason)
}

// moveOn takes what was asked of a target and never became ready away from
// it, and asks the others for it, as far as they can take it. The sum stays.
func (d *decider) moveOn(s *spread) {
	if d.out.Desired < d.out.Current || d.out.Reason == ReasonPaused || d.out.Reason == ReasonBlocked {
		return
	}
	stuck := 0
	for i := range s.targets {
		stuck += s.stuck(i)
	}
	if stuck == 0 {
		return
	}
	// Without anybody asking for more, only what the bounds want is needed.
	needed := min(d.min, d.out.Desired)
	if d.out.Direction == Up {
		needed = d.out.Desired
	}
	missing := min(stuck, needed-(d.out.Desired-stuck))
	for i := range s.targets {
		moved := 0
		for moved < missing && s.stuck(i) > 0 && s.hand(i) {
			moved++
		}
		if moved == 0 {
			continue
		}
		missing -= moved
		d.out.Reason = cmp.Or(d.changedReason(), ReasonTargetFailed)
		d.note(Step{Name: StepMovedOn, Subject: s.targets[i].Name, Value: float64(moved), Detail: s.targets[i].StuckBy, Reason: ReasonTargetFailed})
	}
}

// hand gives one replica of the i-th target to another one, if any takes it.
func (s *spread) hand(i int) bool {
	s.counts[i]--
	s.earn(i, 1)
	if s.spread(1) == 0 {
		return true
	}
	s.counts[i]++
	s.earn(i, -1)
	return false
}

// changedReason is the reason of a count that changes by itself.
func (d *decider) changedReason() Reason {
	if d.out.Desired != d.out.Current {
		return d.out.Reason
	}
	return ""
}

// Failover spreads a move that a target has refused over the others, in the
// same order and within the same limits. In o the counts are as the platforms
// have accepted them by now, and the target that refused is backed off.
// Nil: nobody can take any of it.
func Failover(p Policy, o Observation, h History, diff int, now time.Time) []Placement {
	s := newSpread(&p, &o, &h, now)
	s.spread(diff)
	if s.unchanged() {
		return nil
	}
	return s.placements()
}

// spread places replicas on the targets of one policy.
type spread struct {
	p       *Policy
	targets []TargetState
	h       *History
	now     time.Time
	// counts are what each target is to have.
	counts []int
	// order are the targets' indices, the best first; nil until needed.
	order []int
	// purse is the tightest budget on cost, money what it leaves; poor is set
	// once that was in the way.
	purse *Room
	money float64
	poor  bool
	// waits is when the first target that was left alone may be asked again.
	waits time.Time
	// kept is the first target whose protected replicas were in the way; nil:
	// none were.
	kept *TargetState
}

func newSpread(p *Policy, o *Observation, h *History, now time.Time) *spread {
	s := &spread{p: p, targets: o.Targets, h: h, now: now, counts: make([]int, len(o.Targets))}
	for i := range s.targets {
		s.counts[i] = s.targets[i].Requested
	}
	s.purse, s.money = purse(p, o)
	return s
}

func (s *spread) unchanged() bool {
	for i := range s.targets {
		if s.counts[i] != s.targets[i].Requested {
			return false
		}
	}
	return true
}

func (s *spread) placements() []Placement {
	out := make([]Placement, 0, len(s.targets))
	for i := range s.targets {
		out = append(out, Placement{Target: s.targets[i].Name, From: s.targets[i].Requested, To: s.counts[i]})
	}
	return out
}

// stuck is how many replicas of the i-th target are not coming and may be
// taken back.
func (s *spread) stuck(i int) int {
	lowest, _ := s.p.targetBounds(i, s.targets)
	taken := max(0, s.targets[i].Requested-s.counts[i])
	return max(0, min(s.targets[i].Stuck-taken, s.counts[i]-max(lowest, s.targets[i].Protected)))
}

// spread adds diff replicas, or takes them away, and returns what is left of
// it. Targets outside their own bounds come first; then, going up, the best by
// the policy's strategy, and going down what is not coming and then the worst.
// A target that is backed off is left alone.
func (s *spread) spread(diff int) int {
	s.rank()
	diff = s.pass(diff, s.correcting)
	if diff < 0 {
		diff = s.pass(diff, func(i, diff int) int { return -min(-diff, s.stuck(i)) })
	}
	if s.p.Strategy == StrategyBalance {
		return s.level(diff)
	}
	return s.pass(diff, s.room)
}

// pass offers diff to each target in turn.
func (s *spread) pass(diff int, take func(i, diff int) int) int {
	for k := range s.order {
		if diff == 0 {
			return 0
		}
		i := s.order[k]
		if diff < 0 {
			i = s.order[len(s.order)-1-k]
		}
		if !s.asks(i, diff) {
			continue
		}
		n := s.afford(i, take(i, diff))
		s.counts[i] += n
		s.earn(i, -n)
		diff -= n
	}
	return diff
}

// asks reports whether the i-th target may be asked for a change that way. One
// whose replicas never became ready answers well enough to take some back.
func (s *spread) asks(i, diff int) bool {
	until := s.targets[i].BackoffUpUntil
	if diff < 0 {
		until = s.targets[i].BackoffDownUntil
	}
	if !until.After(s.now) || (diff < 0 && s.targets[i].Stuck > 0) {
		return true
	}
	if s.waits.IsZero() || until.Before(s.waits) {
		s.waits = until
	}
	return false
}

// room is what of diff the i-th target takes within its own bounds.
func (s *spread) room(i, diff int) int {
	lowest, highest := s.p.targetBounds(i, s.targets)
	if diff > 0 {
		return max(0, min(diff, highest-s.counts[i]))
	}
	return s.spare(i, min(0, max(diff, lowest-s.counts[i])))
}

// spare leaves of a change downwards what the i-th target's protected replicas
// allow.
func (s *spread) spare(i, diff int) int {
	t := &s.targets[i]
	if diff >= 0 || s.counts[i]+diff >= t.Protected {
		return diff
	}
	if s.kept == nil {
		s.kept = t
	}
	return min(0, t.Protected-s.counts[i])
}

// correcting is what of diff brings the i-th target back to its own bounds.
func (s *spread) correcting(i, diff int) int {
	lowest, highest := s.p.targetBounds(i, s.targets)
	if diff > 0 {
		return max(0, min(diff, lowest-s.counts[i]))
	}
	return s.spare(i, min(0, max(diff, highest-s.counts[i])))
}

// afford cuts n replicas more to what the budgets leave for them.
func (s *spread) afford(i, n int) int {
	price := s.price(i)
	if s.purse == nil || n <= 0 || price <= 0 {
		return n
	}
	// What is short by less than rounding can make it is enough.
	if can := (s.money + 1e-9*math.Max(1, s.money)) / price; can < float64(n) {
		s.poor = true
		return int(can)
	}
	return n
}

// earn gives the price of n replicas of the i-th target back.
func (s *spread) earn(i, n int) { s.money += float64(n) * s.price(i) }

// price is that of one replica for an hour, 0 where it is not known: a budget
// on cost accepts only what has one.
func (s *spread) price(i int) float64 {
	if i < len(s.p.Targets) && s.p.Targets[i].CostPerHour != nil {
		return *s.p.Targets[i].CostPerHour
	}
	return 0
}

// cheapest is the lowest price above nothing.
func (s *spread) cheapest() float64 {
	lowest := math.Inf(1)
	for i := range s.targets {
		if p := s.price(i); p > 0 {
			lowest = min(lowest, p)
		}
	}
	return lowest
}

// rank orders the targets by what the strategy minimizes, T = min t_i, and
// those that are equal as they are written.
func (s *spread) rank() {
	if s.order != nil {
		return
	}
	s.order = make([]int, len(s.targets))
	for i := range s.order {
		s.order[i] = i
	}
	if len(s.order) < 2 || s.p.Strategy == StrategyPriority || s.p.Strategy == StrategyBalance || s.p.Strategy == "" {
		return
	}
	t := make([]float64, len(s.order))
	for i := range t {
		t[i] = s.measure(i)
	}
	slices.SortStableFunc(s.order, func(a, b int) int { return cmp.Compare(t[a], t[b]) })
}

// measure is t of the i-th target. What is not known is the worst there is.
func (s *spread) measure(i int) float64 {
	if i >= len(s.p.Targets) {
		return math.Inf(1)
	}
	t := &s.p.Targets[i]
	switch s.p.Strategy {
	case StrategyLatency:
		if p := s.h.ProvisioningOf(t); p > 0 {
			return p.Seconds()
		}
	case StrategyLoss:
		return s.h.LossOf(t, s.now)
	case StrategyCost:
		if t.CostPerHour != nil {
			return *t.CostPerHour
		}
	case StrategyPriority, StrategyBalance:
		return float64(i)
	}
	return math.Inf(1)
}

// Seed is how long the named target's replicas take to become ready until that
// was measured; 0 where nobody said.
func (p *Policy) Seed(target string) time.Duration {
	for i := range p.Targets {
		if p.Targets[i].Name == target {
			return p.Targets[i].Provisioning
		}
	}
	return 0
}
