package discovery

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target/install"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// soon is how long what a discovery of a second may take.
const soon = 30 * time.Second

// world is a manager and its coordinator, at work on a real Engine.
type world struct {
	t       *testing.T
	manager *Manager
	*config.Coordinator
	reg *prometheus.Registry

	mu       sync.Mutex // guards what follows
	text     string     // of the configuration
	inForce  *config.Config
	applied  int
	refuse   error
	messages bytes.Buffer
}

// Write takes the log.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.messages.Write(p)
}

func (w *world) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.messages.String()
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// policies are the names and max of the discovered policies in force.
func (w *world) policies() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[string]int)
	for name, p := range made(w.inForce) {
		out[name] = p.Max
	}
	return out
}

// newWorld loads text, which the test may change and load again, and runs the
// manager until the test ends.
func newWorld(t *testing.T, text string) *world {
	t.Helper()
	w := &world{t: t, text: text, reg: prometheus.NewPedanticRegistry()}
	logger := log.NewLogfmtLogger(w)
	platforms := install.Registry()
	w.Coordinator = config.NewCoordinator(func() (*config.Config, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return config.Load("test.yml", []byte(w.text), platforms)
	}, logger, w.reg, config.SubscriberFunc(func(_ context.Context, c *config.Config) (config.Change, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return config.Change{Apply: func() { w.set(func() { w.inForce = c; w.applied++ }) }}, w.refuse
	}))
	w.manager = New(Options{
		Refresh: w.Refresh, FirstTimeout: 3 * time.Second, Timeout: 3 * time.Second, Retry: 200 * time.Millisecond,
		Logger: logger, Registerer: w.reg,
	})
	w.ExtendBy(w.manager)
	if err := w.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.manager.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		w.manager.Close()
		if t.Failed() {
			t.Log(w.log())
		}
	})
	return w
}

func (w *world) reload(text string) error {
	w.set(func() { w.text = text })
	return w.Reload(w.t.Context())
}

// want waits for the max of each of the names, 0 for no policy.
func (w *world) want(what string, bounds map[string]int) {
	w.t.Helper()
	realtest.Eventually(w.t, soon, 50*time.Millisecond, what, func() error {
		got := w.policies()
		for name, n := range bounds {
			if got[name] != n {
				return fmt.Errorf("%s has max %d, want %d, of %v", name, got[name], n, got)
			}
		}
		return nil
	})
}

// problem waits for the first problem of a thing; empty: it has none.
func (w *world) problem(what, want string) {
	w.t.Helper()
	realtest.Eventually(w.t, soon, 50*time.Millisecond, "the problem of "+what, func() error {
		for _, s := range w.manager.Statuses() {
			for _, t := range s.Things {
				switch {
				case t.What != what:
				case len(t.Problems) == 0 && want == "":
					return nil
				case len(t.Problems) == 1 && want != "" && strings.Contains(t.Problems[0].String(), want):
					return nil
				default:
					return fmt.Errorf("%v", t.Problems)
				}
			}
		}
		return errors.New("it was not found")
	})
}

func dockerCLI(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// create makes a service without replicas and with these labels, that the
// test's end removes.
func create(t *testing.T, name string, labels ...string) {
	t.Helper()
	image := realtest.StaticImage(t, "alertscaler-worker", targettest.WorkerPackage)
	args := []string{"service", "create", "--detach", "--no-resolve-image", "--replicas=0", "--name", name}
	for _, l := range labels {
		args = append(args, "--label", "alertscaler."+l)
	}
	dockerCLI(t, append(args, image)...)
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "service", "rm", name).CombinedOutput(); err != nil && !strings.Contains(string(out), "not found") {
			t.Errorf("remove service: %v\n%s", err, out)
		}
	})
}

func label(t *testing.T, name string, labels ...string) {
	t.Helper()
	args := []string{"service", "update", "--detach", "--no-resolve-image"}
	for _, l := range labels {
		args = append(args, "--label-add", "alertscaler."+l)
	}
	dockerCLI(t, append(args, name)...)
}

func unique() string { return "disc-" + strings.ToLower(rand.Text()[:10]) }

// gate is the Engine's socket under another path, that can be closed.
type gate struct {
	t            *testing.T
	engine, path string

	mu    sync.Mutex
	ln    net.Listener
	conns []net.Conn
}

func newGate(t *testing.T, host string) *gate {
	t.Helper()
	path, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		realtest.SkipOrFail(t, "needs an Engine at a socket of this machine, not %s", host)
	}
	g := &gate{t: t, engine: path, path: filepath.Join(t.TempDir(), "docker.sock")}
	t.Cleanup(g.shut)
	return g
}

func (g *gate) host() string { return "unix://" + g.path }

func (g *gate) open() {
	g.t.Helper()
	ln, err := net.Listen("unix", g.path)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.ln = ln
	g.mu.Unlock()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("unix", g.engine)
			if err != nil {
				conn.Close()
				continue
			}
			g.mu.Lock()
			g.conns = append(g.conns, conn, up)
			g.mu.Unlock()
			go func() { _, _ = io.Copy(up, conn); up.Close() }()
			go func() { _, _ = io.Copy(conn, up); conn.Close() }()
		}
	}()
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ln != nil {
		g.ln.Close()
	}
	for _, c := range g.conns {
		c.Close()
	}
	g.ln, g.conns = nil, nil
}

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
