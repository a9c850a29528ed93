package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// hpas is the real HorizontalPodAutoscaler controller, with a metrics server of
// ours behind the API server's aggregation layer. That server answers
// external.metrics.k8s.io with an instant query of the Prometheus that has the
// workload's scrapes, and keeps nothing.
type hpas struct {
	k *realtest.Kubernetes

	mu    sync.Mutex
	usage map[string]func() (float64, error) // by the name of the scaled copy
}

const externalMetrics = "/apis/external.metrics.k8s.io/v1beta1"

// startHPA runs until the test ends. All the controller's settings are its
// defaults, but for how many requests it may make: many HPAs share it here.
func startHPA(t testing.TB, k *realtest.Kubernetes) *hpas {
	t.Helper()
	h := &hpas{k: k, usage: make(map[string]func() (float64, error))}
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	k.Create(t, fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: { name: external-metrics }
spec: { type: ExternalName, externalName: localhost, ports: [ { port: %[1]s } ] }
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: { name: v1beta1.external.metrics.k8s.io }
spec:
  group: external.metrics.k8s.io
  version: v1beta1
  service: { namespace: default, name: external-metrics, port: %[1]s }
  insecureSkipTLSVerify: true
  groupPriorityMinimum: 100
  versionPriority: 100
`, port))
	realtest.Eventually(t, time.Minute, 200*time.Millisecond, "the API server passes the metrics on", func() error {
		return k.Try(http.MethodGet, externalMetrics, nil, nil)
	})
	realtest.Start(t, realtest.Tool(t, "kube-controller-manager"),
		"--kubeconfig="+k.Kubeconfig(t, realtest.KubernetesAdmin+"-token"),
		"--controllers=horizontal-pod-autoscaler-controller", "--leader-elect=false",
		"--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(realtest.FreePort(t)), "--cert-dir="+t.TempDir(),
		"--authentication-skip-lookup", "--kube-api-qps=500", "--kube-api-burst=500")
	return h
}

// scale has a HorizontalPodAutoscaler scale the copy from now on. It wants as much
// free as Alertscaler does.
func (h *hpas) scale(t testing.TB, s *scaled, usage func() (float64, error)) {
	t.Helper()
	h.mu.Lock()
	h.usage[s.name] = usage
	h.mu.Unlock()
	h.k.Create(t, fmt.Sprintf(`
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: %[1]s }
spec:
  scaleTargetRef: { apiVersion: v1, kind: ReplicationController, name: %[1]s }
  minReplicas: 1
  maxReplicas: 20
  metrics:
    - type: External
      external:
        metric: { name: %[1]s }
        target: { type: AverageValue, averageValue: %[2]dm }
`, s.name, int(1000*(1-free))))
}

// ServeHTTP answers in capacities of one replica.
func (h *hpas) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := map[string]any{"apiVersion": "v1", "kind": "APIResourceList", "groupVersion": "external.metrics.k8s.io/v1beta1", "resources": []any{}}
	if name, ok := strings.CutPrefix(r.URL.Path, externalMetrics+"/namespaces/default/"); ok {
		h.mu.Lock()
		usage := h.usage[name]
		h.mu.Unlock()
		if usage == nil {
			http.NotFound(w, r)
			return
		}
		value, err := usage()
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		answer = map[string]any{"apiVersion": "external.metrics.k8s.io/v1beta1", "kind": "ExternalMetricValueList", "metadata": map[string]any{}, "items": []any{
			map[string]any{"metricName": name, "timestamp": time.Now().UTC().Format(time.RFC3339), "value": fmt.Sprintf("%dm", int(1000*value))},
		}}
	} else if strings.TrimSuffix(r.URL.Path, "/") != externalMetrics {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // Who is gone needs no answer.
}
