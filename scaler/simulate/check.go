package simulate

import (
	"slices"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// checker collects what is wrong with a file of tests.
type checker struct{ yamlfile.Checker }

// at extends a path without touching the slice it came from.
func at(path []any, more ...any) []any { return yamlfile.At(path, more...) }

// known checks a name against the list it must be from.
func (c *checker) known(path []any, what, name string, among []string) bool {
	if slices.Contains(among, name) {
		return true
	}
	there := "none"
	if len(among) > 0 {
		there = strings.Join(among, ", ")
	}
	c.Addf(path, "%q is not %s; there is %s", name, what, there)
	return false
}

func (c *checker) tests(f *File, cfg *config.Config) {
	if len(f.Tests) == 0 {
		c.Addf([]any{"tests"}, "at least one test is needed")
	}
	names := make(map[string]bool, len(f.Tests))
	for i, t := range f.Tests {
		path := []any{"tests", i}
		if t == nil {
			c.Addf(path, "the test is empty")
			continue
		}
		switch {
		case t.Name == "":
			c.Addf(at(path, "name"), "is missing; say what the story tells")
		case names[t.Name]:
			c.Addf(at(path, "name"), "%q is the name of an earlier test; names are unique", t.Name)
		}
		names[t.Name] = true
		t.Config, t.Line = cfg, c.Line(path...)
		if time.Time(t.Start).IsZero() {
			t.Start = defaultStart
		}
		c.test(t, path)
	}
}

func (c *checker) test(t *Test, path []any) {
	policies := policyNames(t.Config)
	if t.Policy == "" && len(policies) == 1 {
		t.Policy = policies[0]
	}
	if !c.known(at(path, "policy"), "a policy of the configuration", t.Policy, policies) {
		return
	}
	tested := find(t.Config, t.Policy)
	if t.Interval == 0 {
		t.Interval = *tested.EvaluationInterval
	}
	c.setup(&t.Setup, tested, path)
	for _, name := range keys(t.Others) {
		path := at(path, "others", name)
		switch {
		case name == t.Policy:
			c.Addf(path, "is the policy of the test; write its keys beside others")
		case t.Others[name] == nil:
			c.Addf(path, "is empty")
		case c.known(path, "a policy of the configuration", name, policies):
			c.setup(t.Others[name], find(t.Config, name), path)
		}
	}
	for i, a := range t.Alerts {
		c.alert(a, at(path, "alerts", i))
	}
	for i, e := range t.Events {
		c.event(t, e, at(path, "events", i))
	}
	if len(t.Expect) == 0 {
		c.Addf(at(path, "expect"), "is missing; a test that expects nothing cannot fail")
	}
	for i, e := range t.Expect {
		c.expectation(t, e, at(path, "expect", i))
	}
}

func (c *checker) setup(s *Setup, p *config.Policy, path []any) {
	targets := targetNames(p)
	for _, name := range keys(s.Replicas) {
		path := at(path, "replicas", name)
		if c.known(path, "a target of policy "+p.Name, name, targets) && s.Replicas[name] < 0 {
			c.Addf(path, "%d is not a number of replicas", s.Replicas[name])
		}
	}
	for _, name := range keys(s.Provisioning) {
		c.known(at(path, "provisioning", name), "a target of policy "+p.Name, name, targets)
	}
	for _, name := range keys(s.Busy) {
		path := at(path, "busy", name)
		if c.known(path, "a target of policy "+p.Name, name, targets) && p.Targets[slices.Index(targets, name)].Victims == nil {
			c.Addf(path, "the target has no victims, so nobody would ask how busy its replicas are; leave it out")
		}
	}
	asked := scaler.QueriesFor(p)
	resources := make([]string, len(asked))
	for i, q := range asked {
		resources[i] = q.Resource
	}
	for key, series := range map[string]map[string]Notations{"usage": s.Usage, "capacity": s.Capacity, "predicted": s.Predicted} {
		for _, name := range keys(series) {
			path := at(path, key, name)
			if !c.known(path, "a resource of policy "+p.Name, name, resources) {
				continue
			}
			q := asked[slices.Index(resources, name)]
			switch {
			case key == "capacity" && q.CapacityPerReplica != 0:
				c.Addf(path, "the configuration says %g, so nobody would ask; leave it out", q.CapacityPerReplica)
			case key == "predicted" && q.Predicted == "":
				c.Addf(path, "the configuration predicts nothing of it, so nobody would ask; leave it out")
			}
		}
	}
}

func (c *checker) alert(a *Alert, path []any) {
	if a == nil || len(a.Labels) == 0 {
		c.Addf(at(path, "labels"), "is missing; an alert is known by its labels")
		return
	}
	if a.To != nil && *a.To <= a.From {
		c.Addf(at(path, "to"), "%s is not after from %s", a.To.Std(), a.From.Std())
	}
	if s := a.Silence; s != nil && s.Until != nil && *s.Until <= a.From {
		c.Addf(at(path, "silence", "until"), "%s is not after from %s", s.Until.Std(), a.From.Std())
	}
}

func (c *checker) event(t *Test, e *Event, path []any) {
	if e == nil || e.actions() != 1 {
		c.Addf(path, "an event is exactly one of pause, resume, retry, set, refuse, unreadable, lose, never_ready, shows_after, limit and restart")
		return
	}
	if e.Policy == "" {
		e.Policy = t.Policy
	}
	if !c.known(at(path, "policy"), "a policy of the configuration", e.Policy, policyNames(t.Config)) {
		return
	}
	if e.Until != nil {
		switch {
		case e.Refuse == nil && e.Unreadable == nil && e.NeverReady == nil:
			c.Addf(at(path, "until"), "only refuse, unreadable and never_ready last; another event undoes the rest")
		case *e.Until <= e.At:
			c.Addf(at(path, "until"), "%s is not after at %s", e.Until.Std(), e.At.Std())
		}
	}
	if p := e.Pause; p != nil && p.For != nil && p.Until != nil {
		c.Addf(at(path, "pause", "until"), "write for or until, not both")
	} else if p != nil && p.Until != nil && *p.Until <= e.At {
		c.Addf(at(path, "pause", "until"), "%s is not after at %s", p.Until.Std(), e.At.Std())
	}
	key, names := e.targets()
	for _, name := range names {
		c.known(at(path, key), "a target of policy "+e.Policy, name, targetNames(find(t.Config, e.Policy)))
	}
	for _, m := range []map[string]int{e.Set, e.Lose, e.Limit} {
		for _, name := range keys(m) {
			if m[name] < 0 {
				c.Addf(at(path, key, name), "%d is not a number of replicas", m[name])
			}
		}
	}
	for _, name := range keys(e.Refuse) {
		if k := e.Refuse[name]; k == target.KindNoOp || !slices.Contains(target.Kinds, k) {
			c.Addf(at(path, "refuse", name), "%q is not a kind of refusal; there is quota, throttled, unauthorized, not_found, temporary, permanent and conflict", k)
		}
	}
}

func (c *checker) expectation(t *Test, e *Expectation, path []any) {
	switch {
	case e == nil:
		c.Addf(path, "is empty")
		return
	case e.At == nil:
		c.Addf(at(path, "at"), "is missing; say when")
		return
	case e.At.Std()%t.Interval.Std() != 0:
		c.Addf(at(path, "at"), "%s is not a multiple of the interval %s, so nothing is decided then", e.At.Std(), t.Interval.Std())
	}
	e.Line = c.Line(path...)
	if e.Policy == "" {
		e.Policy = t.Policy
	}
	if !c.known(at(path, "policy"), "a policy of the configuration", e.Policy, policyNames(t.Config)) {
		return
	}
	if e.Reason != "" && !slices.Contains(policy.Reasons, e.Reason) {
		c.Addf(at(path, "reason"), "%q is not a reason; there is %s", e.Reason, joined(policy.Reasons))
	}
	for key, m := range map[string]map[string]int{"placements": e.Placements, "targets": e.Targets} {
		for _, name := range keys(m) {
			c.known(at(path, key, name), "a target of policy "+e.Policy, name, targetNames(find(t.Config, e.Policy)))
		}
	}
	if len(e.wants()) == 0 {
		c.Addf(path, "expects nothing; write desired and reason, or whatever else the decision must say")
	}
}

func policyNames(c *config.Config) []string {
	names := make([]string, len(c.Policies))
	for i, p := range c.Policies {
		names[i] = p.Name
	}
	return names
}

func targetNames(p *config.Policy) []string {
	names := make([]string, len(p.Targets))
	for i, t := range p.Targets {
		names[i] = t.Name
	}
	return names
}

// find returns a policy that is known to be there.
func find(c *config.Config, name string) *config.Policy {
	return c.Policies[slices.IndexFunc(c.Policies, func(p *config.Policy) bool { return p.Name == name })]
}

func joined[S ~string](all []S) string {
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = string(s)
	}
	return strings.Join(parts, ", ")
}
