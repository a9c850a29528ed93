package discovery

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/docker"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

const base = `
prometheus: { url: "http://localhost:9090" }
policy_templates:
  - { name: default, min: 2, max: 10, resources: [ { name: cpu } ] }
  - { name: alerts, mode: only_scale_up }
  - { name: missing, max: 9, resources: [ { name: cpu } ], on_missing: { behavior: static, replicas: 8 } }
discovery:
  - { name: swarm, docker_services: {}, template: default }
  - { name: other, docker_services: {} }
`

func load(t testing.TB, text string) *config.Config {
	t.Helper()
	c, err := config.Load("test.yml", []byte(text), install.Registry())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// service is a labelled service, written "enable=true min=2".
func service(name, labels string) target.Discovered {
	d := target.Discovered{
		Name: name, ScaleTarget: name, What: "service " + name, Labels: make(map[string]string),
		Target: &docker.ServiceConfig{Name: name},
	}
	for _, l := range strings.Fields(labels) {
		k, v, _ := strings.Cut(l, "=")
		d.Labels[k] = v
	}
	return d
}

// made are policies as their discoveries made them.
func made(c *config.Config) map[string]*config.Policy {
	out := make(map[string]*config.Policy)
	for _, p := range c.Policies {
		if p.Discovery != "" {
			out[p.Name] = p
		}
	}
	return out
}

// TestLabels is a label, or several, and what becomes of them.
func TestLabels(t *testing.T) {
	for _, tc := range []struct {
		name, labels string
		second       bool // found by the discovery without a template
		check        func(*config.Policy) bool
		problems     []string
	}{
		{name: "the template alone", labels: "enable=true", check: func(p *config.Policy) bool {
			return p.Min == 2 && p.Max == 10 && len(p.Resources) == 1 && p.ScaleTarget == "web" && p.Mode == policy.ModeOn && p.Discovery == "swarm"
		}},
		{name: "bounds", labels: "enable=true min=0 max=3", check: func(p *config.Policy) bool { return p.Min == 0 && p.Max == 3 }},
		{name: "another template", labels: "enable=true policy=alerts max=4", check: func(p *config.Policy) bool {
			return p.Mode == policy.ModeOnlyScaleUp && p.Min == 1 && p.Max == 4 && len(p.Resources) == 0
		}},
		{name: "no template", second: true, labels: "enable=true max=4", check: func(p *config.Policy) bool {
			return p.Min == 1 && p.Max == 4 && p.Strategy == policy.StrategyPriority && p.Discovery == "other"
		}},
		{name: "all that there are", labels: "enable=true policy=default min=1 max=5 ratio=0.25 strategy=cost cost_per_hour=0.5 mode=off scale_target=shop", check: func(p *config.Policy) bool {
			return p.Reservation.Ratio == 0.25 && p.Strategy == policy.StrategyCost && *p.Targets[0].CostPerHour == 0.5 &&
				p.Mode == policy.ModeOff && p.ScaleTarget == "shop" && p.Alerts.Up[1].String() == `scale_target="shop"`
		}},
		{name: "what copies carry", labels: "enable=true managed=true template=x replica=2", check: func(p *config.Policy) bool { return p.Max == 10 }},

		{name: "neither yes nor no", labels: "enable=yes", problems: []string{`alertscaler.enable="yes": is neither "true" nor "false"`}},
		{name: "an empty yes", labels: "enable=", problems: []string{`alertscaler.enable: is neither "true" nor "false"`}},
		{name: "no number", labels: "enable=true max=ten", problems: []string{`alertscaler.max="ten": is not a whole number of at least 1`}},
		{name: "none at most", labels: "enable=true max=0", problems: []string{`alertscaler.max="0": is not a whole number of at least 1`}},
		{name: "less than none", labels: "enable=true min=-1", problems: []string{`alertscaler.min="-1": is not a whole number of at least 0`}},
		{name: "a fraction", labels: "enable=true min=1.5", problems: []string{`alertscaler.min="1.5": is not a whole number`}},
		{name: "too many", labels: "enable=true max=2147483647", problems: []string{`alertscaler.max="2147483647": is too many; at most 1000000 replicas may be written`}},
		{name: "beyond any number", labels: "enable=true max=99999999999999999999", problems: []string{`alertscaler.max="99999999999999999999": is too many; at most 1000000 replicas may be written`}},
		{name: "nearly all of it reserved", labels: "enable=true max=3 ratio=0.99999", problems: []string{`alertscaler.ratio="0.99999": is too much; at most 0.999 may be kept free`}},
		{name: "all of it reserved", labels: "enable=true ratio=1", problems: []string{`alertscaler.ratio="1": is not a share of at least 0 and below 1, such as 0.3`}},
		{name: "percent", labels: "enable=true ratio=30%", problems: []string{`alertscaler.ratio="30%": is not a share`}},
		{name: "NaN", labels: "enable=true ratio=NaN", problems: []string{`alertscaler.ratio="NaN": is not a share`}},
		{name: "no strategy", labels: "enable=true strategy=cheap", problems: []string{`alertscaler.strategy="cheap": is not a strategy; write one of priority, latency, loss, cost, balance`}},
		{name: "no mode", labels: "enable=true mode=on!", problems: []string{`alertscaler.mode="on!": is not a mode; write one of on, only_scale_up, off`}},
		{name: "no price", labels: "enable=true cost_per_hour=Inf", problems: []string{`alertscaler.cost_per_hour="Inf": is not a finite price`}},
		{name: "no scale target", labels: "enable=true scale_target=", problems: []string{`alertscaler.scale_target: is empty`}},
		{name: "no such template", labels: "enable=true policy=standard", problems: []string{`alertscaler.policy="standard": there is no such template in policy_templates; there are default, alerts, missing`}},
		{name: "an empty template", labels: "enable=true policy=", problems: []string{`alertscaler.policy: there is no such template`}},
		{name: "unknown", labels: "enable=true maximum=3", problems: []string{
			`alertscaler.maximum="3": is not known; the labels are alertscaler.cost_per_hour, alertscaler.enable, alertscaler.max, alertscaler.min, alertscaler.mode, alertscaler.policy, alertscaler.ratio, alertscaler.scale_target, alertscaler.strategy`,
		}},
		{name: "no max at all", second: true, labels: "enable=true", problems: []string{`alertscaler.max: is missing; neither it nor a template says`}},
		{name: "several", labels: "enable=yes min=x ratio=2", problems: []string{`alertscaler.enable="yes"`, `alertscaler.min="x"`, `alertscaler.ratio="2"`}},

		{name: "min above max", labels: "enable=true min=5 max=3", problems: []string{`alertscaler.min="5": 5 is greater than max 3`}},
		{name: "max below the template's min", labels: "enable=true max=1", problems: []string{`min: 2 is greater than max 1`}},
		{name: "a ratio of nothing", labels: "enable=true policy=alerts max=3 ratio=0.3", problems: []string{`alertscaler.ratio="0.3": a reservation needs resources`}},
		{name: "cost without a price", labels: "enable=true strategy=cost", problems: []string{`alertscaler.strategy="cost": cost needs cost_per_hour`}},
		{name: "a fallback out of bounds", labels: "enable=true policy=missing max=5", problems: []string{`on_missing.replicas: 8 lies outside min 1 and max 5`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := load(t, base)
			before := c.String()
			findings := []finding{{entry: c.Discovery[0]}, {entry: c.Discovery[1]}}
			which := 0
			if tc.second {
				which = 1
			}
			findings[which].things = []target.Discovered{service("web", tc.labels), service("api", "enable=true max=7")}
			merged, outcomes := resolve(c, findings)
			got := made(merged)
			if p := got["api"]; p == nil || p.Max != 7 {
				t.Errorf("the thing beside it: %+v", p)
			}
			p := got["web"]
			switch {
			case tc.check == nil && p != nil:
				t.Errorf("it has a policy: %+v", p)
			case tc.check != nil && (p == nil || !tc.check(p)):
				t.Errorf("policy %+v", p)
			}
			thing := outcomes[which].things[1]
			if len(thing.Problems) != len(tc.problems) {
				t.Fatalf("problems %v, want %v", thing.Problems, tc.problems)
			}
			for i, want := range tc.problems {
				if !strings.HasPrefix(thing.Problems[i].String(), want) {
					t.Errorf("problem %q, want %q", thing.Problems[i], want)
				}
			}
			if c.String() != before {
				t.Error("the configuration was changed")
			}
		})
	}
}

// history resolves one list after the other, as the manager does.
type history struct {
	t    *testing.T
	good []map[string]good
}

// next returns the max of each discovered policy, and the problems.
func (h *history) next(c *config.Config, lists ...[]target.Discovered) (bounds map[string]int, problems map[string]string) {
	h.t.Helper()
	findings := make([]finding, len(c.Discovery))
	for i, d := range c.Discovery {
		findings[i].entry = d
		if i < len(lists) {
			findings[i].things = lists[i]
		}
		if i < len(h.good) {
			findings[i].good = h.good[i]
		}
	}
	merged, outcomes := resolve(c, findings)
	bounds, problems = make(map[string]int), make(map[string]string)
	for name, p := range made(merged) {
		bounds[name] = p.Max
	}
	h.good = nil
	for i, o := range outcomes {
		h.good = append(h.good, maps.Clone(o.good))
		for _, t := range o.things {
			if len(t.Problems) > 0 {
				problems[c.Discovery[i].Name+" "+t.What] = t.Problems[0].String()
			}
		}
	}
	return bounds, problems
}

func (h *history) want(what string, wantBounds, bounds map[string]int, problems map[string]string, wantProblems ...string) {
	h.t.Helper()
	if diff := cmp.Diff(wantBounds, bounds); diff != "" {
		h.t.Errorf("%s: max of policies (-want +got):\n%s", what, diff)
	}
	if len(problems) != len(wantProblems)/2 {
		h.t.Errorf("%s: problems %v", what, problems)
	}
	for i := 0; i < len(wantProblems); i += 2 {
		if !strings.Contains(problems[wantProblems[i]], wantProblems[i+1]) {
			h.t.Errorf("%s: problems %v, want %v", what, problems, wantProblems)
		}
	}
}

// TestLastGood: what goes wrong leaves the policy that there was, as a bad
// reload does.
func TestLastGood(t *testing.T) {
	c := load(t, base)
	h := &history{t: t}
	list := func(labels string) []target.Discovered {
		return []target.Discovered{service("web", labels)}
	}
	one := map[string]int{"web": 3}
	bounds, problems := h.next(c, list("enable=true policy=alerts max=3"))
	h.want("at first", one, bounds, problems)
	bounds, problems = h.next(c, list("enable=true policy=alerts max=three"))
	h.want("a bad label", one, bounds, problems, "swarm service web", `alertscaler.max="three"`)
	bounds, problems = h.next(c, list("enable=maybe"))
	h.want("another bad label", one, bounds, problems, "swarm service web", `alertscaler.enable="maybe"`)

	// The template changes, and with it the policy of the earlier labels.
	c = load(t, strings.Replace(base, "mode: only_scale_up", "priority: 7", 1))
	h.next(c, list("enable=maybe"))
	if p := h.good[0]["docker_service unix:///var/run/docker.sock web"].policy; p == nil || p.Priority != 7 {
		t.Errorf("the new template does not reach the policy: %+v", p)
	}
	// The template goes: the policy stays as it was.
	c = load(t, strings.Replace(base, "name: alerts, mode", "name: renamed, mode", 1))
	bounds, problems = h.next(c, list("enable=true policy=alerts max=3"))
	h.want("without its template", one, bounds, problems, "swarm service web", "there is no such template")

	bounds, problems = h.next(c, list("enable=true policy=renamed max=5"))
	h.want("all is well again", map[string]int{"web": 5}, bounds, problems)
	bounds, problems = h.next(c, list("enable=false max=nonsense"))
	h.want("disabled", map[string]int{}, bounds, problems)
	bounds, problems = h.next(c, list("enable=true max=nonsense"))
	h.want("nothing is remembered of before", map[string]int{}, bounds, problems, "swarm service web", `alertscaler.max="nonsense"`)
	h.next(c, list("enable=true max=5"))
	bounds, problems = h.next(c, nil)
	h.want("gone", map[string]int{}, bounds, problems)
	if len(h.good[0]) > 0 {
		t.Errorf("what is gone is remembered: %v", h.good)
	}
}

// TestWhoWins: the configured policy does, then who was there first, then the
// first in the file.
func TestWhoWins(t *testing.T) {
	configured := base + `
policies:
  - { name: web, max: 4, targets: [ { name: swarm, docker_service: { name: shop_web } } ] }
`
	const ok = "enable=true max=3"
	c := load(t, configured)
	h := &history{t: t}
	bounds, problems := h.next(c,
		[]target.Discovered{service("web", ok), service("shop_web", ok), service("api", ok)},
		[]target.Discovered{service("api", ok), service("db", ok)})
	h.want("at first", map[string]int{"api": 3, "db": 3}, bounds, problems,
		"swarm service web", `"web" is the name of a configured policy already`,
		"swarm service shop_web", `shop_web is owned by target "swarm" of policy "web" already`,
		"other service api", `"api" is the name of a discovered policy already`)
	// The first discovery finds what the second has already.
	bounds, problems = h.next(c,
		[]target.Discovered{service("db", "enable=true max=5")},
		[]target.Discovered{service("db", ok)})
	h.want("found by both", map[string]int{"db": 3}, bounds, problems, "swarm service db", "already")
	// And is left with it.
	bounds, problems = h.next(c, []target.Discovered{service("db", "enable=true max=5")}, nil)
	h.want("the first alone", map[string]int{"db": 5}, bounds, problems)
	// It is configured after all.
	c = load(t, configured+"  - { name: db, max: 9, targets: [ { name: swarm, docker_service: { name: db } } ] }\n")
	bounds, problems = h.next(c, []target.Discovered{service("db", "enable=true max=5")}, nil)
	h.want("configured", map[string]int{}, bounds, problems, "swarm service db", "configured policy")
}

// TestBudget: a newcomer takes nothing from those that are there, wherever it
// stands in the list.
func TestBudget(t *testing.T) {
	c := load(t, base+`
budgets: [ { name: shop, policies: ['name=~".*"'], max_replicas: 5 } ]
`)
	h := &history{t: t}
	bounds, problems := h.next(c, []target.Discovered{service("web", "enable=true max=3")})
	h.want("alone", map[string]int{"web": 3}, bounds, problems)
	bounds, problems = h.next(c, []target.Discovered{service("aaa", "enable=true min=4"), service("web", "enable=true max=3")})
	h.want("a newcomer", map[string]int{"web": 3}, bounds, problems,
		"swarm service aaa", `alertscaler.min="4": the min of the policies of budget "shop" would add up to 6, above its max_replicas 5`)
	bounds, problems = h.next(c, []target.Discovered{service("web", "enable=true min=6 max=8")})
	h.want("too greedy", map[string]int{"web": 3}, bounds, problems, "swarm service web", `alertscaler.min="6"`)
}
