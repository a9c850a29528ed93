// Command cadvisor serves the container metrics of one Docker host.
//
// It is Google's cAdvisor, used as a library: the same collector under the same
// metric names and labels, without the web pages and the storage drivers. The
// tests and the demo scrape it where a user would run the cAdvisor container.
// The library's own flags, among them -docker and -housekeeping_interval, are
// accepted too.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	_ "github.com/google/cadvisor/container/docker/install"
	v2 "github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/utils/clock"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve /metrics on")
	flag.Parse()
	if err := run(*listen); err != nil {
		log.Fatal(err)
	}
}

func run(listen string) error {
	included := container.MetricSet{
		container.CpuUsageMetrics:     {},
		container.MemoryUsageMetrics:  {},
		container.DiskIOMetrics:       {},
		container.DiskUsageMetrics:    {},
		container.NetworkUsageMetrics: {},
	}
	// A fixed housekeeping interval: with the dynamic one an idle container is
	// read only once a minute, and its first second of load goes unseen.
	fixed := false
	m, err := manager.New(
		memory.New(2*time.Minute, nil),
		sysfs.NewRealSysFs(),
		manager.HousekeepingConfig{Interval: manager.HousekeepingInterval, AllowDynamic: &fixed},
		included,
		http.DefaultClient,
		[]string{""}, nil, // cgroup prefixes to report, which may not be none, and environment variables
		"", 0, // perf events and resctrl, both unused
	)
	if err != nil {
		return err
	}
	if err := m.Start(); err != nil {
		return err
	}

	reg := prometheus.NewRegistry()
	reg.MustRegister(metrics.NewPrometheusCollector(m, metrics.DefaultContainerLabels, included, clock.RealClock{},
		v2.RequestOptions{IdType: v2.TypeName, Count: 1, Recursive: true}))
	http.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	log.Printf("serving container metrics on http://%s/metrics", listen)
	return http.ListenAndServe(listen, nil)
}
