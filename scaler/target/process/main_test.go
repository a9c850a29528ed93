package process

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// worker is the path of the replica program, built once by TestMain.
var worker string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if cmd := os.Getenv(superviseEnv); cmd != "" {
		return supervise(cmd)
	}
	realtest.Parallel(4)
	dir, err := os.MkdirTemp("", "process-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if worker, err = targettest.BuildWorker(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// superviseEnv makes the test binary a server of its own: three replicas of
// the worker that it names, and their pids on standard output.
const superviseEnv = "ALERTSCALER_TEST_SUPERVISE"

func supervise(command string) int {
	cfg := NewConfig().(*Config)
	cfg.Command = []string{command, "--ignore-sigterm"}
	p := newPool(*cfg, target.Options{Policy: "web", Name: "local"})
	if err := p.Scale(context.Background(), 3); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		if all := pids(p); len(all) == 3 {
			fmt.Println(strings.Trim(fmt.Sprint(all), "[]"))
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	select {}
}

// webConfig is that of a worker with a port and a probe.
func webConfig(args ...string) *Config {
	cfg := NewConfig().(*Config)
	cfg.Command = append([]string{worker, "--addr=127.0.0.1:{port}"}, args...)
	cfg.Ready = &ReadyConfig{
		HTTPPath: "/healthz",
		Interval: model.Duration(100 * time.Millisecond),
		Timeout:  model.Duration(time.Second),
	}
	return cfg
}

// open builds a pool that the test's end closes.
func open(t *testing.T, cfg *Config, o target.Options) *pool {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	if o.Policy == "" {
		o.Policy, o.Name, o.ScaleTarget = "web", "local", "shop_web"
	}
	if o.Logger == nil {
		o.Logger = log.NewLogfmtLogger(log.NewSyncWriter(testWriter{t}))
	}
	tgt, err := cfg.New(o)
	if err != nil {
		t.Fatal(err)
	}
	p := tgt.(*pool)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// scale asks for n replicas.
func scale(t *testing.T, p *pool, n int) {
	t.Helper()
	if err := p.Scale(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for cond.
func eventually(t *testing.T, within time.Duration, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !cond(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// converge waits until as many replicas are ready as requested.
func converge(t *testing.T, p *pool) {
	t.Helper()
	eventually(t, 30*time.Second, "as many ready as requested", func() bool {
		st, err := p.Current(context.Background())
		return err == nil && st.Ready == st.Requested
	})
}

// pids returns those of the replicas that run, by age.
func pids(p *pool) []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []int
	for _, r := range p.replicas {
		if r.pid != 0 {
			all = append(all, r.pid)
		}
	}
	return all
}

// post tells a worker something.
func post(t *testing.T, endpoint, path string) {
	t.Helper()
	resp, err := http.Post("http://"+endpoint+path, "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// testWriter is the log of the test.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(bytes.TrimRight(p, "\n")))
	return len(p), nil
}

// buffer is a bytes.Buffer that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
