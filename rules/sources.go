package rules

import (
	"fmt"
	"io/fs"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// suffix of the files that have all of a source.
const suffix = ".scale.yml"

// Sources are the names of the sources of usage that ship, in alphabetical
// order: those that Options.Sources takes.
func Sources() []string {
	names, err := fs.Glob(FS, "*"+suffix)
	if err != nil {
		panic(err) // The pattern is well-formed.
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, suffix)
	}
	return names
}

// sourceRules are the rules of the sources, in the order given, without the alerts
// and what must stay free in their view, for a group that is evaluated at the
// interval.
func sourceRules(sources []string, interval time.Duration) ([]rule, error) {
	known := Sources()
	var rules []rule
	for i, name := range sources {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("source %q: must be one of %s", name, strings.Join(known, ", "))
		}
		if slices.Contains(sources[:i], name) {
			return nil, fmt.Errorf("source %q: given twice", name)
		}
	}
	for _, name := range sources {
		text, err := FS.ReadFile(name + suffix)
		if err != nil {
			return nil, err
		}
		var f file
		if err := yaml.Unmarshal(text, &f); err != nil {
			return nil, fmt.Errorf("%s%s: %w", name, suffix, err)
		}
		for _, g := range f.Groups {
			for i := range g.Rules {
				r := &g.Rules[i]
				if r.Record == "" || r.Record == "scale_target_resource:reserved:max" {
					continue
				}
				if r.Record == "scale_target_resource:usage:predicted" {
					if r.Expr, err = predictAt(interval, r.Expr, g.Interval); err != nil {
						return nil, fmt.Errorf("%s%s: %s: %w", name, suffix, r.Record, err)
					}
				}
				rules = add(rules, *r)
			}
		}
	}
	return rules, nil
}

// leastSamples is what a prediction asks of its past: the number of samples.
var leastSamples = regexp.MustCompile(`(count_over_time\([^()]+\) >= )(\d+)`)

// predictAt has a prediction that was written for one interval ask for as long a
// past at another.
func predictAt(interval time.Duration, expr string, written model.Duration) (string, error) {
	found := leastSamples.FindStringSubmatch(expr)
	if found == nil {
		return "", fmt.Errorf("how many samples it needs is not as expected, %s", leastSamples)
	}
	samples, err := strconv.Atoi(found[2])
	if err != nil {
		return "", err
	}
	past := time.Duration(samples) * time.Duration(written)
	return leastSamples.ReplaceAllString(expr, fmt.Sprintf("${1}%d", int(math.Ceil(past.Seconds()/interval.Seconds())))), nil
}

// add appends a rule. One that records the same series as another source's takes
// its place: no target is recorded by two sources, so each gives what the other
// does not, and in one group a series must be recorded by one rule.
func add(rules []rule, r rule) []rule {
	same := func(o rule) bool { return o.Record == r.Record && maps.Equal(o.Labels, r.Labels) }
	if i := slices.IndexFunc(rules, same); i >= 0 {
		r.Expr = fmt.Sprintf("(\n%s)\nor\n(\n%s)\n", indent(rules[i].Expr), indent(r.Expr))
		rules = slices.Delete(rules, i, i+1)
	}
	return append(rules, r)
}

// indent moves an expression two spaces to the right.
func indent(expr string) string {
	var b strings.Builder
	for line := range strings.Lines(expr) {
		b.WriteString("  " + line)
	}
	return b.String()
}
