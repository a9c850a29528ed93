//go:build unix

package process

import (
	"net"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/target"
)

func TestDeadReplicaIsStartedAgain(t *testing.T) {
	t.Parallel()
	p := open(t, webConfig(), target.Options{})
	scale(t, p, 2)
	converge(t, p)
	victim, endpoints := pids(p)[0], p.Endpoints()
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "another process takes the place", func() bool {
		now := pids(p)
		return len(now) == 2 && !slices.Contains(now, victim)
	})
	converge(t, p)
	if got := p.Endpoints(); !slices.Equal(got, endpoints) {
		t.Errorf("endpoints = %v, want %v: a replica that was ready keeps its port", got, endpoints)
	}
	if p.restarts != 1 {
		t.Errorf("restarts = %d, want 1", p.restarts)
	}
}

// TestCrashLoopBacksOff counts the starts of a command that ends at once: at
// 0, 0.1, 0.3, 0.7, 1.5 s, give or take a fifth.
func TestCrashLoopBacksOff(t *testing.T) {
	t.Parallel()
	cfg := NewConfig().(*Config)
	cfg.Command = []string{"false"}
	p := open(t, cfg, target.Options{})
	scale(t, p, 1)
	time.Sleep(2 * time.Second)
	p.mu.Lock()
	restarts := p.restarts
	p.mu.Unlock()
	if restarts < 2 || restarts > 5 {
		t.Errorf("%d restarts in 2 s, want 3 or 4", restarts)
	}
	st, err := p.Current(t.Context())
	if err != nil || st.Requested != 1 || st.Ready != 0 {
		t.Errorf("Current = %+v, %v, want 1 requested and none ready", st, err)
	}
	start := time.Now()
	scale(t, p, 0)
	if took := time.Since(start); took > time.Second {
		t.Errorf("Scale took %v", took)
	}
}

func TestProgramThatVanishes(t *testing.T) {
	t.Parallel()
	cfg := NewConfig().(*Config)
	cfg.Command = []string{"./worker"}
	cfg.Dir = t.TempDir()
	path := cfg.Dir + "/worker"
	cp(t, worker, path)
	var logged buffer
	p := open(t, cfg, target.Options{Logger: log.NewLogfmtLogger(&logged)})
	rm(t, path)
	scale(t, p, 1)
	eventually(t, 5*time.Second, "the log says why", func() bool {
		return strings.Contains(logged.String(), "no such file or directory")
	})
	cp(t, worker, path)
	converge(t, p)
}

func TestUnreadyReplicaDoesNotCount(t *testing.T) {
	t.Parallel()
	p := open(t, webConfig(), target.Options{})
	scale(t, p, 2)
	converge(t, p)
	bad := p.Endpoints()[0]
	ready := func() int { st, _ := p.Current(t.Context()); return st.Ready }
	post(t, bad, "/unhealthy")
	eventually(t, 10*time.Second, "one of two is ready", func() bool { return ready() == 1 })
	if got := p.Endpoints(); len(got) != 2 {
		t.Errorf("endpoints = %v, want the unready replica among them", got)
	}
	// It is the one to go, although it may be the older one.
	scale(t, p, 1)
	if got := p.Endpoints(); len(got) != 1 || got[0] == bad {
		t.Errorf("endpoints = %v, want the replica other than %s", got, bad)
	}
	converge(t, p)
}

func TestNewestGoesFirst(t *testing.T) {
	t.Parallel()
	p := open(t, webConfig(), target.Options{})
	scale(t, p, 3)
	converge(t, p)
	before := pids(p)
	scale(t, p, 1)
	eventually(t, 10*time.Second, "only the oldest is left", func() bool {
		return slices.Equal(pids(p), before[:1])
	})
}

func TestStopTimeout(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		args        []string
		stopTimeout time.Duration
		min, max    time.Duration
	}{
		{"obeys SIGTERM", nil, 10 * time.Second, 0, 5 * time.Second},
		{"takes its time", []string{"--stop-delay=700ms"}, 10 * time.Second, 700 * time.Millisecond, 5 * time.Second},
		{"ignores SIGTERM", []string{"--ignore-sigterm"}, time.Second, time.Second, 6 * time.Second},
		{"gets no time", []string{"--ignore-sigterm"}, 0, 0, 5 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := webConfig(test.args...)
			cfg.StopTimeout = model.Duration(test.stopTimeout)
			p := open(t, cfg, target.Options{})
			scale(t, p, 1)
			converge(t, p)
			start := time.Now()
			scale(t, p, 0)
			if took := time.Since(start); took > time.Second {
				t.Errorf("Scale took %v, it must not wait for the drain", took)
			}
			if st, _ := p.Current(t.Context()); st.Requested != 0 || st.Ready != 0 || len(p.Endpoints()) != 0 {
				t.Errorf("while draining: %+v, endpoints %v, want none", st, p.Endpoints())
			}
			eventually(t, test.max, "the process is gone", func() bool { return len(pids(p)) == 0 })
			if took := time.Since(start); took < test.min {
				t.Errorf("gone after %v, want at least %v", took, test.min)
			}
		})
	}
}

// TestGrandchildrenGoToo stops a wrapper whose child ignores SIGTERM, and one
// that dies on its own.
func TestGrandchildrenGoToo(t *testing.T) {
	t.Parallel()
	childPID := regexp.MustCompile(`child pid=(\d+)`)
	for _, crash := range []bool{false, true} {
		var logged buffer
		cfg := webConfig("--child")
		cfg.StopTimeout = model.Duration(500 * time.Millisecond)
		p := open(t, cfg, target.Options{Logger: log.NewLogfmtLogger(&logged)})
		scale(t, p, 1)
		converge(t, p)
		eventually(t, 5*time.Second, "the child's pid is logged", func() bool {
			return childPID.MatchString(logged.String())
		})
		child, _ := strconv.Atoi(childPID.FindStringSubmatch(logged.String())[1])
		if syscall.Kill(child, 0) != nil {
			t.Fatalf("child %d does not run", child)
		}
		if crash {
			_ = syscall.Kill(pids(p)[0], syscall.SIGKILL)
		} else {
			scale(t, p, 0)
		}
		eventually(t, 5*time.Second, "the child is gone", func() bool { return syscall.Kill(child, 0) != nil })
	}
}

// TestWrapperMayGoFirst drains a shell that dies of SIGTERM at once and whose
// program needs a moment: the program gets it.
func TestWrapperMayGoFirst(t *testing.T) {
	t.Parallel()
	const needs = 700 * time.Millisecond
	cfg := NewConfig().(*Config)
	cfg.Command = []string{"sh", "-c", `"$0" --stop-delay=700ms --addr=127.0.0.1:{port} & wait`, worker}
	cfg.Ready = webConfig().Ready
	p := open(t, cfg, target.Options{})
	scale(t, p, 1)
	converge(t, p)
	start := time.Now()
	scale(t, p, 0)
	eventually(t, 5*time.Second, "all is gone", func() bool { return len(pids(p)) == 0 })
	if took := time.Since(start); took < needs {
		t.Errorf("the program was killed after %v, it needs %v", took, needs)
	}
}

func TestPortsAreNotShared(t *testing.T) {
	t.Parallel()
	var p ports
	seen := make(map[int]bool)
	for range 500 {
		port, err := p.take()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Fatalf("port %d was given twice", port)
		}
		seen[port] = true
	}
}

// TestPortTakenBySomeoneElse has another process bind the port between its
// being picked and being used.
func TestPortTakenBySomeoneElse(t *testing.T) {
	t.Parallel()
	p := open(t, webConfig(), target.Options{})
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	r := newReplica(p, 0, 1)
	r.port = ln.Addr().(*net.TCPAddr).Port
	if _, err := r.runOnce(); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Fatalf("runOnce = %v, want the worker to end as its port is taken", err)
	}
	if r.port != 0 {
		t.Errorf("port = %d, want another one to be picked next", r.port)
	}
}

func TestFiftyReplicas(t *testing.T) {
	t.Parallel()
	const n = 50
	reg := prometheus.NewPedanticRegistry()
	p := open(t, webConfig(), target.Options{Registerer: reg})
	scale(t, p, n)
	converge(t, p)
	endpoints := p.Endpoints()
	if len(slices.Compact(endpoints)) != n || !slices.IsSorted(endpoints) {
		t.Errorf("%d different endpoints, sorted %v, want %d, sorted", len(endpoints), slices.IsSorted(endpoints), n)
	}
	start := time.Now()
	if _, err := reg.Gather(); err != nil {
		t.Error(err)
	}
	t.Logf("scrape of %d replicas: %v", n, time.Since(start))
	scale(t, p, 3)
	eventually(t, 30*time.Second, "three are left", func() bool { return len(pids(p)) == 3 })
	converge(t, p)
}

// TestCloseLeavesNothing looks for processes, zombies and goroutines. It runs
// alone, as goroutines of other tests would count.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	var all []int
	for range 3 {
		cfg := webConfig("--child")
		cfg.StopTimeout = model.Duration(300 * time.Millisecond)
		p := newPool(*cfg, target.Options{Policy: "web", Name: "local"})
		scale(t, p, 4)
		converge(t, p)
		all = append(all, pids(p)...)
		scale(t, p, 1)
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		if err := p.Scale(t.Context(), 2); target.KindOf(err) != target.KindPermanent {
			t.Errorf("Scale after Close: %v, want a permanent error", err)
		}
	}
	for _, pid := range all {
		// Signal 0 reaches a zombie too.
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d is still there", pid)
		}
	}
	if out, _ := exec.Command("pgrep", "-P", strconv.Itoa(syscall.Getpid())).Output(); strings.TrimSpace(string(out)) != "" {
		// pgrep itself is not listed.
		t.Errorf("children left: %s", out)
	}
	eventually(t, 5*time.Second, "goroutines are gone", func() bool { return runtime.NumGoroutine() <= before+2 })
}

func TestRestore(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		requested int
		known     bool
		max, want int
	}{
		{"the number last requested", 2, true, 0, 2},
		{"nothing known", 7, false, 0, 0},
		{"zero requested", 0, true, 0, 0},
		{"a limit that came later", 5, true, 2, 2},
		{"nonsense", -1, true, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := webConfig()
			cfg.MaxReplicas = test.max
			p := open(t, cfg, target.Options{})
			if err := p.Restore(t.Context(), test.requested, test.known); err != nil {
				t.Fatal(err)
			}
			st, err := p.Current(t.Context())
			if err != nil || st.Requested != test.want || !st.LastChange.IsZero() {
				t.Errorf("Current = %+v, %v, want %d requested at an unknown time", st, err, test.want)
			}
			converge(t, p)
		})
	}
}
