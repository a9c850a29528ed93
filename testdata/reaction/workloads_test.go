package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// The load: that of four replicas before the step and of eight after it. One may
// use capacity, of which a fifth is to stay free, and neither number is at its
// edge: 3.8 replicas are needed first and 7.6 then.
const (
	before, after = 4, 8
	capacity      = 1 << 30 // bytes
	free          = 0.2
	edge          = 0.95
)

// used is what so many replicas' worth of load uses, in capacities of one.
func used(replicas int) float64 { return float64(replicas) * (1 - free) * edge }

// workload has two copies under the same load, each a ReplicationController with
// replicas of its own: Alertscaler scales one and HPA the other.
type workload struct {
	name   string
	copies [2]*scaled // Alertscaler's, HPA's

	mu      sync.Mutex // guards what follows, the copies included
	load    int        // in replicas' worth
	step    time.Time  // when it rose
	scraped time.Time  // when it was first scraped after that
}

// scaled is one of the copies.
type scaled struct {
	name  string
	ready int
	// cpu are the seconds that each replica used until last; those that went are
	// forgotten.
	cpu    []float64
	last   time.Time
	served time.Time // when it had all the replicas it needs after the step
}

// work has the replicas use their shares until now. The workload's mu is held.
func (s *scaled) work(load int, now time.Time) {
	for i := range s.cpu {
		s.cpu[i] += now.Sub(s.last).Seconds() * used(load) / float64(s.ready)
	}
	s.last = now
}

// setReady has the copy run with so many replicas from now on.
func (w *workload) setReady(s *scaled, ready int, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.work(w.load, now)
	for len(s.cpu) < ready {
		s.cpu = append(s.cpu, 0)
	}
	s.cpu, s.ready = s.cpu[:ready], ready
	if !w.step.IsZero() && s.served.IsZero() && ready >= after {
		s.served = now
	}
}

// readyOf is with how many replicas a copy runs.
func (w *workload) readyOf(s *scaled) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.ready
}

// rise is the step.
func (w *workload) rise() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for _, s := range w.copies {
		s.work(w.load, now)
	}
	w.load, w.step = after, now
}

// left are the copies that do not have what they need yet.
func (w *workload) left() (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.copies {
		if s.served.IsZero() {
			names = append(names, fmt.Sprintf("%s (%d replicas)", s.name, s.ready))
		}
	}
	return names
}

// containers is what a kubelet's cAdvisor says of both copies at the same scrape.
func (w *workload) containers() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	var memory, cpu strings.Builder
	for _, s := range w.copies {
		s.work(w.load, now)
		for i := range s.ready {
			labels := fmt.Sprintf(`{namespace="default",pod="%s-%d",container="c",image="i",id="/%s-%d"`, s.name, i, s.name, i)
			fmt.Fprintf(&memory, "container_memory_working_set_bytes%s} %.0f\n", labels, used(w.load)*capacity/float64(s.ready))
			fmt.Fprintf(&cpu, "container_cpu_usage_seconds_total%s,cpu=\"total\"} %.6f\n", labels, s.cpu[i])
		}
	}
	if !w.step.IsZero() && w.scraped.IsZero() {
		w.scraped = now
	}
	return "# TYPE container_memory_working_set_bytes gauge\n" + memory.String() +
		"# TYPE container_cpu_usage_seconds_total counter\n" + cpu.String()
}

// states is what kube-state-metrics says of Alertscaler's copies. Those of HPA are
// no business of the rules.
func states(workloads []*workload) string {
	var out strings.Builder
	for _, w := range workloads {
		w.mu.Lock()
		s := w.copies[0]
		for i := range s.ready {
			pod := fmt.Sprintf(`{namespace="default",pod="%s-%d"`, s.name, i)
			fmt.Fprintf(&out, "kube_pod_owner%s,owner_kind=\"ReplicationController\",owner_name=\"%s\",owner_is_controller=\"true\"} 1\n", pod, s.name)
			fmt.Fprintf(&out, "kube_pod_status_ready%s,condition=\"true\"} 1\n", pod)
			fmt.Fprintf(&out, "kube_pod_container_info%s,container=\"c\"} 1\n", pod)
			fmt.Fprintf(&out, "kube_pod_container_resource_limits%s,container=\"c\",resource=\"memory\"} %d\n", pod, capacity)
		}
		w.mu.Unlock()
	}
	return out.String()
}

// expose serves the metrics of workloads until the test ends: at /states those of
// all, and at /w/ and its name those of each. It returns host and port.
func expose(t testing.TB, workloads []*workload) string {
	t.Helper()
	mux := http.NewServeMux()
	text := func(write func() string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/plain; version=0.0.4")
			fmt.Fprint(rw, write())
		}
	}
	mux.HandleFunc("/states", text(func() string { return states(workloads) }))
	for _, w := range workloads {
		mux.HandleFunc("/w/"+w.name, text(w.containers))
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// create makes the ReplicationControllers.
func (w *workload) create(t testing.TB, k *realtest.Kubernetes) {
	t.Helper()
	for _, s := range w.copies {
		k.Create(t, fmt.Sprintf(`
apiVersion: v1
kind: ReplicationController
metadata: { name: %[1]s }
spec:
  replicas: %[2]d
  selector: { app: %[1]s }
  template:
    metadata: { labels: { app: %[1]s } }
    spec: { containers: [ { name: c, image: i } ] }
`, s.name, before))
	}
}

// actor does what the controller of ReplicationControllers and a kubelet would,
// in no time: as soon as a number is asked for, so many replicas are ready.
type actor struct {
	k *realtest.Kubernetes

	mu     sync.Mutex
	copies map[string]func(ready int, at time.Time) // by name
}

// startActor runs until the test ends.
func startActor(t testing.TB, k *realtest.Kubernetes) *actor {
	t.Helper()
	ca, err := os.ReadFile(k.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	a := &actor{k: k, copies: make(map[string]func(int, time.Time))}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			a.watch(ctx, client)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		client.CloseIdleConnections()
	})
	return a
}

// add has the actor look after a workload. It must be called before its
// ReplicationControllers are made.
func (a *actor) add(w *workload) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range w.copies {
		a.copies[s.name] = func(ready int, at time.Time) { w.setReady(s, ready, at) }
	}
}

// watch takes in the changes of all ReplicationControllers until the connection
// ends.
func (a *actor) watch(ctx context.Context, client *http.Client) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		a.k.URL+"/api/v1/namespaces/default/replicationcontrollers?watch=true&resourceVersion=0", http.NoBody)
	if err != nil {
		return
	}
	req.Header.Set("Authorization", "Bearer "+realtest.KubernetesAdmin+"-token")
	resp, err := client.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	for changes := json.NewDecoder(resp.Body); ; {
		var change struct {
			Type   string
			Object struct {
				Metadata struct{ Name string }
				Spec     struct{ Replicas int }
				Status   struct{ ReadyReplicas int }
			}
		}
		if err := changes.Decode(&change); err != nil {
			return
		}
		o := &change.Object
		a.mu.Lock()
		set := a.copies[o.Metadata.Name]
		a.mu.Unlock()
		if set == nil || change.Type == "DELETED" || o.Status.ReadyReplicas == o.Spec.Replicas {
			continue
		}
		n := o.Spec.Replicas
		status := map[string]any{"status": map[string]any{"replicas": n, "readyReplicas": n, "availableReplicas": n}}
		if err := a.k.Try(http.MethodPatch, "/api/v1/namespaces/default/replicationcontrollers/"+o.Metadata.Name+"/status", status, nil); err == nil {
			set(n, time.Now())
		}
	}
}
