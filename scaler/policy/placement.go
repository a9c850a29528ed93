package policy

import (
	"math"
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
	if d.out.Desired != d.out.Current {
		d.place()
	}
	if d.out.Desired == d.out.Current {
		return
	}
	if d.p.Mode == ModeOff || (d.p.Mode == ModeOnlyScaleUp && d.out.Desired < d.out.Current) {
		d.out.Reason = ReasonShadow
		d.note(Step{Name: StepMode, Subject: string(d.p.Mode), Reason: ReasonShadow})
		return
	}
	d.out.Act = true
}

// place spreads the difference over the targets in the order written: more
// goes to the first that has room, less is taken from the last that has
// replicas to give. Targets outside their own bounds come before the others,
// and a target that is backed off is left alone. What no target can take is
// not asked for.
func (d *decider) place() {
	targets := d.o.Targets
	counts := make([]int, len(targets))
	for i := range targets {
		counts[i] = targets[i].Requested
	}
	diff := d.out.Desired - d.out.Current
	var backoff time.Time
	for _, correcting := range [...]bool{true, false} {
		for k := range targets {
			i := k
			if diff < 0 {
				i = len(targets) - 1 - k
			}
			if until := targets[i].BackoffUntil; until.After(d.now) {
				if backoff.IsZero() || until.Before(backoff) {
					backoff = until
				}
				continue
			}
			n := d.share(i, counts[i], diff, correcting)
			counts[i] += n
			diff -= n
		}
	}
	d.limit(d.out.Desired-diff, unplaced(diff, backoff), ReasonTargetBackoff)
	if d.out.Desired == d.out.Current {
		return
	}
	d.out.Placements = make([]Placement, 0, len(targets))
	for i := range targets {
		d.out.Placements = append(d.out.Placements, Placement{Target: targets[i].Name, From: targets[i].Requested, To: counts[i]})
	}
}

// share is what of diff the i-th target takes at the given count: no more than
// its own bounds allow or, where correcting, than brings it back to them.
func (d *decider) share(i, count, diff int, correcting bool) int {
	lowest, highest := d.p.targetBounds(i, d.o.Targets)
	if diff > 0 {
		if correcting {
			highest = lowest
		}
		return max(0, min(diff, highest-count))
	}
	if correcting {
		lowest = highest
	}
	return min(0, max(diff, lowest-count))
}

// unplaced is the step that leaves diff replicas without a target. The bounds
// see to it that all targets together have room, so that only a backoff can
// be in the way.
func unplaced(diff int, backoff time.Time) Step {
	s := Step{Name: StepPlacement, Value: float64(diff)}
	if diff != 0 {
		s.Until = backoff
	}
	return s
}
