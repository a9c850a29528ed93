package realtest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/apimachinery/pkg/api/resource"
)

// KubernetesMetrics serves what monitoring has of a cluster: at /metrics the
// series that kube-state-metrics makes of its objects, and at /metrics/cadvisor
// those that a kubelet has of the containers that run. Only those series are
// there that the shipped rules read of processor and memory.
//
// The objects are read from the API server anew for each scrape. What the
// containers use is invented, as nothing runs: see SetLoad.
type KubernetesMetrics struct {
	// Address is the host:port where it listens.
	Address string

	k *Kubernetes

	mu   sync.Mutex // guards what follows
	load map[string]float64
	cpu  map[string]float64 // seconds used, by the pod's UID
	last time.Time          // until when
}

// StartMetrics serves the metrics until the test ends.
func (k *Kubernetes) StartMetrics(t testing.TB) *KubernetesMetrics {
	t.Helper()
	m := &KubernetesMetrics{k: k, load: make(map[string]float64), cpu: make(map[string]float64), last: time.Now()}
	mux := http.NewServeMux()
	for path, collect := range map[string]collector{
		"/metrics":          m.states,
		"/metrics/cadvisor": m.containers,
	} {
		reg := prometheus.NewRegistry()
		reg.MustRegister(collect)
		mux.Handle(path, promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	m.Address = strings.TrimPrefix(srv.URL, "http://")
	return m
}

// SetLoad has the pods of a namespace with that value of the label app use so
// many cores together, shared evenly by those that are ready, none of which gets
// more than its limit.
func (m *KubernetesMetrics) SetLoad(namespace, app string, cores float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load[namespace+"/"+app] = cores
}

// collector is a prometheus.Collector of whatever there is at the time.
type collector func(chan<- prometheus.Metric)

func (collector) Describe(chan<- *prometheus.Desc)       {}
func (c collector) Collect(out chan<- prometheus.Metric) { c(out) }

// measuredObject is what the metrics say of a pod or a ReplicaSet.
type measuredObject struct {
	Metadata struct {
		Name, Namespace, UID, DeletionTimestamp string
		Labels                                  map[string]string
		OwnerReferences                         []struct {
			Kind, Name string
			Controller bool
		}
	}
	Spec struct {
		NodeName    string
		HostNetwork bool
		Containers  []struct {
			Name, Image string
			Resources   struct{ Limits map[string]string }
		}
	}
	Status struct {
		Phase, PodIP string
		Conditions   []struct{ Type, Status string }
	}
}

// ready is the status of the condition Ready: True, False or Unknown.
func (o *measuredObject) ready() string {
	for _, c := range o.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status
		}
	}
	return "False"
}

func (o *measuredObject) running() bool {
	return o.Status.Phase == "Running" && o.Metadata.DeletionTimestamp == ""
}

// app is the key of its load.
func (o *measuredObject) app() string { return o.Metadata.Namespace + "/" + o.Metadata.Labels["app"] }

// limit is what its containers may have of a resource; 0 is no limit.
func (o *measuredObject) limit(name string) float64 {
	sum := 0.0
	for _, c := range o.Spec.Containers {
		sum += amount(c.Resources.Limits[name])
	}
	return sum
}

func amount(quantity string) float64 {
	q, err := resource.ParseQuantity(quantity)
	if err != nil {
		return 0
	}
	return q.AsApproximateFloat64()
}

// objects reads all of a kind; what cannot be read is sent as the reason why
// the scrape fails.
func (m *KubernetesMetrics) objects(path string, out chan<- prometheus.Metric) []measuredObject {
	var list struct{ Items []measuredObject }
	if err := m.k.Try(http.MethodGet, path, nil, &list); err != nil {
		out <- prometheus.NewInvalidMetric(prometheus.NewDesc("kubernetes", "The API server.", nil, nil), err)
	}
	return list.Items
}

// sample is one series with labels as names and values in turn.
func sample(kind prometheus.ValueType, name string, value float64, labels ...string) prometheus.Metric {
	var names, values []string
	for i := 0; i < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	return prometheus.MustNewConstMetric(prometheus.NewDesc(name, "As kube-state-metrics or cAdvisor have it.", names, nil), kind, value, values...)
}

// states is what kube-state-metrics says.
func (m *KubernetesMetrics) states(out chan<- prometheus.Metric) {
	gauge := func(name string, value float64, labels ...string) {
		out <- sample(prometheus.GaugeValue, name, value, labels...)
	}
	for _, set := range m.objects("/apis/apps/v1/replicasets", out) {
		for _, owner := range set.Metadata.OwnerReferences {
			gauge("kube_replicaset_owner", 1, "namespace", set.Metadata.Namespace, "replicaset", set.Metadata.Name,
				"owner_kind", owner.Kind, "owner_name", owner.Name, "owner_is_controller", strconv.FormatBool(owner.Controller))
		}
	}
	pods := m.objects("/api/v1/pods", out)
	for i := range pods {
		p := &pods[i]
		pod := []string{"namespace", p.Metadata.Namespace, "pod", p.Metadata.Name, "uid", p.Metadata.UID}
		with := func(more ...string) []string { return slices.Concat(pod, more) }
		gauge("kube_pod_info", 1, with("node", p.Spec.NodeName, "pod_ip", p.Status.PodIP, "host_network", strconv.FormatBool(p.Spec.HostNetwork))...)
		for _, owner := range p.Metadata.OwnerReferences {
			gauge("kube_pod_owner", 1, with("owner_kind", owner.Kind, "owner_name", owner.Name, "owner_is_controller", strconv.FormatBool(owner.Controller))...)
		}
		for _, status := range []string{"True", "False", "Unknown"} {
			value := 0.0
			if p.ready() == status {
				value = 1
			}
			gauge("kube_pod_status_ready", value, with("condition", strings.ToLower(status))...)
		}
		if at, err := time.Parse(time.RFC3339, p.Metadata.DeletionTimestamp); err == nil {
			gauge("kube_pod_deletion_timestamp", float64(at.Unix()), pod...)
		}
		for _, c := range p.Spec.Containers {
			gauge("kube_pod_container_info", 1, with("container", c.Name, "image_spec", c.Image)...)
			for name, unit := range map[string]string{"cpu": "core", "memory": "byte"} {
				if limit := amount(c.Resources.Limits[name]); limit > 0 {
					gauge("kube_pod_container_resource_limits", limit, with("container", c.Name, "node", p.Spec.NodeName, "resource", name, "unit", unit)...)
				}
			}
		}
	}
}

// memoryUsed is the share of its limit that each container uses.
const memoryUsed = 0.2

// containers is what cAdvisor in the kubelet says.
func (m *KubernetesMetrics) containers(out chan<- prometheus.Metric) {
	pods := m.objects("/api/v1/pods", out)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.work(pods)
	for i := range pods {
		p := &pods[i]
		if !p.running() {
			continue
		}
		for _, c := range p.Spec.Containers {
			labels := []string{
				"namespace", p.Metadata.Namespace, "pod", p.Metadata.Name, "container", c.Name, "image", c.Image,
				"id", "/kubepods/pod" + p.Metadata.UID + "/" + c.Name, "name", c.Name,
			}
			share := m.cpu[p.Metadata.UID] / float64(len(p.Spec.Containers))
			out <- sample(prometheus.CounterValue, "container_cpu_usage_seconds_total", share, slices.Concat(labels, []string{"cpu", "total"})...)
			out <- sample(prometheus.GaugeValue, "container_memory_working_set_bytes", memoryUsed*amount(c.Resources.Limits["memory"]), labels...)
		}
	}
}

// work has the pods use what they are loaded with, for the time since the last
// call. m.mu is held.
func (m *KubernetesMetrics) work(pods []measuredObject) {
	now := time.Now()
	seconds := now.Sub(m.last).Seconds()
	m.last = now
	ready := make(map[string]float64)
	for i := range pods {
		if p := &pods[i]; p.running() && p.ready() == "True" {
			ready[p.app()]++
		}
	}
	for i := range pods {
		p := &pods[i]
		if !p.running() || p.ready() != "True" {
			continue
		}
		cores := m.load[p.app()] / ready[p.app()]
		if limit := p.limit("cpu"); limit > 0 {
			cores = min(cores, limit)
		}
		m.cpu[p.Metadata.UID] += cores * seconds
	}
}
