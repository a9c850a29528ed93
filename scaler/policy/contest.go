package policy

import (
	"slices"
	"strings"
	"time"
)

const (
	// contestReversals within contestWindow are a contest: somebody else wants
	// another number, and to go on is to change it for ever.
	contestReversals = 3
	contestWindow    = 10 * time.Minute
	// contestQuiet is how long nobody else may have changed a target before
	// the policy moves again.
	contestQuiet = 10 * time.Minute
)

// Contest is what others did to what was asked of a policy's targets.
type Contest struct {
	// Reversals of late, oldest first.
	Reversals []Reversal `json:"reversals"`
	// Until is until when the policy is held because of them; zero: it is not.
	Until time.Time `json:"until,omitzero"`
}

// Reversal is a number that was asked of a target, that the target had, and
// that someone else set back, wholly or in part.
type Reversal struct {
	Target string    `json:"target"`
	At     time.Time `json:"at"`
	// Asked was asked for, and Found was there after that.
	Asked int `json:"asked"`
	Found int `json:"found"`
}

// Asked is the last change that a target accepted and that nobody else has
// changed since.
type Asked struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// reversed reports whether a number that someone else set takes the change
// back.
func (a *Asked) reversed(found int) bool {
	return a != nil && (a.To > a.From && found < a.To || a.To < a.From && found > a.To)
}

// Active reports whether the policy is held at now.
func (c *Contest) Active(now time.Time) bool { return c != nil && now.Before(c.Until) }

func (c *Contest) clone() *Contest {
	if c == nil {
		return nil
	}
	out := *c
	out.Reversals = slices.Clone(c.Reversals)
	return &out
}

// contest takes in a change by someone else. One that does not take back what
// was asked for is no reversal; but while the policy is held nobody has been
// quiet.
func (h *History) contest(change ForeignChange, now time.Time) {
	asked := h.Of(change.Target).Asked
	h.target(change.Target).Asked = nil
	if asked.reversed(change.To) {
		if h.Contest == nil {
			h.Contest = &Contest{}
		}
		h.Contest.Reversals = append(h.Contest.Reversals, Reversal{Target: change.Target, At: now, Asked: asked.To, Found: change.To})
	}
	c := h.Contest
	if c == nil {
		return
	}
	if c.Active(now) {
		c.Until = now.Add(contestQuiet)
		c.Reversals = c.Reversals[max(0, len(c.Reversals)-contestReversals):]
		return
	}
	c.forget(now)
	if len(c.Reversals) >= contestReversals {
		c.Until = now.Add(contestQuiet)
	}
}

// forget drops what is too long ago, and what a clock that was set back left
// in the future.
func (c *Contest) forget(now time.Time) {
	c.Reversals = slices.DeleteFunc(c.Reversals, func(r Reversal) bool {
		return r.At.After(now) || now.Sub(r.At) > contestWindow
	})
}

// ContestOver ends a contest once it was quiet for long enough. Call it before
// every decision.
func (h *History) ContestOver(now time.Time) {
	c := h.Contest
	switch {
	case c == nil:
	case c.Active(now):
		// No clock that was set back makes it longer.
		if latest := now.Add(contestQuiet); c.Until.After(latest) {
			c.Until = latest
		}
	case !c.Until.IsZero():
		h.Contest = nil
	default:
		if c.forget(now); len(c.Reversals) == 0 {
			h.Contest = nil
		}
	}
}

// contested holds while someone else undoes what is asked for, the bounds
// included: two who correct each other never end. What is needed is still
// worked out.
func (d *decider) contested() bool {
	c := d.h.Contest
	if !c.Active(d.now) || d.p.Mode == ModeOff {
		return false
	}
	if !d.p.OutOfBounds(d.o, d.now) {
		d.recommend()
	}
	s := Step{Name: StepContest, Reason: ReasonContested, Value: float64(len(c.Reversals)), Until: c.Until}
	if n := len(c.Reversals); n > 0 {
		last := c.Reversals[n-1]
		s.Subject, s.Limit = last.Target, last.At.Sub(c.Reversals[0].At).Round(time.Second).Seconds()
		var seen []string
		for _, r := range c.Reversals {
			seen = append(seen, count(r.Asked)+" became "+count(r.Found)+" at "+instant(r.At))
		}
		s.Detail = strings.Join(seen, ", ")
	}
	d.hold(s)
	return true
}

func (s *Step) contestText() string {
	return "someone else took back " + quantity(s.Value) + " times within " + seconds(s.Limit) + " what was asked of " + s.Subject + " (" + s.Detail +
		"): held" + until(s.Until) + ", ten minutes after their last change; find out who else sets it (an Alertscaler with other bounds, another autoscaler, a script), leave it to one of them, and run scalertool retry"
}
