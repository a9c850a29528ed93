package discovery

import (
	"cmp"
	"slices"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Thing is one thing that was discovered, and what became of it.
type Thing struct {
	// What names it: "service shop_web".
	What string
	// Policy is the name of the policy that was made of it; empty: none was.
	Policy string
	// Disabled: it asks not to be scaled.
	Disabled bool
	// Problems are why there is no policy or, where there is one, why it is
	// still that of earlier labels.
	Problems []Problem
}

// good is what a thing's policy was last made of.
type good struct {
	labels map[string]string
	policy *config.Policy
}

// finding is what one discovery has found, and had made of it before.
type finding struct {
	entry  *config.Discovery
	things []target.Discovered
	good   map[string]good // by the thing's identity
}

// outcome is what became of a finding.
type outcome struct {
	things []Thing         // sorted by what they are
	good   map[string]good // by the thing's identity
}

// resolve extends c by the policies of all that was found, and says what
// became of each finding.
//
// Configured policies come first, then those that are there already, then what
// is new, in the order of the discoveries: nothing that is being scaled loses
// its policy, its name or its part of a budget to a newcomer.
func resolve(c *config.Config, findings []finding) (*config.Config, []outcome) {
	ext := c.Extend()
	outcomes := make([]outcome, len(findings))
	for i := range outcomes {
		outcomes[i].good = make(map[string]good)
	}
	for _, settled := range []bool{true, false} {
		for i, f := range findings {
			for _, t := range ordered(f.things) {
				if _, had := f.good[t.Target.Identity()]; had == settled {
					place(ext, c, f, t, &outcomes[i])
				}
			}
		}
	}
	for i := range outcomes {
		slices.SortFunc(outcomes[i].things, func(a, b Thing) int { return cmp.Compare(a.What, b.What) })
	}
	return ext.Config(), outcomes
}

// ordered sorts things, so that who comes first is no accident of the list.
func ordered(things []target.Discovered) []target.Discovered {
	out := slices.Clone(things)
	slices.SortFunc(out, func(a, b target.Discovered) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.What, b.What))
	})
	return out
}

// place makes a policy of one thing, or leaves it with the one it had.
func place(ext *config.Extension, c *config.Config, f finding, t target.Discovered, o *outcome) {
	thing := Thing{What: t.What}
	defer func() { o.things = append(o.things, thing) }()
	yes, problem := wanted(t.Labels)
	if !yes && problem == nil {
		thing.Disabled = true
		return
	}
	id := t.Target.Identity()
	p, problems := build(c, f.entry, t, t.Labels)
	if problem != nil {
		p, problems = nil, append([]Problem{*problem}, problems...)
	}
	if p != nil {
		err := ext.Add(p)
		if err == nil {
			thing.Policy = p.Name
			o.good[id] = good{labels: t.Labels, policy: p}
			return
		}
		problems = problemsOf(err, t.Labels)
	}
	thing.Problems = problems
	// As with a file that is not valid: what was in force stays. By the
	// template as it is now, or else, say that is gone, as it was.
	was, ok := f.good[id]
	if !ok {
		return
	}
	again, _ := build(c, f.entry, t, was.labels)
	for _, p := range []*config.Policy{again, was.policy} {
		if p != nil && ext.Add(p) == nil {
			thing.Policy = p.Name
			o.good[id] = good{labels: was.labels, policy: p}
			return
		}
	}
}
