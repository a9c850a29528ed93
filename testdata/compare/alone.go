package main

import (
	"encoding/gob"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/alertscaler"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/report"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
	"github.com/alertscaler/alertscaler/testdata/compare/workload"
)

// learners are what -alone plays.
func learners() []contender.Contender {
	return []contender.Contender{
		{
			Name: "objective, alone", Setting: "reservation.objective", Percent: true,
			Settings: contender.Values(0.999, 0.995, 0.99, 0.98, 0.97, 0.96, 0.94, 0.9),
			New: func(s contender.Setting, delay time.Duration) plant.Controller {
				return alertscaler.NewAlone(objective.Goal{Share: s.Value}, delay)
			},
		},
		{
			Name: "shortage price, alone", Setting: "reservation.objective.shortage_price",
			Settings: contender.Values(4, 8, 14, 25, 45, 80, 150, 500),
			New: func(s contender.Setting, delay time.Duration) plant.Controller {
				return alertscaler.NewAlone(objective.Goal{ShortagePrice: s.Value}, delay)
			},
		},
	}
}

// only are the sets that have it in their names.
func only(sets []workload.Set, name string) []workload.Set {
	return slices.DeleteFunc(slices.Clone(sets), func(s workload.Set) bool { return !strings.Contains(s.Name, name) })
}

// alone plays what learns without its engine, and says how it does beside HPA.
func alone(to io.Writer, sets []workload.Set, limits []float64, cache string) error {
	for _, s := range sets {
		hpa, err := hpaCurve(s, cache)
		if err != nil {
			return err
		}
		allowance := sweep.NewAllowance(s.Demands, s.Rules)
		for _, curve := range sweep.Run(learners(), s.Demands, s.Rules) {
			standing(to, s, &hpa, &curve, &allowance, limits)
		}
	}
	return nil
}

// standing is a line for all workloads, one for strangers and one for each.
func standing(to io.Writer, s workload.Set, hpa, ours *sweep.Curve, allowance *sweep.Allowance, limits []float64) {
	all, labels := make([]int, len(s.Demands)), make([]string, len(s.Demands))
	for k, d := range s.Demands {
		all[k], labels[k] = k, workload.Domain(d.Name)
	}
	share := func(hpa, ours *sweep.Curve, m sweep.Shortage, at float64) string {
		them, _ := hpa.Frontier(m).At(at)
		us, reached := ours.Frontier(m).At(at)
		if !reached {
			return " –"
		}
		return fmt.Sprintf(" %.0f %%", 100*sweep.Closed(them, us, allowance.Mean(all, m, at)))
	}
	var times, demands, strangers strings.Builder
	var theirs []sweep.Point
	for _, limit := range limits {
		if h, ok := hpa.Best(limit); ok {
			theirs = append(theirs, h)
			times.WriteString(share(hpa, ours, sweep.Time, h.Under))
			demands.WriteString(share(hpa, ours, sweep.Demand, h.Lost))
		}
	}
	if groups := sweep.Groups(labels); len(groups) > 1 {
		held := hpa.HeldOut(groups, sweep.Time, limits)
		them, us := report.Strangers(hpa, groups), report.Strangers(ours, groups)
		for _, p := range held.Points {
			strangers.WriteString(share(&them, &us, sweep.Demand, p.Lost))
		}
	}
	fmt.Fprintf(to, "%s, %s: of HPA's distance closed at its τ_U%s, at its lost demand%s, with that on domains held out%s\n",
		s.Name, ours.Contender.Name, &times, &demands, &strangers)
	for k, d := range s.Demands {
		fmt.Fprintf(to, "  %-24s cost ÷ HPA's, at its τ_U and lost demand there:", d.Name)
		for _, h := range theirs {
			r := h.Results[k]
			for _, m := range []sweep.Shortage{sweep.Time, sweep.Demand} {
				us, reached := ours.FrontierOn(k, m).At(m.Of(r))
				mark := ""
				if !reached {
					mark = "?" // it has more shortage at every setting
				}
				fmt.Fprintf(to, " %.2f%s", us/r.Cost, mark)
			}
			fmt.Fprint(to, ";")
		}
		fmt.Fprintln(to)
	}
}

// hpaCurve takes what HPA did from the cache, a file, where it was tried with
// the same workloads, rules and settings. What HPA does must not have changed.
func hpaCurve(s workload.Set, cache string) (sweep.Curve, error) {
	hpa, err := contender.Named(contender.Peers(), contender.HPA)
	if err != nil {
		return sweep.Curve{}, err
	}
	if cache == "" {
		return sweep.Run([]contender.Contender{*hpa}, s.Demands, s.Rules)[0], nil
	}
	key := fnv.New64a()
	fmt.Fprint(key, s.Name, hpa.Settings, s.Rules)
	for _, d := range s.Demands {
		fmt.Fprint(key, d.Name, d.Step, d.Values)
	}
	file := fmt.Sprintf("%s.%x", cache, key.Sum64())
	curve := sweep.Curve{Contender: *hpa}
	f, err := os.Open(file)
	switch {
	case err == nil:
		defer f.Close()
		err = gob.NewDecoder(f).Decode(&curve.Points)
		for i, p := range curve.Points {
			curve.Points[i] = sweep.NewPoint(p.Setting, p.Results)
		}
		return curve, err
	case !errors.Is(err, fs.ErrNotExist):
		return sweep.Curve{}, err
	}
	curve = sweep.Run([]contender.Contender{*hpa}, s.Demands, s.Rules)[0]
	if f, err = os.Create(file); err != nil {
		return sweep.Curve{}, err
	}
	return curve, errors.Join(gob.NewEncoder(f).Encode(curve.Points), f.Close())
}
