package policy

import (
	"slices"
	"time"
)

// Ahead is a time that is later than it can be.
type Ahead struct {
	// What it is the time of, in words.
	What string
	By   time.Duration
}

// Shift moves every time that h notes: the clock was corrected by d, and what
// waits for the end of a cooldown, a window or a backoff goes on waiting for
// as long.
func (h *History) Shift(d time.Duration) {
	if d == 0 {
		return
	}
	shift := func(_ string, t *time.Time) {
		if !t.IsZero() {
			*t = t.Add(d)
		}
	}
	h.eachPast(shift)
	h.eachEnd(shift)
	if hours := int64(d / time.Hour); hours != 0 {
		for i := range h.Targets {
			for j := range h.Targets[i].Losses {
				h.Targets[i].Losses[j].Hour += hours
			}
		}
	}
}

// Clamp brings back what is later than it can be at now, as a clock leaves it
// that was ahead and is no more: what has happened happened no later than now,
// and what ends ends no later than it would if it began now. Where h was last
// written by such a clock all of it is as far ahead, and moves as one. It
// returns what was ahead, the farthest of each kind.
func (h *History) Clamp(now time.Time) []Ahead {
	var found []Ahead
	note := func(what string, by time.Duration) {
		i := slices.IndexFunc(found, func(a Ahead) bool { return a.What == what })
		if i < 0 {
			found = append(found, Ahead{What: what, By: by})
			return
		}
		found[i].By = max(found[i].By, by)
	}
	h.eachPast(func(what string, t *time.Time) {
		if t.After(now) {
			note(what, t.Sub(now))
		}
	})
	h.eachEnd(func(what string, t *time.Time) {
		if by := t.Sub(now); by > longestOf(what) {
			note(what, by)
		}
	})
	if by := h.Observed.Sub(now); !h.Observed.IsZero() && by > 0 {
		h.Shift(-by)
	}
	h.eachPast(func(_ string, t *time.Time) {
		if t.After(now) {
			*t = now
		}
	})
	h.eachEnd(func(what string, t *time.Time) {
		if limit := now.Add(longestOf(what)); t.After(limit) {
			*t = limit
		}
	})
	hour := now.Unix() / 3600
	for i := range h.Targets {
		m := &h.Targets[i]
		m.Losses = slices.DeleteFunc(m.Losses, func(l LossHour) bool { return l.Hour > hour })
	}
	return found
}

// What ends is noted with its end alone.
const (
	endBackoff   = "end of a backoff"
	endFleetHold = "end of a hold of the fleet"
	endContest   = "end of a hold because of someone else"
)

// longestOf is how far off the end of something can be.
func longestOf(what string) time.Duration {
	switch what {
	case endFleetHold:
		return 10 * time.Minute
	case endContest:
		return contestQuiet
	default:
		return 30 * time.Minute
	}
}

// eachPast visits every time of something that has happened.
func (h *History) eachPast(visit func(what string, t *time.Time)) {
	visit("last decision", &h.Observed)
	visit("run of readings", &h.Since)
	visit("run of readings", &h.LastSeen)
	for i := range h.Samples {
		visit("recommendation", &h.Samples[i].First)
		visit("recommendation", &h.Samples[i].Last)
	}
	for i := range h.Moves {
		visit("move", &h.Moves[i].At)
		visit("move", &h.Moves[i].Converged)
	}
	visit("unknown usage", &h.MissingSince)
	visit("unknown usage", &h.MissingSeen)
	visit("wish for fewer replicas", &h.DownSince)
	for _, samples := range h.Learning {
		for i := range samples {
			visit("learnt sample", &samples[i].At)
		}
	}
	visit("loss of replicas to someone else", &h.TakenAway)
	for i := range h.Targets {
		visit("reading of a target", &h.Targets[i].Stands.At)
	}
	if h.Contest != nil {
		for i := range h.Contest.Reversals {
			visit("reversal by someone else", &h.Contest.Reversals[i].At)
		}
	}
}

// eachEnd visits every time at which something ends.
func (h *History) eachEnd(visit func(what string, t *time.Time)) {
	for name, b := range h.Backoffs {
		for _, of := range []*Backoff{&b.Up, &b.Down} {
			visit(endBackoff, &of.Until)
			visit(endBackoff, &of.TakeBackAt)
		}
		h.Backoffs[name] = b
	}
	if h.Contest != nil {
		visit(endContest, &h.Contest.Until)
	}
	if h.FleetHold != nil {
		visit(endFleetHold, &h.FleetHold.Until)
	}
}
