package docker

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// TestKinds has the Engine answer badly, and looks at what becomes of it.
func TestKinds(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	name := createService(t, api, idleSpec(t))
	for _, test := range []struct {
		name  string
		fault func(http.ResponseWriter, *http.Request) bool
		want  target.Kind
		says  string
	}{
		{"bad request", answers(400, "no such option"), target.KindPermanent, "no such option"},
		{"unauthorized", answers(401, "who are you"), target.KindUnauthorized, "who are you"},
		{"forbidden", answers(403, "denied by policy"), target.KindUnauthorized, "denied by policy"},
		{"not found", answers(404, "no such service"), target.KindNotFound, "no such service"},
		{"conflict", answers(409, "in progress"), target.KindConflict, "in progress"},
		{"too many requests", answers(429, "slow down"), target.KindThrottled, "slow down"},
		{"internal", answers(500, "driver failed"), target.KindTemporary, "driver failed"},
		{"not implemented", answers(501, "not here"), target.KindPermanent, "not here"},
		{"no swarm manager", answers(503, "This node is not a swarm manager."), target.KindTemporary, "not a swarm manager"},
		{"a proxy's page", func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "<h1>Bad Gateway</h1>", http.StatusBadGateway)
			return true
		}, target.KindTemporary, "Bad Gateway"},
		{"not JSON", func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/_ping") {
				return false
			}
			_, _ = w.Write([]byte("<html>"))
			return true
		}, target.KindTemporary, "invalid character"},
		{"cut", cut, target.KindTemporary, "EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// From the first request on, and once the service was read.
			for _, fault := range []func(http.ResponseWriter, *http.Request) bool{
				test.fault,
				func(w http.ResponseWriter, r *http.Request) bool {
					return (strings.HasSuffix(r.URL.Path, "/update") || strings.HasSuffix(r.URL.Path, "/tasks")) && test.fault(w, r)
				},
			} {
				s := open(t, &ServiceConfig{Name: name, HostConfig: HostConfig{Host: faulty(t, host, fault)}})
				_, err := s.Current(t.Context())
				for _, err := range []error{err, s.Scale(t.Context(), 4)} {
					e, ok := errors.AsType[*target.Error](err)
					if target.KindOf(err) != test.want || !ok ||
						!strings.Contains(err.Error(), test.says) || !strings.Contains(e.Op, name) {
						t.Errorf("%v (kind %q), want kind %q, %q, and the service named", err, target.KindOf(err), test.want, test.says)
					}
				}
			}
		})
	}
}

// TestNoAnswers has the Engine, or what is before it, answer 200 with what is no
// answer. None of it is a number, or a reason to give up.
func TestNoAnswers(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	service, template := createService(t, api, idleSpec(t)), runContainer(t, api, containerOptions(t))
	for _, body := range []string{"", "null", "{}", "<html>Sign in</html>", `{"ID":"x","Name":"/x","Spec":{"Name":"` + service + `"`, `[{"ID":`} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			for _, at := range []string{"/services/" + service, "/tasks", "/nodes", "/services", "/containers/" + template + "/json", "/containers/json"} {
				h := HostConfig{Host: faulty(t, host, func(w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.URL.Path, at) {
						return false
					}
					w.Header().Set("Content-Type", "application/json")
					_, err := w.Write([]byte(body))
					return err == nil
				})}
				var err error
				discover := func(cfg target.DiscoveryConfig) {
					d, newErr := cfg.New(target.Options{})
					if newErr != nil {
						t.Fatal(newErr)
					}
					defer func() { _ = d.(target.Closer).Close() }()
					_, err = d.Discover(t.Context())
				}
				switch {
				case at == "/services":
					discover(&ServicesConfig{HostConfig: h})
				case strings.HasPrefix(at, "/containers"):
					_, err = open(t, &ContainerConfig{Template: template, HostConfig: h}).Current(t.Context())
					if at == "/containers/json" {
						discover(&ContainersConfig{HostConfig: h})
					}
				case at == "/nodes":
					err = open(t, &ServiceConfig{Name: service, HostConfig: h}).Scale(t.Context(), 3)
				default:
					_, err = open(t, &ServiceConfig{Name: service, HostConfig: h}).Current(t.Context())
				}
				if target.KindOf(err) != target.KindTemporary || !strings.Contains(err.Error(), "HTTP status 200") {
					t.Errorf("%q for %s: %v (kind %q), want kind temporary and the status", body, at, err, target.KindOf(err))
				}
			}
		})
	}
}

// TestRetryAfter: whoever answers says when to come back.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	name := createService(t, dockerd(t, host), idleSpec(t))
	for _, status := range []int{409, 429, 503} {
		for _, at := range []string{"/" + name, "/update"} {
			s := open(t, &ServiceConfig{Name: name, HostConfig: HostConfig{Host: faulty(t, host, func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, at) {
					return false
				}
				w.Header().Set("Retry-After", "7")
				return answers(status, "not now")(w, r)
			})}})
			if err := s.Scale(t.Context(), 3); target.RetryAfter(err) != 7*time.Second {
				t.Errorf("%v: after %v, want the 7s of the answer", err, target.RetryAfter(err))
			}
		}
	}
}

// TestEngineComesBack uses one target before, during and after an outage.
func TestEngineComesBack(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	var down atomic.Bool
	down.Store(true)
	proxied := faulty(t, host, func(w http.ResponseWriter, r *http.Request) bool { return down.Load() && cut(w, r) })
	s := open(t, &ServiceConfig{Name: createService(t, api, idleSpec(t)), HostConfig: HostConfig{Host: proxied}})
	for _, outage := range []bool{true, false, true, false} {
		down.Store(outage)
		_, err := s.Current(t.Context())
		if outage && target.KindOf(err) != target.KindTemporary || !outage && err != nil {
			t.Errorf("outage %v: %v (kind %s)", outage, err, target.KindOf(err))
		}
	}
	accepts(t, s, 2)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	never := func(http.ResponseWriter, *http.Request) bool { return false }
	socket := realtest.Swarm(t)
	srv := httptest.NewTLSServer(engineHandler(t, socket, never))
	t.Cleanup(srv.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	name := createService(t, dockerd(t, socket), idleSpec(t))
	host := strings.Replace(srv.URL, "https://", "tcp://", 1)

	cfg := &ServiceConfig{Name: name, HostConfig: HostConfig{Host: host, TLSConfig: &config.TLSConfig{CAFile: "ca.pem"}}}
	cfg.SetDirectory(filepath.Dir(ca))
	trusting := open(t, cfg)
	accepts(t, trusting, 2)
	if st := current(t, trusting); st.Requested != 2 {
		t.Errorf("Current = %+v, want the 2 asked for", st)
	}

	distrusting := open(t, &ServiceConfig{Name: name, HostConfig: HostConfig{Host: host, TLSConfig: &config.TLSConfig{}}})
	if _, err := distrusting.Current(t.Context()); target.KindOf(err) != target.KindPermanent || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without the CA: %v (kind %s)", err, target.KindOf(err))
	}
}

// TestClientsAreShared counts the clients of several targets.
func TestClientsAreShared(t *testing.T) {
	t.Parallel()
	var clients Clients
	ca := filepath.Join(t.TempDir(), "ca.pem")
	renew := func() {
		srv := httptest.NewTLSServer(nil)
		defer srv.Close()
		raw := append([]byte(time.Now().String()+"\n"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})...)
		if err := os.WriteFile(ca, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	renew()
	local := HostConfig{Host: "unix:///nowhere.sock"}
	remote := HostConfig{Host: "tcp://10.0.0.1:2376", TLSConfig: &config.TLSConfig{CAFile: ca}}
	var targets []target.Target
	for _, cfg := range []target.Config{
		&ServiceConfig{Name: "a", HostConfig: local, clients: &clients},
		&ServiceConfig{Name: "b", HostConfig: local, clients: &clients},
		&ContainerConfig{Template: "c", HostConfig: local, clients: &clients},
		&ServiceConfig{Name: "d", HostConfig: remote, clients: &clients},
	} {
		targets = append(targets, build(t, cfg))
	}
	if n := clients.pool.Len(); n != 2 {
		t.Errorf("%d clients of two engines", n)
	}
	before := remote.FilesSum()
	renew()
	if remote.FilesSum() == before || local.FilesSum() != (&HostConfig{Host: local.Host}).FilesSum() {
		t.Error("FilesSum does not tell that the CA was renewed, and nothing else")
	}
	targets = append(targets, build(t, &ServiceConfig{Name: "e", HostConfig: remote, clients: &clients}))
	if n := clients.pool.Len(); n != 3 {
		t.Errorf("%d clients after the CA was renewed, want 3", n)
	}
	for _, tgt := range targets {
		if err := tgt.(target.Closer).Close(); err != nil {
			t.Error(err)
		}
	}
	if n := clients.pool.Len(); n != 0 {
		t.Errorf("%d clients after all targets were closed", n)
	}
}
