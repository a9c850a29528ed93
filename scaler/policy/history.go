package policy

import (
	"maps"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// History is what a policy must remember between decisions, and over a
// restart. It is small, serializes to JSON, and changes only through its
// methods.
type History struct {
	// Observed is when the policy last decided.
	Observed time.Time `json:"observed,omitzero"`
	// Since is when the present unbroken run of usable observations began;
	// zero: there is none.
	Since time.Time `json:"since,omitzero"`
	// LastSeen is when the last usable observation was made.
	LastSeen time.Time `json:"last_seen,omitzero"`
	// Samples are the raw recommendations of the longest stabilization
	// window, oldest first, equal neighbours joined.
	Samples []Sample `json:"samples,omitempty"`
	// Moves are the changes of the policy's count that limits and cooldowns
	// look at, oldest first.
	Moves []Move `json:"moves,omitempty"`
	// Backoffs by target, while one is not to be asked.
	Backoffs map[string]Backoffs `json:"backoffs,omitempty"`
	// Contest is what others did to what was asked of the targets; nil:
	// nothing of late.
	Contest *Contest `json:"contest,omitempty"`
	// Config tells the configuration that Backoffs and Contest are of from
	// others; empty: not known.
	Config string `json:"config,omitempty"`
	// Targets is what was learnt of each target.
	Targets []TargetMemory `json:"targets,omitempty"`
	// MissingSince is since when a resource has been unknown without a break,
	// MissingSeen when that was last seen; zero: none is.
	MissingSince time.Time `json:"missing_since,omitzero"`
	MissingSeen  time.Time `json:"missing_seen,omitzero"`
	// DownSince is since when the policy has wanted fewer replicas without a
	// break; zero: it does not.
	DownSince time.Time `json:"down_since,omitzero"`
	// FleetHold is what the policy was held by since then, because too many
	// began to want that together; nil: nothing.
	FleetHold *FleetHold `json:"fleet_hold,omitempty"`
	// Cuts are what budgets took from the last decision, so that nobody else
	// takes it meanwhile.
	Cuts []Cut `json:"cuts,omitempty"`
	// Learning are the samples of each resource with an objective that the
	// learner's own state, which is written now and then, does not contain
	// yet.
	Learning map[string][]objective.Sample `json:"learning,omitempty"`
	// TakenAway is when someone else last took replicas away, for as long as
	// there may be too few because of that; else zero. Who learns what is
	// needed looks at it.
	TakenAway time.Time `json:"taken_away,omitzero"`
}

// Sample is a recommendation that held from First to Last.
type Sample struct {
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Replicas int       `json:"replicas"`
	// Up is the recommendation for going up, where predictions and lower
	// bounds made it higher; 0: it is Replicas.
	Up int `json:"up,omitempty"`
}

// up is the recommendation for going up.
func (s *Sample) up() int { return max(s.Up, s.Replicas) }

// Move is one change of a policy's requested replicas that a platform
// accepted.
type Move struct {
	// ID joins the move to the decision behind it.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Converged is when the replicas were ready; zero while they are not.
	Converged time.Time `json:"converged,omitzero"`
	// Failed is set where they were not ready in time or the targets lost
	// them: the move then spends no cooldown.
	Failed bool `json:"failed,omitempty"`
	// Foreign is set where someone else made it. It counts for cooldowns,
	// since the count has changed, and for no step limit.
	Foreign bool `json:"foreign,omitempty"`
	From    int  `json:"from"`
	To      int  `json:"to"`
}

// Direction of the move.
func (m *Move) Direction() Direction {
	if m.To > m.From {
		return Up
	}
	return Down
}

// converging returns the newest move that is neither ready nor failed, or nil.
func (h *History) converging() *Move {
	for i := len(h.Moves) - 1; i >= 0; i-- {
		if m := &h.Moves[i]; m.Converged.IsZero() && !m.Failed {
			return m
		}
	}
	return nil
}

// Converging reports whether the last move has still to become ready.
func (h *History) Converging() bool { return h.converging() != nil }

// movedSince is the sum of the changes after t as a limit on dir counts them,
// and when the oldest of those in that direction was made; zero where there is
// none. A failed move counts in its own direction, since the limit is on what
// was asked of the platform, and never makes room for the other, since it may
// have been undone.
func (h *History) movedSince(t time.Time, dir Direction) (n int, oldest time.Time) {
	for i := range h.Moves {
		m := &h.Moves[i]
		if m.Foreign || !m.At.After(t) || (m.Failed && m.Direction() != dir) {
			continue
		}
		n += m.To - m.From
		if m.Direction() == dir && (oldest.IsZero() || m.At.Before(oldest)) {
			oldest = m.At
		}
	}
	return n, oldest
}

// observedFor returns since when dir's window is unbroken. Down needs every
// resource all the time; up needs a recommendation.
func (h *History) observedFor(dir Direction, maxGap time.Duration, now time.Time) (time.Time, bool) {
	if dir == Down {
		if h.Since.IsZero() || broken(h.LastSeen, now, maxGap) {
			return time.Time{}, false
		}
		return h.Since, true
	}
	if len(h.Samples) == 0 || broken(h.Samples[len(h.Samples)-1].Last, now, maxGap) {
		return time.Time{}, false
	}
	return h.Samples[0].First, true
}

func broken(last, now time.Time, maxGap time.Duration) bool {
	return maxGap > 0 && now.Sub(last) > maxGap
}

// extremes are the lowest and the highest recommendation since t, the present
// one among them.
func (h *History) extremes(t time.Time, present int) (lowest, highest int) {
	lowest, highest = present, present
	for i := range h.Samples {
		if s := &h.Samples[i]; !s.Last.Before(t) {
			lowest, highest = min(lowest, s.up()), max(highest, s.Replicas)
		}
	}
	return lowest, highest
}

// Observe remembers what d recommends. Call it once per decision, whatever
// became of it; shadow decisions too.
func (h *History) Observe(p Policy, d Decision) {
	h.Observed = d.Time
	h.Cuts = slices.Clone(d.Cuts)
	switch {
	case !d.WantsDown:
		h.DownSince, h.FleetHold = time.Time{}, nil
	case h.DownSince.IsZero():
		h.DownSince = d.Time
	}
	if len(p.Resources) == 0 || len(d.Requirements) == 0 {
		// Alert-only policies have no window, and a correction of the bounds
		// read no usage.
		return
	}
	usable := true
	for i := range d.Requirements {
		usable = usable && d.Requirements[i].Problem == ""
	}
	switch {
	case !usable:
		h.Since = time.Time{}
	case h.Since.IsZero() || h.Since.After(d.Time) || broken(h.LastSeen, d.Time, p.MaxGap):
		h.Since = d.Time
	}
	if usable {
		h.LastSeen = d.Time
		h.MissingSince, h.MissingSeen = time.Time{}, time.Time{}
	} else {
		if h.MissingSince.IsZero() || h.MissingSince.After(d.Time) || broken(h.MissingSeen, d.Time, p.MaxGap) {
			h.MissingSince = d.Time
		}
		h.MissingSeen = d.Time
	}
	if d.Needs.Known {
		h.addSample(Sample{First: d.Time, Last: d.Time, Replicas: d.Needs.Down, Up: d.Needs.Up}, p)
	}
}

// HeldByFleet remembers what holds the policy's wish for fewer replicas.
func (h *History) HeldByFleet(f *FleetHold) { h.FleetHold = f }

// addSample joins equal neighbours and forgets what no window reaches. One
// sample that began before the window stays: it proves that the window is
// covered.
// Samples of the future, left by a clock that was set back, go: they would
// never be forgotten.
func (h *History) addSample(s Sample, p Policy) {
	now := s.First
	if s.Up <= s.Replicas {
		s.Up = 0
	}
	for len(h.Samples) > 0 && h.Samples[len(h.Samples)-1].First.After(now) {
		h.Samples = h.Samples[:len(h.Samples)-1]
	}
	if n := len(h.Samples); n > 0 && broken(h.Samples[n-1].Last, now, p.MaxGap) {
		h.Samples = h.Samples[:0]
	}
	if n := len(h.Samples); n > 0 && h.Samples[n-1].Replicas == s.Replicas && h.Samples[n-1].Up == s.Up {
		h.Samples[n-1].Last = now
	} else {
		h.Samples = append(h.Samples, s)
	}
	start := now.Add(-max(p.ScaleUp.Stabilization, p.ScaleDown.Stabilization))
	keep := 0
	for keep+1 < len(h.Samples) && !h.Samples[keep+1].First.After(start) {
		keep++
	}
	if keep > 0 {
		h.Samples = append(h.Samples[:0], h.Samples[keep:]...)
	}
}

// Moved remembers a move that a platform accepted. A no-op is none: it spends
// no cooldown and no step limit.
func (h *History) Moved(p Policy, m Move) {
	if m.From == m.To {
		return
	}
	// A newer move takes over from one that never became ready: what it
	// asked for is no longer wanted.
	for i := range h.Moves {
		if o := &h.Moves[i]; o.Converged.IsZero() && !o.Failed {
			o.Converged = m.At
		}
	}
	h.Moves = append(h.Moves, m)
	h.forgetMoves(p, m.At)
}

// Settled marks the move as converged at t or, where failed is set, as one
// that never was. The first verdict stands.
func (h *History) Settled(id string, t time.Time, failed bool) {
	for i := range h.Moves {
		m := &h.Moves[i]
		switch {
		case m.ID != id || m.Failed || !m.Converged.IsZero():
		case failed:
			m.Failed = true
		default:
			m.Converged = t
		}
	}
}

// forgetMoves drops what neither a step limit nor a cooldown can see. The
// newest move always stays.
func (h *History) forgetMoves(p Policy, now time.Time) {
	reach := max(p.ScaleUp.Step.Per, p.ScaleDown.Step.Per, p.ScaleUp.Cooldown, p.ScaleDown.Cooldown)
	keep := 0
	for keep+1 < len(h.Moves) {
		m := &h.Moves[keep]
		end := m.At
		if m.Converged.After(end) {
			end = m.Converged
		}
		if (m.Converged.IsZero() && !m.Failed) || now.Sub(end) <= reach {
			break
		}
		keep++
	}
	if keep > 0 {
		h.Moves = append(h.Moves[:0], h.Moves[keep:]...)
	}
}

// Clone returns a history that shares nothing with h.
func (h *History) Clone() History {
	c := *h
	c.Samples = append([]Sample(nil), h.Samples...)
	c.Moves = append([]Move(nil), h.Moves...)
	c.Backoffs = maps.Clone(h.Backoffs)
	c.Contest = h.Contest.clone()
	if h.FleetHold != nil {
		held := *h.FleetHold
		c.FleetHold = &held
	}
	c.Cuts = slices.Clone(h.Cuts)
	c.Learning = maps.Clone(h.Learning)
	for resource, samples := range c.Learning {
		c.Learning[resource] = slices.Clone(samples)
	}
	c.Targets = append([]TargetMemory(nil), h.Targets...)
	for i := range c.Targets {
		c.Targets[i].Losses = append([]LossHour(nil), c.Targets[i].Losses...)
	}
	return c
}
