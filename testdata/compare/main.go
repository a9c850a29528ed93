// Command compare tries Alertscaler and other autoscalers on the same demand
// and writes what it found: docs/benchmarks/quality.md of recorded traces,
// quality_generated.md of generated ones, and their plots.
//
// It exits 1 where -check names a contender that costs more than -ratio of
// what HPA does with as much lost demand and the best of its settings, and 2
// where it could not run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/report"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
	"github.com/alertscaler/alertscaler/testdata/compare/workload"
)

type options struct {
	traces, out, check, cache, only string
	limit, ratio                    float64
	short, alone, dispersion        bool
}

// limits of mean time under capacity at which all are compared.
var limits = []float64{0.01, 0.02, 0.03}

// errDearer is what -check finds.
var errDearer = errors.New("too dear")

func main() {
	var o options
	flag.StringVar(&o.traces, "traces", "", "folder of CSV traces; without it, generated ones")
	flag.StringVar(&o.out, "out", "", "folder for the page and its plots; without it, the page goes to standard output")
	flag.StringVar(&o.check, "check", "", "contenders, by commas, each of which may cost at most -ratio of HPA where it loses as much demand")
	flag.Float64Var(&o.limit, "limit", 0.01, "mean share of time under capacity for which HPA is set where -check compares")
	flag.Float64Var(&o.ratio, "ratio", 1, "how much of HPA's cost -check allows")
	flag.BoolVar(&o.short, "short", false, "the first delay, HPA and what learns alone, with fewer settings")
	flag.BoolVar(&o.dispersion, "dispersion", false, "print how neighbouring samples of the traces differ, and write nothing")
	flag.BoolVar(&o.alone, "alone", false, "play what learns without its engine, print how it stands beside HPA, and write nothing")
	flag.StringVar(&o.only, "only", "", "what the names of the sets that -alone plays contain, such as \"60 s, straight\"")
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
	checked, err := named(contenders, o.check)
	if err != nil {
		return err
	}
	if o.short {
		contenders = fewer(among(contenders, append(checked, contender.HPA, contender.Objective, contender.Price)))
	}
	traces, err := workload.Traces(o.traces)
	if err != nil {
		return err
	}
	if o.dispersion {
		return report.Dispersion(os.Stdout, traces)
	}
	sets, err := workload.Sets(traces)
	if err != nil {
		return err
	}
	if o.alone {
		return alone(os.Stdout, only(sets, o.only), limits, o.cache)
	}
	page, kind := "quality_generated", "generated traces"
	if o.traces != "" {
		page, kind = "quality", "traces"
		// Recorded samples with a delay of which straight lines between them
		// tell nothing, and as they might be with one that is shorter.
		sets = slices.DeleteFunc(sets, func(s workload.Set) bool { return s.Refined != (s.Rules.Delay < time.Minute) })
	}
	if o.short {
		sets = sets[:1]
	}
	q := report.Quality{Limits: limits, Kind: kind, Traces: traces}
	for _, s := range sets {
		c := report.Comparison{
			Set:       s,
			Never:     sweep.Optimum(s.Demands, s.Rules),
			Allowance: sweep.NewAllowance(s.Demands, s.Rules),
			Curves:    sweep.Run(contenders, s.Demands, s.Rules),
		}
		if !o.short {
			cutOff := s.Rules
			cutOff.Saturate = true
			c.CutOff = sweep.Run(asRun(contenders), s.Demands, cutOff)
		}
		q.Comparisons = append(q.Comparisons, c)
	}
	if err := write(&q, page, o); err != nil {
		return err
	}
	return check(&q, checked, o)
}

// named are the names in a list, all of which are contenders.
func named(contenders []contender.Contender, list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	names := strings.Split(list, ",")
	for _, name := range names {
		if _, err := contender.Named(contenders, name); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// among are the contenders of these names.
func among(all []contender.Contender, names []string) []contender.Contender {
	return slices.DeleteFunc(slices.Clone(all), func(c contender.Contender) bool { return !slices.Contains(names, c.Name) })
}

// fewer tries every other setting of those that take the longest.
func fewer(all []contender.Contender) []contender.Contender {
	for i := range all {
		c := &all[i]
		if !c.Slow {
			continue
		}
		var some []contender.Setting
		for j, s := range c.Settings {
			if j%2 == 0 || s == c.Default {
				some = append(some, s)
			}
		}
		c.Settings = some
	}
	return all
}

// asRun are HPA and ours with the default window and tolerance, and those that
// take the longest with their default alone.
func asRun(all []contender.Contender) []contender.Contender {
	var out []contender.Contender
	for _, c := range all {
		switch {
		case c.Name == contender.HPA:
			c.Settings = slices.DeleteFunc(slices.Clone(c.Settings), func(s contender.Setting) bool {
				return s.Window != c.Default.Window || s.Tolerance != c.Default.Tolerance
			})
		case c.Slow:
			c.Settings = []contender.Setting{c.Default}
		default:
			continue
		}
		out = append(out, c)
	}
	return out
}

// write puts the page and its plots where they belong. Recorded traces, which
// are not in this repository, and generated ones have a page each.
func write(q *report.Quality, page string, o options) error {
	if o.out == "" {
		return q.Markdown(os.Stdout)
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	for i := range q.Comparisons {
		c := &q.Comparisons[i]
		together := fmt.Sprintf("%s_%.0fs.svg", page, c.Set.Rules.Delay.Seconds())
		each := fmt.Sprintf("%s_%.0fs_each.svg", page, c.Set.Rules.Delay.Seconds())
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

// check compares contenders with HPA at the first delay: at the demand that
// HPA loses at its cheapest setting within the limit of time.
func check(q *report.Quality, names []string, o options) error {
	c := &q.Comparisons[0]
	hpa := c.Curve(contender.HPA)
	at, ok := hpa.Best(o.limit)
	if !ok {
		return fmt.Errorf("no setting of HPA keeps mean time under capacity ≤ %v, so that nothing can be compared", o.limit)
	}
	them, _ := hpa.Frontier(sweep.Demand).At(at.Lost)
	var errs []error
	for _, name := range names {
		us, reached := c.Curve(name).Frontier(sweep.Demand).At(at.Lost)
		if !reached {
			errs = append(errs, fmt.Errorf("%w: all settings of %s lose more than HPA, %v of the demand", errDearer, name, at.Lost))
			continue
		}
		ratio := us / them
		fmt.Fprintf(os.Stderr, "where %.3g of the demand is lost, %s costs %.3f, HPA %.3f: ratio %.3f, at most %v is allowed\n", at.Lost, name, us, them, ratio, o.ratio)
		if ratio > o.ratio {
			errs = append(errs, fmt.Errorf("%w: %s costs %.3f of what HPA does, at most %v is allowed", errDearer, name, ratio, o.ratio))
		}
	}
	return errors.Join(errs...)
}
