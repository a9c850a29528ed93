package simulate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Failure is an expectation that was not met.
type Failure struct {
	Expectation *Expectation
	// Differences are never empty.
	Differences []Difference
	// Decision that was made then.
	Decision *policy.Decision
}

// Difference is one value that is not as expected.
type Difference struct{ Key, Want, Got string }

// want is one thing an expectation looks at.
type want struct {
	key, want string
	// got is the actual value as text, and whether it will do.
	got func(w *world, d *policy.Decision) (string, bool)
}

// compare holds the decision against what was expected; nil: it was met.
func (w *world) compare(e *Expectation) *Failure {
	f := &Failure{Expectation: e, Decision: w.decision(e.Policy)}
	for _, want := range e.wants() {
		if got, ok := want.got(w, f.Decision); !ok {
			f.Differences = append(f.Differences, Difference{want.key, want.want, got})
		}
	}
	if len(f.Differences) == 0 {
		return nil
	}
	return f
}

// wants are the things that are written.
func (e *Expectation) wants() []want {
	var all []want
	// add looks at one value that must be equal.
	add := func(key, expected string, value func(w *world, d *policy.Decision) string) {
		all = append(all, want{key, expected, func(w *world, d *policy.Decision) (string, bool) {
			got := value(w, d)
			return got, got == expected
		}})
	}
	number := func(key string, expected *int, value func(d *policy.Decision) int) {
		if expected != nil {
			add(key, strconv.Itoa(*expected), func(_ *world, d *policy.Decision) string { return strconv.Itoa(value(d)) })
		}
	}
	number("desired", e.Desired, func(d *policy.Decision) int { return d.Desired })
	if e.Reason != "" {
		add("reason", string(e.Reason), func(_ *world, d *policy.Decision) string { return string(d.Reason) })
	}
	number("current", e.Current, func(d *policy.Decision) int { return d.Current })
	number("ready", e.Ready, func(d *policy.Decision) int { return d.Ready })
	if e.Act != nil {
		add("act", strconv.FormatBool(*e.Act), func(_ *world, d *policy.Decision) string { return strconv.FormatBool(d.Act) })
	}
	if e.Recommendation != nil {
		add("recommendation", strconv.Itoa(*e.Recommendation), func(_ *world, d *policy.Decision) string {
			if d.Recommendation == nil {
				return "none"
			}
			return strconv.Itoa(*d.Recommendation)
		})
	}
	for _, name := range keys(e.Placements) {
		add("placements."+name, strconv.Itoa(e.Placements[name]), func(_ *world, d *policy.Decision) string {
			return placed(d, name)
		})
	}
	for _, name := range keys(e.Targets) {
		add("targets."+name, strconv.Itoa(e.Targets[name]), func(w *world, _ *policy.Decision) string {
			requested, _ := w.platforms[targetKey{e.Policy, name}].counts()
			return strconv.Itoa(requested)
		})
	}
	if e.Explain != "" {
		all = append(all, want{"explain", strconv.Quote(e.Explain), func(_ *world, d *policy.Decision) (string, bool) {
			text := d.Explain()
			return strconv.Quote(text), strings.Contains(text, e.Explain)
		}})
	}
	if e.PausedBy != "" {
		all = append(all, want{"paused_by", e.PausedBy, func(_ *world, d *policy.Decision) (string, bool) {
			return pausedBy(d, e.PausedBy)
		}})
	}
	return all
}

// placed is what the decision gives a target.
func placed(d *policy.Decision, name string) string {
	for _, p := range d.Placements {
		if p.Target == name {
			return strconv.Itoa(p.To)
		}
	}
	return "no placement"
}

// pausedBy looks for who paused the policy in the step that held it.
func pausedBy(d *policy.Decision, by string) (string, bool) {
	for i := range d.Steps {
		if s := &d.Steps[i]; s.Reason == policy.ReasonPaused {
			text := strings.TrimSpace(s.Subject + " " + s.Detail)
			return text, strings.Contains(text, by)
		}
	}
	return "nobody", false
}

// short prints a duration as people write it: 5m and not 5m0s.
func short(d time.Duration) string {
	text := d.String()
	if s, ok := strings.CutSuffix(text, "m0s"); ok {
		text = s + "m"
	}
	if s, ok := strings.CutSuffix(text, "h0m"); ok {
		text = s + "h"
	}
	return text
}

// String says what was expected and what was decided, over several lines.
func (f *Failure) String() string {
	var b strings.Builder
	e := f.Expectation
	fmt.Fprintf(&b, "at %s, policy %s (line %d):\n", short(e.At.Std()), e.Policy, e.Line)
	for _, d := range f.Differences {
		fmt.Fprintf(&b, "    %s: expected %s, got %s\n", d.Key, d.Want, d.Got)
	}
	fmt.Fprintf(&b, "  the decision: %s\n", f.Decision.Explain())
	for i := range f.Decision.Steps {
		s := &f.Decision.Steps[i]
		reason := ""
		if s.Reason != "" {
			reason = " (" + string(s.Reason) + ")"
		}
		fmt.Fprintf(&b, "    %s: %s → %d%s\n", s.Name, s, s.Replicas, reason)
	}
	return b.String()
}
