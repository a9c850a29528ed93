package rules

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

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
// and what must stay free in their view.
func sourceRules(sources []string) ([]rule, error) {
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
				if r := &g.Rules[i]; r.Record != "" && r.Record != "scale_target_resource:reserved:max" {
					rules = add(rules, *r)
				}
			}
		}
	}
	return rules, nil
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
