package config

import (
	"errors"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/window"
)

// Reservation is what must stay free; of all its entries the largest amount
// wins.
type Reservation struct {
	Ratio     float64 `yaml:"ratio,omitempty"`
	Threshold float64 `yaml:"threshold,omitempty"`
	Replicas  int     `yaml:"replicas,omitempty"`
	// How much Objective keeps free is learnt, within MinRatio and MaxRatio where
	// those are above 0.
	Objective Objective `yaml:"objective,omitempty"`
	MinRatio  float64   `yaml:"min_ratio,omitempty"`
	MaxRatio  float64   `yaml:"max_ratio,omitempty"`
	// Schedules are entries that count at certain times only.
	Schedules []*Schedule `yaml:"schedules,omitempty"`
}

// Schedule is a reservation that holds from each time its cron expression
// matches for its duration.
type Schedule struct {
	// Cron has five fields: minute, hour, day of month, month, day of week.
	Cron     string   `yaml:"cron"`
	Duration Duration `yaml:"duration"`
	// Timezone is the IANA name of the zone whose wall clock Cron means; UTC
	// by default.
	Timezone  string  `yaml:"timezone"`
	Ratio     float64 `yaml:"ratio,omitempty"`
	Threshold float64 `yaml:"threshold,omitempty"`
	Replicas  int     `yaml:"replicas,omitempty"`

	// window is set by validation.
	window *window.Window
}

var _ policy.Window = (*window.Window)(nil)

type rawSchedule Schedule

// UnmarshalYAML sets the defaults and decodes.
func (s *Schedule) UnmarshalYAML(unmarshal func(any) error) error {
	*s = Schedule{Timezone: "UTC"}
	return unmarshal((*rawSchedule)(s))
}

// IsZero reports whether nothing is reserved at any time.
func (r Reservation) IsZero() bool {
	return r.Ratio == 0 && r.Threshold == 0 && r.Replicas == 0 && r.Objective.IsZero() && len(r.Schedules) == 0
}

// rules is the reservation as package policy decides by it.
func (r Reservation) rules() policy.Reservation {
	out := policy.Reservation{
		Ratio: r.Ratio, Threshold: r.Threshold, Replicas: r.Replicas,
		Objective: policy.Objective{Goal: r.Objective.goal(), MinRatio: r.MinRatio, MaxRatio: r.MaxRatio},
	}
	for _, s := range r.Schedules {
		out.Schedules = append(out.Schedules, policy.Schedule{
			Window: s.window, Ratio: s.Ratio, Threshold: s.Threshold, Replicas: s.Replicas,
		})
	}
	return out
}

func (v *validator) reservation(r Reservation, path []any) {
	v.amounts(r.Ratio, r.Threshold, r.Replicas, path)
	v.objective(r, path)
	for i, s := range r.Schedules {
		path := at(path, "schedules", i)
		if s == nil {
			v.Add("the schedule is empty", path...)
			r.Schedules[i] = &Schedule{}
			continue
		}
		var err error
		s.window, err = window.New(s.Cron, s.Duration.Std(), s.Timezone)
		if wrong, ok := errors.AsType[*window.Error](err); ok {
			v.Add(wrong.Msg, at(path, wrong.Field)...)
		}
		if s.Ratio == 0 && s.Threshold == 0 && s.Replicas == 0 {
			v.Add("the schedule reserves nothing; set at least one of ratio, threshold and replicas", path...)
		}
		v.amounts(s.Ratio, s.Threshold, s.Replicas, path)
	}
}

// amounts checks what a reservation and a schedule have in common.
func (v *validator) amounts(ratio, threshold float64, replicas int, path []any) {
	if !finite(ratio, 0, MaxRatio) {
		v.Addf(at(path, "ratio"), "%g is not a share of at least 0 and below 1; at most %g may be kept free", ratio, MaxRatio)
	}
	if !finite(threshold, 0, maxAmount) {
		v.Addf(at(path, "threshold"), "%g is not a finite amount of at least 0 and at most %g", threshold, float64(maxAmount))
	}
	v.whole(path, "replicas")
	v.replicas(replicas, 0, at(path, "replicas")...)
}
