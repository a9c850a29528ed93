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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

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
