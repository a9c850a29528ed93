package process

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector exports what the replicas of a pool use, for the recording rules
// to sum up. It reads the kernel's numbers at each scrape and nothing between.
//
// What cannot be known is not exported: a resource that the kernel counts only
// for the whole host has no series rather than a wrong one.
type collector struct {
	pool                               *pool
	used                               map[string]*prometheus.Desc // by resource
	capacity, ready, started, restarts *prometheus.Desc
}

// usage is what one replica's process group uses, by resource: seconds of cpu,
// bytes of the others. What is not known is absent.
type usage map[string]float64

func newCollector(p *pool) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("alertscaler_replica_"+name, help, append([]string{"replica"}, labels...),
			prometheus.Labels{"policy": p.policy, "target": p.name, "scale_target": p.scaled})
	}
	return &collector{
		pool: p,
		used: map[string]*prometheus.Desc{
			"cpu":     desc("cpu_seconds_total", "CPU time that the replica's processes used, user and system."),
			"memory":  desc("resident_memory_bytes", "Resident memory of the replica's processes."),
			"disk":    desc("disk_bytes_total", "Bytes that the replica's processes made the disks read and write."),
			"network": desc("network_bytes_total", "Bytes received and sent by the replica, where it has a network namespace of its own."),
		},
		capacity: desc("capacity", "What the replica may use: cores of cpu, bytes of memory, bytes per second of disk and network.", "resource"),
		ready:    desc("ready", "Whether the replica serves (1) or starts, fails or drains (0)."),
		started:  desc("start_time_seconds", "When the replica's process started, in seconds since the epoch."),
		restarts: prometheus.NewDesc("alertscaler_process_restarts_total",
			"How often a replica that ended by itself was started again.", nil,
			prometheus.Labels{"policy": p.policy, "target": p.name}),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.used {
		ch <- d
	}
	for _, d := range []*prometheus.Desc{c.capacity, c.ready, c.started, c.restarts} {
		ch <- d
	}
}

// sample is one replica at one scrape.
type sample struct {
	replica *replica
	label   string
	pid     int // 0: not running
	started time.Time
	ready   float64 // 1: it serves; 0: it does not
	usage   usage
}

// Collect implements prometheus.Collector. Scrapes may overlap.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	samples, restarts := c.snapshot()
	// The kernel is asked without the lock: a slow host delays the scrape and
	// nothing else.
	readUsage(samples)
	c.count(samples)

	ch <- prometheus.MustNewConstMetric(c.restarts, prometheus.CounterValue, float64(restarts))
	for _, s := range samples {
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{s.label}, labels...)...)
		}
		gauge(c.ready, s.ready)
		if s.pid == 0 {
			continue
		}
		gauge(c.started, float64(s.started.UnixNano())/1e9)
		for _, a := range c.pool.cfg.Capacity.amounts() {
			gauge(c.capacity, a.value, a.resource)
		}
		for resource, v := range s.usage {
			kind := prometheus.CounterValue
			if resource == "memory" {
				kind = prometheus.GaugeValue
			}
			ch <- prometheus.MustNewConstMetric(c.used[resource], kind, v, s.label)
		}
	}
}

// snapshot copies what the pool knows.
func (c *collector) snapshot() ([]sample, int) {
	p := c.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	samples := make([]sample, 0, len(p.replicas))
	for _, r := range p.replicas {
		s := sample{replica: r, label: strconv.Itoa(r.index), pid: r.pid, started: r.started}
		if r.ready && !r.draining {
			s.ready = 1
		}
		samples = append(samples, s)
	}
	return samples, p.restarts
}

// count feeds the readings into the replicas' counters. A replica that ended
// since the snapshot has been counted to its end already and is left out.
func (c *collector) count(samples []sample) {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	for i := range samples {
		s := &samples[i]
		if s.pid != s.replica.pid {
			s.pid = 0
			continue
		}
		for resource, counter := range map[string]*counter{"cpu": &s.replica.cpu, "disk": &s.replica.disk} {
			if sum, ok := s.usage[resource]; ok {
				s.usage[resource] = counter.observe(sum)
			}
		}
	}
}

// counter turns a sum over processes that come and go into a number that only
// grows. When a process takes its share of the sum with it, as an orphan does
// that nobody waits for, what is lost becomes part of the base.
type counter struct{ base, last float64 }

// observe returns the counter after a reading of sum.
func (c *counter) observe(sum float64) float64 {
	c.base += max(0, c.last-sum)
	c.last = sum
	return c.base + sum
}

// restart prepares for processes that count from zero, after the old ones
// ended at final or, where that is less, where they were last seen.
func (c *counter) restart(final float64) {
	c.base += max(c.last, final)
	c.last = 0
}
