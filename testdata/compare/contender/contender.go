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

// Contender is an autoscaler with the one setting that its user would choose.
type Contender struct {
	// Name is how reports call it; unique.
	Name string
	// Setting says what is swept, and Percent that it reads as a percentage.
	Setting string
	Percent bool
	// Settings in the order tried. They are the same on every workload: one
	// global setting, as a user would leave it.
	Settings []float64
	// Default is the setting that people run unless they chose one; 0 where
	// there is none.
	Default float64
	// Interval of control; 0 is the plant's own.
	Interval time.Duration
	// New makes one for a run. The delay is what the contender knows of its
	// provisioning time; most do not care.
	New func(setting float64, delay time.Duration) plant.Controller
}

// Format is how the setting reads.
func (c *Contender) Format(setting float64) string {
	if c.Percent {
		return fmt.Sprintf("%.4g %%", 100*setting)
	}
	return fmt.Sprintf("%.4g", setting)
}

// HPA is the name of the one that everybody is measured against.
const HPA = "HPA v2"

// Peers are the others.
func Peers() []Contender {
	return []Contender{
		{
			Name: HPA, Setting: "target utilization", Percent: true,
			Settings: Grid(0.05, 0.95, 0.05), Default: 0.7,
			New: func(s float64, _ time.Duration) plant.Controller { return peers.NewHPA(s) },
		},
		{
			Name: "Nomad target-value, 30 s cooldown", Setting: "target utilization", Percent: true,
			Settings: Grid(0.05, 0.95, 0.05), Default: 0.7,
			New: func(s float64, _ time.Duration) plant.Controller { return peers.NewNomad(s) },
		},
		{
			Name: "AWS target tracking", Setting: "target utilization", Percent: true,
			Settings: Grid(0.05, 0.95, 0.05), Default: 0.7, Interval: peers.AWSInterval,
			New: func(s float64, _ time.Duration) plant.Controller { return &peers.AWS{Target: s} },
		},
		{
			Name: "±1 per alert, 60 s cooldown", Setting: "alert above utilization", Percent: true,
			Settings: Grid(0.05, 0.95, 0.05), Default: 0.7,
			New: func(s float64, _ time.Duration) plant.Controller { return &peers.OneStep{Target: s} },
		},
		{
			Name: "OpenFaaS step", Setting: "alert above load, in replicas",
			Settings: []float64{0.25, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20}, Default: 5,
			New: func(s float64, _ time.Duration) plant.Controller { return peers.OpenFaaS{Threshold: s} },
		},
		{
			Name: "fixed ratio, 300 s hold, linear prediction", Setting: "target utilization", Percent: true,
			Settings: Grid(0.05, 0.95, 0.05),
			New: func(s float64, delay time.Duration) plant.Controller {
				return &peers.Linear{Target: s, Ahead: delay}
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
