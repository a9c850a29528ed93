package process

import (
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// series maps "name{replica}" or "name{replica,resource}" to values.
func series(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				switch name := l.GetName(); name {
				case "replica", "resource":
					labels = append(labels, l.GetValue())
				case "policy", "scale_target":
					if want := map[string]string{"policy": "web", "scale_target": "shop_web"}[name]; l.GetValue() != want {
						t.Errorf("%s: %s=%q, want %s", f.GetName(), name, l.GetValue(), want)
					}
				}
			}
			all[f.GetName()+"{"+strings.Join(labels, ",")+"}"] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return all
}

func TestCollector(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	cfg := webConfig("--burn")
	cfg.Capacity = Capacity{CPU: 0.5, Memory: 64 << 20}
	p := open(t, cfg, target.Options{Registerer: reg})
	if n, err := testutil.GatherAndCount(reg); n != 1 || err != nil {
		t.Errorf("%d series before the first request, %v, want that of recovered panics alone", n, err)
	}
	scale(t, p, 2)
	converge(t, p)
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}

	// A loop uses no more than a core, and however busy the machine is, a
	// tenth of a second sooner or later.
	const cpu = "alertscaler_replica_cpu_seconds_total"
	before, start := series(t, reg), time.Now()
	after := before
	for time.Since(start) < 30*time.Second && (after[cpu+"{0}"] < before[cpu+"{0}"]+0.1 || after[cpu+"{1}"] < before[cpu+"{1}"]+0.1) {
		time.Sleep(500 * time.Millisecond)
		after = series(t, reg)
	}
	took := time.Since(start).Seconds()
	for _, r := range []string{"0", "1"} {
		cpu := cpu + "{" + r + "}"
		if grown := after[cpu] - before[cpu]; grown < 0.1 || grown/took > 1.3 {
			t.Errorf("%s grew by %v in %v s, want that of a loop on a shared CPU", cpu, grown, took)
		}
		if rss := after["alertscaler_replica_resident_memory_bytes{"+r+"}"]; rss < 1<<20 || rss > 200<<20 {
			t.Errorf("resident memory %v, want that of a small Go program", rss)
		}
		started := after["alertscaler_replica_start_time_seconds{"+r+"}"]
		if age := float64(time.Now().UnixNano())/1e9 - started; age < 0 || age > 120 {
			t.Errorf("started %v seconds ago", age)
		}
		for name, want := range map[string]float64{
			"alertscaler_replica_ready{" + r + "}":           1,
			"alertscaler_replica_capacity{" + r + ",cpu}":    0.5,
			"alertscaler_replica_capacity{" + r + ",memory}": 64 << 20,
			"alertscaler_process_restarts_total{}":           0,
		} {
			if got, ok := after[name]; !ok || got != want {
				t.Errorf("%s = %v (exported %v), want %v", name, got, ok, want)
			}
		}
		for _, name := range []string{
			"alertscaler_replica_network_bytes_total{" + r + "}",
			"alertscaler_replica_capacity{" + r + ",network}",
		} {
			if _, ok := after[name]; ok {
				t.Errorf("%s is exported, and nobody knows it", name)
			}
		}
	}

	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := testutil.GatherAndCount(reg); n != 1 || err != nil {
		t.Errorf("%d series after Close, %v, want that of recovered panics alone", n, err)
	}
	// A reload puts another in its place.
	q := open(t, cfg, target.Options{Registerer: reg})
	scale(t, q, 1)
}

// TestCollectorCountsChildren wants the CPU time of a child while it runs, and
// still after it was killed.
func TestCollectorCountsChildren(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	cfg := webConfig("--child")
	cfg.StopTimeout = model.Duration(300 * time.Millisecond)
	p := open(t, cfg, target.Options{Registerer: reg})
	scale(t, p, 1)
	converge(t, p)
	const cpu = "alertscaler_replica_cpu_seconds_total{0}"
	eventually(t, 30*time.Second, "the child's CPU time shows", func() bool { return series(t, reg)[cpu] > 0.5 })
	leader := pids(p)[0]
	groups, err := program.Groups()
	if err != nil || len(groups[leader]) != 2 {
		t.Fatalf("group %v, %v, want two processes", groups[leader], err)
	}
	before := series(t, reg)[cpu]
	for _, pid := range groups[leader] {
		if pid != leader {
			_ = exec.Command("kill", "-9", strconv.Itoa(pid)).Run()
		}
	}
	eventually(t, 5*time.Second, "the child is gone", func() bool {
		groups, _ := program.Groups()
		return len(groups[leader]) == 1
	})
	after := series(t, reg)[cpu]
	if after < before {
		t.Errorf("the counter went from %v to %v as the child ended", before, after)
	}
	// And when the replica itself is replaced.
	_ = exec.Command("kill", "-9", strconv.Itoa(leader)).Run()
	eventually(t, 10*time.Second, "the replica runs again", func() bool {
		now := pids(p)
		return len(now) == 1 && !slices.Contains(now, leader)
	})
	if again := series(t, reg)[cpu]; again < after {
		t.Errorf("the counter went from %v to %v over a restart", after, again)
	}
	if got := series(t, reg)["alertscaler_process_restarts_total{}"]; got != 1 {
		t.Errorf("restarts = %v, want 1", got)
	}
}

func TestCollectorDisk(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	cfg := webConfig()
	cfg.Env = map[string]string{"TMPDIR": t.TempDir()}
	p := open(t, cfg, target.Options{Registerer: reg})
	scale(t, p, 1)
	converge(t, p)
	const disk = "alertscaler_replica_disk_bytes_total{0}"
	before, ok := series(t, reg)[disk]
	if !ok {
		realtest.SkipOrFail(t, "needs a kernel that accounts I/O by process")
	}
	resp, err := http.Get("http://" + p.Endpoints()[0] + "/write?bytes=4194304")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if grown := series(t, reg)[disk] - before; grown != 0 && (grown < 4<<20 || grown > 64<<20) {
		t.Errorf("%v bytes after writing 4 MiB", grown)
	} else if grown == 0 {
		t.Log("the temporary directory is not on a disk")
	}
}

// TestCollectorNetwork runs replicas in network namespaces of their own.
func TestCollectorNetwork(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("unshare", "--net", "true").CombinedOutput(); err != nil {
		realtest.SkipOrFail(t, "needs network namespaces: %v %s", err, out)
	}
	reg := prometheus.NewPedanticRegistry()
	cfg := NewConfig().(*Config)
	cfg.Command = []string{"unshare", "--net", "sleep", "3600"}
	p := open(t, cfg, target.Options{Registerer: reg})
	scale(t, p, 2)
	converge(t, p)
	all := series(t, reg)
	for _, r := range []string{"0", "1"} {
		// Nothing but an idle loopback device is in there.
		if got, ok := all["alertscaler_replica_network_bytes_total{"+r+"}"]; !ok || got != 0 {
			t.Errorf("network bytes of replica %s = %v (exported %v), want 0", r, got, ok)
		}
	}
}

// TestCollectorDraining measures a replica for as long as it is there.
func TestCollectorDraining(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	p := open(t, webConfig("--stop-delay=2s"), target.Options{Registerer: reg})
	scale(t, p, 1)
	converge(t, p)
	scale(t, p, 0)
	scale(t, p, 1)
	all := series(t, reg)
	if ready, ok := all["alertscaler_replica_ready{0}"]; !ok || ready != 0 {
		t.Errorf("ready of the draining replica = %v (exported %v), want 0", ready, ok)
	}
	if _, ok := all["alertscaler_replica_cpu_seconds_total{0}"]; !ok {
		t.Error("the draining replica is not measured any more")
	}
	if _, ok := all["alertscaler_replica_ready{1}"]; !ok {
		t.Error("the new replica took the label of one that drains")
	}
}

// TestReload has a target open while the one it replaces still is, as a reload
// does: replicas run at once, and metrics follow when the names are free.
func TestReload(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	old := open(t, webConfig("--stop-delay=2s"), target.Options{Registerer: reg})
	scale(t, old, 1)
	converge(t, old)
	next := open(t, webConfig(), target.Options{Registerer: reg})
	if err := next.Restore(t.Context(), 2, true); err != nil {
		t.Fatal(err)
	}
	converge(t, next)
	if n := len(series(t, reg)); n == 0 {
		t.Error("the old target's metrics are gone before their time")
	}
	closed := make(chan error, 1)
	go func() { closed <- old.Close() }()
	eventually(t, time.Second, "the new target's metrics are there while the old one drains", func() bool {
		_, err := next.Current(t.Context())
		ready, ok := series(t, reg)["alertscaler_replica_ready{1}"]
		return err == nil && ok && ready == 1
	})
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// BenchmarkCollect scrapes a hundred replicas.
func BenchmarkCollect(b *testing.B) {
	reg := prometheus.NewRegistry()
	cfg := NewConfig().(*Config)
	cfg.Command = []string{"sleep", "3600"}
	p := newPool(*cfg, target.Options{Policy: "web", Name: "local", Registerer: reg})
	b.Cleanup(func() { _ = p.Close() })
	if err := p.Scale(b.Context(), 100); err != nil {
		b.Fatal(err)
	}
	for len(pids(p)) < 100 {
		time.Sleep(10 * time.Millisecond)
	}
	for b.Loop() {
		if _, err := reg.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
