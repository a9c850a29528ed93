// Command compare tries Alertscaler and other autoscalers on the same demand
// and writes what it found: docs/benchmarks/quality.md of recorded traces,
// quality_generated.md of generated ones, and their plots.
//
// It exits 1 where -check names a contender that costs more than -ratio of
// what HPA does, and 2 where it could not run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/report"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
	"github.com/alertscaler/alertscaler/testdata/compare/workload"
)

type options struct {
	traces, out, ours, check string
	cache                    string
	limit, ratio             float64
	short, published, alone  bool
}

// limits of mean time under capacity at which all are compared.
var limits = []float64{0.01, 0.02, 0.03}

// set is workloads with the rules under which they are played.
type set struct {
	name    string
	demands []plant.Demand
	rules   plant.Options
}

// errDearer is what -check finds.
var errDearer = errors.New("too dear")

func main() {
	var o options
	flag.StringVar(&o.traces, "traces", "", "folder of CSV traces; without it, generated ones")
	flag.StringVar(&o.out, "out", "", "folder for the page and its plots; without it, the page goes to standard output")
	flag.StringVar(&o.ours, "ours", contender.Objective, "the contender that the page compares with the others")
	flag.StringVar(&o.check, "check", "", "a contender that may cost at most -ratio of HPA")
	flag.Float64Var(&o.limit, "limit", 0.01, "mean share of time under capacity at which -check compares")
	flag.Float64Var(&o.ratio, "ratio", 0.85, "how much of HPA's cost -check allows")
	flag.BoolVar(&o.short, "short", false, "the first delay, HPA and ours alone")
	flag.BoolVar(&o.published, "published", false, "print the figures beside published ones and write nothing")
	flag.BoolVar(&o.alone, "alone", false, "play what learns without its engine, print how it stands beside HPA, and write nothing")
	flag.StringVar(&o.cache, "cache", "", "beginning of the names of files in which -alone keeps what HPA did; to be removed when that changes")
	flag.Parse()
	switch err := run(o); {
	case errors.Is(err, errDearer):
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(2)
	}
}

func run(o options) error {
	contenders := contender.All()
	for _, name := range []string{o.ours, o.check} {
		if name == "" {
			continue
		}
		if _, err := contender.Named(contenders, name); err != nil {
			return err
		}
	}
	if o.short {
		contenders = fewer(among(contenders, contender.HPA, o.ours, o.check))
	}
	demands, err := workload.Load(o.traces)
	if err != nil {
		return err
	}
	if o.alone {
		return alone(os.Stdout, sets(demands), limits, o.cache)
	}
	page := "quality_generated"
	if o.traces != "" {
		page = "quality"
	}
	delays := []time.Duration{time.Minute, 10 * time.Second}
	if o.short {
		delays = delays[:1]
	}
	q := report.Quality{Limits: limits, Ours: o.ours, Kind: "generated traces"}
	if o.traces != "" {
		q.Kind = "traces"
	}
	for _, d := range demands {
		q.Workloads = append(q.Workloads, d.Name)
	}
	for _, delay := range delays {
		c := report.Comparison{
			Delay:   delay,
			Optimum: sweep.Optimum(demands, delay),
			Curves:  sweep.Run(contenders, demands, plant.Options{Delay: delay}),
		}
		if !o.short {
			c.CutOff = sweep.Run(among(contenders, contender.HPA, o.ours), demands, plant.Options{Delay: delay, Saturate: true})
		}
		q.Comparisons = append(q.Comparisons, c)
	}
	if err := write(&q, page, o); err != nil {
		return err
	}
	return check(&q, o)
}

// sets are the workloads under all rules.
func sets(demands []plant.Demand) []set {
	return []set{
		{"60 s", demands, plant.Options{Delay: time.Minute}},
		{"10 s", demands, plant.Options{Delay: 10 * time.Second}},
	}
}

// among are the contenders of these names.
func among(all []contender.Contender, names ...string) []contender.Contender {
	return slices.DeleteFunc(slices.Clone(all), func(c contender.Contender) bool { return !slices.Contains(names, c.Name) })
}

// fewer tries every other setting of ours, which take the longest.
func fewer(all []contender.Contender) []contender.Contender {
	for i := range all {
		c := &all[i]
		if c.Name != contender.Objective {
			continue
		}
		var some []contender.Setting
		for j := 0; j < len(c.Settings); j += 2 {
			some = append(some, c.Settings[j])
		}
		c.Settings = some
	}
	return all
}

// write puts the page and its plots where they belong. Recorded traces, which
// are not in this repository, and generated ones have a page each.
func write(q *report.Quality, page string, o options) error {
	switch {
	case o.published:
		return q.Published(os.Stdout)
	case o.out == "":
		return q.Markdown(os.Stdout)
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	for i := range q.Comparisons {
		c := &q.Comparisons[i]
		together := fmt.Sprintf("%s_%.0fs.svg", page, c.Delay.Seconds())
		each := fmt.Sprintf("%s_%.0fs_each.svg", page, c.Delay.Seconds())
		q.Plots = append(q.Plots, [2]string{together, each})
		if err := file(o.out, together, func(f *os.File) error { return q.PlotTogether(f, c) }); err != nil {
			return err
		}
		if err := file(o.out, each, func(f *os.File) error { return q.PlotEach(f, c) }); err != nil {
			return err
		}
	}
	return file(o.out, page+".md", func(f *os.File) error { return q.Markdown(f) })
}

func file(dir, name string, write func(*os.File) error) error {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// check compares one contender with HPA at the first delay.
func check(q *report.Quality, o options) error {
	if o.check == "" {
		return nil
	}
	c := &q.Comparisons[0]
	ours, ok := c.Curve(o.check).Best(o.limit)
	if !ok {
		return fmt.Errorf("%w: %s has no setting with mean time under capacity ≤ %v", errDearer, o.check, o.limit)
	}
	hpa, ok := c.Curve(contender.HPA).Best(o.limit)
	if !ok {
		return nil
	}
	ratio := ours.Cost / hpa.Cost
	fmt.Fprintf(os.Stderr, "%s costs %.3f, HPA %.3f: ratio %.3f, at most %.2f is allowed\n", o.check, ours.Cost, hpa.Cost, ratio, o.ratio)
	if ratio > o.ratio {
		return fmt.Errorf("%w: %s costs %.3f of what HPA does, at most %.2f is allowed", errDearer, o.check, ratio, o.ratio)
	}
	return nil
}
