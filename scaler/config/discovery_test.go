package config_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target/install"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// TestDiscoveryIsPrintedAsItLoads: templates and discoveries survive being
// printed, with their defaults.
func TestDiscoveryIsPrintedAsItLoads(t *testing.T) {
	for _, file := range []string{"discovery.good.yml", "discovery_alone.good.yml"} {
		c := load(t, file)
		again, err := config.Load("printed.yml", []byte(c.String()), install.Registry())
		if err != nil {
			t.Fatalf("what was printed does not load: %s\n%s", err, c)
		}
		if diff := cmp.Diff(c.String(), again.String()); diff != "" {
			t.Errorf("printed twice (-first +second):\n%s", diff)
		}
	}
}

// TestTemplateHasAllThatAPolicyHas: a new key of policies is one of templates
// too, and reaches the policies made from them.
func TestTemplateHasAllThatAPolicyHas(t *testing.T) {
	brought := []string{"Name", "ScaleTarget", "Targets", "Discovery"}
	template := reflect.TypeFor[config.Template]()
	for f := range reflect.TypeFor[config.Policy]().Fields() {
		if _, ok := template.FieldByName(f.Name); !ok && !slices.Contains(brought, f.Name) {
			t.Errorf("templates have no %s", f.Name)
		}
	}
	c := load(t, "discovery.good.yml")
	batch, ok := c.Template("batch")
	if !ok {
		t.Fatal("no template batch")
	}
	full := *batch
	one, err := config.Load("one.yml", []byte(c.String()), install.Registry())
	if err != nil {
		t.Fatal(err)
	}
	other, _ := one.Template("default")
	full.Max, full.Resources, full.Reservation, full.OnMissing = 7, other.Resources, other.Reservation, other.OnMissing
	p := reflect.ValueOf(*full.Policy())
	for f := range reflect.TypeFor[config.PolicyRules]().Fields() {
		if p.FieldByName(f.Name).IsZero() {
			t.Errorf("%s does not reach the policy", f.Name)
		}
	}
}

// discovered is a policy as a discovery makes it.
func discovered(t *testing.T, c *config.Config, template, name, service string) *config.Policy {
	t.Helper()
	tmpl, ok := c.Template(template)
	if !ok {
		t.Fatalf("no template %s", template)
	}
	cfg, err := install.Registry().New("docker_service")
	if err != nil {
		t.Fatal(err)
	}
	reflect.ValueOf(cfg).Elem().FieldByName("Name").SetString(service)
	p := tmpl.Policy()
	p.Name, p.Discovery = name, "swarm"
	p.Targets = []*config.Target{{Name: "swarm", Platform: cfg}}
	return p
}

// TestExtension adds policies to a configuration.
func TestExtension(t *testing.T) {
	c := load(t, "discovery.good.yml")
	e := c.Extend()
	if err := e.Add(discovered(t, c, "default", "api", "shop_api")); err != nil {
		t.Fatal(err)
	}
	refused := func(what, key, says string, p *config.Policy) {
		t.Helper()
		err := e.Add(p)
		errs, ok := errors.AsType[yamlfile.Errors](err)
		if !ok || len(errs) != 1 || errs[0].Key != key || !strings.Contains(errs[0].Msg, says) {
			t.Errorf("%s: %v, want one error of %q that says %q", what, err, key, says)
		}
	}
	refused("a configured name", "name", `"web" is the name of a configured policy already`, discovered(t, c, "default", "web", "other"))
	refused("a discovered name", "name", `"api" is the name of a discovered policy already`, discovered(t, c, "default", "api", "other"))
	refused("a configured thing", "targets[0]", `is owned by target "swarm" of policy "web" already`, discovered(t, c, "default", "other", "shop_web"))
	refused("a discovered thing", "targets[0]", `is owned by target "swarm" of policy "api" already`, discovered(t, c, "default", "other", "shop_api"))
	refused("a bad name", "name", "is not a name", discovered(t, c, "default", "shop/other", "other"))
	refused("no max", "max", "is missing", discovered(t, c, "batch", "other", "other"))
	greedy := discovered(t, c, "default", "greedy", "greedy")
	greedy.Min, greedy.Max = 48, 50
	greedy.OnMissing = nil
	refused("more than the budget has", "min", `the min of the policies of budget "everything" would add up to 51, above its max_replicas 50`, greedy)

	if err := e.Add(discovered(t, c, "default", "other", "other")); err != nil {
		t.Errorf("what was refused left something behind: %v", err)
	}
	merged := e.Config()
	if got := merged.BudgetRules()[0].Members; !slices.Equal(got, []string{"web", "api", "other"}) {
		t.Errorf("the budget is shared by %v", got)
	}
	if len(c.Policies) != 1 {
		t.Errorf("the configuration was changed: %d policies", len(c.Policies))
	}
	got := merged.Rules(merged.Policies[1])
	if got.Min != 2 || got.Max != 10 || got.Mode != policy.ModeOn || len(got.Resources) != 1 || got.OnMissing.Replicas != 4 {
		t.Errorf("rules of a discovered policy: %+v", got)
	}
	if s := got.Resources[0].Reservation.Schedules; len(s) != 1 || s[0].Window == nil {
		t.Errorf("schedules of a discovered policy: %+v", s)
	}
	if up := merged.Policies[1].Alerts.Up; len(up) != 2 || up[1].String() != `scale_target="api"` {
		t.Errorf("matchers of a discovered policy: %v", up)
	}
}

// TestCostBudgetNeedsAPrice refuses what a budget cannot reckon with.
func TestCostBudgetNeedsAPrice(t *testing.T) {
	c, err := config.Load("cost.yml", []byte(`
budgets: [ { name: money, policies: ['name=~".+"'], max_cost_per_hour: 1 } ]
policy_templates: [ { name: default, min: 2, max: 10 } ]
discovery: [ { name: swarm, docker_services: {} } ]
`), install.Registry())
	if err != nil {
		t.Fatal(err)
	}
	e := c.Extend()
	p := discovered(t, c, "default", "web", "web")
	if err := e.Add(p); err == nil || !strings.Contains(err.Error(), `cost_per_hour: is missing; budget "money"`) {
		t.Errorf("without a price: %v", err)
	}
	price := 0.75
	p.Targets[0].CostPerHour = &price
	if err := e.Add(p); err == nil || !strings.Contains(err.Error(), `would cost at least 1.5 an hour, above its max_cost_per_hour 1`) {
		t.Errorf("too dear: %v", err)
	}
	p.Min = 1
	if err := e.Add(p); err != nil {
		t.Errorf("within the budget: %v", err)
	}
}

// extender adds the policies it is told to.
type extender struct {
	extra           []*config.Policy
	err             error
	applied, undone int
}

func (x *extender) Extend(_ context.Context, c *config.Config) (*config.Config, config.Change, error) {
	if x.err != nil {
		return nil, config.Change{}, x.err
	}
	e := c.Extend()
	for _, p := range x.extra {
		if err := e.Add(p); err != nil {
			return nil, config.Change{}, err
		}
	}
	return e.Config(), config.Change{Apply: func() { x.applied++ }, Discard: func() { x.undone++ }}, nil
}

var _ config.Extender = (*extender)(nil)

// TestRefresh puts what is discovered in force without a reload.
func TestRefresh(t *testing.T) {
	c := load(t, "discovery.good.yml")
	var inForce [][]string
	var refuse error
	sub := config.SubscriberFunc(func(_ context.Context, c *config.Config) (config.Change, error) {
		names := make([]string, len(c.Policies))
		for i, p := range c.Policies {
			names[i] = p.Name
		}
		return config.Change{Apply: func() { inForce = append(inForce, names) }}, refuse
	})
	x := &extender{}
	co := config.NewCoordinator(func() (*config.Config, error) { return c, nil }, log.NewNopLogger(), nil, sub)
	co.ExtendBy(x)
	if err := co.Refresh(t.Context()); err != nil || x.applied != 0 {
		t.Fatalf("refresh before the first load: %v", err)
	}
	if err := co.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	loaded, _ := co.LastReload()

	refresh := func() {
		t.Helper()
		if err := co.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	x.extra = []*config.Policy{discovered(t, c, "default", "api", "api")}
	refresh()
	refresh() // the same again: nobody hears of it
	x.extra[0].Max = 11
	refresh()
	refuse = errors.New("no such Docker host")
	x.extra = append(x.extra, discovered(t, c, "default", "other", "other"))
	if err := co.Refresh(t.Context()); !errors.Is(err, refuse) {
		t.Errorf("a refresh that nobody can take: %v", err)
	}
	refuse = nil
	refresh()
	if err := co.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.extra = nil
	refresh()
	want := [][]string{{"web"}, {"web", "api"}, {"web", "api"}, {"web", "api", "other"}, {"web", "api", "other"}, {"web"}}
	if diff := cmp.Diff(want, inForce); diff != "" {
		t.Errorf("in force (-want +got):\n%s", diff)
	}
	if x.applied != 7 || x.undone != 1 {
		t.Errorf("the extender's changes: %d applied, %d discarded", x.applied, x.undone)
	}
	if strings.Contains(co.YAML(), "name: api") {
		t.Error("what was discovered is shown as configured")
	}
	if again, err := co.LastReload(); err != nil || again.Equal(loaded) {
		t.Errorf("last reload %s, %v; the first was %s", again, err, loaded)
	}
	x.err = errors.New("no kubeconfig")
	if err := co.Reload(t.Context()); !errors.Is(err, x.err) {
		t.Errorf("reload: %v", err)
	}
}
