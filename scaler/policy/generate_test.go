package policy_test

import (
	"math"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// scene is what one decision is made of.
type scene struct {
	policy  policy.Policy
	sees    policy.Observation
	history policy.History
}

func (s scene) decide() policy.Decision {
	return policy.Decide(s.policy, s.sees, s.history, now)
}

// scenes are valid policies with what they may see and remember.
func scenes() *rapid.Generator[scene] {
	return rapid.Custom(func(t *rapid.T) scene {
		p := policies().Draw(t, "policy")
		return scene{
			policy:  p,
			sees:    observations(p).Draw(t, "sees"),
			history: histories(p).Draw(t, "history"),
		}
	})
}

// policies are valid as loaded, and small, so that bounds, windows and limits
// come into each other's way.
func policies() *rapid.Generator[policy.Policy] {
	return rapid.Custom(func(t *rapid.T) policy.Policy {
		p := policy.Policy{
			Name:        "web",
			Mode:        rapid.SampledFrom([]policy.Mode{policy.ModeOn, policy.ModeOn, policy.ModeOn, policy.ModeOnlyScaleUp, policy.ModeOff}).Draw(t, "mode"),
			Min:         rapid.IntRange(0, 8).Draw(t, "min"),
			AlertStep:   policy.AlertStep{Up: amounts().Draw(t, "up"), Down: amounts().Draw(t, "down")},
			Reservation: reservations().Draw(t, "reservation"),
			ScaleUp:     behaviors().Draw(t, "scale_up"),
			ScaleDown:   behaviors().Draw(t, "scale_down"),
			OnMissing:   missing().Draw(t, "on_missing"),
			Strategy:    rapid.SampledFrom(policy.Strategies).Draw(t, "strategy"),
			MaxGap:      rapid.SampledFrom([]time.Duration{0, time.Minute, 2 * time.Minute}).Draw(t, "max_gap"),
		}
		p.Max = max(1, p.Min) + rapid.IntRange(0, 40).Draw(t, "room")
		for i := range rapid.IntRange(0, 3).Draw(t, "resources") {
			p.Resources = append(p.Resources, policy.Resource{
				Name:        "resource-" + strconv.Itoa(i),
				Reservation: reservations().Draw(t, "own reservation"),
			})
		}
		for i := range rapid.IntRange(1, 3).Draw(t, "targets") {
			target := policy.Target{Name: "target-" + strconv.Itoa(i), Min: rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "target min")}
			if rapid.Bool().Draw(t, "target has a max") {
				target.Max = max(1, target.Min) + rapid.IntRange(0, 20).Draw(t, "target room")
			}
			if rapid.Bool().Draw(t, "target has a price") {
				price := rapid.SampledFrom([]float64{0, 0.1, 0.25, 1}).Draw(t, "price")
				target.CostPerHour = &price
			}
			target.Provisioning = rapid.SampledFrom([]time.Duration{0, 0, time.Second, time.Minute}).Draw(t, "provisioning")
			target.Loss = rapid.SampledFrom([]float64{0, 0, 0.1, 1}).Draw(t, "loss")
			p.Targets = append(p.Targets, target)
		}
		return p
	})
}

func amounts() *rapid.Generator[policy.Amount] {
	return rapid.Custom(func(t *rapid.T) policy.Amount {
		if rapid.Bool().Draw(t, "percent") {
			return policy.Amount{Percent: rapid.Float64Range(1, 200).Draw(t, "percent")}
		}
		return policy.Amount{Replicas: rapid.IntRange(1, 10).Draw(t, "replicas")}
	})
}

func reservations() *rapid.Generator[policy.Reservation] {
	return rapid.Custom(func(t *rapid.T) policy.Reservation {
		r := policy.Reservation{
			Ratio:     rapid.SampledFrom([]float64{0, 0, 0.1, 0.3, 0.5, 0.9}).Draw(t, "ratio"),
			Threshold: rapid.SampledFrom([]float64{0, 0, 0.5, 1, 10}).Draw(t, "threshold"),
			Replicas:  rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "replicas"),
		}
		if rapid.IntRange(0, 3).Draw(t, "scheduled") == 0 {
			r.Schedules = []policy.Schedule{{
				Window: window(rapid.Bool().Draw(t, "within the window")),
				Ratio:  rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "scheduled ratio"), Replicas: 2,
			}}
		}
		return r
	})
}

func missing() *rapid.Generator[policy.OnMissing] {
	return rapid.Custom(func(t *rapid.T) policy.OnMissing {
		return policy.OnMissing{
			Behavior: rapid.SampledFrom(policy.MissingBehaviors).Draw(t, "behavior"),
			After:    rapid.SampledFrom([]time.Duration{0, time.Minute, 3 * time.Minute}).Draw(t, "after"),
			Replicas: rapid.IntRange(0, 20).Draw(t, "static replicas"),
		}
	})
}

// rarely is set one time out of ten.
func rarely(t *rapid.T, what string) bool { return rapid.IntRange(0, 9).Draw(t, what) == 0 }

func behaviors() *rapid.Generator[policy.Behavior] {
	return rapid.Custom(func(t *rapid.T) policy.Behavior {
		b := policy.Behavior{
			Tolerance:     rapid.SampledFrom([]float64{0, 0, 0.1, 0.3}).Draw(t, "tolerance"),
			Stabilization: rapid.SampledFrom([]time.Duration{0, 0, time.Minute, 5 * time.Minute}).Draw(t, "stabilization"),
			Cooldown:      rapid.SampledFrom([]time.Duration{0, 0, time.Minute, 5 * time.Minute}).Draw(t, "cooldown"),
		}
		if rapid.Bool().Draw(t, "limited") {
			b.Step = policy.StepLimit{
				Replicas: rapid.IntRange(0, 5).Draw(t, "step replicas"),
				Ratio:    rapid.SampledFrom([]float64{0, 0.1, 0.5, 1}).Draw(t, "step ratio"),
				Per:      rapid.SampledFrom([]time.Duration{15 * time.Second, time.Minute, 5 * time.Minute}).Draw(t, "per"),
			}
		}
		return b
	})
}

// observations are what p may see: mostly good, sometimes not.
func observations(p policy.Policy) *rapid.Generator[policy.Observation] {
	return rapid.Custom(func(t *rapid.T) policy.Observation {
		o := policy.Observation{
			Up:   rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "up alerts"),
			Down: rapid.SampledFrom([]int{0, 1, 1, 2}).Draw(t, "down alerts"),
		}
		for _, target := range p.Targets {
			o.Targets = append(o.Targets, states(target.Name).Draw(t, target.Name))
		}
		if rarely(t, "paused") {
			o.Pause = &policy.Pause{By: "alice", Comment: "drawn", Until: now.Add(time.Duration(rapid.IntRange(-60, 60).Draw(t, "pause")) * time.Second)}
		}
		if rarely(t, "silenced") {
			o.Silences = []policy.Pause{{By: "bob", Silence: "s"}}
		}
		if rarely(t, "blocked up") {
			o.BlockUp = []string{"Incident"}
		}
		if rarely(t, "blocked down") {
			o.BlockDown = []string{"ErrorBudgetBurns", "Incident"}
		}
		if rarely(t, "fleet hold") {
			o.FleetHold = &policy.FleetHold{Until: now.Add(time.Duration(rapid.IntRange(-60, 60).Draw(t, "fleet hold until")) * time.Second), Wanting: 4, Policies: 9}
		}
		if rarely(t, "foreign") {
			o.Foreign = []policy.ForeignChange{{Target: p.Targets[0].Name, From: 1, To: 2}}
		}
		if rapid.IntRange(0, 3).Draw(t, "budget") == 0 {
			room := policy.Room{Budget: "shop", Rivals: []string{"api"}}
			if rapid.Bool().Draw(t, "replicas are limited") {
				n := rapid.IntRange(0, 40).Draw(t, "room")
				room.Replicas = &n
			}
			if rapid.Bool().Draw(t, "cost is limited") {
				c := rapid.Float64Range(0, 20).Draw(t, "money")
				room.CostPerHour = &c
			}
			o.Budgets = []policy.Room{room}
		}
		for _, r := range p.Resources {
			if rapid.IntRange(0, 19).Draw(t, "seen") > 0 {
				o.Usage = append(o.Usage, readings(r.Name).Draw(t, r.Name))
			}
		}
		return o
	})
}

func states(name string) *rapid.Generator[policy.TargetState] {
	return rapid.Custom(func(t *rapid.T) policy.TargetState {
		s := policy.TargetState{Name: name, Requested: rapid.IntRange(0, 20).Draw(t, "requested")}
		s.Ready = rapid.IntRange(0, s.Requested).Draw(t, "ready")
		if rapid.IntRange(0, 4).Draw(t, "platform has bounds") == 0 {
			s.Min = rapid.IntRange(0, 3).Draw(t, "platform min")
			s.Max = rapid.IntRange(0, 20).Draw(t, "platform max")
		}
		if rapid.IntRange(0, 4).Draw(t, "backed off") == 0 {
			s.BackoffUpUntil = now.Add(time.Duration(rapid.IntRange(-60, 300).Draw(t, "backoff up")) * time.Second)
			s.BackoffDownUntil = now.Add(time.Duration(rapid.IntRange(-60, 300).Draw(t, "backoff down")) * time.Second)
			if s.BackoffUpUntil.After(now) && rapid.Bool().Draw(t, "never became ready") {
				s.Stuck = s.Requested - s.Ready
			}
		}
		if rapid.IntRange(0, 2).Draw(t, "some are busy") == 0 {
			s.Protected, s.ProtectedBy = rapid.IntRange(0, s.Requested).Draw(t, "protected"), "they are busy"
		}
		if rapid.IntRange(0, 29).Draw(t, "unreadable") == 0 {
			s.Error = "connection refused"
		}
		return s
	})
}

func readings(resource string) *rapid.Generator[policy.Usage] {
	return rapid.Custom(func(t *rapid.T) policy.Usage {
		u := policy.Usage{
			Resource:           resource,
			Value:              rapid.Float64Range(0, 100).Draw(t, "value"),
			CapacityPerReplica: rapid.SampledFrom([]float64{0.5, 1, 2, 7.3}).Draw(t, "capacity"),
			Age:                time.Duration(rapid.IntRange(0, 60).Draw(t, "age")) * time.Second,
		}
		if rapid.IntRange(0, 3).Draw(t, "predicted") == 0 {
			u.Predicted = rapid.Float64Range(0, 200).Draw(t, "prediction")
		}
		if rapid.IntRange(0, 7).Draw(t, "bad") == 0 {
			u.Problem = rapid.SampledFrom(policy.Problems).Draw(t, "problem")
			if u.Problem != policy.ProblemLowCoverage {
				u.Value, u.CapacityPerReplica = 0, 0
			}
			u.Detail = "drawn"
		}
		return u
	})
}

// histories are what p remembers after it was played for a while up to now,
// every 15 s, with moves that converge, fail, or are still open.
func histories(p policy.Policy) *rapid.Generator[policy.History] {
	return rapid.Custom(func(t *rapid.T) policy.History {
		var h policy.History
		n := rapid.IntRange(0, 30).Draw(t, "remembered")
		at := now.Add(-time.Duration(n) * 15 * time.Second)
		for i := range n {
			remember(t, &h, p, at, strconv.Itoa(i))
			at = at.Add(15 * time.Second)
		}
		return h
	})
}

// remember is one evaluation of the past. What was observed is drawn by its
// recommendation, which is all that a history keeps of it.
func remember(t *rapid.T, h *policy.History, p policy.Policy, at time.Time, id string) {
	what := rapid.IntRange(0, 15).Draw(t, "what")
	switch what {
	case 0:
		return // not evaluated
	case 1:
		from, to := rapid.IntRange(0, 20).Draw(t, "from"), rapid.IntRange(0, 20).Draw(t, "to")
		h.Moved(p, policy.Move{ID: id, At: at, From: from, To: to})
	case 2, 3:
		if len(h.Moves) > 0 {
			h.Settled(h.Moves[len(h.Moves)-1].ID, at, what == 2)
		}
	}
	if rarely(t, "someone else") {
		h.ForeignChanged(p, policy.ForeignChange{Target: p.Targets[0].Name, From: 2, To: 5}, at)
	}
	h.Provisioned(p.Targets[0].Name, time.Duration(rapid.IntRange(0, 100).Draw(t, "took"))*time.Second, 0)
	h.Counted(p.Targets[0].Name, 2, rapid.IntRange(0, 2).Draw(t, "lost"), at)
	d := policy.Decision{Time: at, WantsDown: what%2 == 0, Requirements: make([]policy.Requirement, len(p.Resources))}
	if what == 4 && len(p.Resources) > 0 {
		d.Requirements[0].Problem = policy.ProblemStale
	} else {
		replicas := rapid.IntRange(0, 20).Draw(t, "recommended")
		d.Needs = policy.Needs{Down: replicas, Up: replicas + rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "predicted more"), Known: true}
	}
	h.Observe(p, d)
}

// hostile are numbers that no one should pass.
func hostile() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.SampledFrom([]float64{
			math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64,
			math.SmallestNonzeroFloat64, math.Copysign(0, -1), 0, -1,
		}),
		rapid.Float64(),
	)
}
