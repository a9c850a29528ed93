package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// What a machine has.
const (
	cores       = 2
	memoryTotal = 1 << 30
	memoryUsed  = 300 << 20
)

// machine boots, then serves requests, and the metrics of a node_exporter by
// which it is measured: the CPU that its requests would take. Nothing really
// burns, so that a busy host does not change the story.
func machine(args []string) error {
	flags := flag.NewFlagSet("machine", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to serve on")
	boot := flags.Duration("boot", 0, "how long it takes until it serves")
	cost := flags.Duration("cost", 100*time.Millisecond, "CPU time of one request")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ctx, off := context.WithCancel(ctx)
	defer off()
	go func() { // the cloud is gone
		_, _ = io.Copy(io.Discard, os.Stdin)
		off()
	}()
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(*boot):
	}
	c := &clock{started: time.Now()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		c.use(*cost)
		fmt.Fprintln(w, "hello")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(nodeMetrics(c), promhttp.HandlerOpts{}))
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(drain)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// clock is the CPU time of a machine.
type clock struct {
	started time.Time

	mu   sync.Mutex // guards what follows, in seconds of one core
	used float64
	idle float64
}

func (c *clock) use(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used += d.Seconds() / cores
}

// times are the seconds that one core was busy and idle. Neither ever falls.
func (c *clock) times() (used, idle float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = max(c.idle, time.Since(c.started).Seconds()-c.used)
	return c.used, c.idle
}

// nodeMetrics are those of node_exporter that the shipped rules read.
func nodeMetrics(c *clock) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	for core := range cores {
		for mode, value := range map[string]func() float64{
			"user": func() float64 { used, _ := c.times(); return used },
			"idle": func() float64 { _, idle := c.times(); return idle },
		} {
			reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "node_cpu_seconds_total", Help: "Seconds the CPUs spent in each mode.",
				ConstLabels: prometheus.Labels{"cpu": strconv.Itoa(core), "mode": mode},
			}, value))
		}
	}
	for name, value := range map[string]float64{
		"node_memory_MemTotal_bytes":     memoryTotal,
		"node_memory_MemAvailable_bytes": memoryTotal - memoryUsed,
	} {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: "As in /proc/meminfo."},
			func() float64 { return value }))
	}
	return reg
}
