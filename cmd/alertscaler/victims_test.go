package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// TestDockerVictims: of five containers of different load the two least busy
// go first, and then nobody, since the others are busy.
func TestDockerVictims(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	template := fmt.Sprintf("victims-%d", time.Now().UnixNano())
	docker(t, "run", "--detach", "--name", template, workerImage(t), "--addr=:8080")
	list := func() []string {
		return strings.Fields(docker(t, "ps", "--filter", "name="+template, "--format", "{{.Names}}"))
	}
	t.Cleanup(func() { docker(t, append([]string{"rm", "--force", "--volumes"}, list()...)...) })
	testVictims(t, "name", fmt.Sprintf("docker_container: { template: %s, host: %q, stop_timeout: 1s }", template, host), func() []string {
		return slices.DeleteFunc(list(), func(name string) bool { return strings.Contains(name, "-draining-") })
	})
}

// testKubernetesVictims is the same on a Deployment, whose pods the ReplicaSet
// controller deletes.
func testKubernetesVictims(t *testing.T, k *realtest.Kubernetes) {
	name := deployment(t, k)
	platform := fmt.Sprintf("kubernetes: { namespace: default, name: %s, kubeconfig: %q }", name, k.Kubeconfig(t, realtest.KubernetesAdmin+"-token"))
	testVictims(t, "pod", platform, func() (names []string) {
		var pods struct {
			Items []struct {
				Metadata struct {
					Name              string
					DeletionTimestamp *time.Time
				}
			}
		}
		k.Call(t, http.MethodGet, "/api/v1/namespaces/default/pods?labelSelector=app%3D"+name, nil, &pods)
		for _, p := range pods.Items {
			if p.Metadata.DeletionTimestamp == nil {
				names = append(names, p.Metadata.Name)
			}
		}
		return names
	})
}

// loads are a gauge for each replica that a test says how busy it is.
type loads struct {
	label string

	mu sync.Mutex // guards what follows
	of map[string]float64
}

func (l *loads) set(of map[string]float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of = of
}

// Describe implements prometheus.Collector: the metrics are not known before.
func (*loads) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (l *loads) Collect(ch chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	desc := prometheus.NewDesc("requests_in_flight", "How busy a replica is.", []string{l.label}, nil)
	for name, load := range l.of {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, load, name)
	}
}

// testVictims scales a target of one replica to five, makes each of these as
// busy as no other, and scales down by two.
func testVictims(t *testing.T, label, platform string, replicaNames func() []string) {
	busy := &loads{label: label}
	reg := prometheus.NewRegistry()
	reg.MustRegister(busy)
	exporter := httptest.NewServer(promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	t.Cleanup(exporter.Close)
	prom := realtest.StartPrometheus(t, realtest.PrometheusOptions{Config: fmt.Sprintf(`
global: { scrape_interval: 1s }
scrape_configs: [ { job_name: replicas, metrics_path: /, honor_labels: true, static_configs: [ { targets: ["%s"] } ] } ]
`, hostOf(exporter.URL))})
	s := startServer(t, fmt.Sprintf(`
global: { evaluation_interval: 1s }
prometheus: { url: %s }
policies:
  - name: web
    min: 1
    max: 5
    alert_step: { up: 4, down: 2 }
    scale_down: { cooldown: 1s }
    targets:
      - name: only
        victims: { query: 'sum by (%s) (requests_in_flight)', protect_above: 4 }
        %s
`, prom.URL, label, platform))
	s.eventually(time.Minute, "one replica", "web", replicas(1))
	s.fire("up", "web")
	s.eventually(2*time.Minute, "five replicas", "web", replicas(5))
	s.deliver("resolved", "up", "web")

	names := replicaNames()
	slices.Sort(names)
	if len(names) != 5 {
		t.Fatalf("the replicas are %v, want five", names)
	}
	// Nobody knows how busy they are, so nobody goes.
	s.fire("down", "web")
	s.eventually(time.Minute, "nobody may go", "web", func(st status.Policy) error {
		if n, _ := counts(st); n != 5 {
			return fmt.Errorf("%d are requested; %s", n, st.Explanation)
		}
		if !strings.Contains(st.Explanation, "nobody knows the load of 5") {
			return errors.New(st.Explanation)
		}
		return nil
	})
	busy.set(map[string]float64{names[0]: 5, names[1]: 1, names[2]: 9, names[3]: 2, names[4]: 7})
	want := []string{names[0], names[2], names[4]}
	s.eventually(2*time.Minute, "the two least busy have gone", "web", replicas(3))
	s.eventually(30*time.Second, "the busy stay", "web", func(st status.Policy) error {
		if st.Last.Reason != policy.ReasonBlocked || !strings.Contains(st.Explanation, "3 have a load above 4") {
			return errors.New(st.Explanation)
		}
		return nil
	})
	realtest.Eventually(t, time.Minute, 200*time.Millisecond, "three replicas are left", func() error {
		left := replicaNames()
		slices.Sort(left)
		if diff := cmp.Diff(want, left); diff != "" {
			return fmt.Errorf("left are (-want +got):\n%s", diff)
		}
		return nil
	})
	as := s.actions("web")
	if len(as) != 2 || as[1].State != ledger.Converged {
		t.Fatalf("the ledger has %+v, want one move up and one down", as)
	}
	if diff := cmp.Diff([]string{names[1], names[3]}, as[1].Victims); diff != "" {
		t.Errorf("victims in the ledger, the least busy first (-want +got):\n%s", diff)
	}
}
