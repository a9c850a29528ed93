package discovery

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// TestServicesComeAndGo is the life of a labelled service, as a manager sees
// it on a real swarm.
func TestServicesComeAndGo(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	early, web := unique(), unique()
	create(t, early, "enable=true", "max=2")
	text := fmt.Sprintf(`
policy_templates:
  - { name: default, max: 5 }
  - { name: large, max: 50 }
discovery:
  - { name: swarm, docker_services: { host: %q }, refresh_interval: 200ms, template: default }
`, host)
	w := newWorld(t, text)
	// What was there already is in force once the configuration is.
	if got := w.policies(); got[early] != 2 {
		t.Errorf("in force at once: %v, want max 2 of %s", got, early)
	}

	create(t, web, "enable=true")
	w.want("it appears", map[string]int{web: 5, early: 2})
	label(t, web, "max=7")
	w.want("a label changes", map[string]int{web: 7})
	label(t, web, "max=seven")
	w.problem("service "+web, `alertscaler.max="seven": is not a whole number of at least 1`)
	w.want("a bad label leaves what was", map[string]int{web: 7, early: 2})
	if got := strings.Count(w.log(), `alertscaler.max=\"seven\"`); got != 1 {
		t.Errorf("the problem was logged %d times, want once", got)
	}
	label(t, early, "enable=yes")
	w.problem("service "+early, `alertscaler.enable="yes"`)
	label(t, web, "max=8", "policy=large")
	w.problem("service "+web, "")
	w.want("all is well again", map[string]int{web: 8, early: 2})
	if !strings.Contains(w.log(), "discovered thing has no problem any more") {
		t.Error("nobody was told that the problem is gone")
	}

	// Nothing is applied where nothing changed, however often is asked.
	w.set(func() { w.applied = 0 })
	before := w.manager.Statuses()[0].Attempts
	realtest.Eventually(t, soon, 50*time.Millisecond, "five lists more", func() error {
		if n := w.manager.Statuses()[0].Attempts - before; n < 5 {
			return fmt.Errorf("there were %d", n)
		}
		return nil
	})
	// Tests of other packages may label services at the same time; they do so
	// a few times, not five.
	w.set(func() {
		if w.applied >= 5 {
			t.Errorf("five lists were put in force %d times", w.applied)
		}
	})

	// A reload applies new templates to what was found before, without asking.
	if err := w.reload(strings.Replace(text, "max: 5 }", "max: 6 }", 1)); err != nil {
		t.Fatal(err)
	}
	if got := w.policies(); got[web] != 8 || got[early] != 2 {
		t.Errorf("after a reload: %v", got)
	}

	label(t, web, "enable=false")
	w.want("disabled", map[string]int{web: 0})
	label(t, web, "enable=true")
	w.want("enabled", map[string]int{web: 8})
	dockerCLI(t, "service", "rm", web)
	w.want("it vanishes", map[string]int{web: 0, early: 2})

	if err := w.reload("policies: [ { name: a, max: 2, targets: [ { name: b, process: { command: [sleep, '9'] } } ] } ]"); err != nil {
		t.Fatal(err)
	}
	w.want("no discovery any more", map[string]int{early: 0})
	if s := w.manager.Statuses(); len(s) != 0 {
		t.Errorf("discoveries %v, want none", s)
	}
}

// TestOutage: the server starts without its Engine, takes what it finds once
// that is there, and keeps it when it is gone again.
func TestOutage(t *testing.T) {
	t.Parallel()
	g := newGate(t, realtest.Swarm(t))
	web := unique()
	create(t, web, "enable=true", "max=3")
	text := fmt.Sprintf(`
policies: [ { name: configured, max: 2, targets: [ { name: b, process: { command: [sleep, '9'] } } ] } ]
discovery:
  - { name: swarm, docker_services: { host: %q }, refresh_interval: 1h }
`, g.host())
	w := newWorld(t, text) // nobody listens there yet
	names := func() (out []string) {
		w.set(func() {
			for _, p := range w.inForce.Policies {
				out = append(out, p.Name)
			}
		})
		return out
	}
	if diff := cmp.Diff([]string{"configured"}, names()); diff != "" {
		t.Errorf("without an Engine (-want +got):\n%s", diff)
	}
	status := w.manager.Statuses()[0]
	if status.LastError == nil || status.Failures == 0 || !status.LastSuccess.IsZero() {
		t.Errorf("status %+v", status)
	}
	if got := value(t, w.reg, "alertscaler_discovery_last_success_timestamp_seconds"); got != 0 {
		t.Errorf("last success %g, want 0: never", got)
	}
	g.open() // It is tried again before the hour is over.
	w.want("the Engine comes", map[string]int{web: 3})
	if !strings.Contains(w.log(), "discovery works again") {
		t.Error("nobody was told that it works")
	}

	g.shut()
	if err := w.reload(strings.Replace(text, "1h", "100ms", 1)); err != nil {
		t.Fatal(err)
	}
	failures := value(t, w.reg, "alertscaler_discovery_failures_total")
	more := func() {
		t.Helper()
		realtest.Eventually(t, soon, 50*time.Millisecond, "three failures more", func() error {
			if n := value(t, w.reg, "alertscaler_discovery_failures_total"); n < failures+3 {
				return fmt.Errorf("%g after %g", n, failures)
			}
			return nil
		})
	}
	more()
	// Another discovery of the name keeps what its predecessor had found.
	other := strings.Replace(strings.Replace(text, "1h", "100ms", 1), `docker.sock"`, `./docker.sock"`, 1)
	if err := w.reload(other); err != nil {
		t.Fatal(err)
	}
	failures = value(t, w.reg, "alertscaler_discovery_failures_total")
	more()
	if got := w.policies(); got[web] != 3 {
		t.Errorf("during the outage: %v", got)
	}
	if got := value(t, w.reg, "alertscaler_discovery_targets"); got < 1 {
		t.Errorf("%g targets, want what was found before", got)
	}
	if got := strings.Count(w.log(), "discovery fails, what was found before stays"); got > 3 {
		t.Errorf("failures of one reason were logged %d times", got)
	}
}

// value is that of the only series of a metric.
func value(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name && len(f.Metric) == 1 {
			return f.Metric[0].GetGauge().GetValue() + f.Metric[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("%s has not one series", name)
	return 0
}

// TestRefusedAtFirst: what cannot be put in force is tried again.
func TestRefusedAtFirst(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	w := newWorld(t, fmt.Sprintf("discovery: [ { name: swarm, docker_services: { host: %q }, refresh_interval: 100ms } ]", host))
	web := unique()
	w.set(func() { w.refuse = errors.New("no client can be built") })
	create(t, web, "enable=true", "max=3")
	realtest.Eventually(t, soon, 50*time.Millisecond, "it is refused twice", func() error {
		if n := strings.Count(w.log(), "cannot be put in force, trying again"); n < 2 {
			return fmt.Errorf("%d times", n)
		}
		return nil
	})
	if got := w.policies(); got[web] != 0 {
		t.Errorf("in force: %v", got)
	}
	if _, err := w.LastReload(); err != nil {
		t.Errorf("a refresh is taken for a reload: %v", err)
	}
	w.set(func() { w.refuse = nil })
	w.want("it is in force after all", map[string]int{web: 3})
}

// TestMetrics are named as they should be, and there from the start.
func TestMetrics(t *testing.T) {
	t.Parallel()
	g := newGate(t, realtest.Docker(t))
	w := newWorld(t, fmt.Sprintf("discovery: [ { name: swarm, docker_services: { host: %q } } ]", g.host()))
	if problems, err := testutil.GatherAndLint(w.reg); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	families, err := w.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range families {
		if name, ok := strings.CutPrefix(f.GetName(), "alertscaler_discovery_"); ok {
			got = append(got, name)
		}
	}
	if want := []string{"failures_total", "last_success_timestamp_seconds", "problems", "refreshes_total", "targets"}; !slices.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
}
