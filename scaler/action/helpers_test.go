package action_test

import (
	"fmt"
	"time"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

var t0 = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const (
	interval = 15 * time.Second
	timeout  = 10 * time.Minute
)

// rules are those of a policy with these targets.
func rules(targets ...string) action.Rules {
	p := &policy.Policy{Name: "web", Mode: policy.ModeOn, Max: 100}
	for _, name := range targets {
		p.Targets = append(p.Targets, policy.Target{Name: name})
	}
	return action.Rules{Policy: p, Interval: interval, ProvisioningTimeout: timeout}
}

// counter makes identifiers that sort in the order in which they were made.
type counter int

func (c *counter) next(time.Time) string {
	*c++
	return fmt.Sprintf("%04d", int(*c))
}

func failure(v action.Verdict, kind string) action.Failure {
	return action.Failure{Verdict: v, Kind: kind, Text: "no: " + kind}
}

// took and the others are what platforms answer.
var (
	took       = action.Answer{}
	had        = action.Answer{Failure: failure(action.Had, "no_op")}
	overtaken  = action.Answer{Failure: failure(action.Overtaken, "conflict")}
	contended  = action.Answer{Failure: failure(action.Contended, "conflict")}
	throttled  = action.Answer{Failure: failure(action.Throttled, "throttled")}
	unanswered = action.Answer{Failure: failure(action.Unanswered, "temporary")}
	refused    = action.Answer{Failure: failure(action.Refused, "quota")}
)

// decision is one that asks for these placements, as policy.Decide gives it.
func decision(id string, placements ...policy.Placement) *policy.Decision {
	d := &policy.Decision{ID: id, Policy: "web", Time: t0, Mode: policy.ModeOn, Act: true, Placements: placements}
	for _, p := range placements {
		d.Current += p.From
		d.Desired += p.To
	}
	d.Reason = policy.ReasonScaledUp
	if d.Desired < d.Current {
		d.Reason = policy.ReasonScaledDown
	}
	return d
}

// others is what a plan may know of the targets, all of them readable.
func others(d *policy.Decision) policy.Observation {
	var o policy.Observation
	for _, p := range d.Placements {
		o.Targets = append(o.Targets, policy.TargetState{Name: p.Target, Requested: p.From, Ready: p.From})
	}
	return o
}

func noVictims(string, int) []string { return nil }

// happenings are those of the events.
func happenings(events []action.Event) []action.Happening {
	var out []action.Happening
	for _, e := range events {
		out = append(out, e.Happening)
	}
	return out
}

// memory is what h knows of a target.
func requestedOf(h *policy.History, target string) int {
	if n := h.Of(target).Requested; n != nil {
		return *n
	}
	return -1
}

func losses(h *policy.History, target string) (asked, lost int) {
	for _, l := range h.Of(target).Losses {
		asked += l.Requested
		lost += l.Lost
	}
	return asked, lost
}
