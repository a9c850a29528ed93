package policy

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// Mode says what a policy may do with its decisions.
type Mode string

// The modes. The zero value is not a mode; configuration defaults to ModeOn.
const (
	// ModeOn decides and acts.
	ModeOn Mode = "on"
	// ModeOnlyScaleUp decides in both directions and acts only upwards.
	ModeOnlyScaleUp Mode = "only_scale_up"
	// ModeOff decides, records and exports, and never acts: shadow mode.
	ModeOff Mode = "off"
)

// Direction is where alerts point, or where an action went.
type Direction string

// The directions.
const (
	Up   Direction = "up"
	Down Direction = "down"
	// None: no alert asks for anything.
	None Direction = "none"
)

// Policy is one policy's rules, valid as loaded.
type Policy struct {
	Name string
	Mode Mode
	// Priority says who goes first where a budget is short; more is sooner.
	Priority int
	// Min and Max bound the requested replicas over all targets together;
	// 0 ≤ Min ≤ Max and Max ≥ 1.
	Min, Max int
	// AlertStep is what an alert alone moves, where Resources is empty.
	AlertStep AlertStep
	// Resources say how much is needed. Empty: act on alerts alone.
	Resources []Resource
	// Reservation applies to every resource, beside the resource's own.
	Reservation Reservation
	ScaleUp     Behavior
	ScaleDown   Behavior
	// OnMissing is what follows from usage that stays unknown.
	OnMissing OnMissing
	// MaxGap is the longest time between two observations that still count
	// as one continuous stabilization window; 0 accepts any gap.
	MaxGap time.Duration
	// Strategy says which target gets the next replica, and which loses one.
	// Empty: StrategyPriority.
	Strategy Strategy
	// Targets in the order written; at least one.
	Targets []Target
}

// Resource is one thing replicas consume.
type Resource struct {
	Name string
	// Reservation of this resource alone; the larger of it and the policy's
	// amount stays free.
	Reservation Reservation
}

// Behavior is how one direction moves.
type Behavior struct {
	// Tolerance is the share of the current capacity by which the need may
	// differ from it before this direction moves; 0.1 is ten percent.
	Tolerance float64
	// Stabilization is how far back this direction looks: down takes the
	// highest recommendation of the window, up the lowest.
	Stabilization time.Duration
	// Cooldown is the quiet time after the convergence of the last action.
	Cooldown time.Duration
	Step     StepLimit
}

// StepLimit allows at most the larger of Replicas and Ratio times the count
// at the start of the period, per Per. The zero value is no limit.
type StepLimit struct {
	Replicas int
	Ratio    float64
	Per      time.Duration
}

// AlertStep is how far one alert moves a policy that has no resources.
type AlertStep struct {
	Up, Down Amount
}

// Amount is a number of replicas or a percentage of the current count; one of
// the two is set.
type Amount struct {
	Replicas int
	// Percent of the requested replicas, rounded away from zero.
	Percent float64
}

// Objective is what is aimed at for a resource: the stricter of its own and the
// policy's, which are both shares or both prices; zero: there is none.
func (p *Policy) Objective(r *Resource) objective.Goal {
	own, all := r.Reservation.Objective, p.Reservation.Objective
	return objective.Goal{Share: max(own.Share, all.Share), ShortagePrice: max(own.ShortagePrice, all.ShortagePrice)}
}

// learns reports whether what any resource keeps free is learnt.
func (p *Policy) learns() bool {
	for i := range p.Resources {
		if !p.Objective(&p.Resources[i]).IsZero() {
			return true
		}
	}
	return false
}
