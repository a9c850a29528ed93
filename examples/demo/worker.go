package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// worker is one replica: each request costs it some CPU.
func worker(args []string) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to serve on")
	cost := flags.Duration("cost", 10*time.Millisecond, "CPU time of one request")
	// A load balancer needs a moment to learn that a replica goes; until then
	// it is served.
	linger := flags.Duration("linger", 3*time.Second, "how long to go on serving after SIGTERM")
	if err := flags.Parse(args); err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	requests := promauto.With(reg).NewCounter(prometheus.CounterOpts{
		Name: "http_requests_total", Help: "Requests served.",
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		burn(*cost)
		requests.Inc()
		fmt.Fprintln(w, "done")
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		time.Sleep(*linger)
		drain, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(drain)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// burn keeps one core busy for d.
func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		continue
	}
}
