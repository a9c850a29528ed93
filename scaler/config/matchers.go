package config

import (
	"cmp"
	"fmt"
	"maps"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"
)

// alerts refuses matchers by which an alert says nothing about a policy: those
// that every alert satisfies, and those by which one alert asks for both
// directions.
func (v *validator) alerts(a *Alerts, path []any) {
	const example = `name what tells its alerts from others, such as ['scale="up"', 'scale_target="web"']`
	for _, l := range []struct {
		key      string
		matchers Matchers
		needed   bool
	}{{"up", a.Up, true}, {"down", a.Down, true}, {"block_up", a.BlockUp, false}, {"block_down", a.BlockDown, false}} {
		switch {
		case len(l.matchers) == 0 && l.needed:
			v.Add("no matchers would match every alert; leave the key out for the default", at(path, l.key)...)
		case len(l.matchers) > 0 && l.matchers.all():
			v.Addf(at(path, l.key), "%s matches every alert, whatever it is about; %s", l.matchers, example)
		}
	}
	if len(a.Up) == 0 || len(a.Down) == 0 || a.Up.all() || a.Down.all() {
		return
	}
	if alert := both(a.Up, a.Down); alert != "" {
		v.Addf(at(path, "down"), "an alert with %s is matched by up and by down, and would ask for both at once; let one label tell them apart, as scale=\"up\" and scale=\"down\" do", alert)
	}
	for _, block := range []struct {
		key    string
		alerts Matchers
		by     Matchers
	}{{"block_up", a.Up, a.BlockUp}, {"block_down", a.Down, a.BlockDown}} {
		if len(block.by) > 0 && !block.by.all() && block.alerts.implies(block.by) {
			v.Addf(at(path, block.key), "%s matches every alert that %s does, so that each would block itself; name the alert of an incident, such as alertname=\"CapacityIncident\"",
				block.by, strings.TrimPrefix(block.key, "block_"))
		}
	}
}

// all reports whether every alert satisfies the matchers. An alert has a name,
// and need have nothing else.
func (m Matchers) all() bool {
	for _, one := range m {
		if !one.Matches("") && one.Name != "alertname" || one.Name == "alertname" && !anyName(one) {
			return false
		}
	}
	return true
}

// anyName reports whether m takes alerts whatever they are called. That a
// regular expression takes every text cannot be told by trying, but one that
// means something takes none of these, or not all.
func anyName(m *labels.Matcher) bool {
	return !slices.ContainsFunc([]string{"a", "Z", "7", "_", "HighLoad", "x_y:z", "ünï ©"}, func(name string) bool { return !m.Matches(name) })
}

// implies reports whether what satisfies m certainly satisfies other.
func (m Matchers) implies(other Matchers) bool {
	return !slices.ContainsFunc(other, func(o *labels.Matcher) bool {
		return !slices.ContainsFunc(m, func(own *labels.Matcher) bool {
			return own.Name == o.Name && (own.Type == labels.MatchEqual && o.Matches(own.Value) || own.String() == o.String())
		})
	})
}

// both returns the labels of an alert that satisfies up and down, empty where
// none is known. Lists that speak of different labels are not compared: that
// there is an alert with all of them is for whoever writes alerts to say.
func both(up, down Matchers) string {
	upBy, downBy := up.byLabel(), down.byLabel()
	if !within(upBy, downBy) && !within(downBy, upBy) {
		return ""
	}
	names := slices.Compact(slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Keys(upBy)), slices.Collect(maps.Keys(downBy))))))
	pairs := make([]string, 0, len(names))
	for _, name := range names {
		all := slices.Concat(upBy[name], downBy[name])
		value, ok := witness(all)
		if !ok {
			return ""
		}
		if value != "" {
			pairs = append(pairs, fmt.Sprintf("%s=%q", name, value))
		}
	}
	return cmp.Or(strings.Join(pairs, ", "), "none of these labels")
}

func (m Matchers) byLabel() map[string]Matchers {
	out := make(map[string]Matchers, len(m))
	for _, one := range m {
		out[one.Name] = append(out[one.Name], one)
	}
	return out
}

// within reports whether every label of a is one of b.
func within(a, b map[string]Matchers) bool {
	for name := range a {
		if _, ok := b[name]; !ok {
			return false
		}
	}
	return true
}

// witness finds a value that all of these matchers of one label take.
func witness(all Matchers) (string, bool) {
	candidates := []string{"", "x"}
	for _, m := range all {
		switch m.Type {
		case labels.MatchEqual:
			candidates = append(candidates, m.Value)
		case labels.MatchRegexp:
			if parsed, err := syntax.Parse(m.Value, syntax.Perl); err == nil {
				candidates = append(candidates, examples(parsed.Simplify())...)
			}
		}
	}
	i := slices.IndexFunc(candidates, func(value string) bool {
		return !slices.ContainsFunc(all, func(m *labels.Matcher) bool { return !m.Matches(value) })
	})
	if i < 0 {
		return "", false
	}
	return candidates[i], true
}

// maxExamples bounds what is tried of one regular expression.
const maxExamples = 256

// examples are some of the texts that a regular expression takes: of each
// alternative one.
func examples(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		var out []string
		for i := 0; i+1 < len(re.Rune) && len(out) < maxExamples; i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1] && len(out) < maxExamples; r++ {
				out = append(out, string(r))
			}
		}
		return out
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"x"}
	case syntax.OpCapture, syntax.OpPlus:
		return examples(re.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		return append([]string{""}, examples(re.Sub[0])...)
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			out = append(out, examples(sub)...)
		}
		return out[:min(len(out), maxExamples)]
	case syntax.OpConcat:
		out := []string{""}
		for _, sub := range re.Sub {
			var next []string
			for _, head := range out {
				for _, tail := range examples(sub) {
					if len(next) < maxExamples {
						next = append(next, head+tail)
					}
				}
			}
			out = next
		}
		return out
	default: // anchors, and what takes nothing
		return []string{""}
	}
}

// String is the list as it is written.
func (m Matchers) String() string {
	words := make([]string, len(m))
	for i, one := range m {
		words[i] = one.String()
	}
	return "[" + strings.Join(words, ", ") + "]"
}
