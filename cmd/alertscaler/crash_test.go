package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// gate stands between Alertscaler and the real Docker Engine and can stop an
// update of a service on its way there or on its way back.
type gate struct {
	host string // for the configuration

	mu      sync.Mutex // guards what follows
	mode    string     // "", "before", "after" or "refuse"
	reached chan struct{}
	updates int // that reached the Engine
}

func newGate(t *testing.T, dockerHost string) *gate {
	t.Helper()
	u, err := url.Parse(dockerHost)
	if err != nil {
		t.Fatal(err)
	}
	network, address := u.Scheme, u.Host
	if network == "unix" {
		address = u.Path
	}
	g := &gate{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "docker" },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/update") {
			proxy.ServeHTTP(w, r)
			return
		}
		// A server notices that its client is gone only once it has read the
		// whole request.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mode, reached := g.now()
		if mode == "refuse" {
			// As an authorization plugin of the Engine does.
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"authorization denied by plugin quota: no more replicas"}`)
			return
		}
		if mode == "before" {
			close(reached)
			<-r.Context().Done()
			return
		}
		// The Engine is to answer even where the client is dead by then.
		rec := httptest.NewRecorder()
		proxy.ServeHTTP(rec, r.WithContext(context.WithoutCancel(r.Context())))
		g.count()
		if mode == "after" {
			close(reached)
			<-r.Context().Done()
			return
		}
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}))
	t.Cleanup(srv.Close)
	g.host = "tcp://" + strings.TrimPrefix(srv.URL, "http://")
	return g
}

// set changes the mode; the channel is closed once an update is held.
func (g *gate) set(mode string) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mode, g.reached = mode, make(chan struct{})
	return g.reached
}

func (g *gate) now() (string, chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mode, g.reached
}

func (g *gate) count() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.updates++
}

func (g *gate) reachedEngine() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.updates
}

// worker is the image of idle workers, empty until it is built.
var worker struct {
	sync.Mutex
	image string
}

// workerImage builds the image of idle workers once for all tests.
func workerImage(t *testing.T) string {
	t.Helper()
	worker.Lock()
	defer worker.Unlock()
	if worker.image == "" {
		worker.image = realtest.StaticImage(t, "alertscaler-worker", targettest.WorkerPackage)
	}
	return worker.image
}

// swarmService creates a service of idle workers and removes it in the end.
func swarmService(t *testing.T, args ...string) string {
	t.Helper()
	image := workerImage(t)
	name := fmt.Sprintf("acceptance-%d", time.Now().UnixNano())
	docker(t, append(append([]string{"service", "create", "--detach", "--no-resolve-image", "--name", name}, args...), image, "--addr=:8080")...)
	t.Cleanup(func() { docker(t, "service", "rm", name) })
	return name
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func serviceReplicas(t *testing.T, name string) string {
	t.Helper()
	return docker(t, "service", "inspect", "--format", "{{.Spec.Mode.Replicated.Replicas}}", name)
}

// TestKilledInTheMiddleOfAnAction: SIGKILL between the ledger's write and the
// platform's call, and between the call and its outcome. The count ends right
// and the step is not taken twice.
func TestKilledInTheMiddleOfAnAction(t *testing.T) {
	host := realtest.Swarm(t)
	for _, tc := range []struct {
		where   string
		atKill  string // what the Engine has when the server dies
		updates int    // that reach the Engine altogether
	}{
		{"before", "1", 1},
		{"after", "2", 1},
	} {
		t.Run(tc.where+" the call", func(t *testing.T) {
			t.Parallel()
			g := newGate(t, host)
			name := swarmService(t)
			// The cooldown is longer than the test: a second step would be
			// the delta repeated.
			s := startServer(t, fmt.Sprintf(`
global: { evaluation_interval: 500ms }
policies:
  - name: web
    min: 1
    max: 10
    scale_up: { cooldown: 10m }
    targets:
      - name: swarm
        docker_service: { name: %s, host: %s }
`, name, g.host))
			s.eventually(30*time.Second, "one replica", "web", replicas(1))

			held := g.set(tc.where)
			s.fire("up", "web")
			select {
			case <-held:
			case <-time.After(20 * time.Second):
				t.Fatal("the Engine was not called")
			}
			s.Kill()
			if got := serviceReplicas(t, name); got != tc.atKill {
				t.Errorf("at the kill the service has %s replicas, want %s", got, tc.atKill)
			}
			g.set("")
			s.restart()

			s.eventually(40*time.Second, "two replicas", "web", replicas(2))
			s.eventually(10*time.Second, "the cooldown holds", "web", func(st status.Policy) error {
				if st.AlertsUp != 1 || st.Last.Reason != policy.ReasonCoolingDown {
					return fmt.Errorf("%d alerts; %s", st.AlertsUp, st.Explanation)
				}
				return nil
			})
			until := s.policy("web").CooldownUpUntil

			// And once more, in the middle of nothing: what is left of the
			// cooldown is what was left before.
			s.Kill()
			s.restart()
			if got := s.policy("web").CooldownUpUntil; !got.Equal(until) {
				t.Errorf("the cooldown ends at %s, before the restart at %s", got, until)
			}
			time.Sleep(3 * time.Second)
			if got := serviceReplicas(t, name); got != "2" {
				t.Errorf("the service ends with %s replicas, want 2", got)
			}
			if got := g.reachedEngine(); got != tc.updates {
				t.Errorf("%d updates reached the Engine, want %d", got, tc.updates)
			}
		})
	}
}
