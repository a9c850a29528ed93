// Package contender names who is compared: for each autoscaler the settings
// that are tried and how one is made.
package contender

import (
	"fmt"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/peers"
)

// Setting is what the user of a contender chooses.
type Setting struct {
	// Value is the one number that all have: a utilization, a ratio, a price.
	Value float64
	// Window and Tolerance are HPA's, zero elsewhere.
	Window    time.Duration
	Tolerance float64
}

// Contender is an autoscaler with the setting that its user would choose.
type Contender struct {
	// Name is how reports call it; unique.
	Name string
	// Setting says what Value is, and Percent that it reads as a percentage.
	Setting string
	Percent bool
	// Settings in the order tried. They are the same on every workload: one
	// global setting, as a user would leave it.
	Settings []Setting
	// Default is the setting that people run unless they chose one; zero where
	// there is none.
	Default Setting
	// Learns is set of Alertscaler's that learn what to keep free: those that
	// the page compares with the others.
	Learns bool
	// Slow is set where a run takes long, so that fewer settings are tried.
	Slow bool
	// Interval of control; 0 is the plant's own.
	Interval time.Duration
	// New makes one for a run. The delay is what the contender knows of its
	// provisioning time; most do not care.
	New func(setting Setting, delay time.Duration) plant.Controller
}

// Format is how the setting reads.
func (c *Contender) Format(s Setting) string {
	out := fmt.Sprintf("%.4g", s.Value)
	if c.Percent {
		out = fmt.Sprintf("%.4g %%", 100*s.Value)
	}
	if s.Window > 0 {
		out += fmt.Sprintf(" (%.0f s, ±%.4g %%)", s.Window.Seconds(), 100*s.Tolerance)
	}
	return out
}

// Grid says which settings are tried.
func (c *Contender) Grid() string {
	var numbers []string
	windows, tolerances := map[string]bool{}, map[string]bool{}
	var order [2][]string
	note := func(seen map[string]bool, i int, text string) {
		if !seen[text] {
			seen[text] = true
			order[i] = append(order[i], text)
		}
	}
	seen := map[float64]bool{}
	for _, s := range c.Settings {
		if !seen[s.Value] {
			seen[s.Value] = true
			numbers = append(numbers, c.Format(Setting{Value: s.Value}))
		}
		if s.Window > 0 {
			note(windows, 0, fmt.Sprintf("%.0f s", s.Window.Seconds()))
			note(tolerances, 1, fmt.Sprintf("%.4g %%", 100*s.Tolerance))
		}
	}
	out := strings.Join(numbers, ", ")
	if n := len(numbers); n > 20 {
		out = fmt.Sprintf("%s to %s in %d steps", numbers[0], numbers[n-1], n-1)
	}
	out = c.Setting + " " + out
	if len(order[0]) > 0 {
		out += ", each with windows of " + strings.Join(order[0], ", ") + " and tolerances of " + strings.Join(order[1], ", ")
	}
	return out
}

// Values are settings of the one number alone.
func Values(numbers ...float64) []Setting {
	out := make([]Setting, len(numbers))
	for i, v := range numbers {
		out[i].Value = v
	}
	return out
}

// percents are all whole percentages that may be a target.
func percents() []Setting { return Values(Grid(0.05, 0.95, 0.01)...) }

// hpaSettings are all targets with all windows and tolerances that are tried.
func hpaSettings() []Setting {
	var out []Setting
	for _, window := range []time.Duration{time.Minute, peers.HPAWindow, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute} {
		for _, tolerance := range []float64{0.05, peers.HPATolerance, 0.2} {
			for _, s := range percents() {
				s.Window, s.Tolerance = window, tolerance
				out = append(out, s)
			}
		}
	}
	return out
}

// HPA is the name of the one that everybody is measured against.
const HPA = "HPA v2"

// Peers are the others.
func Peers() []Contender {
	return []Contender{
		{
			Name: HPA, Setting: "target utilization", Percent: true,
			Settings: hpaSettings(),
			Default:  Setting{Value: 0.7, Window: peers.HPAWindow, Tolerance: peers.HPATolerance},
			New: func(s Setting, _ time.Duration) plant.Controller {
				h := peers.NewHPA(s.Value)
				h.Window, h.Tolerance = s.Window, s.Tolerance
				return h
			},
		},
		{
			Name: "Nomad target-value, 30 s cooldown", Setting: "target utilization", Percent: true,
			Settings: percents(), Default: Setting{Value: 0.7},
			New: func(s Setting, _ time.Duration) plant.Controller { return peers.NewNomad(s.Value) },
		},
		{
			Name: "AWS target tracking", Setting: "target utilization", Percent: true,
			Settings: percents(), Default: Setting{Value: 0.7}, Interval: peers.AWSInterval,
			New: func(s Setting, _ time.Duration) plant.Controller { return &peers.AWS{Target: s.Value} },
		},
		{
			Name: "±1 per alert, 60 s cooldown", Setting: "alert above utilization", Percent: true,
			Settings: percents(), Default: Setting{Value: 0.7},
			New: func(s Setting, _ time.Duration) plant.Controller { return &peers.OneStep{Target: s.Value} },
		},
		{
			Name: "OpenFaaS step", Setting: "alert above load, in replicas",
			Settings: Values(0.25, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20), Default: Setting{Value: 5},
			New: func(s Setting, _ time.Duration) plant.Controller { return peers.OpenFaaS{Threshold: s.Value} },
		},
		{
			Name: "fixed ratio, 300 s hold, linear prediction", Setting: "target utilization", Percent: true,
			Settings: percents(),
			New: func(s Setting, delay time.Duration) plant.Controller {
				return &peers.Linear{Target: s.Value, Ahead: delay}
			},
		},
	}
}

// All are the peers and Alertscaler, in the order of the reports.
func All() []Contender { return append(Peers(), Alertscaler()...) }

// Named finds one by its name.
func Named(all []Contender, name string) (*Contender, error) {
	names := make([]string, len(all))
	for i := range all {
		if all[i].Name == name {
			return &all[i], nil
		}
		names[i] = all[i].Name
	}
	return nil, fmt.Errorf("no contender is called %q; there are: %s", name, strings.Join(names, "; "))
}

// Grid are the settings from first to last in equal steps.
func Grid(first, last, step float64) []float64 {
	var out []float64
	for i := 0; ; i++ {
		// To four digits, so that steps do not add up their errors.
		v := float64(int((first+float64(i)*step)*1e4+0.5)) / 1e4
		if v > last+step/1e3 {
			return out
		}
		out = append(out, v)
	}
}
