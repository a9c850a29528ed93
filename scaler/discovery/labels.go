package discovery

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// Problem is one thing wrong with what was discovered.
type Problem struct {
	// Label to blame, whole, and its value; empty where none is.
	Label, Value string
	// Msg says what is wrong and what would be right.
	Msg string
}

// String renders the label, its value and the message.
func (p Problem) String() string {
	switch {
	case p.Label == "":
		return p.Msg
	case p.Value == "":
		return p.Label + ": " + p.Msg
	default:
		return fmt.Sprintf("%s=%q: %s", p.Label, p.Value, p.Msg)
	}
}

// The labels that are more than a value of the policy.
const (
	keyEnable = "enable"
	keyPolicy = "policy" // the template's name
	keyMax    = "max"
)

// values are the labels that say one value of the policy. Each function sets
// it, or says what is wrong with it.
var values = map[string]func(p *config.Policy, value string) (wrong string){
	"min":           func(p *config.Policy, s string) string { return whole(&p.Min, s, 0) },
	keyMax:          func(p *config.Policy, s string) string { return whole(&p.Max, s, 1) },
	"ratio":         ratio,
	"strategy":      func(p *config.Policy, s string) string { return oneOf(&p.Strategy, s, "strategy", policy.Strategies) },
	"mode":          func(p *config.Policy, s string) string { return oneOf(&p.Mode, s, "mode", modes) },
	"scale_target":  scaleTarget,
	"cost_per_hour": cost,
}

var modes = []policy.Mode{policy.ModeOn, policy.ModeOnlyScaleUp, policy.ModeOff}

// ours are the labels that copies of containers carry, and nobody's words.
var ours = []string{"managed", "template", "replica"}

// knownLabels lists the labels that may be written, whole and sorted.
func knownLabels() string {
	keys := append(slices.Collect(maps.Keys(values)), keyEnable, keyPolicy)
	slices.Sort(keys)
	for i := range keys {
		keys[i] = target.DiscoveryPrefix + keys[i]
	}
	return strings.Join(keys, ", ")
}

func whole(to *int, s string, least int) string {
	n, err := strconv.Atoi(s)
	if n > config.MaxReplicas { // Atoi gives the largest of what is beyond
		return fmt.Sprintf("is too many; at most %d replicas may be written", config.MaxReplicas)
	}
	if err != nil || n < least {
		return fmt.Sprintf("is not a whole number of at least %d", least)
	}
	*to = n
	return ""
}

// ratio replaces the policy's own reservation; those of its resources stay.
func ratio(p *config.Policy, s string) string {
	r, err := strconv.ParseFloat(s, 64)
	if err != nil || !(r >= 0 && r < 1) {
		return "is not a share of at least 0 and below 1, such as 0.3"
	}
	if r > config.MaxRatio {
		return fmt.Sprintf("is too much; at most %g may be kept free", config.MaxRatio)
	}
	p.Reservation.Ratio = r
	return ""
}

func oneOf[T ~string](to *T, s, what string, all []T) string {
	if !slices.Contains(all, T(s)) {
		words := make([]string, len(all))
		for i := range all {
			words[i] = string(all[i])
		}
		return fmt.Sprintf("is not a %s; write one of %s", what, strings.Join(words, ", "))
	}
	*to = T(s)
	return ""
}

func scaleTarget(p *config.Policy, s string) string {
	if s == "" {
		return "is empty; write the value of the label scale_target that alerts and series have"
	}
	p.ScaleTarget = s
	return ""
}

func cost(p *config.Policy, s string) string {
	c, err := strconv.ParseFloat(s, 64)
	if err != nil || !(c >= 0) || math.IsInf(c, 0) {
		return "is not a finite price of at least 0, such as 0.19"
	}
	if c > config.MaxPrice {
		return fmt.Sprintf("is too much; a replica costs at most %g an hour", float64(config.MaxPrice))
	}
	p.Targets[0].CostPerHour = &c
	return ""
}

// wanted reports whether the thing asks to be scaled. What is neither yes nor
// no is a problem.
func wanted(labels map[string]string) (yes bool, problem *Problem) {
	switch v := labels[keyEnable]; v {
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, &Problem{Label: target.DiscoveryPrefix + keyEnable, Value: v, Msg: `is neither "true" nor "false"`}
	}
}

// build makes a policy of a thing by its labels and the template that these,
// or else the discovery, name. It is nil where there is any problem. What
// concerns other policies, and values that do not go together, is left to
// config.Extension.
func build(c *config.Config, d *config.Discovery, thing target.Discovered, labels map[string]string) (*config.Policy, []Problem) {
	var problems []Problem
	add := func(key, msg string) {
		problems = append(problems, Problem{Label: target.DiscoveryPrefix + key, Value: labels[key], Msg: msg})
	}
	template, found := config.NewTemplate(), true
	name, labelled := labels[keyPolicy]
	if !labelled {
		name = d.Template
	}
	if name != "" || labelled {
		var t *config.Template
		if t, found = c.Template(name); found {
			template = t
		} else {
			add(keyPolicy, "there is no such template in policy_templates; there are "+templates(c))
		}
	}
	p := template.Policy()
	p.Name, p.ScaleTarget, p.Discovery = thing.Name, thing.ScaleTarget, d.Name
	p.Targets = []*config.Target{{Name: d.Name, Platform: thing.Target}}

	for _, key := range slices.Sorted(maps.Keys(labels)) {
		set, ok := values[key]
		switch {
		case ok:
			if wrong := set(p, labels[key]); wrong != "" {
				add(key, wrong)
			}
		case key == keyEnable, key == keyPolicy, slices.Contains(ours, key):
		default:
			add(key, "is not known; the labels are "+knownLabels())
		}
	}
	if _, ok := labels[keyMax]; !ok && p.Max == 0 && found {
		add(keyMax, "is missing; neither it nor a template says how many replicas there may be at most")
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return p, nil
}

func templates(c *config.Config) string {
	if len(c.Templates) == 0 {
		return "none"
	}
	names := make([]string, len(c.Templates))
	for i, t := range c.Templates {
		names[i] = t.Name
	}
	return strings.Join(names, ", ")
}

// blamed are the labels behind the keys of a policy.
var blamed = map[string]string{
	"min": "min", keyMax: keyMax, "strategy": "strategy", "mode": "mode", "cost_per_hour": "cost_per_hour",
	"reservation": "ratio", "reservation.ratio": "ratio",
}

// problemsOf says an error of config.Extension in terms of the labels.
func problemsOf(err error, labels map[string]string) []Problem {
	errs, ok := errors.AsType[yamlfile.Errors](err)
	if !ok {
		return []Problem{{Msg: err.Error()}}
	}
	var out []Problem
	for _, e := range errs {
		label := blamed[e.Key]
		value, written := labels[label]
		switch {
		case written:
			out = append(out, Problem{Label: target.DiscoveryPrefix + label, Value: value, Msg: e.Msg})
		case label == "cost_per_hour":
			out = append(out, Problem{Label: target.DiscoveryPrefix + label, Msg: e.Msg})
		case e.Key == "name" || strings.HasPrefix(e.Key, "targets"):
			out = append(out, Problem{Msg: e.Msg})
		default:
			out = append(out, Problem{Msg: e.Key + ": " + e.Msg})
		}
	}
	return out
}
