package config_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target/install"
	"github.com/alertscaler/alertscaler/scaler/window"
)

// TestFixtures loads every file of testdata. A file's name carries its
// verdict; a bad one says in its comments what the error must say, where FILE
// is the file's own name and DIR the absolute path of its directory.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := config.LoadFile(file, install.Registry())
			switch {
			case strings.HasSuffix(file, ".good.yml"):
				if err != nil {
					t.Fatalf("refused: %s", err)
				}
			case strings.HasSuffix(file, ".bad.yml"):
				if err == nil {
					t.Fatal("accepted")
				}
				for _, want := range wants(t, file) {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("the error does not say %q:\n%s", want, err)
					}
				}
			default:
				t.Fatal("the name carries no verdict")
			}
		})
	}
}

func wants(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for l := range strings.Lines(string(b)) {
		if want, ok := strings.CutPrefix(l, "# want: "); ok {
			out = append(out, strings.NewReplacer("FILE", file, "DIR", dir).Replace(strings.TrimSpace(want)))
		}
	}
	if len(out) == 0 {
		t.Fatal("a bad fixture says what it wants")
	}
	return out
}

func load(t *testing.T, name string) *config.Config {
	t.Helper()
	c, err := config.LoadFile(filepath.Join("testdata", name), install.Registry())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := load(t, "minimal.good.yml")
	got := c.Rules(c.Policies[0])
	want := policy.Policy{
		Name: "web", Mode: policy.ModeOn, Min: 1, Max: 10,
		AlertStep: policy.AlertStep{Up: policy.Amount{Replicas: 1}, Down: policy.Amount{Replicas: 1}},
		ScaleUp:   policy.Behavior{Cooldown: time.Minute},
		ScaleDown: policy.Behavior{Cooldown: 5 * time.Minute},
		Strategy:  policy.StrategyPriority,
		Targets:   []policy.Target{{Name: "local"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules of an alert-only policy (-want +got):\n%s", diff)
	}
	if got := c.Policies[0].Alerts.Up; len(got) != 2 || got[0].String() != `scale="up"` || got[1].String() != `scale_target="web"` {
		t.Errorf("default matchers up: %v", got)
	}
	if a := c.Policies[0].Alerts; len(a.BlockUp) != 0 || len(a.BlockDown) != 0 {
		t.Errorf("blocked by default: %v, %v", a.BlockUp, a.BlockDown)
	}
	if got := c.Global.FleetGuard; got != 0.3 {
		t.Errorf("fleet guard %g", got)
	}
	if got := c.BudgetRules(); len(got) != 0 {
		t.Errorf("budgets by default: %v", got)
	}
	if got := c.Global.EvaluationInterval.Std(); got != 15*time.Second {
		t.Errorf("evaluation interval %s", got)
	}
}

func recurring(t *testing.T, cron string, d time.Duration, zone string) *window.Window {
	t.Helper()
	w, err := window.New(cron, d, zone)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestEverythingWritten(t *testing.T) {
	c := load(t, "full.good.yml")
	free, price := 0.0, 0.19
	got := c.Rules(c.Policies[0])
	want := policy.Policy{
		Name: "web", Mode: policy.ModeOff, Priority: 100, Min: 2, Max: 20,
		AlertStep: policy.AlertStep{Up: policy.Amount{Replicas: 1}, Down: policy.Amount{Replicas: 1}},
		Resources: []policy.Resource{
			{Name: "cpu", Reservation: policy.Reservation{
				Ratio: 0.3, Threshold: 1,
				Schedules: []policy.Schedule{
					{Window: recurring(t, "0 8 * * 1-5", 2*time.Hour, "Europe/Berlin"), Ratio: 0.5},
					{Window: recurring(t, "*/30 9-17 * * mon-fri", 30*time.Minute, "UTC"), Threshold: 4},
				},
			}},
			{Name: "requests"},
			{Name: "memory"},
			{Name: "network"},
		},
		Reservation: policy.Reservation{
			Ratio: 0.2, Replicas: 1,
			Schedules: []policy.Schedule{
				{Window: recurring(t, "30 1 1 1 *", 24*time.Hour, "Australia/Lord_Howe"), Threshold: 2, Replicas: 5},
			},
		},
		ScaleUp: policy.Behavior{
			Tolerance: 0.05, Stabilization: 30 * time.Second, Cooldown: time.Minute,
			Step: policy.StepLimit{Replicas: 4, Ratio: 1, Per: 15 * time.Second},
		},
		ScaleDown: policy.Behavior{
			Tolerance: 0.2, Stabilization: 10 * time.Minute,
			Step: policy.StepLimit{Ratio: 0.25, Per: time.Minute},
		},
		OnMissing: policy.OnMissing{Behavior: policy.MissingCurrentIfHigher, After: 5 * time.Minute, Replicas: 4},
		MaxGap:    2 * time.Minute, // two of its own intervals
		Strategy:  policy.StrategyCost,
		Targets: []policy.Target{
			{Name: "swarm", Min: 1, Max: 12, CostPerHour: &free, Provisioning: 20 * time.Second},
			{Name: "local", CostPerHour: &price, Loss: 0.05},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	batch := c.Rules(c.Policies[1])
	if got := c.Policies[1].EvaluationInterval.Std(); got != 10*time.Second || batch.MaxGap != 90*time.Second {
		t.Errorf("batch is evaluated every %s, with gaps of %s; want the global interval, and what a sample may be old", got, batch.MaxGap)
	}
	if batch.AlertStep.Up.Replicas != 2 || batch.AlertStep.Down.Percent != 50 || batch.Mode != policy.ModeOnlyScaleUp {
		t.Errorf("batch: %+v", batch)
	}
	if got := c.Policies[0].Alerts.Down; len(got) != 2 {
		t.Errorf("matchers in braces: %v", got)
	}
	if got := c.Policies[0].Alerts; len(got.BlockUp) != 1 || len(got.BlockDown) != 2 {
		t.Errorf("blocks: %v, %v", got.BlockUp, got.BlockDown)
	}
	usages := make([]config.Usage, 0, 4)
	for _, r := range c.Policies[0].Resources {
		usages = append(usages, r.Usage)
	}
	wantUsages := []config.Usage{
		{},
		{Present: `sum(rate(http_requests_total{job="web"}[1m]))`},
		{
			Present:   `sum(container_memory_working_set_bytes{name="web"})`,
			Predicted: `sum(predict_linear(container_memory_working_set_bytes{name="web"}[30m], 120))`,
		},
		{Predicted: "max(network_forecast)"},
	}
	if diff := cmp.Diff(wantUsages, usages); diff != "" {
		t.Errorf("usages (-want +got):\n%s", diff)
	}
}

// TestSecretsAreNotPrinted also shows that what is printed loads again.
func TestSecretsAreNotPrinted(t *testing.T) {
	c := load(t, "full.good.yml")
	text := c.String()
	if strings.Contains(text, "secret-") {
		t.Errorf("a secret is printed:\n%s", text)
	}
	if !strings.Contains(text, "<secret>") {
		t.Errorf("secrets are not marked:\n%s", text)
	}
	again, err := config.Load("printed.yml", []byte(text), install.Registry())
	if err != nil {
		t.Fatalf("what was printed does not load: %s\n%s", err, text)
	}
	if diff := cmp.Diff(text, again.String()); diff != "" {
		t.Errorf("printed twice (-first +second):\n%s", diff)
	}
	for i, p := range c.Policies {
		if diff := cmp.Diff(c.Rules(p), again.Rules(again.Policies[i])); diff != "" {
			t.Errorf("rules of what was printed (-first +second):\n%s", diff)
		}
	}
	if diff := cmp.Diff(c.BudgetRules(), again.BudgetRules()); diff != "" {
		t.Errorf("budgets of what was printed (-first +second):\n%s", diff)
	}
}

// TestReloadIsAllOrNothing: one subscriber that cannot prepare leaves every
// other with what it had.
func TestReloadIsAllOrNothing(t *testing.T) {
	var applied, discarded int
	good := config.SubscriberFunc(func(context.Context, *config.Config) (config.Change, error) {
		return config.Change{Apply: func() { applied++ }, Discard: func() { discarded++ }}, nil
	})
	var refuse error
	picky := config.SubscriberFunc(func(context.Context, *config.Config) (config.Change, error) {
		return config.Change{}, refuse
	})
	c := load(t, "minimal.good.yml")
	co := config.NewCoordinator(func() (*config.Config, error) { return c, nil }, log.NewNopLogger(), nil, good, picky)
	if err := co.Reload(t.Context()); err != nil || applied != 1 {
		t.Fatalf("first load: applied %d, %v", applied, err)
	}
	refuse = errors.New("no such Docker host")
	before := co.Config()
	c = load(t, "full.good.yml")
	if err := co.Reload(t.Context()); !errors.Is(err, refuse) {
		t.Fatalf("reload: %v", err)
	}
	if applied != 1 || discarded != 1 || co.Config() != before {
		t.Errorf("a refused reload: applied %d, discarded %d, configuration kept: %t", applied, discarded, co.Config() == before)
	}
}
